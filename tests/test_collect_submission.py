"""What students run to put their archive together, and what the grader says of one that lacks a file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader.intake import IntakeError, Submission, check_complete, take_in
from grader.intake.gather import Refused
from grader.sheet import load_sheet
from tools.release import EXECUTABLE, build_release


@pytest.fixture
def release(course: Path, tmp_path: Path) -> Path:
    """A release of a sheet that asks for an archive of three files."""
    asking = tmp_path / "course"
    shutil.copytree(course, asking)
    with (asking / "sheets/sums/sheet.toml").open("a") as sheet:
        sheet.write('\n[submission]\nfiles = ["lib/adding.py", "essay.pdf", "review.md"]\n')
    text = (asking / "sheets/sums/sheet.toml").read_text()
    essay = 'kind = "written"\nwhere = "`submission.pdf`"'
    assert essay in text
    text = text.replace(essay, 'kind = "written"\nfile = "review.md"\nmax_words = 3')
    (asking / "sheets/sums/sheet.toml").write_text(text)
    folder = tmp_path / "release"
    for path, data in build_release(load_sheet("sums", asking)).files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def collect(release: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(release / "collect_submission.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


def test_nothing_is_written_while_a_file_is_missing(release: Path) -> None:
    done = collect(release)
    assert done.returncode == 2
    assert done.stderr.splitlines()[1:] == ["    essay.pdf", "    review.md"]
    assert not (release / "sums.zip").exists()


def test_the_archive_holds_exactly_what_the_grader_asks_for(release: Path) -> None:
    (release / "essay.pdf").write_bytes(b"")
    (release / "review.md").write_text("one two - three four")
    done = collect(release)
    assert done.returncode == 0, done.stderr
    assert "essay.pdf is empty" in done.stdout
    assert "lib/adding.py still raises NotImplementedError" in done.stdout
    assert "review.md has 4 of at most 3 words, 1 too many" in done.stdout
    wanted = json.loads((release / ".gapgrade/sheet.json").read_text())["submission"]["files"]
    with zipfile.ZipFile(release / "sums.zip") as archive:
        assert archive.namelist() == wanted
    check_complete(take_in(release / "sums.zip"), wanted)


def test_only_sheets_that_ask_for_an_archive_get_the_scripts(release: Path, course: Path) -> None:
    scripts = {"collect_submission.py", "collect_submission.sh", "collect_submission.bat"}
    assert all((release / script).is_file() for script in scripts)
    assert "collect_submission.sh" in EXECUTABLE
    assert not scripts & build_release(load_sheet("sums", course)).files.keys()


def test_a_file_that_was_refused_is_missing_with_its_reason() -> None:
    submission = Submission("team", {"a.py": b""}, (Refused("b.pdf", "it is larger than 30 MiB"),))
    check_complete(submission, ["a.py"])
    with pytest.raises(IntakeError) as refusal:
        check_complete(submission, ["a.py", "b.pdf", "c.md"])
    assert "2 of the 3 files" in str(refusal.value)
    assert "b.pdf (refused: it is larger than 30 MiB), c.md; run python collect_submission.py" in str(refusal.value)
