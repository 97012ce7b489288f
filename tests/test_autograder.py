"""The archive for Gradescope, run in the layout that Gradescope gives it, and what it writes there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import validate

from grader import UnsafeError, autograde
from grader.sheet import load_sheet
from tools.make_autograder import AutograderError, make_autograder

# https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
RESULTS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["score", "tests"],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "leaderboard": {"type": "array"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": FORMAT,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": FORMAT,
                    "tags": {"type": "array"},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}
METADATA = {
    "id": 31,
    "created_at": "2027-01-15T10:00:00.000000-08:00",
    "assignment": {"id": 2, "title": "Sums", "due_date": "2027-01-16T23:59:00.000000+01:00", "total_points": "6.0"},
    "users": [{"id": 1, "name": "A", "email": "a@example.edu", "sid": "1234567", "assignment": {"due_date": None}}],
    "submission_method": "upload",
    "previous_submissions": [],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What Gradescope makes before it runs anything: a submission's metadata and a folder for the results."""
    folder = tmp_path / "autograder"
    (folder / "results").mkdir(parents=True)
    (folder / "submission_metadata.json").write_text(json.dumps(METADATA))
    return folder


def results_of(root: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((root / "results" / "results.json").read_text())
    validate(results, RESULTS)
    return results


def asking_for(course: Path, folder: Path, *files: str) -> Path:
    """A copy of the course whose sheet asks for an archive of these files."""
    shutil.copytree(course, folder)
    with (folder / "sheets/sums/sheet.toml").open("a") as sheet:
        sheet.write(f"\n[submission]\nfiles = {json.dumps(files)}\n")
    return folder


def test_the_archive_grades_in_the_layout_that_gradescope_gives_it(
    course: Path, root: Path, submit: Callable[..., Path]
) -> None:
    archive = make_autograder(load_sheet("sums", course), root.parent / "autograder.zip")
    with zipfile.ZipFile(archive) as packed:
        modes = {one.filename: one.external_attr >> 16 for one in packed.infolist()}
        packed.extractall(root / "source")
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    assert "course/tests_hidden/sums/test_sums_hidden.py" in modes
    shutil.copytree(submit(add="# the sum\nreturn a + b"), root / "submission")
    environment = {**os.environ, "GAPGRADE_AUTOGRADER": str(root), "GAPGRADE_PYTHON": sys.executable}
    done = subprocess.run(
        ["bash", str(root / "source" / "run_autograder")],
        env=environment,
        cwd="/",
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    results = results_of(root)
    assert results["score"] == 4  # three for the sum, one for the style
    assert results["extra_data"]["sandbox"] != "none"
    shown = {test["name"]: test for test in results["tests"]}
    assert (shown["1 Adding"]["score"], shown["1 Adding"]["max_score"]) == (3, 3)


def test_the_archive_is_the_same_for_the_same_files_and_needs_a_release(course: Path, tmp_path: Path) -> None:
    sheet = load_sheet("sums", course)
    first, second = (make_autograder(sheet, tmp_path / name).read_bytes() for name in ("a.zip", "b.zip"))
    assert first == second
    shutil.copytree(course, tmp_path / "bare")
    shutil.rmtree(tmp_path / "bare" / "student" / "sums")
    with pytest.raises(AutograderError, match="make_release sums"):
        make_autograder(load_sheet("sums", tmp_path / "bare"), tmp_path / "c.zip")


def test_a_submission_that_lacks_files_is_told_which_and_gets_no_points(
    course: Path, root: Path, submit: Callable[..., Path]
) -> None:
    asking = asking_for(course, root.parent / "asking", "lib/adding.py", "essay.pdf", "notes.md")
    shutil.copytree(submit(), root / "submission")
    places = autograde.Places(root)
    autograde.write_results(places, autograde.autograde(places, load_sheet("sums", asking)))
    results = results_of(root)
    assert results["score"] == 0
    assert "2 of the 3 files" in results["output"]
    assert "essay.pdf, notes.md" in results["tests"][0]["output"]


def test_without_any_sandbox_the_results_say_that_they_are_advisory(
    course: Path, root: Path, submit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = autograde.choose_wall

    def forbidden(mode: str) -> object:
        if mode == "auto":
            raise UnsafeError("no sandbox works here (nested: no new namespace)")
        return chosen(mode)

    monkeypatch.setattr(autograde, "choose_wall", forbidden)
    shutil.copytree(submit(add="# the sum\nreturn a + b"), root / "submission")
    places = autograde.Places(root)
    autograde.write_results(places, autograde.autograde(places, load_sheet("sums", course)))
    results = results_of(root)
    assert results["score"] == 4  # three for the sum, one for the style
    assert results["extra_data"]["advisory"] is True
    assert "advisory" in results["output"].lower()
    assert "no new namespace" in results["extra_data"]["no_sandbox"]


@pytest.mark.parametrize("text", [None, "{", '{"id": 1}'])
def test_metadata_that_cannot_be_used_are_no_score(course: Path, root: Path, text: str | None) -> None:
    file = root / "submission_metadata.json"
    file.unlink() if text is None else file.write_text(text)
    (root / "submission").mkdir()
    with pytest.raises(autograde.AutograderError, match="submission_metadata"):
        autograde.autograde(autograde.Places(root), load_sheet("sums", course))
    assert not (root / "results" / "results.json").exists()


def test_the_latest_due_date_that_gradescope_knows_counts_where_it_is_later(course: Path) -> None:
    sheet = load_sheet("sums", course)
    metadata = autograde.Metadata.model_validate(METADATA)
    assert metadata.due(sheet) is None
    extended = {**METADATA, "users": [{"sid": "1", "assignment": {"due_date": "2027-01-18T12:00:00Z"}}]}
    due = autograde.Metadata.model_validate(extended).due(sheet)
    assert due is not None
    assert due.isoformat() == "2027-01-18T12:00:00+00:00"


def test_a_quiz_is_explained_when_gradescope_takes_no_late_work_any_more(course: Path) -> None:
    sheet = load_sheet("sums", course)
    assert autograde.Metadata.model_validate(METADATA).last_due(sheet) is None
    dates = {**METADATA["assignment"], "late_due_date": "2027-01-20T12:00:00Z"}
    late = autograde.Metadata.model_validate({**METADATA, "assignment": dates})
    assert late.due(sheet) is None
    assert late.last_due(sheet) == datetime.fromisoformat("2027-01-20T12:00:00Z")
