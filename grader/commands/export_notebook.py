"""`python -m grader export-notebook`: a submission's notebooks as HTML and PDF, each answer beside its rubric."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.commands.completion import sheet_names
from grader.commands.exits import new_app
from grader.commands.sandbox import Sandbox
from grader.intake import take_in
from grader.notebook_page import missing_pdf, notebook_page
from grader.printing import print_pdf
from grader.reader import load_notebooks
from grader.reports.files import write_page
from grader.sheet import SheetError, load_sheet
from grader.wall.choose import choose_wall

app = new_app("")


@app.command()
def export_notebook(
    submission: Annotated[Path, typer.Argument(help="A folder, git repository, archive, or one notebook.")],
    sheet: Annotated[
        str, typer.Option(autocompletion=sheet_names, help="The sheet's name, or the path of its folder.")
    ],
    out: Annotated[Path, typer.Option(help="Write SUBMISSION.html and SUBMISSION.pdf into this folder.")],
    ref: Annotated[str | None, typer.Option(help="Read this branch, tag or commit of a git repository.")] = None,
    sandbox: Annotated[Sandbox, typer.Option(help="The wall that the notebook is read behind.")] = Sandbox.auto,
    course: Annotated[Path, typer.Option(help="The folder that holds sheets/, solutions/ and the tests.")] = Path(),
) -> None:
    """Write what a submission's notebooks hold, for reading and grading by hand. For the staff: it shows model answers.

    Example:

        python -m grader export-notebook teams/team-07 --sheet conditional-vae --out out/pages
    """
    chosen = load_sheet(sheet, course)
    notebooks = load_notebooks(chosen)
    if not notebooks:
        raise SheetError(f"the sheet {chosen.name} has no notebook; there is nothing to export")
    handed = take_in(submission, ref=ref)
    wall = choose_wall(sandbox.value)
    try:
        page = write_page(out / f"{handed.name}.html", notebook_page(chosen, handed, notebooks, wall))
    finally:
        wall.close()
    typer.echo(page)
    pdf = page.with_suffix(".pdf")
    if problem := print_pdf(page, pdf):
        typer.echo(problem, err=True)
    else:
        typer.echo(pdf)
    if file := missing_pdf(chosen, handed):
        typer.echo(f"{handed.name}: {file}, which the sheet asks for, is missing", err=True)
