"""`python -m grader feedback`: what a class says of a sheet, without anybody's name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Annotated

import typer

from grader import GapgradeError
from grader.batching.find import find_submissions
from grader.class_feedback import as_markdown, summarise
from grader.commands.completion import sheet_names
from grader.intake import take_in
from grader.reader import release_folder
from grader.reports.text import line
from grader.roster import Person, read_roster
from grader.rules.tasks import FEEDBACK
from grader.sheet import load_sheet


def feedback(
    folder: Annotated[Path, typer.Argument(help="A folder with a submission for each team, as `batch` takes it.")],
    sheet: Annotated[
        str, typer.Option(autocompletion=sheet_names, help="The sheet's name, or the path of its folder.")
    ],
    roster: Annotated[Path | None, typer.Option(help="A roster: the names on it are left out of the comments.")] = None,
    ref: Annotated[str | None, typer.Option(help="Read this branch, tag or commit of each repository.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the page into this file.")] = None,
    course: Annotated[Path, typer.Option(help="The folder that holds sheets/, solutions/ and the tests.")] = Path(),
) -> None:
    """Put a class's feedback.md together: hours and comments, without names.

    Example:

        python -m grader feedback teams --sheet generative-models --roster roster.csv --out feedback.md
    """
    chosen = load_sheet(sheet, course)
    template = (release_folder(chosen) / FEEDBACK).read_text(encoding="utf-8")
    people = read_roster(roster) if roster is not None else []
    names = [name for person in people for name in _names(person)]
    page = as_markdown(summarise(_texts(folder, ref), template, names), chosen.title)
    if out is None:
        typer.echo(unescape(page) if sys.stdout.isatty() else page, nl=False)  # a person reads no entities
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")


def _texts(folder: Path, ref: str | None) -> Iterator[str]:
    """Each submission's feedback; one that cannot be taken in is named, and left out."""
    for found in find_submissions(folder)[0]:
        try:
            files = take_in(found.path, ref=ref, name=found.name).files
        except GapgradeError as error:
            typer.echo(line(f"left out: {error}", limit=1_000), err=True)
            continue
        yield files.get(FEEDBACK, b"").decode("utf-8", "replace")


def _names(person: Person) -> Iterator[str]:
    """What a person may be called: the whole name and its parts, the account, the identifier."""
    names = [person.name, person.more.get("first_name", ""), person.more.get("last_name", "")]
    yield from (person.username, person.identifier, *names)
    yield from (part for name in names for part in name.split() if len(part) > 2)
