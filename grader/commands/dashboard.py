"""`python -m grader dashboard`: a class on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.batch import REPORTS
from grader.commands.places import DEFAULT_PLACE, Course, Place, SheetName, sheet_of
from grader.dashboard.page import page
from grader.dashboard.view import view_of
from grader.gradebook import Gradebook, open_gradebook
from grader.reader import load_templates
from grader.reports.text import line
from grader.rules.evidence import counted


def dashboard(
    out: Annotated[Path, typer.Option(help="The HTML file to write. It names everybody: keep it among the staff.")],
    gradebook: Place = DEFAULT_PLACE,
    sheet: SheetName = None,
    course: Course = Path(),
) -> None:
    """Write a class as one page: points, tasks, tests, mistakes, what is unusual, which gaps are alike.

    Example:

        python -m grader dashboard --gradebook out --out class.html
    """
    with open_gradebook(gradebook, must_exist=True) as book:
        chosen = sheet_of(book, sheet, course)
        view = view_of(book, chosen, load_templates(chosen))
        text = page(view, _reports(book), out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8", errors="backslashreplace")
    beyond = sum(pair.beyond for pair in view.pairs)
    found = f"{counted(len(view.rows), 'submission')}, {counted(beyond, 'pair')} more alike than chance explains"
    typer.echo(line(f"{out}: {found}"))


def _reports(book: Gradebook) -> Path | None:
    """Where a batch wrote the reports beside the gradebook."""
    return book.file.parent / REPORTS if book.file is not None else None
