"""A notebook as an instructor writes it, and as students get it.

The source is a text in jupytext's percent format (`cvae.nb.py`) or a notebook (`cvae.ipynb`); either is marked as any
other solution is, and its cells of model answers have the tag `answer`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from gapcheck.cells import HEADER, as_python
from grader import GapgradeError
from grader.cells import SUFFIX, TEXT_SUFFIX
from grader.dialects import translate
from grader.gaps import find_gaps, strip
from grader.lines import GapError, split_lines, why_not_python
from grader.notebooks import ANSWER, EMPTY_ANSWER, NAMES

FORMAT = "py:percent"
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_OTTERS = re.compile(r"#\s*(?:BEGIN|END)\s+(SOLUTION|TESTS)\b", re.IGNORECASE)
_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class NotebookSourceError(GapgradeError):
    """A notebook that cannot be released: file, cell, and what to change."""


def is_notebook(path: str) -> bool:
    """Whether a file of an exercise is the source of a notebook."""
    return path.endswith((TEXT_SUFFIX, SUFFIX))


def read_source(file: Path, name: str) -> str:
    """The text of a notebook's source in the percent format; raises `NotebookSourceError`."""
    try:
        text = file.read_bytes().decode("utf-8")
        if file.name.endswith(TEXT_SUFFIX):
            return text
        notebook = nbformat.reads(text, as_version=4)
    except (UnicodeDecodeError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise NotebookSourceError(f"{name} is no notebook that can be read ({reason}); save it in Jupyter") from None
    for number, cell in enumerate(notebook.cells, 1):
        _translate_cell(cell, f"{name}: cell {number}")
    return str(jupytext.writes(notebook, FORMAT))


def _translate_cell(cell: Any, where: str) -> None:
    """Give a cell its id and tags in the percent format, those that nbgrader says in its own way among them."""
    if cell.cell_type == "raw" and (otters := _OTTERS.match(cell.source)):
        advice = "give answers the tag 'answer' and an id, checks the tag 'check', and delete the raw cells"
        raise NotebookSourceError(f"{where} is otter's raw cell {otters[0]!r}; {advice}")
    graded = cell.metadata.pop("nbgrader", {})
    if "id" in cell:  # the percent format keeps metadata, and not the id
        cell.metadata.setdefault("id", cell.id)
    if named := graded.get("grade_id"):
        cell.metadata["id"] = re.sub(r"[^\w-]", "-", named, flags=re.ASCII)[:64]
    if cell.cell_type == "markdown" and graded.get("solution"):
        cell.metadata["tags"] = sorted({*_tags(cell), ANSWER})


def answers_of(text: str) -> dict[str, str]:
    """The model answers in a source, by the cell's id: for graders alone."""
    return {cell.metadata["id"]: cell.source for cell in _cells(text) if ANSWER in _tags(cell)}


def release_notebook(text: str, name: str) -> bytes:
    """The notebook that students get: gaps without their code, answers without their text, and no outputs.

    Args:
        text, name: the source in the percent format, and how messages call it.

    Raises:
        GapgradeError: a marker, a cell's id or a cell's code cannot be used.
    """
    template = strip(text, name)
    _refuse_split_gaps(translate(text, name), name)
    cells = list(_released(template, name))
    notebook = nbformat.v4.new_notebook(metadata=_METADATA, cells=cells)
    notebook.nbformat_minor = 5
    nbformat.validate(notebook)
    return f"{nbformat.writes(notebook)}\n".encode()


def _refuse_split_gaps(solution: str, name: str) -> None:
    for gap in find_gaps(solution, name):
        for row, line in enumerate(split_lines(gap.content), gap.start + 1):
            if HEADER.fullmatch(line.rstrip()):
                sentence = f"a cell begins inside {gap.todo} of line {gap.start}; end the gap before the cell does"
                raise GapError(name, row, sentence)


def _cells(text: str) -> list[Any]:
    cells: list[Any] = jupytext.reads(text, FORMAT).cells
    return cells


def _tags(cell: Any) -> list[str]:
    return [str(tag) for tag in cell.metadata.get("tags", ())]


def _released(template: str, name: str) -> Iterator[Any]:
    taken: set[str] = set()
    for number, cell in enumerate(_cells(template), 1):
        given = cell.metadata.get("id")
        where = f"{name}: cell {number}" if given is None else f'{name}: cell "{given}"'
        if given is None and ANSWER in _tags(cell):
            raise NotebookSourceError(f'{where} is an answer without an id; give it one, such as id="q-1"')
        if given is not None and not _ID.fullmatch(given):
            raise NotebookSourceError(f"{where}: an id has up to 64 letters, digits, hyphens and underscores")
        if given in taken:
            raise NotebookSourceError(f"{where}: another cell has this id, too; give each its own")
        own = given or _new_id(cell, taken)
        taken.add(own)
        yield _released_cell(cell, own, where)


def _new_id(cell: Any, taken: set[str]) -> str:
    """An id from what a cell says first, so that it stays when cells are put before it."""
    defined = re.search(r"^(?:class|def) (\w+)", cell.source, re.MULTILINE) if cell.cell_type == "code" else None
    words = defined[1] if defined else cell.source.strip().partition("\n")[0]
    slug = re.sub(r"[\W_]+", "-", words, flags=re.ASCII).strip("-").lower()[:40].strip("-") or cell.cell_type
    return next(one for one in (slug, *(f"{slug}-{i}" for i in range(2, 10_000))) if one not in taken)


def _released_cell(cell: Any, name: str, where: str) -> Any:
    tags, source = _tags(cell), cell.source
    role = _role(cell, tags, where)
    metadata: dict[str, Any] = {"deletable": False, "gapgrade": {"cell": name, "role": role}}
    if role == "locked":
        metadata["editable"] = False
    if tags:
        metadata["tags"] = tags
    if role == "answer":
        source = EMPTY_ANSWER
    if cell.cell_type == "code":
        if broken := why_not_python(as_python(source), where):
            raise NotebookSourceError(f"{where}, line {broken[0]} does not compile: {broken[1]}")
        return nbformat.v4.new_code_cell(source, metadata=metadata, id=name)
    if cell.cell_type == "markdown":
        return nbformat.v4.new_markdown_cell(source, metadata=metadata, id=name)
    return nbformat.v4.new_raw_cell(source, metadata=metadata, id=name)


def _role(cell: Any, tags: list[str], where: str) -> str:
    """What students may do with a cell: `gap`, `answer` and `names` are theirs, `locked` is not."""
    if cell.cell_type == "code":
        return "gap" if find_gaps(as_python(cell.source), where) else "names" if NAMES in tags else "locked"
    return ANSWER if ANSWER in tags else NAMES if NAMES in tags else "locked"
