"""What submissions hold beside their results: kept with the last grading of each, replaced by the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select

from grader.gradebook.schema import submissions, works
from grader.work import Work

if TYPE_CHECKING:  # it calls `keep_work`
    from grader.gradebook.book import Gradebook


def keep_work(connection: Connection, submission: int, result: str, work: Work | None, at: str) -> None:
    """Replace what is kept of a submission, inside a transaction; `result` is the uid of the same grading's."""
    connection.execute(delete(works).where(works.c.submission_id == submission))
    if work is not None:
        facts = {"submission_id": submission, "result": result, "json": work.to_json(), "at": at}
        connection.execute(insert(works).values(**facts))


def keep_latest(connection: Connection, facts: Mapping[str, Any]) -> None:
    """Take a row of another gradebook over, unless the one that is there is younger."""
    here = works.c.submission_id == facts["submission_id"]
    known = connection.execute(select(works).where(here)).one_or_none()
    if known is None or (facts["at"], facts["result"]) > (known.at, known.result):
        connection.execute(delete(works).where(here))
        connection.execute(insert(works).values(**facts))


def works_in(book: Gradebook, sheet: str) -> Iterator[tuple[str, Work]]:
    """By name, what is kept of the submissions whose result that counts was made by the same grading."""
    query = (
        select(submissions.c.name, works.c.json)
        .join(works, works.c.submission_id == submissions.c.id)
        .where((submissions.c.sheet == sheet) & (works.c.result == submissions.c.result))
        .order_by(submissions.c.name)
    )
    with book.reading() as connection:
        for name, text in connection.execution_options(yield_per=200).execute(query):
            yield name, Work.from_json(text)
