"""What every face says in the same words: points, outcomes, what a test is worth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from pydantic import TypeAdapter

from grader.reports.failures import Cause, Waiting
from grader.result import (
    DECIDES,
    NOT_ANSWERED,
    UNREADABLE,
    Evidence,
    Number,
    Outcome,
    Result,
    TaskResult,
    TestResult,
)

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


def worth(tests: Iterable[TestResult], task: TaskResult) -> Decimal:
    """The share of some tests in their task's points, to the hundredth; the task's score is exact, this one reads."""
    whole = sum(one.weight for one in task.tests) or 1
    weight = sum(test.weight for test in tests)
    return (task.max_score * weight / whole).quantize(Decimal("0.01"), ROUND_HALF_EVEN)


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


def done(task: TaskResult) -> bool:
    """Whether a task was graded and nothing of it is left to do."""
    return task.state == "graded" and task.score == task.max_score and not failures(task)


def share(task: TaskResult) -> Decimal:
    """How much of a task is done, from 0 to 1: its points, or its tests where it has no points."""
    if task.max_score:
        return task.score / task.max_score
    return Decimal(len(task.tests) - len(failures(task))) / len(task.tests) if task.tests else Decimal(0)


def state(task: TaskResult) -> str:
    """Where a task stands, in a few words."""
    if task.state == "pending":
        return "nothing could be read" if unreadable(task) else "waits for a person"
    if task.state == "refused":
        return "not answered" if task.note.startswith(NOT_ANSWERED) else "could not be graded"
    passed = len(task.tests) - len(failures(task))
    return f"{passed} of {len(task.tests)} tests passed" if task.tests else ""


def unreadable(task: TaskResult) -> str:
    """Why the person whom a task waits for has nothing to read, in a sentence; nothing where they have something."""
    if task.state != "pending" or not task.note.startswith(UNREADABLE):
        return ""
    return task.note.removeprefix(UNREADABLE).removesuffix(DECIDES)


def waits(task: TaskResult) -> str:
    """What a task that is not graded yet is worth, and what is to be known of it."""
    return " ".join(filter(None, (f"waits for a person: up to {counted(task.max_score)}.", unreadable(task))))


def place(evidence: Evidence) -> str:
    """Where a line of proof points to, as "lib/model.py:12: ", or nothing."""
    line = f":{evidence.line}" if evidence.line else ""
    return f"{evidence.file}{line}: " if evidence.file else ""


def waits_for(waits: Waiting) -> str:
    """What is not done yet, in one line: "not done yet: TODO vae 7 - 11 tests wait for it"."""
    gaps = ", ".join(waits.gaps) or "a gap"
    number = len(waits.tests)
    return (
        f"not done yet: {gaps} - {number} test{'' if number == 1 else 's'} "
        f"wait{'s' if number == 1 else ''} for {'them' if len(waits.gaps) > 1 else 'it'}"
    )


def alike(cause: Cause) -> str:
    """What a failure's line begins with: the title of its one test, or how many tests failed in the same way."""
    return cause.tests[0].title if len(cause.tests) == 1 else f"{len(cause.tests)} tests"


def outcome(cause: Cause, task: TaskResult) -> str:
    """How its tests ended, and what they are worth."""
    value = worth(cause.tests, task)
    details = [counted(value)] if value else []
    if cause.tests[0].visibility == "hidden":
        details.append("hidden")
    return OUTCOMES[cause.outcome] + (f" ({', '.join(details)})" if details else "")


def tests(result: Result) -> Iterator[TestResult]:
    """All tests of a result."""
    for task in result.tasks:
        yield from task.tests
