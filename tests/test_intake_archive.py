"""Archives that strangers packed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.intake import IntakeError, Submission, take_in
from grader.intake.names import MAX_PDF_BYTES, MAX_TEXT_BYTES

Members = Iterable[tuple[str, bytes]]
FILES = [("team-7/lib/model.py", b"x = 1\r\n"), ("team-7/feedback.md", "ü".encode())]


def make_zip(members: Members) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.filename = name  # ZipInfo cuts it at a NUL
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()


def make_tar(members: Members) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


PACKERS: dict[str, Callable[[Members], bytes]] = {
    "zip": make_zip,
    "tar": make_tar,
    "tar.gz": lambda members: gzip.compress(make_tar(members)),
    "tar.bz2": lambda members: bz2.compress(make_tar(members)),
    "tar.xz": lambda members: lzma.compress(make_tar(members)),
}
every_kind = pytest.mark.parametrize("kind", PACKERS)


@pytest.fixture
def taken(tmp_path: Path) -> Callable[[bytes, str], Submission]:
    def take(data: bytes, kind: str) -> Submission:
        (tmp_path / f"team.{kind}").write_bytes(data)
        submission = take_in(tmp_path / f"team.{kind}")
        assert [one.name for one in tmp_path.iterdir()] == [f"team.{kind}"]  # nothing was unpacked
        return submission

    return take


Taken = Callable[[bytes, str], Submission]


@every_kind
def test_an_archive_becomes_its_files_without_the_folder_around_them(taken: Taken, kind: str) -> None:
    junk = [("__MACOSX/team-7/._a.py", b""), ("team-7/data/a.py", b""), ("team-7/.git/config", b""), (".DS_Store", b"")]
    submission = taken(PACKERS[kind]([*FILES, *junk, ("team-7/plot.png", b"png")]), kind)
    assert submission.name == "team"
    assert submission.files == {"feedback.md": "ü".encode(), "lib/model.py": b"x = 1\r\n"}
    assert submission.skipped == ("plot.png",)
    assert submission.refused == ()


def test_an_archive_of_lib_alone_keeps_its_folder(taken: Taken) -> None:
    assert list(taken(make_zip([("lib/model.py", b"")]), "zip").files) == ["lib/model.py"]


@every_kind
def test_names_that_lead_out_are_refused(taken: Taken, kind: str) -> None:
    names = ["../a.py", "/b.py", "lib/../../c.py", "C:/d.py", "lib\\e.py"]
    submission = taken(PACKERS[kind]([("ok.py", b""), *((name, b"#") for name in names)]), kind)
    assert list(submission.files) == ["ok.py"]
    assert len(submission.refused) == len(names)


def test_a_zip_name_that_hides_behind_a_nul_is_refused(taken: Taken) -> None:
    submission = taken(make_zip([("ok.py", b""), ("a.py\0.png", b"#")]), "zip")
    assert list(submission.files) == ["ok.py"]
    assert "control" in submission.refused[0].reason


@every_kind
def test_of_a_name_that_stands_twice_nothing_counts(taken: Taken, kind: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)  # zipfile's, while packing
        data = PACKERS[kind]([("ok.py", b""), ("a.py", b"1"), ("./a.py", b"2"), ("B.py", b""), ("b.py", b"")])
    submission = taken(data, kind)
    assert list(submission.files) == ["ok.py"]
    assert [one.file for one in submission.refused] == ["B.py", "a.py", "b.py"]


def test_links_and_devices_in_a_tar_are_refused(taken: Taken) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (
            ("symbolic.py", tarfile.SYMTYPE),
            ("hard.py", tarfile.LNKTYPE),
            ("fifo.py", tarfile.FIFOTYPE),
            ("zero.py", tarfile.CHRTYPE),
            ("ok.py", tarfile.REGTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    submission = taken(buffer.getvalue(), "tar")
    assert list(submission.files) == ["ok.py"]
    assert [one.reason for one in submission.refused] == [
        "it is a device",
        "it is a link",
        "it is a link",
        "it is a device",
    ]


def test_links_in_a_zip_are_refused(taken: Taken) -> None:
    buffer = io.BytesIO(make_zip([("ok.py", b"")]))
    with zipfile.ZipFile(buffer, "a") as archive:
        info = zipfile.ZipInfo("link.py")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    (refused,) = taken(buffer.getvalue(), "zip").refused
    assert (refused.file, refused.reason) == ("link.py", "it is a link")


@every_kind
def test_an_archive_in_an_archive_is_skipped(taken: Taken, kind: str) -> None:
    assert taken(PACKERS[kind]([("ok.py", b""), ("inner.zip", make_zip(FILES))]), kind).skipped == ("inner.zip",)


@every_kind
def test_a_file_beyond_its_cap_is_refused_and_the_rest_is_taken(taken: Taken, kind: str) -> None:
    submission = taken(PACKERS[kind]([("ok.py", b""), ("long.py", bytes(MAX_TEXT_BYTES + 1))]), kind)
    assert list(submission.files) == ["ok.py"]
    assert submission.refused[0].reason == "it is larger than 1 MiB"


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_bomb_is_refused_before_it_fills_the_memory(taken: Taken, kind: str) -> None:
    data = PACKERS[kind]((f"{i}.pdf", bytes(MAX_PDF_BYTES)) for i in range(2))
    tracemalloc.start()
    with pytest.raises(IntakeError, match="unpacks to more than 200 times its size"):
        taken(data, kind)
    assert tracemalloc.get_traced_memory()[1] < 4 * MAX_PDF_BYTES
    tracemalloc.stop()


def test_a_tar_bomb_of_what_no_one_reads_is_refused(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.intake.archive.MAX_UNPACKED_BYTES", 10**6)
    data = gzip.compress(make_tar([("ok.py", b""), ("zeros.png", bytes(2 * 10**6))]))
    with pytest.raises(IntakeError, match="leave out data"):
        taken(data, "tar.gz")


def test_a_zip_that_lies_about_a_size_is_read_to_the_cap_only(taken: Taken) -> None:
    data = make_zip([("ok.py", b""), ("a.py", bytes(5 * MAX_TEXT_BYTES))])
    true, lie = struct.pack("<L", 5 * MAX_TEXT_BYTES), struct.pack("<L", 10)
    assert data.count(true) == 2
    with pytest.raises(IntakeError, match=r"team.zip is broken"):  # its checksum is that of all bytes
        taken(data.replace(true, lie), "zip")


def test_a_zip_that_declares_an_endless_list_of_files_is_refused(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.intake.archive.MAX_DIRECTORY_BYTES", 70_000)
    data = make_zip((f"pictures/{i}.png", b"") for i in range(2_000))
    with pytest.raises(IntakeError, match="its list of files is too long"):
        taken(data, "zip")


def test_a_tar_with_an_endless_header_is_refused(taken: Taken) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.py")
        info.pax_headers = {"comment": "x" * 10**6}
        archive.addfile(info)
    with pytest.raises(IntakeError, match="a header in it is too long"):
        taken(buffer.getvalue(), "tar")


def test_an_encrypted_zip_is_refused(taken: Taken) -> None:
    data = bytearray(make_zip([("a.py", b"1")]))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(IntakeError, match="encrypted; pack the files without a password"):
        taken(bytes(data), "zip")


@every_kind
def test_a_truncated_archive_is_broken_or_gives_whole_files_only(taken: Taken, kind: str) -> None:
    content = bytes(range(256)) * 20
    data = PACKERS[kind]([("a.py", content), ("b.py", content)])
    for end in range(0, len(data), max(1, len(data) // 23)):
        try:
            submission = taken(data[:end], kind)
        except IntakeError:
            continue
        assert set(submission.files.values()) == {content}


@every_kind
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(edits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_archive_is_read_or_refused(taken: Taken, kind: str, edits: list[tuple[int, int]]) -> None:
    data = bytearray(PACKERS[kind](FILES))
    for at, value in edits:
        data[at % len(data)] = value
    with suppress(IntakeError):  # any other error is a failure
        taken(bytes(data), kind)


@pytest.mark.parametrize("kind", PACKERS)
def test_what_is_no_archive_at_all_is_broken(taken: Taken, kind: str) -> None:
    for data in (b"", b"hello", bytes(2000)):
        with pytest.raises(IntakeError, match="team: "):
            taken(data, kind)


def test_reading_ends_in_time(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10**6, 7))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    with pytest.raises(IntakeError, match="takes longer than 60 s"):
        taken(make_zip([(f"{i}.py", b"") for i in range(20)]), "zip")
