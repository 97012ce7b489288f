"""Failures that an undone edit explains: the import that a student put outside the gaps is gone, and says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from grader.result import TestResult

MISSING_NAME = re.compile(r"NameError: name '(\w+)' is not defined")
ADDED_LINE = re.compile(r"^\+(?!\+\+)\s*(.*)$", re.MULTILINE)


def explained(test: TestResult, diffs: Mapping[str, str]) -> TestResult:
    """The same result, whose hint names the undone edit that made the name disappear.

    Args:
        diffs: what was edited outside the gaps and undone, by file.
    """
    missing = MISSING_NAME.search(test.staff)
    if missing is None:
        return test
    name = missing[1]
    for file, line in _added(diffs):
        if re.search(rf"\b{name}\b", line) and re.match(
            rf"from\b|import\b|{name}\s*[=:]|def {name}\b|class {name}\b", line
        ):
            hint = (
                f"{test.hint} Your line `{line[:80]}` in {file} stands outside the gaps and was undone; put it inside."
            )
            return test.model_copy(update={"hint": hint})
    return test


def _added(diffs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for file, diff in diffs.items():
        for match in ADDED_LINE.finditer(diff):
            yield file, match[1].strip()
