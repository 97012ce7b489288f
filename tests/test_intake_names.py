"""Names of files that strangers chose."""

from __future__ import annotations

import string
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake.gather import Gathering, IntakeError
from grader.intake.names import MAX_DEPTH, MAX_PATH_CHARACTERS, collision_key, is_ignored, shown, why_unsafe


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../a.py", "leads out"),
        ("lib/../../a.py", "leads out"),
        ("lib//a.py", "leads out"),
        ("/etc/passwd.py", "absolute"),
        ("C:/a.py", "drive"),
        ("C:a.py", "drive"),
        ("a.py:stream.py", "drive"),
        ("lib\\a.py", "backslash"),
        ("a\0.py", "control"),
        ("a\n.py", "control"),
        ("a\x1b[31m.py", "control"),
        ("a\u202eyp.py", "invisible"),
        ("a\udcff.py", "not UTF-8"),
        ("CON.py", "Windows"),
        ("lib/lpt1", "Windows"),
        ("nul.tar.py", "Windows"),
        ("lib./a.py", "dot"),
        ("a.py ", "blank"),
        ("a" * 240 + ".py", "characters"),
        ("a/" * (MAX_DEPTH + 1) + "b.py", "deeper"),
    ],
)
def test_an_unsafe_name_is_refused_with_its_reason(path: str, reason: str) -> None:
    assert reason in (why_unsafe(path) or "")


@pytest.mark.parametrize("path", ["lib/model_vae.py", "Lösung 1.pdf", "console.py", "com.py", ".gitignore", "a..b.py"])
def test_an_ordinary_name_is_safe(path: str) -> None:
    assert why_unsafe(path) is None


@given(st.text(st.sampled_from("./\\:ab\0 \u202e\udc80CONnul") | st.characters(), max_size=40))
def test_a_safe_name_stays_in_its_folder_on_every_system(path: str) -> None:
    if why_unsafe(path) is None:
        assert path == PurePosixPath(path).as_posix()
        windows = PureWindowsPath(path)
        assert not windows.drive
        assert not windows.root
        assert ".." not in windows.parts
        assert not windows.is_reserved()
        assert len(path) <= MAX_PATH_CHARACTERS


@given(st.text(max_size=300))
def test_what_is_shown_of_a_name_can_be_printed_and_stored(path: str) -> None:
    assert shown(path).isprintable()
    shown(path).encode()


@given(st.text(st.sampled_from("aAéÉ" + unicodedata.normalize("NFD", "éÉ") + string.ascii_letters), max_size=8))
def test_names_that_are_one_file_on_some_system_have_one_key(path: str) -> None:
    same = [path.upper(), path.lower(), unicodedata.normalize("NFD", path), unicodedata.normalize("NFC", path)]
    assert {collision_key(one) for one in same} == {collision_key(path)}


def test_data_is_ignored_at_the_top_and_is_code_below() -> None:
    assert is_ignored("data/mnist.npz")
    assert not is_ignored("lib/data/digits.py")
    assert is_ignored("lib/__pycache__/digits.py")
    assert is_ignored("deep/results_kl1.0/notes.md")


def test_of_names_that_collide_none_counts_however_many_they_are() -> None:
    gathering = Gathering("team")
    for path in ("lib/model.py", "lib/Model.py", "lib/MODEL.py", "lib/model.py", "ok.py"):
        gathering.keep(path, b"", 10)
    submission = gathering.finish()
    assert list(submission.files) == ["ok.py"]
    assert [one.file for one in submission.refused] == ["lib/MODEL.py", "lib/Model.py", "lib/model.py"]


def test_a_name_cannot_be_a_file_and_a_folder() -> None:
    gathering = Gathering("team")
    for path in ("lib.py", "Lib.py/model.py", "ok.py"):
        gathering.keep(path, b"", 10)
    submission = gathering.finish()
    assert list(submission.files) == ["Lib.py/model.py", "ok.py"]
    assert submission.refused[0].reason == "it is a file and a folder at once"


@pytest.mark.parametrize("link_first", [True, False])
def test_a_name_that_was_refused_once_does_not_count_as_a_file(link_first: bool) -> None:
    gathering = Gathering("team")
    gathering.keep("ok.py", b"", 10)
    for is_link in (link_first, not link_first):
        if is_link:
            gathering.refuse("a.py", "it is a link")
        else:
            gathering.keep("a.py", b"", 10)
    submission = gathering.finish()
    assert (list(submission.files), [one.file for one in submission.refused]) == (["ok.py"], ["a.py"])


def test_the_caps_on_all_files_together_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.intake.gather.MAX_TOTAL_BYTES", 1000)
    gathering = Gathering("team")
    gathering.keep("a.py", bytes(1000), 1000)
    with pytest.raises(IntakeError, match=r"team: it holds more than .* MiB; leave out data"):
        gathering.keep("b.py", b"x", 1000)
