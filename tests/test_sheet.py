"""Sheets: what is refused, and where the error points."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from grader.sheet import SheetError, load_sheet


@pytest.fixture
def sheet_file(course: Path, tmp_path: Path) -> Path:
    shutil.copytree(course, tmp_path / "course")
    return tmp_path / "course" / "sheets" / "sums" / "sheet.toml"


def load(file: Path) -> None:
    load_sheet("sums", file.parent.parent.parent)


def test_points_are_exact_decimals_and_bonus_comes_on_top(course: Path) -> None:
    sheet = load_sheet("sums", course)
    assert (sheet.max_score, sheet.max_bonus) == (Decimal(6), Decimal(1))
    assert load_sheet(str(course / "sheets" / "sums"), Path("elsewhere")) == sheet


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('title = "Sums"', 'titel = "Sums"', "sheet.toml:1: unknown key 'titel'; did you mean 'title'?"),
        ("limit = 3", "limits = 3", "unknown key 'limits' of rules pushes"),
        ("points = 3", "points = -3", "sheet.toml:8: 'points' of task 0"),
        ("points = 3\n", "", "sheet.toml:5: the key 'points' of task 0 is missing"),
        ('tests = "adding"', 'tests = "ading"', "sheet.toml:9: task 1 names tests 'ading', and no test has that group"),
        ('tests = "adding"\n', "", "sheet.toml:6: task 1 has no tests"),
        ('tests = "noise"', 'tests = "adding"', "sheet.toml:16: the tests 'adding' count for two tasks"),
        ('id = "2"', 'id = "1"', "sheet.toml:13: two tasks have the id '1'"),
        ('exercises = ["sums"]', 'exercises = ["sum"]', "sheet.toml:3: there is no exercise 'sum'"),
        ('kind = "written"', 'kind = "writen"', "sheet.toml:23: 'kind' of task 2"),
        (
            'points = 1\nkind = "written"',
            'points = 1\nrubric = [{text = "a", points = 2}]\nkind = "written"',
            "sheet.toml:23: the rubric of task 3 adds up to 2, the task has 1 points",
        ),
        ("due = 2027", "due = 20x27", "sheet.toml: "),
    ],
)
def test_a_sheet_that_does_not_add_up_is_refused_with_file_and_line(
    sheet_file: Path, old: str, new: str, sentence: str
) -> None:
    text = sheet_file.read_text()
    assert old in text
    sheet_file.write_text(text.replace(old, new, 1))
    with pytest.raises(SheetError) as refused:
        load(sheet_file)
    assert sentence in str(refused.value)


def test_tests_that_no_task_names_are_refused_unless_the_sheet_says_so(sheet_file: Path) -> None:
    text = sheet_file.read_text()
    without = text.replace(
        '[[task]]\nid = "2"\ntitle = "Noise"\npoints = 2\ntests = "noise"\nwhere = "`lib/noise.py`"\n', ""
    )
    assert without != text
    sheet_file.write_text(without)
    with pytest.raises(SheetError, match=r"the tests .noise. .* belong to no task"):
        load(sheet_file)
    sheet_file.write_text(without.replace("[[task]]", 'unused_tests = ["noise"]\n[[task]]', 1))
    load(sheet_file)


def test_a_test_without_a_task_is_refused_with_its_place(sheet_file: Path) -> None:
    suite = sheet_file.parent.parent.parent / "tests_hidden" / "sums" / "test_sums_hidden.py"
    suite.write_text(suite.read_text() + "\n\ndef test_nothing() -> None:\n    pass\n")
    with pytest.raises(SheetError, match=r"test_sums_hidden.py:\d+: test_nothing has no @task"):
        load(sheet_file)


def test_an_unknown_sheet_names_the_nearest_one(course: Path) -> None:
    with pytest.raises(SheetError, match="did you mean sums"):
        load_sheet("sum", course)
