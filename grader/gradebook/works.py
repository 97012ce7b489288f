"""What submissions hold beside their results: kept with the last grading of each, replaced by the next."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select

from grader.gradebook.migrations import GradebookError
from grader.gradebook.schema import submissions, works
from grader.work import Work

if TYPE_CHECKING:  # it calls `keep_work`
    from grader.gradebook.book import Gradebook


def keep_work(connection: Connection, submission: int, result: str, work: Work | None, at: str) -> None:
    """Replace what is kept of a submission, inside a transaction; `result` is the uid of the same grading's.

    No work is kept as an empty one, so that a row that is gone is told from one that never was.
    """
    text = (work or Work()).to_json()
    facts = {"submission_id": submission, "result": result, "json": text, "at": at, "digest": _digest(text)}
    connection.execute(delete(works).where(works.c.submission_id == submission))
    connection.execute(insert(works).values(**facts))


def keep_latest(connection: Connection, facts: Mapping[str, Any]) -> None:
    """Take a row of another gradebook over, unless the one that is there is younger."""
    here = works.c.submission_id == facts["submission_id"]
    known = connection.execute(select(works).where(here)).one_or_none()
    if known is None or (facts["at"], facts["result"]) > (known.at, known.result):
        connection.execute(delete(works).where(here))
        connection.execute(insert(works).values(**facts))


def works_in(book: Gradebook, sheet: str) -> Iterator[tuple[str, Work]]:
    """By name, what is kept of the submissions whose result that counts was made by the same grading.

    Raises `GradebookError` where it was changed.
    """
    query = (
        select(submissions.c.name, works.c.json, works.c.digest)
        .join(works, works.c.submission_id == submissions.c.id)
        .where((submissions.c.sheet == sheet) & (works.c.result == submissions.c.result))
        .order_by(submissions.c.name)
    )
    with book.reading() as connection:
        for name, text, digest in connection.execution_options(yield_per=200).execute(query):
            if not _is_whole(text, digest):
                raise GradebookError(f"{sheet}, {name}: {_CHANGED}")
            yield name, Work.from_json(text)


def wrong_works(connection: Connection) -> Iterator[str]:
    """What is kept of a graded submission is there, and is what was written; a sentence for each that is not."""
    query = (
        select(submissions.c.sheet, submissions.c.name, works.c.json, works.c.digest)
        .outerjoin(works, (works.c.submission_id == submissions.c.id) & (works.c.result == submissions.c.result))
        .where(submissions.c.result.is_not(None))
        .order_by(submissions.c.sheet, submissions.c.name)
    )
    for row in connection.execution_options(yield_per=200).execute(query):
        if row.json is None:
            yield f"{row.sheet}, {row.name}: what stands in its gaps is not kept; {_AGAIN}"
        elif not _is_whole(row.json, row.digest):
            yield f"{row.sheet}, {row.name}: {_CHANGED}"


_AGAIN = "grade it again: batch ... --again"
_CHANGED = f"what is kept of its gaps was changed; restore the last backup, or {_AGAIN}"


def _is_whole(text: str, digest: str | None) -> bool:
    if digest is not None:
        return digest == _digest(text)
    try:
        Work.from_json(text)
    except (ValueError, TypeError, LookupError, ArithmeticError):
        return False
    return True


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
