"""The source of a migrated notebook: cells of another grader as a text with our markers, ids and tags."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from grader.dialects import translate
from tools.migration.assignment import MigrationError, slug
from tools.notebook import FORMAT

_START = re.compile(r"^(?P<indent>\s*)# START TODO$", re.MULTILINE)
_ID = re.compile(r'^# %%.*\bid="(?P<id>[^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class SourceCell:
    """A cell to be written: `kind` is `code` or `markdown`."""

    kind: str
    source: str
    id: str
    tags: tuple[str, ...] = ()


def read_notebook(file: Path) -> Any:
    """The notebook in a file, as nbformat 4 has it; raises `MigrationError`."""
    try:
        return nbformat.reads(file.read_text(encoding="utf-8"), as_version=4)
    except (UnicodeDecodeError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise MigrationError(f"{file} is no notebook that can be read ({reason}); save it in Jupyter") from None


def whole_gap(source: str) -> str:
    """A cell that students write from its first line to its last."""
    has_code = any(line.strip() and not line.lstrip().startswith("#") for line in source.splitlines())
    return "\n".join(["# START TODO", source.rstrip(), *([] if has_code else ["pass"]), "# END TODO"])


def as_source(cells: Iterable[SourceCell], name: str, label: str, first: int) -> tuple[str, int]:
    """The text in the percent format, its gaps labelled `(label 1)`, `(label 2)`, ... from `first` on.

    Returns:
        the text, and the number that the next gap of the exercise gets.
    """
    notebook = nbformat.v4.new_notebook()
    for cell in cells:
        make: Any = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
        metadata: dict[str, Any] = {"id": cell.id}
        if cell.tags:
            metadata["tags"] = list(cell.tags)
        notebook.cells.append(make(cell.source, metadata=metadata))
    text = translate(str(jupytext.writes(notebook, FORMAT)), name)
    ids = [(match.start(), match["id"]) for match in _ID.finditer(text)]
    count = first - 1

    def labelled(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        cell = next((one for at, one in reversed(ids) if at < match.start()), "")
        return f"{match['indent']}# START TODO ({label} {count}): {cell.replace('-', ' ')}."

    return _START.sub(labelled, text), count + 1


class Ids:
    """Gives each cell of a notebook an id of its own."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, words: str) -> str:
        base = slug(words)
        free = next(one for one in (base, *(f"{base}-{i}" for i in range(2, 10_000))) if one not in self._taken)
        self._taken.add(free)
        return free
