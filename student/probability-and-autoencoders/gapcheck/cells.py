"""The cells of a notebook, read from `.ipynb` or from the percent format with nothing but the standard library.

Everything that looks at a notebook's code looks at one text, in which a comment opens each code cell:

    # %% id="kl-loss" tags=["training"]

What only IPython can read (`%matplotlib inline`, `!pip install`, `x = !ls`, `name?`, `%%bash`) is no code there.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

MAX_CELLS = 2_000
MAX_SOURCE = 2**18  # characters; what is longer is no cell that anyone wrote, and would take long to compile

# `str.splitlines` would end a line at form feeds and U+2028, too, where Python and a student see none
_LINE_END = re.compile(r"\r\n|\r|\n")
HEADER = re.compile(r"#[ ]?%%(?:[ \t](?P<rest>.*))?")
_KIND = re.compile(r"\[(?P<kind>markdown|md|raw)\]")
_ID = re.compile(r"\bid=\"(?P<id>[^\"]+)\"")
_TAGS = re.compile(r"\btags=(?P<tags>\[[^\]]*\])")
_NAME = re.compile(r"[\w.-]{1,64}")

_LINE_MAGIC = re.compile(r"\s*(?:[%!?]|[\w.]+\?{1,2}\s*$|[\w., \[\]\"']+=\s*[%!])")
_CELL_MAGIC = re.compile(r"\s*%%\s*(?P<name>\w+)")
_AROUND_PYTHON = ("capture", "prun", "time", "timeit")


class NotebookError(ValueError):
    """A notebook that cannot be read: which, where in it, and what to do."""


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        id: the cell's name in messages; unique in what was handed out.
        kind: `code`, `markdown` or `raw`.
        source: its text with LF ends, without blank lines around it.
        line: the line of the source's first line in the text that it was read from, counted from 1.
        names: what else the cell may be known by: programs rename cells when they save.
    """

    id: str
    kind: str
    source: str
    tags: tuple[str, ...] = ()
    line: int = 1
    names: tuple[str, ...] = ()


def read_ipynb(data: bytes | str, name: str) -> list[Cell]:
    """The cells of an nbformat 4 notebook; raises `NotebookError`. Outputs and widgets are not looked at."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:  # what is no UTF-8 is a ValueError, too
        why = f"line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise NotebookError(f"{name} is no JSON ({why}); open it in Jupyter, save it and hand it in again") from None
    if isinstance(content, dict) and content.get("nbformat", 4) != 4:  # before 4 the cells lay elsewhere
        found = str(content["nbformat"])[:20]
        raise NotebookError(f"{name} has nbformat {found}, and 4 is needed; open it in Jupyter and save it again")
    if not isinstance(content, dict) or "nbformat" not in content or not isinstance(content.get("cells"), list):
        raise NotebookError(f"{name} is no notebook: it has no nbformat or no list of cells; save it as .ipynb again")
    if len(content["cells"]) > MAX_CELLS:
        raise NotebookError(f"{name} has more than {MAX_CELLS:,} cells; delete those that are not needed")
    return [_cell(cell, number, name) for number, cell in enumerate(content["cells"], 1)]


def _cell(cell: Any, number: int, name: str) -> Cell:
    where = f"cell {number} of {name}"
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        raise NotebookError(f"{where} is neither code nor markdown nor raw text; delete it")
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise NotebookError(f"{where} has a source that is no text; delete the cell")
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    ours = metadata.get("gapgrade")
    known = [ours.get("cell") if isinstance(ours, dict) else None, cell.get("id"), metadata.get("id")]
    names = tuple(dict.fromkeys(one for one in known if isinstance(one, str) and _NAME.fullmatch(one)))
    tags = metadata.get("tags")
    tags = tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()
    return Cell(names[0] if names else f"cell-{number}", cell["cell_type"], _tidy(source), tags, names=names)


def _tidy(source: str) -> str:
    """LF ends, no blank lines around, and nothing that cannot be written as UTF-8."""
    text = source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    return text.encode("utf-8", "replace").decode().strip("\n").rstrip()


def read_percent(text: str) -> list[Cell]:
    """The cells of a text in the percent format; a header of jupytext's at its top is left out."""
    cells: list[Cell] = []
    header, first, lines = "", 0, _LINE_END.split(text)
    for above, line in enumerate([*lines, "# %%"]):
        if match := HEADER.fullmatch(line):
            if first or _is_code(lines[:above]):
                cells.append(_percent_cell(header, lines[first:above], first + 1, len(cells) + 1))
            header, first = match["rest"] or "", above + 1
    return cells


def _is_code(before: list[str]) -> bool:
    """Whether what stands before the first cell is more than comments."""
    return any(line.strip() and not line.startswith("#") for line in before)


def _percent_cell(header: str, lines: list[str], line: int, number: int) -> Cell:
    blank = next((i for i, one in enumerate(lines) if one.strip()), 0)
    kind, name, tags = _KIND.search(header), _ID.search(header), _TAGS.search(header)
    given = {None: "code", "raw": "raw"}.get(kind and kind["kind"], "markdown")
    named = [name["id"]] if name else []
    return Cell(
        id=named[0] if named else f"cell-{number}",
        kind=given,
        source="\n".join(lines[blank:]).rstrip(),
        tags=tuple(re.findall(r"[\"']([^\"']*)[\"']", tags["tags"])) if tags else (),
        line=line + blank,
        names=tuple(named),
    )


def as_text(cells: Iterable[Cell]) -> tuple[str, list[tuple[int, str]]]:
    """The code cells as one text in the percent format, and the line of each cell's first line with its id."""
    lines: list[str] = []
    starts = []
    for cell in cells:
        if cell.kind == "code":
            lines += ["", ""] if lines else []
            lines.append(_header(cell))
            starts.append((len(lines) + 1, cell.id))
            # a line that looks like a header opens no cell, whoever wrote it
            lines += [re.sub(r"^#[ ]?%%", "#  %%", line) for line in as_python(cell.source).split("\n")]
    return "".join(f"{line}\n" for line in lines), starts


def _header(cell: Cell) -> str:
    tags = f" tags={json.dumps(cell.tags, ensure_ascii=False)}" if cell.tags else ""
    return f'# %% id="{cell.id}"{tags}'


def as_python(source: str) -> str:
    """A cell's source where what only IPython can read is no code any more; the lines keep their numbers."""
    if len(source) > MAX_SOURCE or _compiles(source):
        return source  # `% b` may begin a line of Python, too
    lines = source.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    magic = _CELL_MAGIC.match(lines[first])
    if magic and magic["name"] not in _AROUND_PYTHON:
        return "\n".join(f"# {line}".rstrip() for line in lines)
    return "\n".join(_without_magic(lines))


def _compiles(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "cell", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False
    return True


def _without_magic(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if _LINE_MAGIC.match(line):
            code = line.lstrip()
            yield f"{line[: len(line) - len(code)]}pass  # {code}"
        else:
            yield line
