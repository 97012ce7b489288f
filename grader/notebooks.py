"""Read a student's notebook against the one that was handed out.

Called inside the sandbox, as `grader.splice` is. What comes out is the student's code as one text, in the order and
under the headers of what was handed out, so that gaps, style and splicing see a notebook as they see a Python file.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gapcheck.cells import Cell, NotebookError, as_text, read_ipynb
from grader.splice import MAX_LINE_CHARACTERS

EMPTY_ANSWER = "TODO: your answer here"
ANSWER, NAMES = "answer", "names"
MAX_ANSWER_CHARACTERS = 20_000
MAX_FINDINGS = 30
MAX_LINE = MAX_LINE_CHARACTERS - 20  # room for what turns a magic into a comment

_START = re.compile(r"^[ \t]*(#[ \t]*START TODO\b(?:.*\S)?)", re.MULTILINE)


@dataclass(frozen=True)
class _Matched:
    """Cells of the student's notebook by what they are of the one that was handed out.

    Attributes:
        places: for each cell that was handed out the number of the student's, or None.
        others: the numbers of the student's other cells.
    """

    places: list[int | None]
    others: list[int]


def read_notebook(template: str, data: bytes, path: str) -> dict[str, Any]:
    """Read one notebook.

    Args:
        template: the notebook as it was handed out.
        path: how messages name it.

    Returns:
        plain data: `text` (the student's code, None where the notebook cannot be read), `starts` (the line of each of
        its cells, and the cell's id), `answers` (by cell id: the text, empty where there is no answer), `findings` as
        `grader.splice.read_submission` returns them. A finding's kind is `notebook` (the notebook cannot be read) or
        `cells` (a cell was moved, copied, added, removed or edited).
    """
    given = read_ipynb(template, path)
    try:
        handed = read_ipynb(data, path)
    except NotebookError as error:
        finding = {"kind": "notebook", "file": path, "line": 0, "message": str(error)}
        return {"text": None, "starts": [], "answers": {}, "findings": [finding]}
    matched = _match(given, handed)
    text, starts = as_text(_aligned(given, handed, matched))
    notes = [*_notes(given, handed, matched)]
    if len(notes) > MAX_FINDINGS:
        notes[MAX_FINDINGS:] = [f"and {len(notes) - MAX_FINDINGS} more"]
    return {
        "text": text,
        "starts": starts,
        "answers": dict(_answers(given, handed, matched)),
        "findings": [{"kind": "cells", "file": path, "line": 0, "message": note} for note in notes],
    }


def tagged(given: Sequence[Cell], handed: Sequence[Cell]) -> list[Cell]:
    """The student's cells under the names and tags of what was handed out, where they were; others have no tags."""
    matched = _match(given, handed)
    known = {at: cell for cell, at in zip(given, matched.places, strict=True)}
    return [
        replace(cell, id=known[at].id, tags=known[at].tags) if at in known else replace(cell, id=_place(at), tags=())
        for at, cell in enumerate(handed)
    ]


def _match(given: Sequence[Cell], handed: Sequence[Cell]) -> _Matched:
    """Which cell is which: by its name, else by the gaps in it, else by its text; an answer also by its place."""
    places: list[int | None] = [None] * len(given)
    free = dict.fromkeys(range(len(handed)))
    for same in (_same_name, _same_gaps, _same_text):
        for i, cell in enumerate(given):
            if places[i] is None:
                places[i] = next((at for at in free if same(cell, handed[at])), None)
                free.pop(places[i], None)  # type: ignore[arg-type]  # None is no key of it
    for i, cell in enumerate(given):
        if places[i] is None and ANSWER in cell.tags:
            texts = [at for at in _between(i, places, free, len(handed)) if handed[at].kind != "code"]
            if len(texts) == 1:
                places[i] = texts[0]
                free.pop(texts[0])
    return _Matched(places, list(free))


def _between(i: int, places: Sequence[int | None], free: Iterable[int], end: int) -> Iterator[int]:
    """The cells that are nothing else, where the neighbours of cell `i` are."""
    before = next((at for at in reversed(places[:i]) if at is not None), -1)
    behind = next((at for at in places[i + 1 :] if at is not None), end)
    return (at for at in free if before < at < behind)


def _same_name(given: Cell, handed: Cell) -> bool:
    return given.id in handed.names


def _same_gaps(given: Cell, handed: Cell) -> bool:
    return given.kind == "code" and bool(gaps := _START.findall(given.source)) and gaps == _START.findall(handed.source)


def _same_text(given: Cell, handed: Cell) -> bool:
    """Answers that are not given yet all have one text, so theirs says nothing."""
    return ANSWER not in given.tags and given.kind == handed.kind and given.source == handed.source


def _aligned(given: Sequence[Cell], handed: Sequence[Cell], matched: _Matched) -> Iterator[Cell]:
    """The student's code in the order of what was handed out, and behind it what else holds one of its gaps.

    A copy of a cell that holds its own gap is none of it: the first one counts.
    """
    gaps = {gap for cell in given for gap in _START.findall(cell.source)}
    for cell, at in zip(given, matched.places, strict=True):
        if NAMES in cell.tags or (at is not None and _has_long_line(handed[at])):
            yield cell  # theirs to write in, and no code of the sheet; or not to be read
        else:
            source = "" if at is None else handed[at].source
            gaps.difference_update(_START.findall(source))
            yield replace(cell, source=source)
    for at in matched.others:
        if gaps.intersection(_START.findall(handed[at].source)) and not _has_long_line(handed[at]):
            yield replace(handed[at], id=_place(at), kind="code", tags=())


def _notes(given: Sequence[Cell], handed: Sequence[Cell], matched: _Matched) -> Iterator[str]:
    moved = _moved([at for at in matched.places if at is not None])
    for cell, at in zip(given, matched.places, strict=True):
        if at is None:
            yield f'cell "{cell.id}" is gone; it was put back'
            continue
        if at in moved:
            yield f'cell "{cell.id}" was moved to place {at + 1}; it was put back'
        if cell.kind != handed[at].kind:
            yield f'cell "{cell.id}" was turned from {cell.kind} into {handed[at].kind}; it is read as {cell.kind}'
        if _is_locked_text(cell) and cell.source != handed[at].source:
            yield f'the text of cell "{cell.id}" was edited; it was put back'
        if cell.kind == "code" and _has_long_line(handed[at]):
            yield f'cell "{cell.id}" has a line of more than {MAX_LINE:,} characters; it counts as it was handed out'
        if cell.kind == "code" and (added := set(handed[at].tags).difference(cell.tags)):
            yield f'cell "{cell.id}" was tagged {", ".join(sorted(added))[:80]}; the tag does not count'
    known = {cell.id for cell in given}
    for at in matched.others:
        copied = next((name for name in handed[at].names if name in known), None)
        if copied:
            yield f'the cell at place {at + 1} is a copy of cell "{copied}"; the first one counts'
        elif handed[at].source:
            yield f"the {handed[at].kind} cell at place {at + 1} was added; it is not run for grading"


def _has_long_line(cell: Cell) -> bool:
    """One such line would keep the whole text from being read."""
    return any(len(line) > MAX_LINE for line in cell.source.split("\n"))


def _is_locked_text(cell: Cell) -> bool:
    return cell.kind != "code" and ANSWER not in cell.tags and NAMES not in cell.tags


def _place(at: int) -> str:
    return f"at place {at + 1}"


def _moved(places: Sequence[int]) -> set[int]:
    """The fewest places that are out of order: those outside a longest increasing run."""
    ends: list[int] = []
    best: list[tuple[int, ...]] = []
    for place in places:
        at = bisect.bisect_left(ends, place)
        run = (*(best[at - 1] if at else ()), place)
        ends[at : at + 1] = [place]
        best[at : at + 1] = [run]
    return set(places) - set(best[-1] if best else ())


def _answers(given: Sequence[Cell], handed: Sequence[Cell], matched: _Matched) -> Iterator[tuple[str, str]]:
    for cell, at in zip(given, matched.places, strict=True):
        if ANSWER in cell.tags:
            text = "" if at is None else handed[at].source
            unchanged = text.strip() in ("", cell.source.strip(), EMPTY_ANSWER)
            yield cell.id, "" if unchanged else text[:MAX_ANSWER_CHARACTERS]
