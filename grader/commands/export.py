"""`python -m grader export`: points for the system that keeps grades."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from grader.commands.places import Course, SheetName
from grader.commands.results import Places, results_in
from grader.exports.canvas import canvas
from grader.exports.cells import ExportError
from grader.exports.classroom import classroom
from grader.exports.gradescope import gradescope
from grader.exports.ilias import ilias
from grader.exports.junit import junit
from grader.exports.moodle import moodle, moodle_worksheet
from grader.exports.rows import Book, join, without_roster
from grader.reports.text import line
from grader.result import Result
from grader.roster import read_roster
from grader.whole import write_whole


class Format(StrEnum):
    """The formats that can be written."""

    canvas = "canvas"
    moodle = "moodle"
    moodle_worksheet = "moodle-worksheet"
    ilias = "ilias"
    classroom = "classroom"
    gradescope = "gradescope"
    junit = "junit"


WRITERS: dict[Format, Callable[[Book], str]] = {
    Format.canvas: canvas,
    Format.moodle: moodle,
    Format.moodle_worksheet: moodle_worksheet,
    Format.ilias: ilias,
    Format.classroom: classroom,
    Format.gradescope: gradescope,
    Format.junit: junit,
}
WITHOUT_PEOPLE = (Format.gradescope, Format.junit)


def export(
    format: Annotated[Format, typer.Argument(help="The system's format.")],
    results: Places,
    out: Annotated[Path, typer.Option(help="The file to write; a folder for Gradescope with several results.")],
    roster: Annotated[Path | None, typer.Option(help="Who takes part, with the system's ids.")] = None,
    template: Annotated[Path | None, typer.Option(help="The file that the system gave out, to be filled in.")] = None,
    column: Annotated[str, typer.Option(help="The system's name of the assignment's column.")] = "",
    sheet: SheetName = None,
    course: Course = Path(),
) -> None:
    """Write points for Canvas, Moodle, ILIAS, Gradescope, or as Classroom's grades.csv or JUnit.

    Example:

        python -m grader export moodle out --roster roster.csv --out moodle.csv
    """
    found = results_in(results, sheet, course)
    if roster is None and format not in WITHOUT_PEOPLE:
        raise ExportError(f"{format.value} needs to know who is who; give --roster")
    rows, unknown = join(read_roster(roster), found) if roster else (without_roster(found), [])
    book = Book(rows, column, template)
    if format is Format.gradescope and len(book.results) > 1:
        out.mkdir(parents=True, exist_ok=True)
        for name, result in _named(book.results).items():
            write_whole(out / f"{name}.json", gradescope(Book(without_roster([result]))))
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, WRITERS[format](book))
    for name in unknown:
        typer.echo(f"not on the roster, left out: {line(name)}", err=True)
    for count, what in (
        (sum(row.result is None for row in rows), "on the roster without a result"),
        (sum(bool(result.pending) for result in book.results), "with points that a person has still to give"),
        (sum(result.advisory for result in book.results), "advisory: graded without a wall"),
    ):
        if count:
            typer.echo(f"{count} {what}", err=True)
    typer.echo(f"{len(book.graded)} written to {out}")


def _named(results: Sequence[Result]) -> dict[str, Result]:
    """Each result by a name for its file that is its own on every system: `team 7` and `Team_7` need two."""
    found: dict[str, Result] = {}
    taken: set[str] = set()
    for result in results:
        plain = "".join(one if one.isalnum() or one in "-_." else "_" for one in result.submission).lstrip(".")
        names = itertools.chain([plain], (f"{plain}_{number}" for number in itertools.count(2)))
        name = next(one for one in names if one and one.casefold() not in taken)
        taken.add(name.casefold())
        found[name] = result
    return found
