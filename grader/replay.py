"""A catalogued mistake as if it had been handed in: what was handed out, with the solution and the mistake in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from grader.catalogue import Mistake, apply_edits
from grader.cells import TEXT_SUFFIX, notebook_path
from grader.dialects import translate
from grader.gaps import find_gaps, without_solution_only
from grader.sheet import Sheet
from grader.splice import splice


def with_mistake(sheet: Sheet, exercise: str, mistake: Mistake, templates: Mapping[str, str]) -> dict[str, bytes]:
    """The files to run; only a gap's content ever differs from what was handed out.

    Args:
        templates: the release's files that student code consists of.
    """
    return _filled(sheet, templates, exercise, mistake)


def with_solution(sheet: Sheet, templates: Mapping[str, str]) -> dict[str, bytes]:
    """The same without a mistake: the solution as if it had been handed in."""
    return _filled(sheet, templates)


def _filled(
    sheet: Sheet, templates: Mapping[str, str], exercise: str = "", mistake: Mistake | None = None
) -> dict[str, bytes]:
    filled = dict(templates)
    solutions = sheet.course / "solutions"
    for owner in sheet.exercises:
        texts = {
            path: _solution(text, path) for path in templates if (text := _source(solutions / owner, path)) is not None
        }
        if owner == exercise and mistake is not None:
            texts = apply_edits(mistake, texts)
        for path, text in texts.items():
            filled[path] = splice(templates[path], [gap.content for gap in find_gaps(text, path)])
    return {path: text.encode() for path, text in filled.items()}


def _source(folder: Path, path: str) -> str | None:
    """A file of an exercise; a notebook's text stands there as it is, or as the notebook."""
    if (file := folder / path).is_file():
        return file.read_text(encoding="utf-8")
    if path.endswith(TEXT_SUFFIX) and (file := folder / notebook_path(path)).is_file():
        from gapcheck.cells import as_text, read_ipynb  # late: with it comes torch

        return as_text(read_ipynb(file.read_bytes(), file.name))[0]
    return None


def _solution(text: str, name: str) -> str:
    return without_solution_only(translate(text, name), name)
