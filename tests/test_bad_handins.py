"""What students hand in by accident or on purpose: refused or told with its reason, and the rest is graded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.grade import Bench, with_bench
from grader.handin import Handin
from grader.intake import take_in
from grader.result import Result
from grader.sheet import load_sheet
from grader.wall.nested import NestedWall
from tests.test_pdf import PDF, changed
from tools.make_release import make_release

KEY = """\
[box]
[[box.part]]
key = "odds"
formula = "2/3"
points = 1

[[quiz.question]]
key = "q1"
[[quiz.question.item]]
key = "a"
answer = "yes"
points = 1
"""
SHEET = """\
title = "Bad hand-ins"
exercises = ["quiz"]
team_size = 2
[[task]]
id = "1"
points = 1
kind = "formula"
answers = "box"
[[task]]
id = "2"
points = 1
kind = "quiz"
answers = "quiz"
[[task]]
id = "3"
points = 2
kind = "written"
where = "`submission.pdf`"
[[task]]
id = "4"
points = 1
kind = "feedback"
bonus = true
[rules.submission_pdf]
deduct = 0.5
"""
GOOD = b'[box]\nodds = "2/3"\n[quiz.q1]\na = "yes"\n'
Grade = Callable[[Path], Result]

HOURS = b"# How many hours did you need?\n\n7\n"


@pytest.fixture(scope="module")
def grade(tmp_path_factory: pytest.TempPathFactory, nested: NestedWall) -> Grade:
    """Grades a folder as `python -m grader grade` does."""
    course = tmp_path_factory.mktemp("course")
    files = {
        "solutions/quiz/exercise.toml": 'title = "Q"\n',
        "solutions/quiz/answers.toml": '[box]\nodds = ""\n[quiz.q1]\na = ""\n',
        "tests_hidden/quiz/answers_key.toml": KEY,
        "sheets/quiz/sheet.toml": SHEET,
        "sheets/quiz/sheet.md": "# Q\n",
    }
    for path, text in files.items():
        (course / path).parent.mkdir(parents=True, exist_ok=True)
        (course / path).write_text(text)
    sheet = load_sheet("quiz", course)
    make_release(sheet)

    def graded(folder: Path) -> Result:
        def work(bench: Bench) -> Result:
            return bench.grade(Handin(take_in(folder)))

        return with_bench(sheet, nested, work)

    return graded


def hand_in(folder: Path, answers: bytes = GOOD, pdf: bytes = PDF) -> Path:
    folder.mkdir()
    (folder / "answers.toml").write_bytes(answers)
    (folder / "submission.pdf").write_bytes(pdf)
    (folder / "feedback.md").write_bytes(HOURS)
    return folder


def told(result: Result) -> dict[str, tuple[str, str, str]]:
    """Score, state and note of each task; deduction and message of the rule on the PDF."""
    tasks = {task.id: (f"{task.score.normalize():f}", task.state, task.note) for task in result.tasks}
    (rule,) = (rule for rule in result.rules if rule.id == "submission_pdf")
    return tasks | {"pdf": (f"{rule.deduction.normalize():f}", "", rule.message)}


@pytest.mark.parametrize(
    ("answers", "state", "sentence"),
    [
        (GOOD[: GOOD.index(b"/3")], "refused", "answers.toml:2: it is no TOML"),
        (b"# " + b"x" * 2**20, "refused", "answers.toml was refused: it is larger than 1 MiB."),
        (b"# " + b"x" * 2**17, "refused", "more than the 65,536 bytes that are read"),
        (b"\xff\xfe" + GOOD, "refused", "answers.toml:1: it is not UTF-8"),
        (GOOD.replace(b"2/3", b"__import__('os').system('id')"), "graded", "cannot be read: the character _"),
        (GOOD.replace(b"2/3", b"9**9**9**9**9"), "graded", "cannot be read: it becomes too large"),
        (GOOD.replace(b'"2/3"', b"1979-05-27"), "graded", "odds is a date or a time; write a formula"),
    ],
)
def test_bad_answers_cost_their_own_task_alone(
    grade: Grade, tmp_path: Path, answers: bytes, state: str, sentence: str
) -> None:
    found = told(grade(hand_in(tmp_path / "team", answers=answers)))
    assert found["1"][:2] == ("0", state)
    assert sentence in found["1"][2]
    assert found["2"][:2] == (("1", "graded") if state == "graded" else ("0", "refused"))
    assert found["3"][1] == "pending"
    assert found["4"][0] == "1"
    assert found["pdf"] == ("0", "", "submission.pdf is there and names its authors.")


@pytest.mark.parametrize(
    ("pdf", "deducted", "sentence"),
    [
        (changed("password"), "0.5", "submission.pdf: it opens only with a password; save it without one."),
        (PDF[: len(PDF) // 2], "0.5", "submission.pdf: it cannot be read"),
        (changed("named script"), "0", "names its authors. It holds a script, which was not run."),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "0.5", "it is no PDF but a PNG image; a new name does not change"),
    ],
)
def test_a_bad_pdf_is_told_and_everything_else_is_graded(
    grade: Grade, tmp_path: Path, pdf: bytes, deducted: str, sentence: str
) -> None:
    found = told(grade(hand_in(tmp_path / "team", pdf=pdf)))
    assert found["pdf"][0] == deducted
    assert sentence in found["pdf"][2]
    assert [found[task][:2] for task in "124"] == [("1", "graded")] * 3
    assert found["3"][1] == "pending"


def test_a_pdf_of_500_megabytes_is_refused_unread_and_everything_else_is_graded(grade: Grade, tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "team")
    with (folder / "submission.pdf").open("ab") as file:
        file.truncate(500 * 1000**2)  # a sparse file: it takes no room
    found = told(grade(folder))
    assert found["pdf"][0] == "0.5"
    assert "submission.pdf was refused" in found["pdf"][2]
    assert [found[task][:2] for task in "124"] == [("1", "graded")] * 3
