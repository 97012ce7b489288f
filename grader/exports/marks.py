"""Points that people give, as a table for a spreadsheet: a row for each item of a rubric, out and back in.

Coming back, everything is checked before anything is written: one row that cannot be taken refuses the whole file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from grader import GapgradeError
from grader.exports.cells import ExportError, column, number, read_table, unsafe, write_csv
from grader.gradebook import GradebookError
from grader.gradebook.reviews import Known, Review, Saving
from grader.review.desk import Desk, Place, View
from grader.review.rubric import fitted, items_of, read_item, why
from grader.sheet import Sheet

HEADER = ("submission", "task", "item", "text", "points", "of", "comment", "state")
READ = ("submission", "task", "item", "points", "comment", "state")


class MarksError(GapgradeError):
    """A table that cannot be taken back: file, line, and what to change."""


class _Incomplete(MarksError):
    """Rows of a task are not there; where another row is wrong, they may be there under a wrong name."""


@dataclass(frozen=True)
class _Row:
    """A row of the table as somebody gave it back."""

    line: int
    submission: str
    task: str
    item: str
    points: str
    comment: str
    state: str


def write_marks(desk: Desk) -> str:
    """The table: what is decided of every task that waited for a person. The comment stands in a task's first row."""
    view = desk.look()
    rows = []
    for place in (Place(entry, task) for entry in view.entries for task in view.tasks):
        if view.state(place.entry, place.task) == "closed":
            continue
        known = view.known_at(place)
        decided = fitted(known.review.items, place.task)
        for place_of, (item, points) in enumerate(zip(items_of(place.task), decided, strict=True), 1):
            rows.append(
                {
                    "submission": place.entry.label,
                    "task": place.task.id,
                    "item": str(place_of),
                    "text": item.text,
                    "points": "" if points is None else number(points),
                    "of": number(item.points),
                    "comment": known.review.comment if place_of == 1 else "",
                    "state": known.state + _of(place),
                }
            )
    return write_csv(HEADER, rows)


def _of(place: Place) -> str:
    """Ends a row's state: a spreadsheet takes names and task numbers for numbers (`007`, `2.10`), but no such text."""
    return f" of {place.entry.label}, {place.task.id}"


def read_marks(desk: Desk, file: Path) -> list[Saving]:
    """What a table changes, ready to be saved. Raises `MarksError` for the first row that cannot be taken."""
    view = desk.look()
    groups: dict[tuple[str, str], list[_Row]] = {}
    for row in _rows(file):
        groups.setdefault((row.submission, row.task), []).append(row)
    savings: list[Saving] = []
    problems: list[MarksError] = []
    for rows in groups.values():
        try:
            saving = _changed(desk.sheet, view, rows)
        except MarksError as error:
            problems.append(error)
        else:
            savings += [saving] if saving else []
    if problems:
        first = min(problems, key=lambda problem: isinstance(problem, _Incomplete))
        more = f" (one of {len(problems)} tasks with rows that cannot be taken)" if len(problems) > 1 else ""
        raise MarksError(f"{file}:{first}; nothing was written{more}")
    return savings


def _rows(file: Path) -> list[_Row]:
    try:
        table = read_table(file)
        places = [column(table, name, file) for name in READ]
    except ExportError as error:
        raise MarksError(str(error)) from None
    return [
        _Row(line, *(unsafe(row[place]) for place in places)) for line, row in zip(table.lines, table.rows, strict=True)
    ]


def _changed(sheet: Sheet, view: View, rows: Sequence[_Row]) -> Saving | None:
    """What the rows of a task of a submission change; None for nothing. Errors begin with their line."""
    place = _place(view, rows[0])
    task, known = place.task, view.known_at(place)
    points = _points(place, rows)
    comments = [row for row in rows if row.comment.strip()]
    if len(comments) > 1:
        raise MarksError(f"{comments[1].line}: task {task.id} has two comments; put them into one cell")
    comment = comments[0].comment.replace("\r\n", "\n").strip() if comments else ""
    if points == fitted(known.review.items, task) and comment == known.review.comment:
        return None
    _check_state(place, known, rows)
    done = all(one is not None for one in points)
    review = Review(place.entry.id, task.id, points, comment, done)
    return Saving(sheet.name, place.entry.name, review, known.state, why(task, points, comment))


def _check_state(place: Place, known: Known, rows: Sequence[_Row]) -> None:
    """The rows are this task's of this submission, and nobody changed it since they were written."""
    for row in rows:
        if not row.state.endswith(_of(place)):
            raise MarksError(
                f"{row.line}: by its state ({row.state!r:.80}) this row is none{_of(place)}; a spreadsheet may have "
                "changed names or numbers, so open the table with its columns as text"
            )
        if row.state != known.state + _of(place):
            who = known.review.who or (known.mark.who if known.mark else "somebody")
            raise MarksError(
                f"{rows[0].line}: {who} changed task {place.task.id} of {place.entry.label} since this table was made; "
                "export it again and enter your points there"
            )


def _place(view: View, row: _Row) -> Place:
    entry = next((one for one in view.entries if one.label == row.submission), None)
    if entry is None:
        what = "check the name, or take --anonymous as for the export"
        raise MarksError(f"{row.line}: the gradebook has no submission {row.submission!r}; {what}")
    task = next((one for one in view.tasks if one.id == row.task), None)
    if task is None:
        known = ", ".join(one.id for one in view.tasks)
        raise MarksError(f"{row.line}: no task {row.task!r} is graded by a person, only {known}; check the number")
    if view.state(entry, task) == "closed":
        raise MarksError(f"{row.line}: task {task.id} of {entry.label} does not wait for points; leave its rows out")
    return Place(entry, task)


def _points(place: Place, rows: Sequence[_Row]) -> tuple[Decimal | None, ...]:
    """The points of each item in the rubric's order."""
    task, items = place.task, items_of(place.task)
    found: dict[str, Decimal | None] = {}
    for row in rows:
        if row.item not in map(str, range(1, len(items) + 1)):
            raise MarksError(f"{row.line}: task {task.id} has the items 1 to {len(items)}, not {row.item!r}")
        if row.item in found:
            raise MarksError(f"{row.line}: item {row.item} of task {task.id} stands here for the second time")
        try:
            found[row.item] = read_item(items[int(row.item) - 1], row.points)
        except GradebookError as error:
            raise MarksError(f"{row.line}: {error}") from None
    if len(found) < len(items):
        raise _Incomplete(f"{rows[0].line}: task {task.id} of {place.entry.label} needs a row for each of its items")
    return tuple(found[str(place_of)] for place_of in range(1, len(items) + 1))
