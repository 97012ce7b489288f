"""Gradescope's `results.json`, one a submission; `grader.reports.gradescope` makes it, this names the files."""

from __future__ import annotations

import json

from grader.exports.cells import ExportError
from grader.exports.rows import Book
from grader.reports.gradescope import gradescope as one_gradescope
from grader.reports.views import student_view


def gradescope(book: Book) -> str:
    """The one submission's object: an autograder writes it to `/autograder/results/results.json`."""
    if len(book.results) != 1:
        raise ExportError(f"Gradescope takes one submission a file, not {len(book.results)}; export them one by one")
    return json.dumps(one_gradescope(student_view(book.results[0])), indent=2, ensure_ascii=False) + "\n"
