"""`check_release` lets a course in order through and names what is wrong with one that is not."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grader.sheet import load_sheet
from grader.wall.nested import NestedWall
from tests.classes import COURSE
from tools import check_release
from tools.check_release import Checker, app
from tools.checks.findings import Finding, Report
from tools.checks.leaks import find_leaks
from tools.checks.release import check_files
from tools.checks.subject import load_subject
from tools.make_release import make_release


@pytest.fixture
def own_course(tmp_path: Path) -> Path:
    """A copy of the miniature course that a test may break."""
    folder = tmp_path / "course"
    shutil.copytree(COURSE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    make_release(load_sheet("sums", folder))
    return folder


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def add(file: Path, text: str) -> None:
    with file.open("a") as opened:
        opened.write(text)


def check_the_files(course: Path) -> list[Finding]:
    report = Report()
    check_files(load_sheet("sums", course), [load_subject("sums", course)], report, lambda _: None)
    return report.findings


def test_a_course_in_order_is_let_through(
    own_course: Path, nested: NestedWall, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(check_release, "wall_of", lambda _: nested)
    monkeypatch.setattr(nested, "close", lambda: None)
    out = tmp_path / "out" / "check.json"
    ran = CliRunner().invoke(app, ["sums", "--course", str(own_course), "--gradings", "3", "--json", str(out)])
    assert ran.exit_code == 0, ran.output
    mutants = json.loads(out.read_text())["sheets"]["sums"].pop("mutants")
    assert json.loads(out.read_text()) == {
        "sheets": {
            "sums": {
                "ok": True,
                "mistakes": {"caught": 2, "total": 2},
                "variants": {"passed": 1, "total": 1},
                "mutants": mutants,
                "false_failures": {"failed": 0, "gradings": 3},
                "findings": [],
            }
        }
    }
    assert (mutants["equivalent"], mutants["survived"]) == (1, 0)
    assert mutants["killed"] == mutants["total"] - 1 > 5


HIDDEN = "tests_hidden/sums/test_sums_hidden.py"
ADDING = "solutions/sums/lib/adding.py"
MISTAKES = "solutions/sums/mistakes/adding.toml"
GAP = "\n\ndef more() -> int:\n    # START TODO (sums 3): one\n    # one\n    return 1\n    # END TODO\n"
EASY = '\n\n@task("adding", hint="None.")\ndef test_nothing() -> None:\n    pass\n'
MOODY = (
    '\n\n@task("adding", hint="None.")\ndef test_moody(fresh_seed: int) -> None:\n    assert add(1, 1) == 2 and False\n'
)


@pytest.mark.parametrize(
    ("damage", "place", "what"),
    [
        (lambda c: add(c / HIDDEN, EASY), f"{HIDDEN}:51", "passes on the untouched template"),
        (lambda c: add(c / HIDDEN, MOODY), f"{HIDDEN}:51", "test_moody fails on the solution with seed 5"),
        (lambda c: add(c / ADDING, GAP), f"{ADDING}:15", "no test notices that the gap (sums 3) is not filled"),
        (lambda c: edit(c / MISTAKES, "a, -b", "b, a"), f"{MISTAKES}:2", "does not catch the mistake 'difference'"),
        (lambda c: edit(c / MISTAKES, "symmetric", "sum"), f"{MISTAKES}:2", "no test has that name"),
        (lambda c: edit(c / MISTAKES, 'find = "[a', 'find = "[c'), f"{MISTAKES}:2", "stands 0 times in the gaps"),
        (
            lambda c: edit(c / "solutions/sums/variants/adding.toml", "a + b", "a - b"),
            "solutions/sums/variants/adding.toml:2",
            "the variant 'plus' fails test_a_sum_is_the_sum",
        ),
    ],
)
def test_what_the_tests_cannot_tell_apart_is_found(
    own_course: Path, nested: NestedWall, damage: Callable[[Path], None], place: str, what: str
) -> None:
    damage(own_course)
    make_release(load_sheet("sums", own_course))
    checker = Checker(nested, gradings=1, quick=True, seed=5, step=lambda _: None)
    found = checker.check(load_sheet("sums", own_course)).findings
    assert any(one.place == place and what in one.what for one in found), found


def test_a_mutant_that_no_test_notices_is_shown_and_a_listed_one_that_a_test_notices_is_found(
    own_course: Path, nested: NestedWall
) -> None:
    edit(own_course / "solutions/sums/equivalent_mutants.toml", "[b, a]", "[a, a]")
    checker = Checker(nested, gradings=1, quick=False, seed=5, step=lambda _: None)
    report = checker.check(load_sheet("sums", own_course))
    assert (report.survived, report.equivalent) == (1, 0)
    survivor, entry = report.findings
    assert "-    return math.fsum([a, b])\n+    return math.fsum([b, a])" in survivor.what
    assert "'return math.fsum([a, a])' is no mutant that survives" in entry.what


def test_a_release_that_is_out_of_date_is_found(own_course: Path) -> None:
    assert check_the_files(own_course) == []
    add(own_course / "student/sums/README.md", "One more line.\n")
    (found,) = check_the_files(own_course)
    assert "is not what make_release makes" in found.what
    assert "README.md" in found.what


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("notes.md", "return math . fsum(\n [a, b])", "holds a part of the gap (sums 1)"),
        ("notes.md", "see test_a_sum_is_the_sum", "names test_a_sum_is_the_sum"),
        ("notes.md", "The second number is subtracted.", "holds words of solutions/sums/mistakes/adding.toml"),
        ("answers.toml", '[box]\na = "1/4"  # of it', "holds an answer"),
        ("lib/adding.pyc", "code", "is bytecode"),
    ],
)
def test_what_gives_a_solution_away_is_found(own_course: Path, file: str, text: str, what: str) -> None:
    (own_course / "solutions/sums" / file).write_text(text)
    make_release(load_sheet("sums", own_course))
    assert any(what in one.what for one in check_the_files(own_course))


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ({"outputs": [{"text": "3"}]}, "cell 1 has outputs"),
        ({"metadata": {"solution": "3"}}, "cell 1 has metadata"),
        ({"metadata": {"gapgrade": {"role": "answer"}}, "source": "Because."}, "cell 1 holds an answer"),
        ({"source": ["return math.fsum(\n", "    [a, b])"]}, "holds a part of the gap (sums 1)"),
    ],
)
def test_what_a_notebook_of_a_release_gives_away_is_found(course: Path, cell: dict[str, object], what: str) -> None:
    plain = {"cell_type": "code", "metadata": {}, "outputs": [], "source": ""}
    notebook = {"nbformat": 4, "cells": [plain | cell]}
    found = find_leaks({"work.ipynb": json.dumps(notebook).encode()}, [load_subject("sums", course)], "sums")
    assert [one.what for one in found if what in one.what]


def test_a_solution_that_was_once_committed_to_the_release_is_found(own_course: Path) -> None:
    release = own_course / "student/sums/lib/adding.py"
    handed_out = release.read_text()
    release.write_text((own_course / ADDING).read_text())
    git = ["git", "-C", str(own_course), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    for text in (release.read_text(), handed_out):
        release.write_text(text)
        subprocess.run([*git, "add", "-f", "."], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "release"], check=True)
    (found,) = check_the_files(own_course)
    assert "commit" in found.what
    assert "the gap (sums 1)" in found.what
