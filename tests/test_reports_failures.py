"""What did not pass is told once, in the order of importance, and no more of hidden tests than they may tell."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grader.reports.advice import MOST, next_steps
from grader.reports.failures import EMPTY_GAP, causes, empty_gap, waiting
from grader.reports.views import student_view
from grader.reports.words import waits_for
from grader.result import DECIDES, UNREADABLE
from tests.test_reports import STUDENT_FACES, make_hidden, make_result, make_task, make_test, terminal

TRACEBACK = 'File "lib/model.py", line 3, in forward\n    raise ...\nNotImplementedError: {}\n--- output ---\nhello'


def empty(number: int, gap: str = "TODO vae 7") -> dict[str, str]:
    return {"outcome": "error", "message": f"NotImplementedError: {gap}", "hint": f"Hint number {number}."}


def hidden_empty(gap: str = "TODO vae 8") -> dict[str, str]:
    return {"outcome": "error", "staff": TRACEBACK.format(gap)}


def test_tests_that_wait_for_a_gap_are_one_line() -> None:
    tests = [make_test(i, **empty(i)) for i in range(4)] + [make_hidden(i, **hidden_empty()) for i in range(7)]
    result = make_result(make_task(*tests, score=Decimal(0)))
    for name, face in STUDENT_FACES.items():
        if name in ("terminal", "summary.md", "annotations.txt"):
            shown = face(result).replace("&#45;", "-")
            assert shown.count("TODO vae 7 - 11 tests wait for it") == 1, name
            assert "Hint number" not in shown, name
    assert "fill TODO vae 7." in terminal(result, staff=False)


def test_which_gap_a_hidden_test_met_is_not_told() -> None:
    result = make_result(make_task(make_hidden(0, **hidden_empty("TODO CANARY 0.12345"))))
    view = student_view(result)
    assert view.shown.tasks[0].tests[0].message == EMPTY_GAP
    for face in STUDENT_FACES.values():
        assert "CANARY" not in face(result)
    waits = waiting(view.shown.tasks[0])
    assert waits is not None
    assert waits_for(waits) == "not done yet: a gap - 1 test waits for it"


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "failed", "message": "NotImplementedError: TODO vae 7"},
        {"outcome": "error", "message": "NotImplementedError: later"},
        {"outcome": "error", "message": "ValueError: NotImplementedError: TODO vae 7 of 8\nmore"},
        {"outcome": "error", "message": "", "staff": "# NotImplementedError: TODO vae 7"},
    ],
)
def test_only_an_empty_gap_counts_as_one(changes: dict[str, str]) -> None:
    assert empty_gap(make_test(**changes)) is None


def test_failures_with_one_message_are_one_cause() -> None:
    same = {"outcome": "error", "message": "NameError: name 'nn' is not defined"}
    task = make_task(make_test(0, **same), make_test(1, hint="Another."), make_test(2, **same), make_hidden(3))
    first, second, third = causes(task)
    assert [test.title for test in first.tests] == ["property 0 holds", "property 2 holds"]
    assert (len(second.tests), len(third.tests)) == (1, 1)
    shown = terminal(make_result(task), staff=False)
    assert shown.count("NameError") == 1
    assert "2 tests: stopped with an error (2 points)" in shown


def test_hidden_tests_share_a_cause_where_they_crashed_and_keep_their_own_hints_where_values_are_wrong() -> None:
    crashed = [make_hidden(i, outcome="crashed", hint=f"h{i}") for i in range(3)]
    wrong = [make_hidden(i, hint=f"h{i}") for i in range(3)]
    (one,) = causes(make_task(*crashed))
    assert one.hints == ()
    assert [cause.hints for cause in causes(make_task(*wrong))] == [("h0",), ("h1",), ("h2",)]


def test_the_report_says_what_counts_then_what_failed_then_what_to_do() -> None:
    shown = terminal(make_result(make_task(make_test())), staff=False)
    places = [shown.index(part) for part in ("7.5 / 10", "2.5 / 4", "Not yet right", "1.81 times", "What to do next")]
    assert places == sorted(places)


def test_steps_begin_with_what_earns_most_and_bonus_comes_last() -> None:
    tasks = [
        make_task(make_test(), id="1", title="", max_score=Decimal(3)),
        make_task(id="2", title="", kind="style", bonus=True, score=Decimal(0), max_score=Decimal(9)),
        make_task(make_hidden(), id="3", title="", score=Decimal(0), max_score=Decimal(4)),
        make_task(id="4", title="", state="pending", score=Decimal(0)),
        make_task(make_test(outcome="passed"), id="5", title="", score=Decimal(4)),
    ]
    assert next_steps(student_view(make_result(*tasks)).shown) == [
        "3, 4 points open: think about the hints of the hidden tests.",
        "1, 0.5 points open: repeat `python -m pytest tests/test_model.py` until all pass.",
        "2: run `python -m pycodestyle --max-line-length 120 .` and mend what it finds.",
    ]


def test_a_pdf_that_cannot_be_read_comes_first_and_what_a_person_graded_is_no_step() -> None:
    missing = f"{UNREADABLE}submission.pdf is missing.{DECIDES}"
    tasks = [
        make_task(id="1", title="", kind="written", note="Item by item: 0/2.", score=Decimal(0)),
        make_task(id="2", title="", kind="style", bonus=True, score=Decimal(0)),
        make_task(id="3", title="", kind="written", state="pending", note=missing),
        make_task(id="4", title="", kind="written", state="pending", note=missing),
    ]
    assert [step.partition(":")[0] for step in next_steps(make_result(*tasks))] == ["3, 4", "2"]
    assert next_steps(make_result(*tasks))[0] == "3, 4: submission.pdf is missing."


def test_a_refused_submission_is_one_step_and_many_steps_are_counted() -> None:
    refused = [make_task(id=str(i), state="refused", note="lib/a.py cannot be read.") for i in range(9)]
    assert next_steps(make_result(*refused)) == ["lib/a.py cannot be read."]
    unread = make_task(make_test(), make_test(1, **empty(1)), state="refused", note="lib/a.py cannot be read.")
    assert (causes(unread), waiting(unread)) == ([], None)
    many = [make_task(make_test(), id=str(i)) for i in range(9)]
    steps = next_steps(make_result(*many))
    assert (len(steps), steps[-1]) == (MOST, "4 more tasks are not done.")
