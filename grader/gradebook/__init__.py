"""The gradebook: the crash-safe record of every grading, and the source of every export.

One SQLite file (or a PostgreSQL database): submissions, their results, what people added to them, and a history that
only grows. One process writes; any number read at the same time.
"""

from __future__ import annotations

from grader.gradebook.book import Gradebook, Known, Record, open_gradebook
from grader.gradebook.migrations import GradebookError

__all__ = ["Gradebook", "GradebookError", "Known", "Record", "open_gradebook"]
