"""`python -m grader marks`: points that people give, in a spreadsheet, and students who ask to look again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.commands.exits import new_app
from grader.commands.places import DEFAULT_PLACE, Course, Place, SheetName, sheet_of
from grader.commands.signature import GraderName, name_of
from grader.gradebook import GradebookError, open_gradebook
from grader.gradebook.requests import answer_request, record_request, requests_of
from grader.gradebook.reviews import save_reviews
from grader.reports.text import LONG, line

app = new_app("Points that people give, in a spreadsheet, and students who ask to look again.")

Anonymous = Annotated[bool, typer.Option("--anonymous", help="Codes in place of the submissions' names.")]
Who = Annotated[str, typer.Option(help="Who wrote it.")]


@app.command(name="export")
def write(
    file: Annotated[Path, typer.Argument(help="The CSV file to write.")],
    gradebook: Place = DEFAULT_PLACE, sheet: SheetName = None, anonymous: Anonymous = False, course: Course = Path(),
) -> None:  # fmt: skip
    """Write a row for each submission and item of a rubric: `marks export marks.csv`."""
    from grader.exports.marks import write_marks
    from grader.review.desk import Desk

    with open_gradebook(gradebook, must_exist=True) as book:
        text = write_marks(Desk(book, sheet_of(book, sheet, course), "", anonymous))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8-sig", newline="")
    typer.echo(f"written to {file}; fill in the columns points and comment")


@app.command(name="import")
def read(
    file: Annotated[Path, typer.Argument(help="The file that was exported, with points filled in.")],
    gradebook: Place = DEFAULT_PLACE, sheet: SheetName = None, grader: GraderName = "",
    anonymous: Anonymous = False, course: Course = Path(),
) -> None:  # fmt: skip
    """Take the points of a table, all of them or, where one row is wrong, none: `marks import marks.csv`."""
    from grader.exports.marks import read_marks
    from grader.review.desk import Desk

    with open_gradebook(gradebook, must_exist=True) as book:
        desk = Desk(book, sheet_of(book, sheet, course), name_of(grader), anonymous)
        savings = read_marks(desk, file)
        saved = save_reviews(book, desk.grader, savings)
    done = sum(known.mark is not None for known in saved)
    typer.echo(f"{len(saved)} tasks changed, {done} of them with points for every item")


@app.command()
def request(
    name: Annotated[str, typer.Argument(help="The submission's name.")],
    task: Annotated[str, typer.Argument(help="The task's number.")],
    text: Annotated[str, typer.Option(help="What the student asks.")],
    who: Who, gradebook: Place = DEFAULT_PLACE, sheet: SheetName = None, course: Course = Path(),
) -> None:  # fmt: skip
    """Record what a student asks: `marks request team-07 1.4 --who "A student" --text "Figure 2 shows it."`."""
    with open_gradebook(gradebook, must_exist=True) as book:
        chosen = sheet_of(book, sheet, course)
        if task not in (one.id for one in chosen.tasks):
            raise GradebookError(
                f"{chosen.name} has no task {task!r}; its tasks: {', '.join(t.id for t in chosen.tasks)}"
            )
        uid = record_request(book, chosen.name, name, task, text, who)
    typer.echo(f"request {uid[:8]} is open")


@app.command()
def requests(
    every: Annotated[bool, typer.Option("--all", help="Those that were answered, too.")] = False,
    gradebook: Place = DEFAULT_PLACE, sheet: SheetName = None, course: Course = Path(),
) -> None:  # fmt: skip
    """List what students ask, the oldest first: `marks requests --all`."""
    with open_gradebook(gradebook, must_exist=True) as book:
        found = requests_of(book, sheet_of(book, sheet, course).name)
    shown = [one for one in found if every or not one.answer]
    for one in shown:
        typer.echo(line(f"{one.uid[:8]}  {one.at[:10]}  {one.name}, {one.task} ({one.who}): {one.text}", LONG))
        if one.answer:
            typer.echo(line(f"    {one.answered_by}, {one.answered_at[:10]}: {one.answer}", LONG))
    if not shown:
        typer.echo("no request is open")


@app.command()
def answer(
    number: Annotated[str, typer.Argument(help="The request's number, as `marks requests` shows it.")],
    text: Annotated[str, typer.Option(help="The answer.")],
    gradebook: Place = DEFAULT_PLACE, sheet: SheetName = None, grader: GraderName = "", course: Course = Path(),
) -> None:  # fmt: skip
    """Answer a request: `marks answer 3f2a91c0 --text "You are right; half a point more."`."""
    with open_gradebook(gradebook, must_exist=True) as book:
        answer_request(book, sheet_of(book, sheet, course).name, number, text, name_of(grader))
    typer.echo("answered")
