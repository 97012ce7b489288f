"""Where a line of a notebook's text lies in the notebook: messages name cells, and lines in them.

A notebook's text (`cvae.nb.py`) is its code cells one below the other; gaps, style and splicing look at it alone.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping, Sequence
from typing import Any

SUFFIX, TEXT_SUFFIX = ".ipynb", ".nb.py"


def notebook_path(path: str) -> str:
    """The path of the notebook that a text comes from; any other path stays."""
    return path.removesuffix(TEXT_SUFFIX) + SUFFIX if path.endswith(TEXT_SUFFIX) else path


def text_path(path: str) -> str:
    """The path of a notebook's text: `cvae.nb.py` for `cvae.ipynb`."""
    return path.removesuffix(SUFFIX) + TEXT_SUFFIX


def place_of(starts: Sequence[tuple[int, str]], line: int) -> tuple[str, int]:
    """The cell that a line of the text lies in, and the line's number there; no cell where there are none."""
    lines = [start for start, _ in starts]
    at = bisect.bisect_right(lines, line) - 1
    return ("", line) if at < 0 else (starts[at][1], line - starts[at][0] + 1)


def shown_place(path: str, cell: str) -> str:
    """How a finding's `file` names a place: a notebook, or a cell of it."""
    return f'{path}, cell "{cell}"' if cell else path


def split_place(place: str) -> tuple[str, str]:
    """The path and the cell, or nothing, of such a place."""
    match = re.fullmatch(rf'(.*{re.escape(SUFFIX)}), cell "(.*)"', place)
    return (match[1], match[2]) if match else (place, "")


def in_cells(text: str, starts: Sequence[tuple[int, str]]) -> str:
    """A message that names lines of a notebook's text, with lines of cells in their place."""

    def told(match: re.Match[str]) -> str:
        cell, line = place_of(starts, int(match[1]))
        return f'line {line} of cell "{cell}"' if cell else match[0]

    return re.sub(r"\bline (\d+)", told, text)


def located(found: Mapping[str, Any], starts: Mapping[str, Sequence[tuple[int, str]]]) -> dict[str, Any]:
    """What was found in notebooks' texts, told of the notebooks: a file names the cell, a line counts in it.

    Args:
        found: what `grader.splice.read_submission` returns.
        starts: the cells of each notebook's text, by its path.
    """
    diffs = {notebook_path(path): diff.replace(path, notebook_path(path)) for path, diff in found["diffs"].items()}
    return {
        **found,
        "findings": [_located(one, starts) for one in found["findings"]],
        "diffs": diffs,
        "gaps": [gap | {"file": notebook_path(gap["file"])} for gap in found["gaps"]],
    }


def located_style(style: Mapping[str, Any], starts: Mapping[str, Sequence[tuple[int, str]]]) -> dict[str, Any]:
    """What `grader.reading.check_style` returns, told in the same way."""
    return {**style, "findings": [_located(one, starts) for one in style["findings"]]}


def _located(finding: dict[str, Any], starts: Mapping[str, Sequence[tuple[int, str]]]) -> dict[str, Any]:
    path = finding["file"]
    if not path.endswith(TEXT_SUFFIX):
        return finding
    shown, cells = notebook_path(path), starts.get(path, ())
    told: list[str] = [key for key in ("message", "text") if key in finding]
    words: dict[str, Any] = {key: in_cells(finding[key], cells).replace(path, shown) for key in told}
    cell, line = place_of(cells, finding["line"]) if finding["line"] else ("", 0)
    return {**finding, **words, "file": shown_place(shown, cell), "line": line}
