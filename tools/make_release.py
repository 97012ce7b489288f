"""`python -m tools.make_release`: make the student repository of a sheet, or check that it is up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from grader import GapgradeError
from grader.commands.completion import sheet_names
from grader.commands.exits import new_app, run_app
from grader.sheet import Sheet, SheetError, load_sheet
from tools.folder import differences, replace_folder
from tools.readme import points
from tools.release import EXECUTABLE, Release, build_release

PROOF = ".gapgrade/sheet.json"

app = new_app("Make the student repositories of a course.")


class StaleError(GapgradeError):
    """A release that is not what `make_release` would make now."""


def make_release(sheet: Sheet, folder: Path | None = None) -> Path:
    """Build and write the release of a sheet; returns where it stands: `folder`, or the course's `student/SHEET`."""
    target = folder or sheet.course / "student" / sheet.name
    replace_folder(target, build_release(sheet).files, EXECUTABLE, PROOF)
    return target


@app.command()
def main(
    sheet: Annotated[
        str | None, typer.Argument(autocompletion=sheet_names, help="The sheet's name, or the path of its folder.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Make the releases of all sheets of the course.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; show what is stale, and exit with 2.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write to OUT/SHEET instead of student/SHEET.")] = None,
    course: Annotated[Path, typer.Option(help="The folder with solutions/, sheets/ and the tests.")] = Path(),
) -> None:
    """Strip the solutions of a sheet's exercises and put the student repository together.

    All sheets are built before the first is written; an error leaves the old releases as they are.

    Examples:

        python -m tools.make_release generative-models

        python -m tools.make_release --all --check
    """
    releases = [build_release(one) for one in find_sheets(sheet, every, course)]
    targets = [(out or release.sheet.course / "student") / release.sheet.name for release in releases]
    stale = []
    for release, target in zip(releases, targets, strict=True):
        if not check:
            replace_folder(target, release.files, EXECUTABLE, PROOF)
        elif diff := list(differences(target, release.files, EXECUTABLE)):
            print("\n".join(diff))
            stale.append(release.sheet.name)
            continue
        _tell(release, target)
    if stale:
        command = f"python -m tools.make_release {stale[0] if len(stale) == 1 else '--all'}"
        raise StaleError(f"out of date: {', '.join(stale)}; run {command}")


def find_sheets(sheet: str | None, every: bool, course: Path) -> list[Sheet]:
    """The sheet that a command names, or all of the course; raises `SheetError`."""
    if (sheet is None) != every:
        raise SheetError("give the name of one sheet, or --all")
    if sheet is not None:
        return [load_sheet(sheet, course)]
    names = sorted(file.parent.name for file in (course / "sheets").glob("*/sheet.toml"))
    if not names:
        raise SheetError(f"no sheets in {course / 'sheets'}; give the course's folder with --course")
    return [load_sheet(name, course) for name in names]


def _tell(release: Release, target: Path) -> None:
    words = [
        f"{len(release.files)} files",
        f"{release.gaps} gap{'' if release.gaps == 1 else 's'}",
        points(release.sheet),
        f"-> {target}",
    ]
    line = Text(release.sheet.name, style="bold").append("  " + "  ".join(words), style="not bold")
    Console(highlight=False, soft_wrap=True).print(line)


if __name__ == "__main__":
    run_app(app)
