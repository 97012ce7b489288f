"""Every face of a result as a file in one folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from grader import GapgradeError
from grader.reports.classroom import runner_result
from grader.reports.github import annotate, classroom_notices
from grader.reports.gradescope import gradescope
from grader.reports.html import html
from grader.reports.junit import junit
from grader.reports.markdown import summary
from grader.reports.views import StudentResult, student_view
from grader.result import Result

STAFF_FILE = "result.json"
"""The whole result, hidden tests' messages among it: for the staff alone."""

ANSWERS = "answers"
"""The folder of what students wrote into the answer cells of notebooks, a file each."""

STUDENT_FILES: Mapping[str, Callable[[StudentResult], str]] = {
    "report.html": html,
    "summary.md": summary,
    "annotations.txt": lambda student: _lines(annotate(student)),
    "classroom-notices.txt": lambda student: _lines(classroom_notices(student)),
    "classroom-result.txt": runner_result,
    "junit.xml": junit,
    "gradescope.json": lambda student: json.dumps(gradescope(student), indent=2, ensure_ascii=False) + "\n",
}
"""What a student may read, by file name."""


def write_reports(result: Result, folder: Path) -> list[Path]:
    """Write the result and all its faces; what an earlier result said is gone, links are never followed."""
    folder.mkdir(parents=True, exist_ok=True)
    student = student_view(result)
    texts = {STAFF_FILE: result.to_json()} | {name: face(student) for name, face in STUDENT_FILES.items()}
    answers = {f"{ANSWERS}/{task.cell}.md": f"{task.answer}\n" for task in result.tasks if task.answer}
    remove_answers(folder)
    if answers:
        (folder / ANSWERS).mkdir(exist_ok=True)
    for name, text in (texts | answers).items():
        _write(folder / name, text)
    return [folder / name for name in texts | answers]


def remove_answers(folder: Path) -> None:
    """Remove the answers of an earlier grading: nobody is to read what was handed in before."""
    for file in (folder / ANSWERS).glob("*.md"):
        file.unlink()


def write_page(file: Path, text: str) -> Path:
    """Write one page in the same careful way, and make its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    _write(file, text)
    return file


def _write(file: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)  # Windows has no such flag
    try:
        descriptor = os.open(file, flags, 0o644)
    except OSError as error:
        raise GapgradeError(f"{file} cannot be written: {error.strerror}; give another folder") from None
    # a lone surrogate of a student's text becomes its escape, which JSON reads back
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
        stream.write(text)


def _lines(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
