"""What every face says in the same words: points, outcomes, what a test is worth."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from pydantic import TypeAdapter

from grader.result import Number, Outcome, Result, TaskResult, TestResult

OUTCOMES: dict[Outcome, str] = {
    "passed": "passed",
    "failed": "not yet right",
    "error": "stopped with an error",
    "timeout": "took too long",
    "crashed": "crashed or went over a limit",
    "refused": "returned something that cannot be checked",
}

ADVISORY = "This score is advisory: it was computed where the submission's author could change it. It does not count."

_NUMBER: TypeAdapter[Decimal] = TypeAdapter(Number)


def points(value: Decimal) -> str:
    """A number of points without trailing zeros: 12.5, 3, 100."""
    return "0" if not value else f"{value.normalize():f}"


def counted(value: Decimal) -> str:
    """Points with their noun: "1 point", "2.5 points"."""
    return f"{points(value)} point" if value == 1 else f"{points(value)} points"


def as_json(value: Decimal) -> Any:
    """The JSON number (an int where it can be) that reads back as the same decimal."""
    return _NUMBER.dump_python(value)


def worth(test: TestResult, task: TaskResult) -> Decimal:
    """A test's share of its task's points, to the hundredth; the task's score is exact, this is what one reads."""
    whole = sum(one.weight for one in task.tests) or 1
    return (task.max_score * test.weight / whole).quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def pass_line(result: Result) -> Decimal:
    """The points that are needed to pass: the share `pass_mark` of the points that make 100 %."""
    return result.pass_mark * result.max_score


def verdict(result: Result) -> str:
    """Passed or not, and what it takes, in one phrase."""
    needed = f"{counted(pass_line(result))} {'is' if pass_line(result) == 1 else 'are'} needed"
    if result.passed:
        return f"passed ({needed})"
    open_points = f", {points(result.pending)} still to be graded" if result.pending else ""
    return f"not passed ({needed}{open_points})"


def waiting(result: Result) -> str:
    """What a person has still to grade."""
    return f"{counted(result.pending)} still to be graded by a person"


def name(task: TaskResult) -> str:
    """A task as a reader calls it: its id and its title."""
    return f"{task.id} {task.title}".strip()


def failures(task: TaskResult) -> list[TestResult]:
    """The tests of a task that did not pass, in the sheet's order."""
    return [test for test in task.tests if test.outcome != "passed"]


def tests(result: Result) -> Iterator[TestResult]:
    """All tests of a result."""
    for task in result.tasks:
        yield from task.tests
