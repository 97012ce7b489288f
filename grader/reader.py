"""Reads what was handed in, behind the wall: parsers meet hostile bytes there, and their findings come out as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.answers.key import FILE as ANSWERS
from grader.answers.reading import MAX_BYTES as MAX_ANSWERS_BYTES
from grader.sheet import Sheet, SheetError
from grader.splice import MAX_FILE_BYTES
from grader.wall import Call, Cell, Failure
from grader.work import GapText, filled_gaps

MAX_TOTAL_BYTES = 4 * 2**20
NOT_GRADED = ("tests/", "gapcheck/", "conftest.py", ".github/")

SOURCE = """
from grader.reading import check_style, note_gaps
from grader.splice import read_submission

def read(templates, handed_in):
    found = read_submission(templates, handed_in)
    found["findings"] += note_gaps(templates, found["gaps"])
    # what is as it was handed out is no one's style but ours, and was checked before it was handed out
    own = {path: data for path, data in handed_in.items() if data.decode(errors="replace") != templates.get(path)}
    found["style"] = check_style(own)
    return found
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
    problem: str = ""


def load_templates(sheet: Sheet) -> dict[str, str]:
    """The Python files of the sheet's release that student code consists of, by path."""
    release = release_folder(sheet)
    files = {file.relative_to(release).as_posix(): file for file in sorted(release.rglob("*.py"))}
    return {
        path: file.read_bytes().decode("utf-8")
        for path, file in files.items()
        if not path.startswith(NOT_GRADED) and "__pycache__" not in file.parts
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
) -> Reading:
    """Read a submission inside its own cell.

    Args:
        pdf: the path of the PDF that the sheet asks for, or nothing.
        count_words: whether to count the words of the PDF, too.
    """
    answers = _read_answers(cell, handed_in.get(ANSWERS))
    python: dict[str, bytes] = {}
    left = MAX_TOTAL_BYTES
    for path, content in handed_in.items():
        if path.endswith(".py") and not path.startswith(NOT_GRADED) and left > 0:
            python[path] = content[: MAX_FILE_BYTES + 1]  # one byte more than is read says that it is too long
            left -= len(python[path])
    answer = cell.call(Call(SOURCE, "read", (dict(templates), python)))
    if isinstance(answer, Failure):
        return Reading(dict(templates), [], {}, {"total": 0, "findings": []}, answers=answers, problem=answer.message)
    found = answer.value
    return Reading(
        files=found["files"],
        findings=found["findings"],
        diffs=found["diffs"],
        style=found["style"],
        filled=sum(gap["state"] in ("filled", "syntax") for gap in found["gaps"]),
        gaps=filled_gaps(found["gaps"]),
        pdf=_read_pdf(cell, handed_in.get(pdf)),
        pdf_words=_count_words(cell, handed_in.get(pdf)) if count_words else None,
        answers=answers,
    )


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
