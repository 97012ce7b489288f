"""Written tasks: how long a text is, and who the roster says wrote it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.intake import Submission
from grader.reader import Reading, read_behind
from grader.reports import words
from grader.review.paper import Files, pdf_problem
from grader.roster import Person, identifiers
from grader.rules import apply_rules, counts_pdf, score_other
from grader.sheet import Limits, Sheet, Task
from grader.wall.nested import NestedWall
from tests.test_pdf import PDF


def sheet(**task: Any) -> Sheet:
    written = Task(id="1", points=Decimal(2), kind="written", **task)
    rules = {"submission_pdf": {"deduct": 1}}
    return Sheet(
        name="s", folder=Path("/course/sheets/s"), title="S", exercises=(), team_size=2, task=(written,), rules=rules
    )


def note(chosen: Sheet, files: dict[str, bytes], **found: Any) -> str:
    reading = Reading({}, [], {}, {"total": 0, "findings": []}, **found)
    result = score_other(chosen, chosen.tasks[0], Submission("t", files), reading)
    assert (result.state, result.score) == ("pending", 0)
    return result.note.removeprefix("A person grades this. ")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"review.md": b"# Two words\n"}, "review.md has 2 words of at most 3."),
        ({"review.md": b"one two three four five"}, "review.md has 5 words of at most 3, 2 too many."),
        ({"review.md": b"\xff one"}, "review.md has 1 word of at most 3."),
    ],
)
def test_the_words_of_a_text_file_are_reported(files: dict[str, bytes], sentence: str) -> None:
    chosen = sheet(file="review.md", max_words=3)
    assert note(chosen, files) == sentence
    assert not counts_pdf(chosen)


def test_of_a_pdf_the_words_of_the_whole_document_are_reported(nested: NestedWall) -> None:
    chosen = sheet(max_words=350)
    assert counts_pdf(chosen)
    files = {"submission.pdf": PDF}
    with nested.open(Limits()) as cell:
        counted = read_behind(cell, {}, files, "submission.pdf", count_words=True)
        uncounted = read_behind(cell, {}, files, "submission.pdf")
    assert counted.pdf_words is not None
    assert uncounted.pdf_words is None
    sentence = f"submission.pdf has {counted.pdf_words} words in all; at most 350 are asked for here."
    assert note(chosen, files, pdf_words=counted.pdf_words) == sentence
    sentence = "The words of submission.pdf were not counted; at most 350 are asked for here."
    assert note(chosen, files) == sentence


@pytest.mark.parametrize(
    ("task", "files", "pdf", "reason"),
    [
        ({}, {}, None, "submission.pdf is missing."),
        ({"max_words": 350}, {}, None, "submission.pdf is missing."),
        ({}, {"essay.pdf": b""}, None, "submission.pdf is missing; essay.pdf has another name or place."),
        ({}, {"submission.pdf": b""}, {"error": "it is empty"}, "submission.pdf: it is empty."),
        ({"file": "review.md", "max_words": 3}, {"submission.pdf": b""}, None, "review.md is missing."),
    ],
)
def test_where_nothing_can_be_read_a_person_is_told_so_and_decides(
    task: dict[str, Any], files: dict[str, bytes], pdf: dict[str, Any] | None, reason: str
) -> None:
    reading = Reading({}, [], {}, {"total": 0, "findings": []}, pdf=pdf)
    chosen = sheet(**task)
    result = score_other(chosen, chosen.tasks[0], Submission("t", files), reading)
    assert (result.state, words.unreadable(result), words.state(result)) == ("pending", reason, "nothing could be read")
    assert result.note == f"Nothing could be read: {reason} A person decides what follows."


def test_a_pdf_that_was_handed_out_is_nobodys_report(tmp_path: Path) -> None:
    """The sheet `generative-models` has pages of ours in its release: they are no PDF under another name."""
    release = tmp_path / "student" / "s" / "pages"
    release.mkdir(parents=True)
    (release / "gan.pdf").touch()
    chosen = sheet().model_copy(update={"folder": tmp_path / "sheets" / "s"})
    submission = Submission("t", {"pages/gan.pdf": b"%PDF-"})
    (rule,) = apply_rules(chosen, submission, Reading({}, [], {}, {"total": 0, "findings": []}), None)
    assert rule.message == "submission.pdf is missing."
    assert pdf_problem(chosen, Files(submission.files, {})) == "submission.pdf was not handed in."


@pytest.mark.parametrize(
    ("members", "more"),
    [
        ((), ""),
        (("1234567", "2345678"), ""),
        (("1234567",), " Not on the roster for this submission: 1 number."),
        (
            ("1234567", "9999999", "8888888"),
            " Not on the roster for this submission: 1 number. On the roster, but not named: 2 people.",
        ),
        (("mona@uni.example",), ""),  # a roster whose identifiers are no matriculation numbers
    ],
)
def test_numbers_that_the_roster_does_not_have_are_noted_and_cost_nothing(members: tuple[str, ...], more: str) -> None:
    pdf = {"pages": 1, "text_of_first_page": "1234567, 2345678", "encrypted": False, "javascript": False, "error": ""}
    reading = Reading({}, [], {}, {"total": 0, "findings": []}, pdf=pdf)
    (rule,) = apply_rules(sheet(), Submission("t", {"submission.pdf": b""}), reading, None, members)
    assert (rule.deduction, rule.message) == (0, f"submission.pdf is there and names its authors.{more}")


def test_a_submissions_people_are_those_of_its_team_on_the_roster() -> None:
    people = [
        Person("mona", "1234567", team="Team 7"), Person("hubot", "2345678", team="Team 7"), Person("ada", "3"),
        Person("eve", team="Team 7"),
    ]  # fmt: skip
    assert identifiers(people, "team-7") == ("1234567", "2345678")
    assert identifiers(people, "Ada") == ("3",)
