"""`python -m grader merge`: the gradebooks of several machines become one."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from grader.batch import REPORTS, only_batch
from grader.gradebook import open_gradebook
from grader.gradebook.book import FILE
from grader.gradebook.merge import merge_into
from grader.gradebook.stats import sheets_in
from grader.reports.files import write_reports


def merge(
    parts: Annotated[list[Path], typer.Argument(help="What `batch --out` wrote: folders or gradebooks.")],
    out: Annotated[Path, typer.Option(help="Where the whole goes; what is there already stays.")],
) -> None:
    """Put the outcomes of several batches together, in whichever order.

    Refused where they were graded with different versions of the sheet, its tests or the grader.

    Example:

        python -m grader merge out-1 out-2 --out out
    """
    with only_batch(out), ExitStack() as stack:
        sources = [stack.enter_context(open_gradebook(part, must_exist=True)) for part in parts]
        book = stack.enter_context(open_gradebook(out))
        merge_into(book, sources)
        for record in book.records():
            if record.result is not None:
                write_reports(record.result, out / REPORTS / record.name)
        for sheet in sheets_in(book):
            counts = ", ".join(f"{number} {state}" for state, number in sorted(book.count(sheet).items()))
            typer.echo(f"{sheet}: {counts}")
    typer.echo(f"gradebook: {out / FILE}\nreports: {out / REPORTS}")
