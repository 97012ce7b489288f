"""`python -m grader show`: one submission as the gradebook has it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.commands.places import DEFAULT_PLACE, Course, Place, SheetName, record_of, sheet_of
from grader.gradebook import GradebookError, open_gradebook
from grader.gradebook.marks import Marks, marks_in, settle
from grader.reports.terminal import print_report


def show(
    name: Annotated[str, typer.Argument(help="The submission's name.")],
    gradebook: Place = DEFAULT_PLACE,
    sheet: SheetName = None,
    staff: Annotated[bool, typer.Option("--staff", help="Show what only staff may see.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write the result object here.")] = None,
    course: Course = Path(),
) -> None:
    """Show a submission's report, with the points that people gave and took.

    Example:

        python -m grader show team-07 --gradebook out
    """
    with open_gradebook(gradebook, must_exist=True) as book:
        chosen = sheet_of(book, sheet, course)
        record = record_of(book, chosen, name)
        if record.result is None:
            raise GradebookError(f"{name} has no result, it is {record.state}: {record.reason.partition(chr(10))[0]}")
        marks = marks_in(book, chosen.name, name).get(name, Marks())
    result = settle(chosen, record.result, marks, record.handed_in_at)
    print_report(result, Console(), staff=staff)
    if json is not None:
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_text(result.to_json(), encoding="utf-8")
