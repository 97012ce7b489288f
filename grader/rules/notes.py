"""What is told and costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from grader.intake import Submission
from grader.reader import Reading
from grader.result import Evidence, RuleResult
from grader.rules.evidence import counted, evidence_of, findings_of, first
from grader.sheet import Sheet

_NOTES = {
    "syntax": (("syntax",), "gap does not compile; its tests fail.", "gaps do not compile; their tests fail."),
    "files": (
        ("gap-missing", "missing-file", "not-utf8", "too-long"),
        "thing about the files that were handed out.",
        "things about the files that were handed out.",
    ),
    "cells": (
        ("cells", "notebook"),
        "thing about the cells of the notebook.",
        "things about the cells of the notebooks.",
    ),
    "loops": (
        ("loop",),
        "loop over tensors where a vectorised form may exist.",
        "loops over tensors where a vectorised form may exist.",
    ),
    "extra-files": (
        ("extra-file",),
        "file was not handed out and is not used.",
        "files were not handed out and are not used.",
    ),
}


def notes(sheet: Sheet, submission: Submission, reading: Reading) -> Iterator[RuleResult]:
    """A note for each kind of finding that there is; a kind without findings is not mentioned."""
    for note, (kinds, one, many) in _NOTES.items():
        if found := [finding for finding in findings_of(reading, *kinds) if not _not_asked_for(sheet, finding)]:
            message = counted(len(found), one, many)
            yield RuleResult(id=note, deduction=Decimal(0), message=message, evidence=evidence_of(found))
    if refused := submission.refused:
        message = f"{counted(len(refused), 'file')} could not be read and did not count."
        evidence = first([Evidence(text=one.reason, file=one.file) for one in refused])
        yield RuleResult(id="refused-files", deduction=Decimal(0), message=message, evidence=evidence)


def _not_asked_for(sheet: Sheet, finding: dict[str, Any]) -> bool:
    """A file that is missing because the sheet's archive is not to hold it."""
    asked = sheet.submission.files if sheet.submission else None
    return asked is not None and finding["kind"] == "missing-file" and finding["file"] not in asked
