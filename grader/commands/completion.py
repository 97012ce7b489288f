"""What the shell offers where a command takes the name of a sheet or an exercise."""

from __future__ import annotations

from pathlib import Path

import typer


def sheet_names(context: typer.Context, incomplete: str) -> list[str]:
    """The sheets of the course that `--course` names, or of this folder."""
    return _names(context, "sheets/*/sheet.toml", incomplete)


def exercise_names(context: typer.Context, incomplete: str) -> list[str]:
    """The exercises of that course."""
    return _names(context, "solutions/*/exercise.toml", incomplete)


def _names(context: typer.Context, files: str, incomplete: str) -> list[str]:
    course = Path(context.params.get("course") or ".")
    return sorted(file.parent.name for file in course.glob(files) if file.parent.name.startswith(incomplete))
