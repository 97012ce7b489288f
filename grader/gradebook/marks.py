"""What people add to results: points for tasks that wait, other points than the tests gave, deductions; who and why."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select

from grader.gradebook.book import Gradebook, Record, note, now, storable
from grader.gradebook.migrations import GradebookError
from grader.gradebook.schema import deductions, manual_points, overrides, requests, submissions
from grader.result import Request, Result, RuleResult, TaskResult
from grader.rules.late import late
from grader.score import add_up
from grader.sheet import Sheet

_POINTS = re.compile(r"[+-]?(?:\d{1,8}(?:\.\d{0,4})?|\.\d{1,4})", re.ASCII)


@dataclass(frozen=True)
class Mark:
    """A person's points for a task, or, where there is no task, what is deducted from the total."""

    points: Decimal
    who: str
    why: str
    at: str
    task: str = ""


@dataclass(frozen=True)
class Marks:
    """What people said of one submission; `manual` and `overrides` by task."""

    manual: dict[str, Mark] = field(default_factory=dict)
    overrides: dict[str, Mark] = field(default_factory=dict)
    deductions: list[Mark] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)


def give_points(book: Gradebook, record: Record, task: str, points: Decimal, who: str, why: str) -> None:
    """Give points for a task that waits for a person; raises `GradebookError` where it does not, or has fewer."""
    found = _task(record, task)
    if found.state != "pending":
        raise GradebookError(f"{record.name}: task {task} does not wait for points; use: gradebook override")
    _check_points(record, found, points)
    _set(book, manual_points, record, task, points, who, why)


def override(book: Gradebook, record: Record, task: str, points: Decimal, who: str, why: str) -> None:
    """Give a task other points than its tests gave."""
    _check_points(record, _task(record, task), points)
    _set(book, overrides, record, task, points, who, why)


def deduct(book: Gradebook, record: Record, points: Decimal, who: str, why: str) -> None:
    """Take points off the total, beside what the rules take."""
    if points <= 0:
        raise GradebookError(f"a deduction of {points} points takes nothing; give a positive number")
    row = {"uid": uuid.uuid4().hex, "submission_id": record.id, "points": points, **_signed(who, why)}
    with book.writing() as connection:
        connection.execute(insert(deductions).values(**row))
        note(connection, who, record.sheet, "deduction", storable(f"{points:f}: {why}"), record.name)


def marks_in(book: Gradebook, sheet: str, name: str | None = None) -> dict[str, Marks]:
    """What people said, by submission; of one submission where it is named."""
    said: dict[str, Marks] = {}
    with book.reading() as connection:
        for table in (manual_points, overrides, deductions):
            query = select(submissions.c.name, table).join_from(submissions, table).where(submissions.c.sheet == sheet)
            if name is not None:
                query = query.where(submissions.c.name == name)
            for row in connection.execute(query.order_by(table.c.at)):
                marks = said.setdefault(row.name, Marks())
                mark = Mark(row.points, row.who, row.why, row.at, getattr(row, "task", ""))
                if table is deductions:
                    marks.deductions.append(mark)
                else:
                    (marks.manual if table is manual_points else marks.overrides)[mark.task] = mark
        query = (
            select(submissions.c.name, requests).join_from(submissions, requests).where(submissions.c.sheet == sheet)
        )
        for row in connection.execute(query.order_by(requests.c.at)):
            if name is None or row.name == name:
                asked = Request(task=row.task, text=row.text, at=row.at, answer=row.answer)
                said.setdefault(row.name, Marks()).requests.append(asked)
    return said


def settle(sheet: Sheet, result: Result, marks: Marks, handed_in_at: datetime | None) -> Result:
    """The result with what people said: the tasks' points, the deductions, and a late day's share of the new total."""
    sheet = sheet.due_at(datetime.fromisoformat(result.extended_until) if result.extended_until else None)
    tasks = tuple(_settled(task, marks) for task in result.tasks)
    rules = [rule for rule in result.rules if rule.id != "late"]
    rules += [RuleResult(id="deduction", deduction=mark.points, message=mark.why) for mark in marks.deductions]
    so_far = add_up(sheet, tasks, rules)
    rules += late(sheet, handed_in_at, so_far.score)
    total = add_up(sheet, tasks, rules)
    sums: dict[str, Any] = {
        "score": total.score, "bonus": total.bonus, "pending": total.pending, "passed": total.passed
    }  # fmt: skip
    asked = tuple(marks.requests)
    return result.model_copy(update={"tasks": tasks, "rules": tuple(rules), "requests": asked, **sums})


def read_points(text: str) -> Decimal:
    """Points as a person writes them: `1.5`. Raises `GradebookError`."""
    if not _POINTS.fullmatch(text):
        raise GradebookError(f"{text!r:.80} are no points; write a decimal with at most four digits after the point")
    return Decimal(text) + 0  # there is no -0


def _settled(task: TaskResult, marks: Marks) -> TaskResult:
    mark = marks.overrides.get(task.id) or (marks.manual.get(task.id) if task.state == "pending" else None)
    if mark is None:
        return task
    return task.model_copy(update={"score": mark.points, "state": "graded", "note": mark.why})


def _task(record: Record, task: str) -> TaskResult:
    known: Iterable[TaskResult] = record.result.tasks if record.result else ()
    for one in known:
        if one.id == task:
            return one
    names = ", ".join(one.id for one in known) or f"none, it is {record.state}"
    raise GradebookError(f"{record.name}: it has no task {task!r}; its tasks: {names}")


def _check_points(record: Record, task: TaskResult, points: Decimal) -> None:
    if not 0 <= points <= task.max_score:
        raise GradebookError(f"{record.name}: task {task.id} has 0 to {task.max_score:f} points, not {points}")


def put_mark(
    connection: Connection, table: Table, submission: int, task: str, points: Decimal, who: str, why: str
) -> None:
    """The last word on a task, inside a transaction."""
    connection.execute(delete(table).where((table.c.submission_id == submission) & (table.c.task == task)))
    connection.execute(insert(table).values(submission_id=submission, task=task, points=points, **_signed(who, why)))


def _set(book: Gradebook, table: Table, record: Record, task: str, points: Decimal, who: str, why: str) -> None:
    with book.writing() as connection:
        put_mark(connection, table, record.id, task, points, who, why)
        what = f"task {task}: {points:f} points: {why}"
        note(connection, who, record.sheet, table.name.replace("_", " "), storable(what), record.name)


def _signed(who: str, why: str) -> dict[str, str]:
    if not who.strip() or not why.strip():
        raise GradebookError("who gives or takes points, and why, must be said: --who NAME --why TEXT")
    return {"who": storable(who), "why": storable(why), "at": now()}
