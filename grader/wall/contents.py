"""What every sandbox holds of Gapgrade: the server, the codec, and the readers of handed-in files."""

from __future__ import annotations

from pathlib import Path

HOUSE = Path(__file__).parent.parent.parent
READERS = (
    "__init__",
    "answers/reading",
    "answers/words",
    "cells",
    "dialects",
    "gaps",
    "handed",
    "lines",
    "notebooks",
    "pdf",
    "reading",
    "rendering",
    "running",
    "splice",
)
SHARED = ("cells", "codec", "notebooks")
SERVER = "grader/wall/inside/server.py"
ZYGOTE = "grader/wall/inside/zygote.py"


def server_files() -> dict[str, Path]:
    """The files of the sandbox's `/server` folder, by their names there.

    Packages whose `__init__` is not among them are namespace packages inside, so nothing else is imported with them.
    """
    names = [*(f"gapcheck/{name}.py" for name in SHARED), *(f"grader/{name}.py" for name in READERS)]
    inside = sorted((HOUSE / "grader/wall/inside").glob("*.py"))
    return {name: HOUSE / name for name in names} | {file.relative_to(HOUSE).as_posix(): file for file in inside}
