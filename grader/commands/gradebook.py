"""`python -m grader gradebook`: look after a gradebook, and add what people decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.commands.exits import new_app
from grader.commands.places import DEFAULT_PLACE, Course, Place, SheetName, record_of, sheet_of
from grader.gradebook import marks, open_gradebook
from grader.gradebook.care import backup as copy
from grader.gradebook.care import check as problems_of
from grader.reports.text import line

app = new_app("Look after a gradebook, and add what people decide: points, deductions, who and why.")
DAMAGED = 1

Name = Annotated[str, typer.Argument(help="The submission's name.")]
Task = Annotated[str, typer.Argument(help="The task's number, as in the sheet.")]
Points = Annotated[str, typer.Argument(help="A decimal: 1.5")]
Who = Annotated[str, typer.Option(help="Who decided.")]
Why = Annotated[str, typer.Option(help="The reason; for points, the student reads it.")]


@app.command()
def check(gradebook: Place = DEFAULT_PLACE) -> None:
    """Check that everything in a gradebook is whole; exit status 1 where it is not: `gradebook check`."""
    with open_gradebook(gradebook, must_exist=True) as book:
        problems = problems_of(book)
        for problem in problems:
            typer.echo(line(problem), err=True)
        if problems:
            raise SystemExit(DAMAGED)
        typer.echo(f"{book.place}: all is well")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The copy; it must not be there yet.")], gradebook: Place = DEFAULT_PLACE
) -> None:
    """Copy a gradebook, also while a batch writes into it: `gradebook backup copy.sqlite`."""
    with open_gradebook(gradebook, must_exist=True) as book:
        copy(book, file)
    typer.echo(f"backup: {file}")


@app.command()
def points(
    name: Name, task: Task, number: Points, who: Who, why: Why, gradebook: Place = DEFAULT_PLACE,
    sheet: SheetName = None, course: Course = Path(),
) -> None:  # fmt: skip
    """Give points for a task that waits for a person: `gradebook points team-07 1.4 1.5 --who Ada --why "..."`."""
    with open_gradebook(gradebook, must_exist=True) as book:
        record = record_of(book, sheet_of(book, sheet, course), name)
        marks.give_points(book, record, task, marks.read_points(number), who, why)


@app.command()
def override(
    name: Name, task: Task, number: Points, who: Who, why: Why, gradebook: Place = DEFAULT_PLACE,
    sheet: SheetName = None, course: Course = Path(),
) -> None:  # fmt: skip
    """Give a task other points than its tests gave: `gradebook override team-07 1.1 4 --who Ada --why "..."`."""
    with open_gradebook(gradebook, must_exist=True) as book:
        record = record_of(book, sheet_of(book, sheet, course), name)
        marks.override(book, record, task, marks.read_points(number), who, why)


@app.command()
def deduct(
    name: Name, number: Points, who: Who, why: Why, gradebook: Place = DEFAULT_PLACE,
    sheet: SheetName = None, course: Course = Path(),
) -> None:  # fmt: skip
    """Take points off the total: `gradebook deduct team-07 2 --who Ada --why "..."`."""
    with open_gradebook(gradebook, must_exist=True) as book:
        record = record_of(book, sheet_of(book, sheet, course), name)
        marks.deduct(book, record, marks.read_points(number), who, why)


@app.command()
def history(
    name: Annotated[str | None, typer.Argument(help="Only this submission's.")] = None,
    gradebook: Place = DEFAULT_PLACE,
) -> None:
    """Show what happened, the oldest first: `gradebook history team-07`."""
    with open_gradebook(gradebook, must_exist=True) as book:
        for one in book.history(name):
            typer.echo(line(f"{one.at}  {one.submission or one.sheet}  {one.event} ({one.who}): {one.detail}"))
