"""Reads what was handed in, behind the wall: parsers meet hostile bytes there, and their findings come out as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grader.answers.key import FILE as ANSWERS
from grader.answers.reading import MAX_BYTES as MAX_ANSWERS_BYTES
from grader.cells import SUFFIX, notebook_path, text_path
from grader.sheet import Sheet, SheetError
from grader.submitted import NOT_GRADED, handed_notebooks, python_files, rivals
from grader.wall import Call, Cell, Failure
from grader.work import GapText, filled_gaps

STYLED_AT_ONCE = 64 * 2**10  # bytes; half a second of pycodestyle on a busy machine
MAX_STYLE_FINDINGS = 100
_LEFT_BEHIND = ("__pycache__", ".ipynb_checkpoints")

SOURCE = """
from grader.cells import located, located_style
from grader.reading import check_style, note_gaps
from grader.splice import read_submission

def read(templates, handed_in, starts):
    found = read_submission(templates, handed_in, starts)
    found["findings"] += note_gaps(templates, found["gaps"])
    return located(found, starts)

def style(handed_in, starts):
    return located_style(check_style(handed_in), starts)
"""
READING = "reading"  # what is to be run is read first, before any student code runs in that process
NOTEBOOK_SOURCE = """
from grader.notebooks import read_notebook

def read(template, data, path):
    return read_notebook(template, data.tobytes(), path)
"""
PDF_SOURCE = """
from grader.answers.words import count_words
from grader.pdf import read_pdf, read_text

def read(data):
    return read_pdf(data.tobytes())

def count(data):
    text = read_text(data.tobytes())
    return None if text is None else count_words(text)
"""
ANSWERS_SOURCE = """
from grader.answers.reading import read_answers

def read(data):
    return read_answers(data)
"""


@dataclass(frozen=True)
class Reading:
    """What reading a submission found.

    Attributes:
        files: the text to run, by path: pristine files with the student's gap contents.
        findings: what was noticed: `kind`, `file`, `line`, `message`.
        diffs: what was edited outside the gaps, by path.
        filled: how many gaps hold something else than they were handed out with.
        gaps: what these gaps hold, as far as it is kept.
        style: `total`, and `findings` of `file`, `line`, `column`, `code`, `text`.
        pdf: what `grader.pdf.read_pdf` found in the sheet's PDF, or None where there is none.
        pdf_words: how many words the PDF has, or None where nobody counted.
        answers: what `grader.answers.reading.read_answers` found in `answers.toml`, or None where there is none.
        cells: what stands in the answer cells of notebooks, by the cell's id; empty where nothing was answered.
        problem: why the submission could not be read at all; empty where it could.
    """

    files: dict[str, str]
    findings: list[dict[str, Any]]
    diffs: dict[str, str]
    style: dict[str, Any]
    filled: int = 0
    gaps: tuple[GapText, ...] = ()
    pdf: dict[str, Any] | None = None
    pdf_words: int | None = None
    answers: dict[str, Any] | None = None
    cells: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def load_templates(sheet: Sheet) -> dict[str, str]:
    """The Python files of the sheet's release that student code consists of, and its notebooks' texts, by path."""
    from gapcheck.cells import as_text, read_ipynb  # late: with it comes torch

    files = {path: data.decode("utf-8") for path, data in _released(sheet, ".py").items()}
    texts = {text_path(path): as_text(read_ipynb(text, path))[0] for path, text in load_notebooks(sheet).items()}
    return dict(sorted((files | texts).items()))


def load_notebooks(sheet: Sheet) -> dict[str, str]:
    """The notebooks of the sheet's release, by path."""
    return {path: data.decode("utf-8") for path, data in _released(sheet, SUFFIX).items()}


def _released(sheet: Sheet, suffix: str) -> dict[str, bytes]:
    release = release_folder(sheet)
    files = {file.relative_to(release).as_posix(): file for file in sorted(release.rglob(f"*{suffix}"))}
    return {
        path: file.read_bytes()
        for path, file in files.items()
        if not path.startswith(NOT_GRADED) and not any(part in _LEFT_BEHIND for part in file.parts)
    }


def release_folder(sheet: Sheet) -> Path:
    """`student/<sheet>/`; raises `SheetError` where the release was never made."""
    folder = sheet.course / "student" / sheet.name
    if not folder.is_dir():
        raise SheetError(f"{folder} does not exist; make the release first: python -m tools.make_release {sheet.name}")
    return folder


def read_behind(
    cell: Cell,
    templates: Mapping[str, str],
    handed_in: Mapping[str, bytes],
    pdf: str = "",
    *,
    count_words: bool = False,
    notebooks: Mapping[str, str] | None = None,
    left_out: Mapping[str, str] | None = None,
) -> Reading:
    """Read a submission inside its own cell.

    Args:
        templates: the release's Python files and its notebooks' texts, by path.
        notebooks: the release's notebooks, by path.
        pdf: the path of the PDF that the sheet asks for, or nothing.
        count_words: whether to count the words of the PDF, too.
        left_out: why files of the submission were not taken in, by path.
    """
    answers = _read_answers(cell, handed_in.get(ANSWERS))
    named = handed_notebooks(notebooks or {}, handed_in)
    unclear = rivals(notebooks or {}, handed_in)
    read = [
        _not_taken_in(path, left_out[path])
        if left_out and path in left_out and path not in named
        else _no_notebook(path, _which(path, unclear[path]))
        if path in unclear
        else _read_notebook(cell, text, path, named.get(path), handed_in)
        for path, text in (notebooks or {}).items()
    ]
    cells = {name: text for one in read for name, text in one["answers"].items()}
    texts = {one["path"]: one["text"].encode() for one in read if one["text"] is not None}
    starts = {one["path"]: one["starts"] for one in read}
    python = python_files(templates, {path: data for path, data in handed_in.items() if path not in starts} | texts)
    # a file as it was handed out has nothing to say, and of what was not handed out only the names are of use
    changed = {path: text for path, text in templates.items() if python.get(path) != text.encode()}
    unchanged = templates.keys() - changed.keys()
    known = {path: data if path in changed else b"" for path, data in python.items() if path not in unchanged}
    answer = cell.call(Call(SOURCE, "read", (changed, known, starts), shared=READING, clean=True))
    if isinstance(answer, Failure):
        none = {"total": 0, "findings": []}
        return Reading(dict(templates), [], {}, none, answers=answers, cells=cells, problem=answer.message)
    found = answer.value
    refused = {one["path"]: note["message"] for one in read for note in one["findings"] if note["kind"] == "notebook"}
    return Reading(
        files={**templates, **found["files"]},
        findings=[*_without_missing(found["findings"], refused), *(note for one in read for note in one["findings"])],
        diffs=found["diffs"],
        style=_style_of(cell, templates, python, starts),
        filled=sum(gap["state"] in ("filled", "syntax") for gap in found["gaps"]),
        gaps=filled_gaps(found["gaps"]),
        pdf=_read_pdf(cell, handed_in.get(pdf)),
        pdf_words=_count_words(cell, handed_in.get(pdf)) if count_words else None,
        answers=answers,
        cells=cells,
        problem=_nothing_left(templates, refused),
    )


def _style_of(
    cell: Cell, templates: Mapping[str, str], python: Mapping[str, bytes], starts: Mapping[str, Any]
) -> dict[str, Any]:
    """What `grader.reading.check_style` finds, a few files a call: however many there are, no call takes long."""
    # what is as it was handed out is no one's style but ours, and was checked before it was handed out
    own = {path: data for path, data in python.items() if data != templates.get(path, "").encode()}
    style: dict[str, Any] = {"total": 0, "findings": []}
    for part in _parts(own):
        call = Call(SOURCE, "style", (part, dict(starts)), shared=READING, clean=True)
        answer = cell.call(call)
        if isinstance(answer, Failure) and answer.used:
            answer = cell.call(replace(call, shared=""))
        found = _not_looked_at(part, answer.message) if isinstance(answer, Failure) else answer.value
        style["total"] += found["total"]
        style["findings"] += found["findings"][: MAX_STYLE_FINDINGS - len(style["findings"])]
    return style


def _parts(files: Mapping[str, bytes]) -> Iterator[dict[str, bytes]]:
    part: dict[str, bytes] = {}
    for path, data in files.items():
        if part and sum(map(len, part.values())) + len(data) > STYLED_AT_ONCE:
            yield part
            part = {}
        part[path] = data
    if part:
        yield part


def _not_looked_at(files: Iterable[str], why: str) -> dict[str, Any]:
    about = {"line": 1, "column": 1, "code": "E902", "text": f"it was not looked at: {why}"}
    findings = [{"file": notebook_path(path), **about} for path in files]
    return {"total": len(findings), "findings": findings}


def _read_notebook(
    cell: Cell, template: str, path: str, name: str | None, handed_in: Mapping[str, bytes]
) -> dict[str, Any]:
    """What `grader.notebooks.read_notebook` found, and under `path` the path of the notebook's text."""
    import numpy as np

    if name is None:
        return _no_notebook(path)
    answer = cell.call(Call(NOTEBOOK_SOURCE, "read", (template, np.frombuffer(handed_in[name], np.uint8), path)))
    if isinstance(answer, Failure):
        return _no_notebook(path, f"{path} was not read: {answer.message}")
    found: dict[str, Any] = _no_notebook(path) | answer.value
    if name != path:
        note = {"kind": "cells", "file": path, "line": 0, "message": f"{name} was read as {path}"}
        found["findings"] = [note, *found["findings"]]
    return found


def _not_taken_in(path: str, reason: str) -> dict[str, Any]:
    return _no_notebook(path, f"{path} was not read: {reason}; clear its outputs, save it and hand it in again")


def _which(path: str, rival: Sequence[str]) -> str:
    more = f" (and {len(rival) - 2} more)" if len(rival) > 2 else ""
    return f"{path} was not read: {rival[0]} and {rival[1]}{more} could be it; hand in one of them, named {path}"


def _no_notebook(path: str, why: str = "") -> dict[str, Any]:
    """What is known of a notebook that is not there, or that cannot be read."""
    findings = [{"kind": "notebook", "file": path, "line": 0, "message": why}] if why else []
    return {"path": text_path(path), "text": None, "starts": [], "answers": {}, "findings": findings}


def _without_missing(findings: list[dict[str, Any]], refused: Mapping[str, str]) -> list[dict[str, Any]]:
    """A notebook that cannot be read is there."""
    there = {notebook_path(path) for path in refused}
    return [one for one in findings if one["kind"] != "missing-file" or one["file"] not in there]


def _nothing_left(templates: Mapping[str, str], refused: Mapping[str, str]) -> str:
    """Why the submission is refused as a whole: there are gaps in notebooks alone, and none of them can be read."""
    gaps = {path for path, text in templates.items() if "# START TODO" in text}
    return "; ".join(refused.values()) if refused and gaps <= refused.keys() else ""


def _read_answers(cell: Cell, data: bytes | None) -> dict[str, Any] | None:
    if data is None:
        return None
    answer = cell.call(Call(ANSWERS_SOURCE, "read", (data[: MAX_ANSWERS_BYTES + 1],)))
    if isinstance(answer, Failure):
        return {"values": {}, "wrong": {}, "lines": {}, "error": f"it was not read: {answer.message}", "line": 0}
    value: dict[str, Any] = answer.value
    return value


def _count_words(cell: Cell, data: bytes | None) -> int | None:
    if not data:
        return None
    import numpy as np

    answer = cell.call(Call(PDF_SOURCE, "count", (np.frombuffer(data, np.uint8),)))
    return None if isinstance(answer, Failure) else answer.value


def _read_pdf(cell: Cell, data: bytes | None) -> dict[str, Any] | None:
    if data is None:
        return None
    import numpy as np  # arrays cross as they are; bytes would be spelt out in the structure

    answer = cell.call(Call(PDF_SOURCE, "read", (np.frombuffer(data, np.uint8),)))
    if isinstance(answer, Failure):
        return {"pages": 0, "text_of_first_page": "", "encrypted": False, "error": answer.message}
    value: dict[str, Any] = answer.value
    return value
