"""Where the commands that read a gradebook find it, and the sheet that is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.commands.completion import sheet_names
from grader.gradebook import Gradebook, GradebookError, Record
from grader.gradebook.stats import sheets_in
from grader.sheet import Sheet, load_sheet

Place = Annotated[
    str, typer.Option("--gradebook", help="The folder that a batch wrote, a file, or postgresql://USER@HOST/NAME.")
]
SheetName = Annotated[
    str | None,
    typer.Option("--sheet", autocompletion=sheet_names, help="The sheet; needed where the gradebook has several."),
]
Course = Annotated[Path, typer.Option(help="The folder that holds sheets/, solutions/ and the tests.")]
DEFAULT_PLACE = "out"


def sheet_of(book: Gradebook, name: str | None, course: Path) -> Sheet:
    """The sheet that is meant: the one that is named, or the only one of a gradebook."""
    if name is not None:
        return load_sheet(name, course)
    known = sheets_in(book)
    if not known:
        raise GradebookError(f"{book.place} holds no submission yet; run a batch that writes into it")
    if len(known) != 1:
        raise GradebookError(f"{book.place} holds {', '.join(known)}; name one with --sheet")
    return load_sheet(known[0], course)


def record_of(book: Gradebook, sheet: Sheet, name: str) -> Record:
    """A submission by its name; raises `GradebookError` where the gradebook has none."""
    record = next(book.records(sheet.name, name), None)
    if record is None:
        raise GradebookError(f"{book.place} has no submission {name!r} of the sheet {sheet.name}; check the name")
    return record
