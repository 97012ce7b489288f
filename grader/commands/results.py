"""Results as commands are given them: files, folders of files, or a gradebook with what people decided."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from grader.batch import REPORTS
from grader.commands.places import sheet_of
from grader.exports.rows import read_results
from grader.gradebook import open_gradebook
from grader.gradebook.book import FILE
from grader.gradebook.marks import Marks, marks_in, settle
from grader.reports.text import line
from grader.result import Result

Places = Annotated[
    list[str],
    typer.Argument(
        help="What a batch wrote: its folder or gradebook, with the points that people gave; or result files."
    ),
]


def results_in(places: Iterable[str], sheet: str | None, course: Path) -> list[Result]:
    """All results. From a gradebook, and from the reports beside one, they come with the points that people gave."""
    return [result for place in places for result in _results(place, sheet, course)]


def _results(place: str, sheet: str | None, course: Path) -> list[Result]:
    book = _gradebook(place)
    return read_results([Path(place)]) if book is None else _settled(book, sheet, course)


def _gradebook(place: str) -> str | None:
    """The gradebook that a place is, or that its reports belong to."""
    if "://" in place or place.endswith(Path(FILE).suffix):
        return place
    path = Path(place).absolute()
    folders = [path, path.parent] if path.name == REPORTS else [path]
    return next((str(folder) for folder in folders if (folder / FILE).is_file()), None)


def _settled(place: str, sheet: str | None, course: Path) -> list[Result]:
    with open_gradebook(place, must_exist=True) as book:
        chosen = sheet_of(book, sheet, course)
        said = marks_in(book, chosen.name)
        results = []
        for record in book.records(chosen.name):
            if record.result is None:
                typer.echo(line(f"{record.name} has no result, it is {record.state}: {record.reason}"), err=True)
            else:
                marks = said.get(record.name, Marks())
                results.append(settle(chosen, record.result, marks, record.handed_in_at))
        return results
