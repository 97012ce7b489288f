"""Folders that strangers filled."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from grader.intake import IntakeError, take_in
from grader.intake.folder import NotRegular, read_regular
from grader.intake.names import MAX_TEXT_BYTES

SECRET = b"the solution"


def reasons(folder: Path) -> dict[str, str]:
    return {one.file: one.reason for one in take_in(folder).refused}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.py").write_bytes(SECRET)
    made = tmp_path / "team"
    (made / "lib").mkdir(parents=True)
    (made / "lib" / "model.py").write_bytes(b"x = 1\r\n")
    return made


def test_a_folder_becomes_its_files_byte_for_byte(folder: Path) -> None:
    (folder / "feedback.md").write_text("ü")
    (folder / "plot.png").write_bytes(b"png")
    for ignored in (".git", "data", "results_kl1.0", "lib/__pycache__"):
        (folder / ignored).mkdir()
        (folder / ignored / "a.py").write_text("")
    submission = take_in(folder)
    assert submission.name == "team"
    assert list(submission.files.items()) == [("feedback.md", "ü".encode()), ("lib/model.py", b"x = 1\r\n")]
    assert submission.skipped == ("plot.png",)
    assert submission.refused == ()
    assert submission.commit is None


def test_links_are_refused_and_never_followed(folder: Path) -> None:
    (folder / "stolen.py").symlink_to(folder.parent / "secret.py")
    (folder / "around").symlink_to(folder)
    (folder / "out").symlink_to("/etc")
    assert reasons(folder) == dict.fromkeys(["around", "out", "stolen.py"], "it is a link")
    assert list(take_in(folder).files) == ["lib/model.py"]


def test_fifos_sockets_and_devices_are_refused_without_being_opened(folder: Path) -> None:
    os.mkfifo(folder / "fifo.py")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket.py"))
    expected = {"fifo.py": "it is a FIFO", "socket.py": "it is a socket"}
    try:
        os.mknod(folder / "zero.py", 0o600 | 0o020000, os.makedev(1, 5))
        expected["zero.py"] = "it is a device"
    except PermissionError:
        pass  # only root makes devices
    assert reasons(folder) == expected


def test_a_link_that_takes_a_files_place_after_the_check_is_not_followed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "lib" / "model.py"
    honest = os.stat

    def stat_then_swap(path: str, **options: object) -> os.stat_result:
        seen = honest(path, **options)
        if path == "model.py" and not file.is_symlink():
            file.unlink()
            file.symlink_to(folder.parent / "secret.py")
        return seen

    monkeypatch.setattr(os, "stat", stat_then_swap)
    descriptor = os.open(folder / "lib", os.O_RDONLY)
    with pytest.raises(NotRegular, match="became a link"):
        read_regular("model.py", 100, descriptor)
    os.close(descriptor)


def test_a_fifo_that_takes_a_files_place_after_the_check_does_not_block(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(folder / "fifo.py")
    regular = os.stat(folder / "lib" / "model.py")
    monkeypatch.setattr(os, "stat", lambda *_, **__: regular)
    with pytest.raises(NotRegular, match="became a FIFO"):
        read_regular(str(folder / "fifo.py"), 100)


def test_a_file_that_grows_while_it_is_read_is_read_to_its_cap(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "grows.py"
    file.write_bytes(b"#")
    honest = os.fstat

    def look_then_grow(descriptor: int) -> os.stat_result:
        seen = honest(descriptor)
        os.truncate(file, 10**12)
        return seen

    monkeypatch.setattr(os, "fstat", look_then_grow)
    assert read_regular(str(file), 1000) == b"#" + bytes(1000)


def test_a_file_at_its_cap_is_taken_and_one_byte_more_is_too_large(folder: Path) -> None:
    (folder / "long.py").write_bytes(bytes(MAX_TEXT_BYTES))
    (folder / "longer.py").write_bytes(bytes(MAX_TEXT_BYTES + 1))
    with (folder / "huge.pdf").open("wb") as sparse:
        sparse.truncate(10**12)
    assert reasons(folder) == {"longer.py": "it is larger than 1 MiB", "huge.pdf": "it is larger than 30 MiB"}
    assert "long.py" in take_in(folder).files


def test_unreadable_names_are_refused_and_told_in_print(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.py")).write_text("")
    (folder / "a\x1b[31m\n.py").write_text("")
    assert reasons(folder) == {
        "caf\\udce9.py": "its name is not UTF-8",
        "a\\x1b[31m\\n.py": "its name holds control or invisible characters",
    }


def test_deep_folders_are_refused_and_the_rest_is_taken(folder: Path) -> None:
    deep = folder
    for _ in range(40):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "a.py").write_text("")
    assert list(reasons(folder).values()) == ["it lies deeper than 20 folders"]
    assert list(take_in(folder).files) == ["lib/model.py"]


def test_ten_thousand_files_are_too_many_unless_no_one_reads_them(folder: Path) -> None:
    (folder / "pictures").mkdir()
    for i in range(10_000):
        (folder / "pictures" / f"{i}.png").touch()
    assert len(take_in(folder).skipped) == 10_000
    for i in range(2_000):
        (folder / "lib" / f"{i}.py").touch()
    with pytest.raises(IntakeError, match=r"team: it holds more than 2,000 files; leave out data"):
        take_in(folder)


def test_git_lfs_pointers_are_refused(folder: Path) -> None:
    (folder / "submission.pdf").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    assert "Git LFS pointer" in reasons(folder)["submission.pdf"]


def test_what_is_no_submission_is_refused_as_a_whole(folder: Path) -> None:
    (folder.parent / "empty").mkdir()
    (folder.parent / "linked").symlink_to(folder)
    (folder.parent / "essay.docx").touch()
    os.mkfifo(folder.parent / "fifo.zip")
    cases = {
        "missing": "missing does not exist; check the path",
        "empty": "empty: there is no file in it that can be graded",
        "linked": "linked is a link; give what it points to",
        "essay.docx": "is no folder, repository, notebook or archive",
        "fifo.zip": "is no folder, repository, notebook or archive",
    }
    for name, sentence in cases.items():
        with pytest.raises(IntakeError, match=sentence):
            take_in(folder.parent / name)


def test_what_the_system_refuses_to_read_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/srv/team")

    monkeypatch.setattr("grader.intake.read_folder", refuse)
    with pytest.raises(IntakeError, match=r"team: /srv/team cannot be read \(Permission denied\); check who may read"):
        take_in(folder)


def test_one_notebook_is_a_submission(folder: Path) -> None:
    (folder / "cvae.ipynb").write_text("{}")
    submission = take_in(folder / "cvae.ipynb")
    assert (submission.name, submission.files) == ("cvae", {"cvae.ipynb": b"{}"})


def test_a_name_that_the_caller_gives_is_kept(folder: Path) -> None:
    assert take_in(folder, name="team 7").name == "team 7"
