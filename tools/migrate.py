"""`python -m tools.migrate`: turn a course of nbgrader, otter-grader or GitHub Classroom into a course of Gapgrade."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from grader import GapgradeError
from grader.commands.exits import new_app, run_app
from grader.roster import read_roster
from grader.sheet import load_sheet
from tools.migration import classroom, nbgrader, otter
from tools.migration.assignment import Assignment, MigrationError, Note
from tools.migration.course import Written, as_course, report
from tools.release import build_release

REPORT = "MIGRATION.md"

app = new_app("Turn a course of another grader into a course of Gapgrade.")


class Tool(StrEnum):
    """Where a course comes from."""

    NBGRADER = "nbgrader"
    OTTER = "otter"
    CLASSROOM = "classroom"


_READERS: dict[Tool, ModuleType] = {Tool.NBGRADER: nbgrader, Tool.OTTER: otter, Tool.CLASSROOM: classroom}


@app.command()
def main(
    source: Annotated[Path, typer.Argument(help="A course's folder, a master notebook, or a repository.")],
    out: Annotated[Path, typer.Option(help="The folder of the new course; nothing in it is overwritten.")],
    tool: Annotated[Tool | None, typer.Option("--from", help="What it was written for; else found out.")] = None,
) -> None:
    """Turn what another grader's course holds into exercises, sheets and tests, and list what needs a person.

    Nothing of the course is run. Each thing that could not be turned stands in OUT/MIGRATION.md with its file and
    cell; test code that could not be turned is kept in tests_hidden/EXERCISE/TODO.md.

    Examples:

        python -m tools.migrate nbgrader-course --out my-course

        python -m tools.migrate hw01.ipynb --from otter --out my-course
    """
    if not source.exists():
        raise MigrationError(f"{source} does not exist; give a folder, a notebook or a repository")
    found = tool or _detect(source)
    reader = _READERS[found]
    assignments: list[Assignment] = reader.read(source)
    written = {one.name: as_course(one, found.value) for one in assignments}
    general = [*reader.left_behind(source)]
    files = {path: data for one in written.values() for path, data in one.files.items()}
    if found is Tool.CLASSROOM:
        for file in list(classroom.rosters(source))[:1]:
            read_roster(file)
            files["roster.csv"] = file.read_bytes()
    _write(out, {**files, REPORT: b""})
    general += _unready(out, written)
    (out / REPORT).write_text(report(written, general, found.value), encoding="utf-8")
    _tell(written, general, out)


def _detect(source: Path) -> Tool:
    for tool, reader in _READERS.items():
        if reader.recognises(source):
            return tool
    raise MigrationError(f"{source} is no course of {', '.join(_READERS)} that is known here; say which with --from")


def _write(out: Path, files: dict[str, bytes]) -> None:
    """Write new files; raises `MigrationError` before the first where one is there already."""
    for path in files:
        if (out / path).exists():
            raise MigrationError(f"{out / path} is there already; give a new folder with --out")
    for path, data in files.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(data)


def _unready(out: Path, written: dict[str, Written]) -> Iterator[Note]:
    """Why a sheet's release cannot be made yet."""
    for name in written:
        try:
            build_release(load_sheet(name, out))
        except GapgradeError as error:
            yield Note(f"sheets/{name}", f"its release cannot be made yet: {error}")


def _tell(written: dict[str, Written], general: list[Note], out: Path) -> None:
    for name, one in written.items():
        print(f"{name}: {len(one.items)} tasks, {one.turned} tests, {len(one.notes)} things for you to look at")
    print(f"{len(general)} more in {out / REPORT}")


if __name__ == "__main__":
    run_app(app)
