"""Tasks that people grade, item by item: what is decided so far, by whom, and never over somebody else's word.

Who saves names the state that they saw. If it is no longer the latest, nothing is written and `Conflict` brings the
other's word; every state that was saved stays in the history.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from grader.gradebook.book import Gradebook, note, now, storable
from grader.gradebook.marks import Mark, put_mark
from grader.gradebook.migrations import GradebookError
from grader.gradebook.schema import manual_points, reviews, submissions

Items = tuple[Decimal | None, ...]
"""The points of each item of a rubric; None where nobody has decided yet."""


@dataclass(frozen=True)
class Review:
    """What is decided of a task of a submission; once it is `done` its points count. `read` is the digest of the work
    that was read, `version` 0 stands for a task that nobody has begun."""

    submission: int
    task: str
    items: Items = ()
    comment: str = ""
    done: bool = False
    read: str = ""
    version: int = 0
    who: str = ""
    at: str = ""

    @property
    def points(self) -> Decimal:
        return sum((item for item in self.items if item is not None), Decimal(0))


@dataclass(frozen=True)
class Known:
    """A task as the gradebook has it: the review, and the points that count, which may come from somewhere else."""

    review: Review
    mark: Mark | None = None

    @property
    def state(self) -> str:
        """Names what was seen; another state has another name. No spreadsheet takes it for a number or a date."""
        return f"v{self.review.version} {self.mark.at if self.mark else ''}".strip()


class Conflict(GradebookError):
    """Somebody else saved this task meanwhile; `theirs` is what they said."""

    def __init__(self, theirs: Known) -> None:
        last = max((theirs.review, theirs.mark), key=lambda one: one.at if one else "")
        who = last.who if last else "somebody"
        super().__init__(f"task {theirs.review.task} was changed by {who} meanwhile; nothing was saved over it")
        self.theirs = theirs


@dataclass(frozen=True)
class Saving:
    """A review to be saved: of which submission, instead of which state, and what the student reads when it is done."""

    sheet: str
    name: str
    review: Review
    instead_of: str
    why: str


def known_reviews(book: Gradebook, sheet: str, task: str | None = None) -> dict[tuple[int, str], Known]:
    """All that is decided of a sheet, or of one task, by submission and task."""
    with book.reading() as connection:
        return _known(connection, submissions.c.sheet == sheet, task)


def save_reviews(book: Gradebook, who: str, savings: Sequence[Saving]) -> list[Known]:
    """Save reviews, all or none, and say what the gradebook has then. Raises `Conflict`."""
    if not who.strip():
        raise GradebookError("who grades must be said: --grader NAME")
    with book.writing() as connection:
        return [_save(connection, storable(who), saving) for saving in savings]


def note_unsaved(book: Gradebook, who: str, saving: Saving) -> None:
    """Keep in the history what somebody wanted to save, and could not for a `Conflict`."""
    book.note(storable(who), saving.sheet, "review not saved", storable(_in_words(saving.review)), saving.name)


def _save(connection: Connection, who: str, saving: Saving) -> Known:
    wanted = saving.review
    key = (wanted.submission, wanted.task)
    known = _known(connection, submissions.c.id == wanted.submission, wanted.task).get(key, Known(Review(*key)))
    if known.state != saving.instead_of:
        raise Conflict(known)
    values = {
        "version": known.review.version + 1,
        "items": json.dumps([None if item is None else f"{item:f}" for item in wanted.items]),
        "comment": storable(wanted.comment),
        "done": wanted.done,
        "seen": wanted.read,
        "who": who,
        "at": now(),
    }
    if known.review.version:
        this = (reviews.c.submission_id == wanted.submission) & (reviews.c.task == wanted.task)
        connection.execute(update(reviews).where(this).values(**values))
    else:
        connection.execute(insert(reviews).values(submission_id=wanted.submission, task=wanted.task, **values))
    if wanted.done:
        put_mark(connection, manual_points, *key, wanted.points, who, saving.why)
    else:
        of_task = (manual_points.c.submission_id == wanted.submission) & (manual_points.c.task == wanted.task)
        connection.execute(delete(manual_points).where(of_task))
    note(connection, who, saving.sheet, "review", storable(_in_words(wanted)), saving.name)
    return _known(connection, submissions.c.id == wanted.submission, wanted.task)[key]


def _in_words(review: Review) -> str:
    items = ", ".join("-" if item is None else f"{item:f}" for item in review.items)
    state = f"{review.points:f} points" if review.done else "not done"
    return f"task {review.task}: {items}; {state}: {review.comment}"


def _known(connection: Connection, which: Any, task: str | None) -> dict[tuple[int, str], Known]:
    found: dict[tuple[int, str], Known] = {}
    for table in (reviews, manual_points):
        query = select(table).join(submissions, submissions.c.id == table.c.submission_id).where(which)
        if task is not None:
            query = query.where(table.c.task == task)
        for row in connection.execute(query):
            key = (row.submission_id, row.task)
            if table is reviews:
                found[key] = Known(_review(row))
            else:
                before = found.get(key, Known(Review(*key)))
                found[key] = Known(before.review, Mark(row.points, row.who, row.why, row.at, row.task))
    return found


def _review(row: Row[Any]) -> Review:
    items = tuple(None if item is None else Decimal(item) for item in json.loads(row.items))
    return Review(row.submission_id, row.task, items, row.comment, row.done, row.seen, row.version, row.who, row.at)
