"""Comments that graders use again, kept by task for everybody who grades it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from grader.gradebook.book import Gradebook, note, now, storable
from grader.gradebook.migrations import GradebookError
from grader.gradebook.schema import phrases

MOST = 40  # a task; more are no help


@dataclass(frozen=True)
class Phrase:
    """A comment that is used again."""

    uid: str
    text: str
    who: str


def phrases_of(book: Gradebook, sheet: str, task: str) -> list[Phrase]:
    """In the order in which they came, so that each keeps its key."""
    here = (phrases.c.sheet == sheet) & (phrases.c.task == task)
    with book.reading() as connection:
        rows = connection.execute(select(phrases).where(here).order_by(phrases.c.at, phrases.c.uid))
        return [Phrase(row.uid, row.text, row.who) for row in rows]


def keep_phrase(book: Gradebook, sheet: str, task: str, text: str, who: str) -> None:
    """Keep a comment; one that is kept already stays as it is."""
    text = storable(text.strip())
    known = phrases_of(book, sheet, task)
    if not text:
        raise GradebookError("an empty comment cannot be kept; write one first")
    if text in (one.text for one in known):
        return
    if len(known) >= MOST:
        raise GradebookError(f"task {task} has {MOST} comments, as many as can be kept; remove one first")
    row = {"uid": uuid.uuid4().hex, "sheet": sheet, "task": task, "text": text, "who": storable(who), "at": now()}
    with book.writing() as connection:
        connection.execute(insert(phrases).values(**row))
        note(connection, storable(who), sheet, "comment kept", f"task {task}: {text}")


def remove_phrase(book: Gradebook, sheet: str, uid: str, who: str) -> None:
    """Forget a comment; where it was used it stays."""
    with book.writing() as connection:
        here = (phrases.c.uid == uid) & (phrases.c.sheet == sheet)
        row = connection.execute(select(phrases).where(here)).one_or_none()
        if row is not None:
            connection.execute(delete(phrases).where(here))
            note(connection, storable(who), sheet, "comment removed", f"task {row.task}: {row.text}")
