"""The model answers of written questions in notebooks, which only the solution holds: for whoever grades."""

from __future__ import annotations

import functools
from pathlib import Path

from grader.cells import SUFFIX, TEXT_SUFFIX


@functools.lru_cache(maxsize=8)
def model_answers(course: Path, exercises: tuple[str, ...]) -> dict[str, str]:
    """By the cell's id, what stands in the solutions' answer cells."""
    from gapcheck.cells import read_ipynb, read_percent  # late: with them comes torch
    from grader.notebooks import ANSWER

    answers: dict[str, str] = {}
    for exercise in exercises:
        folder = course / "solutions" / exercise
        for file in sorted([*folder.rglob(f"*{TEXT_SUFFIX}"), *folder.rglob(f"*{SUFFIX}")]):
            text = file.read_text(encoding="utf-8")
            is_percent = file.name.endswith(TEXT_SUFFIX)
            for cell in read_percent(text) if is_percent else read_ipynb(text, file.name):
                if ANSWER in cell.tags:
                    answers[cell.id] = _uncommented(cell.source) if is_percent else cell.source
    return answers


def _uncommented(source: str) -> str:
    """A Markdown cell of the percent format without the signs that make it a comment."""
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in source.splitlines())
