"""`python -m grader report`: a result that was written earlier, as its report."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader import GapgradeError
from grader.commands.places import Course, SheetName
from grader.commands.results import Places, results_in
from grader.reports.files import STUDENT_FILES, write_reports
from grader.reports.terminal import print_report, print_summary
from grader.reports.text import line
from grader.reports.views import student_view
from grader.result import Result


class Face(StrEnum):
    """How a report is printed."""

    terminal = "terminal"
    markdown = "markdown"


def report(
    results: Places,
    staff: Annotated[bool, typer.Option("--staff", help="Show what only staff may see.")] = False,
    face: Annotated[Face, typer.Option(help="Markdown is for the student alone.")] = Face.terminal,
    out: Annotated[
        Path | None, typer.Option(help="Write all reports into this folder; of several results a folder for each.")
    ] = None,
    sheet: SheetName = None,
    course: Course = Path(),
) -> None:
    """Print the report of one result, or a class in one table.

    Example:

        python -m grader report out/reports/team-07/result.json --staff
    """
    found = results_in(results, sheet, course)
    if len(found) > 1:
        if out is not None:
            for result in found:
                write_reports(result, out / _folder(result))
        print_summary(found, Console())
        return
    (result,) = found
    if out is not None:
        write_reports(result, out)
    if face is Face.markdown:
        print(STUDENT_FILES["summary.md"](student_view(result)))
    else:
        print_report(result, Console(), staff=staff)


def _folder(result: Result) -> str:
    """The name of a submission's folder, which a result that came as a file may not choose freely."""
    if not result.submission or Path(result.submission).name != result.submission or result.submission == "..":
        raise GapgradeError(f"{line(result.submission)!r} is no name for a folder; give this result alone")
    return result.submission
