"""Put gradebooks together: idempotent, and in whichever order they are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from grader.gradebook.book import Gradebook
from grader.gradebook.migrations import GradebookError
from grader.gradebook.schema import (
    deductions,
    history,
    manual_points,
    overrides,
    phrases,
    requests,
    results,
    reviews,
    submissions,
    works,
)
from grader.gradebook.works import keep_latest

VERSIONS = ("gapgrade", "sheet_version", "tests_version", "torch", "advisory")


def merge_into(target: Gradebook, sources: Sequence[Gradebook]) -> None:
    """Add everything that the sources hold to the target, in one transaction.

    Where several know a submission, the latest word on it counts. Raises `GradebookError` where results that count
    were graded with different versions of the sheet, its tests or the grader, or only some behind a wall.
    """
    check_versions([target, *sources])
    with target.writing() as connection:
        for source in sources:
            with source.reading() as other:
                _add(connection, other)


def check_versions(books: Iterable[Gradebook]) -> None:
    """Raises `GradebookError` where two results that count were not graded alike; names both and what differs."""
    columns = [results.c[name] for name in VERSIONS]
    query = select(submissions.c.sheet, submissions.c.name, *columns).join(
        results, results.c.uid == submissions.c.result
    )
    first: dict[str, tuple[str, Row[Any]]] = {}
    for book in books:
        with book.reading() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                place, other = first.setdefault(row.sheet, (book.place, row))
                if unlike := [name for name in VERSIONS if getattr(row, name) != getattr(other, name)]:
                    raise GradebookError(
                        f"{row.sheet}: {row.name} in {book.place} and {other.name} in {place} were not graded alike "
                        f"({', '.join(unlike)}); grade one of the parts again with what graded the other"
                    )


def _add(target: Connection, source: Connection) -> None:
    numbers = {}
    for row in source.execute(select(submissions)):
        numbers[row.id] = _submission(target, row)
    for row in source.execution_options(yield_per=200).execute(select(results)):
        _insert_new(target, results, _moved(row, numbers))
    for row in source.execute(select(deductions)):
        _insert_new(target, deductions, _moved(row, numbers))
    for row in source.execute(select(phrases)):
        _insert_new(target, phrases, _moved(row, numbers))
    for row in source.execute(select(requests)):
        _answered(target, _moved(row, numbers))
    for table in (manual_points, overrides, reviews):
        for row in source.execute(select(table)):
            _latest(target, table, _moved(row, numbers))
    for row in source.execution_options(yield_per=200).execute(select(works)):
        keep_latest(target, _moved(row, numbers))
    for row in source.execution_options(yield_per=1000).execute(select(history).order_by(history.c.id)):
        _insert_new(target, history, _moved(row, numbers))


def _submission(target: Connection, row: Row[Any]) -> int:
    """The target's number of a submission, which the later of two words describes; ties go by the reason's text."""
    facts = {name: value for name, value in row._mapping.items() if name != "id"}
    here = (submissions.c.sheet == row.sheet) & (submissions.c.name == row.name)
    known = target.execute(select(submissions).where(here)).one_or_none()
    if known is None:
        return int(target.execute(insert(submissions).values(**facts).returning(submissions.c.id)).scalar_one())
    if _age(row) > _age(known):
        target.execute(update(submissions).where(submissions.c.id == known.id).values(**facts))
    return int(known.id)


def _age(row: Row[Any]) -> tuple[str, ...]:
    return (row.updated_at, row.state, row.result or "", row.reason, row.source)


def _moved(row: Row[Any], numbers: Mapping[int, int]) -> dict[str, Any]:
    """A row without its own number, belonging to the target's submission."""
    facts = {name: value for name, value in row._mapping.items() if name != "id"}
    if "submission_id" in facts:
        facts["submission_id"] = numbers[facts["submission_id"]]
    return facts


def _insert_new(target: Connection, table: Table, facts: Mapping[str, Any]) -> None:
    if target.execute(select(table.c.uid).where(table.c.uid == facts["uid"])).first() is None:
        target.execute(insert(table).values(**facts))


def _latest(target: Connection, table: Table, facts: Mapping[str, Any]) -> None:
    here = (table.c.submission_id == facts["submission_id"]) & (table.c.task == facts["task"])
    known = target.execute(select(table).where(here)).one_or_none()
    if known is None or (facts["at"], facts["who"]) > (known.at, known.who):
        target.execute(delete(table).where(here))
        target.execute(insert(table).values(**facts))


def _answered(target: Connection, facts: Mapping[str, Any]) -> None:
    """A request, with the later of two answers."""
    known = target.execute(select(requests).where(requests.c.uid == facts["uid"])).one_or_none()
    if known is None:
        target.execute(insert(requests).values(**facts))
    elif (facts["answered_at"], facts["answer"]) > (known.answered_at, known.answer):
        target.execute(update(requests).where(requests.c.uid == facts["uid"]).values(**facts))
