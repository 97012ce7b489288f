"""A sheet without a single code test, from its release to its result: a quiz, and a text for a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from grader.grade import with_bench
from grader.handin import Handin
from grader.intake import take_in
from grader.sheet import SheetError, load_sheet
from grader.wall.nested import NestedWall
from tools import check_release
from tools.check_release import app
from tools.make_release import make_release

KEY = """\
[[quiz.question]]
key = "q1"
[[quiz.question.item]]
key = "a"
answer = "yes"
points = 0.5
[[quiz.question.item]]
key = "b"
answer = "no"
points = 0.5
"""
QUIZ = '[[task]]\nid = "1"\npoints = 1\nkind = "quiz"\nanswers = "quiz"\n'
WRITTEN = '[[task]]\nid = "2"\npoints = 2\nkind = "written"\n'
FILES = {
    "solutions/quiz/exercise.toml": 'title = "A quiz"\n',
    "solutions/quiz/answers.toml": '[quiz.q1]\na = ""\nb = ""\n',
    "tests_hidden/quiz/answers_key.toml": KEY,
    "sheets/quiz/sheet.md": "# {{ sheet.title }}\n\n{{ task_table }}\n",
    "sheets/quiz/sheet.toml": f'title = "Quiz"\nexercises = ["quiz"]\n{QUIZ}{WRITTEN}',
}


@pytest.fixture
def quiz_course(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    make_release(load_sheet("quiz", folder))
    return folder


def test_a_quiz_is_released_checked_and_graded(
    quiz_course: Path, nested: NestedWall, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    readme = (quiz_course / "student/quiz/README.md").read_text()
    assert "START TODO" not in readme  # there are no gaps to speak of
    assert "## Hand in" in readme
    monkeypatch.setattr(check_release, "wall_of", lambda _: nested)
    monkeypatch.setattr(nested, "close", lambda: None)
    ran = CliRunner().invoke(app, ["quiz", "--course", str(quiz_course)])
    assert ran.exit_code == 0, ran.output
    team = tmp_path / "team"
    team.mkdir()
    (team / "answers.toml").write_text('[quiz.q1]\na = "yes"\n')
    sheet = load_sheet("quiz", quiz_course)
    result = with_bench(sheet, nested, lambda bench: bench.grade(Handin(take_in(team))))
    assert [(str(task.score), task.state) for task in result.tasks] == [("0.5", "graded"), ("0", "pending")]


def test_a_sheet_that_only_people_grade_needs_no_tests_folder(
    quiz_course: Path, nested: NestedWall, tmp_path: Path
) -> None:
    (quiz_course / "tests_hidden/quiz/answers_key.toml").unlink()
    (quiz_course / "tests_hidden/quiz").rmdir()
    (quiz_course / "sheets/quiz/sheet.toml").write_text(f'title = "T"\nexercises = ["quiz"]\n{WRITTEN}')
    team = tmp_path / "team"
    team.mkdir()
    (team / "answers.toml").write_text("")
    sheet = load_sheet("quiz", quiz_course)
    result = with_bench(sheet, nested, lambda bench: bench.grade(Handin(take_in(team))))
    assert [task.state for task in result.tasks] == ["pending"]


def test_a_table_that_two_keys_have_is_refused_by_their_files(quiz_course: Path) -> None:
    for path in ("solutions/more/exercise.toml", "tests_hidden/more/answers_key.toml"):
        (quiz_course / path).parent.mkdir(parents=True, exist_ok=True)
        (quiz_course / path).write_text(FILES[path.replace("more", "quiz")])
    file = quiz_course / "sheets/quiz/sheet.toml"
    file.write_text(file.read_text().replace('["quiz"]', '["quiz", "more"]'))
    with pytest.raises(SheetError, match=r"quiz/answers_key.toml and .*more/answers_key.toml both have the table"):
        load_sheet("quiz", quiz_course)
