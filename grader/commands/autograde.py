"""`python -m grader autograde`: what Gradescope runs for every submission."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.autograde import AutograderError, Places, write_results
from grader.autograde import autograde as graded
from grader.reports.gradescope import Visibility
from grader.sheet import load_sheet


def autograde(
    root: Annotated[Path, typer.Option(help="The folder in which Gradescope puts everything.")] = Path("/autograder"),
    course: Annotated[Path, typer.Option(help="The course with the one sheet that is graded.")] = Path(),
    hidden: Annotated[Visibility, typer.Option(help="When students see the hidden tests.")] = "after_published",
) -> None:
    """Grade ROOT/submission and write ROOT/results/results.json, as Gradescope wants it.

    `python -m tools.make_autograder SHEET` makes the archive that calls this.

    Example:

        python -m grader autograde --root /autograder --course /autograder/source/course
    """
    sheets = sorted(file.parent.name for file in (course / "sheets").glob("*/sheet.toml"))
    if len(sheets) != 1:
        raise AutograderError(f"{course / 'sheets'} holds {len(sheets)} sheets; make the archive again")
    places = Places(root.resolve())
    write_results(places, graded(places, load_sheet(sheets[0], course), hidden=hidden))
    print(f"wrote {places.results}")
