"""What the page shows of a class, as data: read from the gradebook once, without any markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from grader.dashboard.outliers import Facts, unusual
from grader.gradebook import Gradebook
from grader.gradebook.requests import requests_of
from grader.gradebook.stats import Stats, settled
from grader.gradebook.works import works_in
from grader.result import Result, TaskResult
from grader.sheet import Sheet
from grader.similarity.pairs import Pair, similar_pairs
from grader.work import Work


@dataclass(frozen=True)
class Row:
    """One submission. `result` is None where it has none: `reason` says why. `due` is its own, an extension included.

    Attributes:
        hours: the middle of what its feedback says.
        unusual: what is unusual about it, a sentence each.
    """

    name: str
    state: str
    reason: str = ""
    result: Result | None = None
    handed_in_at: datetime | None = None
    due: datetime | None = None
    hours: Decimal | None = None
    unusual: Sequence[str] = ()

    @property
    def hours_before_due(self) -> float | None:
        """Between the last push and the due date; negative where it came late."""
        if self.handed_in_at is None or self.due is None:
            return None
        return (self.due - self.handed_in_at).total_seconds() / 3600

    @property
    def tasks(self) -> dict[str, TaskResult]:
        """Its tasks by their numbers; a result of an older sheet may have others than the class."""
        return {task.id: task for task in self.result.tasks} if self.result else {}


@dataclass(frozen=True)
class ClassView:
    """A sheet's class.

    Attributes:
        without_work: how many results were graded before the gradebook kept what is in the gaps.
        open_requests: how many requests to look again at points wait for an answer.
    """

    sheet: Sheet
    rows: Sequence[Row]
    stats: Stats
    pairs: Sequence[Pair]
    without_work: int = 0
    open_requests: int = 0

    @property
    def results(self) -> list[Result]:
        return [row.result for row in self.rows if row.result is not None]


def view_of(book: Gradebook, sheet: Sheet, templates: Mapping[str, str]) -> ClassView:
    """Read a class.

    Args:
        templates: the files that were handed out, which no two submissions have of each other.
    """
    works = dict(works_in(book, sheet.name))
    stats = Stats(sheet.name, book.count(sheet.name))
    found: list[tuple[Row, int]] = []
    for record, result in settled(book, sheet):
        if result is not None:
            stats.add(result)
        due = datetime.fromisoformat(result.extended_until) if result and result.extended_until else sheet.due
        hours = _middle(works.get(record.name))
        row = Row(record.name, record.state, record.reason, result, record.handed_in_at, due, hours)
        found.append((row, record.milliseconds))
    told = unusual([Facts(row.name, row.result, row.hours, took) for row, took in found if row.result])
    rows = [replace(row, unusual=told.get(row.name, ())) for row, _ in found]
    return ClassView(
        sheet=sheet,
        rows=rows,
        stats=stats,
        pairs=similar_pairs(works, templates),
        without_work=sum(row.result is not None and row.name not in works for row in rows),
        open_requests=sum(not request.answer for request in requests_of(book, sheet.name)),
    )


def _middle(work: Work | None) -> Decimal | None:
    return sum(work.hours, Decimal(0)) / 2 if work and work.hours else None
