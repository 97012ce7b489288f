"""Where things stand, for findings: the line of a test, and of a catalogue's entry."""

from __future__ import annotations

import functools
import re
from pathlib import Path


def function_of(test_id: str) -> str:
    """The name of the test function, without the brackets of a parametrised case."""
    return test_id.rpartition("::")[2].partition("[")[0]


def place_of_test(test_id: str, course: Path) -> tuple[str, int]:
    """The file and line of a test."""
    file = test_id.partition("::")[0]
    return file, _line(course / file, rf"\s*def {re.escape(function_of(test_id))}\(")


def place_of_entry(folder: Path, name: str, course: Path) -> tuple[str, int]:
    """The file and line of the entry with this id in a folder of catalogues."""
    for file in sorted(folder.glob("*.toml")):
        if line := _line(file, rf"id\s*=\s*[\"']{re.escape(name)}[\"']"):
            return file.relative_to(course).as_posix(), line
    return folder.relative_to(course).as_posix(), 0


def _line(file: Path, pattern: str) -> int:
    rows = (row for row, line in enumerate(_lines(file), 1) if re.match(pattern, line))
    return next(rows, 0)


@functools.lru_cache(maxsize=64)
def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()
