"""What was handed in, as far as a person reads it: the PDF, and texts. Only bytes are read here; nothing is parsed."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from grader import GapgradeError
from grader.answers.key import FILE as ANSWERS
from grader.intake import take_in
from grader.rules.tasks import FEEDBACK
from grader.sheet import Sheet, Task

LONGEST = 200_000
"""How many characters are shown of a text."""
KEPT = 4
"""How many submissions stay in memory: a PDF may have 30 MiB."""
_PDF = b"%PDF-"


@dataclass(frozen=True)
class Text:
    """A text to read; `problem` says why there is none."""

    title: str
    text: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Files:
    """A submission's files that people read; `problem` says why none could be read."""

    files: dict[str, bytes]
    refused: dict[str, str]
    problem: str = ""


@functools.lru_cache(maxsize=KEPT)
def read_files(source: str, name: str, ref: str | None, result: str) -> Files:
    """Read a submission's PDFs and texts; `result` only says of which grading, so that a new one is read anew."""
    try:
        submission = take_in(Path(source), ref=ref, name=name)
    except GapgradeError as error:
        return Files({}, {}, str(error))
    kept = {path: data for path, data in submission.files.items() if not path.endswith((".py", ".ipynb"))}
    return Files(kept, {one.file: one.reason for one in submission.refused})


def pdf_name(sheet: Sheet, files: Files) -> str:
    """The PDF that the sheet asks for, or the only one that is there."""
    wanted = sheet.rules.submission_pdf.file if sheet.rules.submission_pdf else "submission.pdf"
    if wanted in files.files:
        return wanted
    release = sheet.course / "student" / sheet.name  # what was handed out is nobody's
    there = [path for path in files.files if path.lower().endswith(".pdf") and not (release / path).exists()]
    return there[0] if len(there) == 1 else wanted


def pdf_problem(sheet: Sheet, files: Files) -> str:
    """Why there is no PDF to be shown; empty where there is one."""
    name = pdf_name(sheet, files)
    if files.problem:
        return files.problem
    if name in files.refused:
        return f"{name} was refused: {files.refused[name]}."
    if name not in files.files:
        return f"{name} was not handed in."
    if _PDF not in files.files[name][:1024]:
        return f"{name} is no PDF: it does not begin like one."
    return ""


def texts_of(task: Task, files: Files, answer: str) -> list[Text]:
    """The texts that belong to a task, its own first, and the feedback last.

    Args:
        answer: what stands in the task's cell of a notebook, as the grading read it.
    """
    texts = []
    if task.cell:
        problem = "" if answer else "There is no answer in the notebook: its cell is as it was handed out, or gone."
        texts.append(Text("Answer", answer[:LONGEST], problem))
    if task.file:
        texts.append(_text(task.file, files))
    elif task.answers:
        texts.append(_text(ANSWERS, files))
    if FEEDBACK in files.files:
        texts.append(_text(FEEDBACK, files))
    return texts


def digest(pdf: bytes, texts: list[Text]) -> str:
    """Names what was read, so that points for an earlier version are told from those for this one."""
    whole = hashlib.sha256(hashlib.sha256(pdf).digest())
    for text in texts:
        whole.update(hashlib.sha256(text.text.encode("utf-8", "surrogatepass")).digest())
    return whole.hexdigest()[:16]


def _text(path: str, files: Files) -> Text:
    if path in files.files:
        return Text(path, _shown(files.files[path]))
    reason = files.problem or files.refused.get(path, "it was not handed in")
    return Text(path, problem=f"{path}: {reason}.")


def _shown(data: bytes) -> str:
    return data[: 4 * LONGEST].decode("utf-8", "replace")[:LONGEST]
