"""Requests of students to look at points again: recorded, listed, answered; nothing of them is ever removed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from grader.gradebook.book import Gradebook, note, now, storable
from grader.gradebook.migrations import GradebookError
from grader.gradebook.schema import requests, submissions


@dataclass(frozen=True)
class Request:
    """A request; `answer` is empty while it is open."""

    uid: str
    submission: int
    name: str
    task: str
    text: str
    who: str
    at: str
    answer: str
    answered_by: str
    answered_at: str


def requests_of(book: Gradebook, sheet: str) -> list[Request]:
    """All requests of a sheet, the oldest first."""
    query = (
        select(submissions.c.name, requests)
        .join_from(requests, submissions, submissions.c.id == requests.c.submission_id)
        .where(submissions.c.sheet == sheet)
        .order_by(requests.c.at, requests.c.uid)
    )
    with book.reading() as connection:
        return [
            Request(
                row.uid, row.submission_id, row.name, row.task, row.text, row.who, row.at,
                row.answer, row.answered_by, row.answered_at,
            )
            for row in connection.execute(query)
        ]  # fmt: skip


def record_request(book: Gradebook, sheet: str, name: str, task: str, text: str, who: str) -> str:
    """Record what a student asks; the number that answers it."""
    _said(text, who)
    uid = uuid.uuid4().hex
    with book.writing() as connection:
        here = (submissions.c.sheet == sheet) & (submissions.c.name == name)
        number = connection.execute(select(submissions.c.id).where(here)).scalar()
        if number is None:
            raise GradebookError(f"{book.place} has no submission {name!r} of the sheet {sheet}; check the name")
        row = {"uid": uid, "submission_id": number, "task": task, "text": storable(text), "who": storable(who)}
        empty = {"answer": "", "answered_by": "", "answered_at": ""}
        connection.execute(insert(requests).values(**row, **empty, at=now()))
        note(connection, storable(who), sheet, "request", storable(f"task {task}: {text}"), name)
    return uid


def answer_request(book: Gradebook, sheet: str, uid: str, answer: str, who: str) -> None:
    """Answer an open request; `uid` may be its beginning. Raises `GradebookError`."""
    _said(answer, who)
    with book.writing() as connection:
        query = select(requests, submissions.c.name).join(submissions, submissions.c.id == requests.c.submission_id)
        of_sheet = (submissions.c.sheet == sheet) & requests.c.uid.startswith(uid, autoescape=True)
        found = connection.execute(query.where(of_sheet)).all()
        if len(found) != 1:
            raise GradebookError(
                f"{len(found)} requests begin with {uid!r}; list them: python -m grader marks requests"
            )
        (row,) = found
        if row.answer:
            raise GradebookError(f"{row.answered_by} has answered it already: {row.answer}; record a new request")
        answered = {"answer": storable(answer), "answered_by": storable(who), "answered_at": now()}
        connection.execute(update(requests).where(requests.c.uid == row.uid).values(**answered))
        note(connection, storable(who), sheet, "request answered", storable(f"task {row.task}: {answer}"), row.name)


def _said(text: str, who: str) -> None:
    if not text.strip() or not who.strip():
        raise GradebookError("a request and its answer need a text, and who wrote it")
