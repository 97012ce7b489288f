"""The command line: exit statuses by the contract, one line on stderr, help with an example."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.result import Result

HOUSE = Path(__file__).parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(course: Path) -> Run:
    def call(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "grader", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(HOUSE), "COLUMNS": "100", **(env or {})}
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=course, env=environment)

    return call


def one_line(text: str) -> str:
    assert text.count("\n") == 1, text
    return text.strip()


def test_a_graded_submission_exits_with_0_whatever_its_score(
    run: Run, submit: Callable[..., Path], tmp_path: Path
) -> None:
    done = run(
        "grade", submit(), "--sheet", "sums", "--json", tmp_path / "r.json", "--out", tmp_path / "out", "--seed", 3
    )
    assert (done.returncode, done.stderr) == (0, "")
    result = Result.from_json((tmp_path / "r.json").read_text())
    assert (result.score, result.seed, result.sandbox) == (0, 3, "nested")
    assert "0 / 6 points" in done.stdout
    assert json.loads((tmp_path / "out" / "result.json").read_text())["score"] == 0


@pytest.mark.parametrize(
    ("what", "sheet", "sentence"),
    [
        ("nowhere", "sums", "nowhere does not exist"),
        ("empty", "sums", "empty"),
        (".", "prods", "no sheet 'prods'"),
    ],
)
def test_what_is_refused_exits_with_2_and_one_line(
    run: Run, tmp_path: Path, what: str, sheet: str, sentence: str
) -> None:
    (tmp_path / "empty").mkdir()
    done = run("grade", tmp_path / what, "--sheet", sheet)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in one_line(done.stderr)


def test_without_bubblewrap_grading_that_counts_is_refused_with_3(
    run: Run, submit: Callable[..., Path], tmp_path: Path
) -> None:
    folder = submit()
    (tmp_path / "bin").mkdir()
    nowhere = {"PATH": str(tmp_path / "bin")}
    done = run("grade", folder, "--sheet", "sums", env=nowhere)
    assert done.returncode == 3
    assert "bubblewrap is not installed" in one_line(done.stderr)
    advisory = run("grade", folder, "--sheet", "sums", "--sandbox", "none", env=nowhere)
    assert advisory.returncode == 0
    assert "dvisory" in advisory.stdout


def test_every_command_has_help_with_an_example(run: Run) -> None:
    top = run("--help")
    assert top.returncode == 0
    from grader.__main__ import app

    for command in app.registered_commands:
        name = command.name or command.callback.__name__  # type: ignore[union-attr]
        shown = run(name, "--help").stdout
        assert f"python -m grader {name}" in shown, name
