"""A class in numbers: what each task gave, which tests fail, which mistakes were recognised. Exact decimals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from grader.gradebook.book import Gradebook, Record
from grader.gradebook.marks import Marks, marks_in, settle
from grader.gradebook.schema import submissions
from grader.reports import words
from grader.result import Result, TaskResult
from grader.sheet import Sheet


@dataclass
class TaskStats:
    """One task over a class; `pending` submissions wait for a person and do not count in the mean.

    Of them, `unreadable` ones hold nothing that a person could read.
    """

    id: str
    title: str
    max_score: Decimal
    graded: int = 0
    pending: int = 0
    unreadable: int = 0
    full: int = 0
    points: Decimal = Decimal(0)

    @property
    def mean(self) -> Decimal | None:
        """Rounded to a hundredth; None where nobody has points yet."""
        return (self.points / self.graded).quantize(Decimal("0.01")) if self.graded else None


@dataclass
class TestStats:
    """One test over a class: how often it ended in which way."""

    __test__ = False  # pytest: not a test class

    id: str
    title: str
    task: str
    hidden: bool = True
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def failures(self) -> int:
        return self.outcomes.total() - self.outcomes["passed"]


@dataclass
class Stats:
    """One sheet; `states` counts the submissions, `passed` those above the pass mark."""

    sheet: str
    states: dict[str, int]
    graded: int = 0
    passed: int = 0
    tasks: dict[str, TaskStats] = field(default_factory=dict)
    tests: dict[str, TestStats] = field(default_factory=dict)
    mistakes: Counter[str] = field(default_factory=Counter)
    mistake_titles: dict[str, str] = field(default_factory=dict)

    @property
    def failing(self) -> list[TestStats]:
        """The tests that somebody failed, the most often failed first."""
        return sorted((one for one in self.tests.values() if one.failures), key=lambda one: (-one.failures, one.id))

    def add(self, result: Result) -> None:
        """Count one more submission."""
        self.graded += 1
        self.passed += result.passed
        for task in result.tasks:
            _add_task(self, task)
        tests = [test for task in result.tasks for test in task.tests]
        titles = {test.mistake: test.mistake_title or test.mistake for test in tests if test.mistake}
        self.mistakes.update(titles.keys())
        self.mistake_titles |= titles

    def to_json(self) -> dict[str, Any]:
        """Points as text, so that they stay exact."""
        return {
            "sheet": self.sheet,
            "submissions": self.states,
            "passed": self.passed,
            "tasks": [
                {
                    "id": task.id,
                    "title": task.title,
                    "max_score": f"{task.max_score:f}",
                    "mean": None if task.mean is None else f"{task.mean:f}",
                    "graded": task.graded,
                    "pending": task.pending,
                    "full": task.full,
                }
                for task in self.tasks.values()
            ],
            "tests": [
                {"id": test.id, "title": test.title, "task": test.task, "outcomes": dict(test.outcomes)}
                for test in self.tests.values()
            ],
            "mistakes": dict(self.mistakes.most_common()),
        }


def sheets_in(book: Gradebook) -> list[str]:
    """The sheets that a gradebook has submissions of."""
    with book.reading() as connection:
        return sorted(connection.execute(select(submissions.c.sheet).distinct()).scalars())


def stats_of(book: Gradebook, sheet: Sheet) -> Stats:
    """Go through a sheet's results once, one at a time, with what people added to them."""
    stats = Stats(sheet.name, book.count(sheet.name))
    for _, result in settled(book, sheet):
        if result is not None:
            stats.add(result)
    return stats


def settled(book: Gradebook, sheet: Sheet) -> Iterator[tuple[Record, Result | None]]:
    """The submissions of a sheet in the order of their names, each with its result as people left it."""
    said = marks_in(book, sheet.name)
    for record in book.records(sheet.name):
        marks = said.get(record.name, Marks())
        yield record, record.result and settle(sheet, record.result, marks, record.handed_in_at)


def _add_task(stats: Stats, task: TaskResult) -> None:
    one = stats.tasks.setdefault(task.id, TaskStats(task.id, task.title, task.max_score))
    if task.state == "pending":
        one.pending += 1
        one.unreadable += bool(words.unreadable(task))
    else:
        one.graded += 1
        one.points += task.score
        one.full += task.score == task.max_score
    for test in task.tests:
        row = stats.tests.setdefault(test.id, TestStats(test.id, test.title, task.id, test.visibility == "hidden"))
        row.outcomes[test.outcome] += 1
