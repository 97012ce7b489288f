"""The PDF that a sheet asks for: it is there, it opens, and its first page says who wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from grader.intake import Submission
from grader.reader import Reading
from grader.result import RuleResult
from grader.rules.evidence import counted
from grader.score import round_down
from grader.sheet import Sheet, SheetError, SubmissionPdf


def rule_on_submission_pdf(
    sheet: Sheet, submission: Submission, reading: Reading, members: Sequence[str] = ()
) -> Iterator[RuleResult]:
    """Deduct once where the PDF is missing, does not open, or does not name one to `team_size` authors.

    Args:
        members: the identifiers of this submission's people by the roster, or nothing where there is none; those that
            are no matriculation numbers are not compared. What differs is noted and costs nothing: a roster may be
            behind, and a digit mistyped.
    """
    rule = sheet.rules.submission_pdf
    if rule is None:
        return
    if rule.file in submission.files and (reading.problem or reading.pdf is None):
        message = f"{rule.file} is there, but was not read; nothing is deducted."
        yield RuleResult(id="submission_pdf", deduction=Decimal(0), message=message)
        return
    wrong = _what_is_wrong(sheet, rule, submission, reading)
    message = wrong or f"{rule.file} is there and names its authors."
    if members and not wrong:
        known = {member for member in members if re.search(rule.matriculation, member)}
        message += _compared(_numbers(sheet, rule, reading), known) if known else ""
    if reading.pdf and reading.pdf.get("javascript"):
        message += " It holds a script, which was not run."
    deduction = round_down(rule.deduct, sheet) if wrong else Decimal(0)
    yield RuleResult(id="submission_pdf", deduction=deduction, message=message)


def _what_is_wrong(sheet: Sheet, rule: SubmissionPdf, submission: Submission, reading: Reading) -> str:
    """A sentence, or nothing. It counts numbers and never repeats them: a report may be read by others."""
    if problem := unreadable(sheet, rule.file, submission, reading.pdf):
        return problem
    text = str((reading.pdf or {}).get("text_of_first_page", ""))
    if not text.strip():
        return f"The first page of {rule.file} holds no text (a scan?); type the matriculation numbers."
    numbers = _numbers(sheet, rule, reading)
    if not numbers:
        return f"The first page of {rule.file} holds no matriculation number."
    if len(numbers) > sheet.team_size:
        found, allowed = counted(len(numbers), "matriculation number"), counted(sheet.team_size, "person", "people")
        return f"The first page of {rule.file} holds {found}; a team has at most {allowed}."
    return ""


def _numbers(sheet: Sheet, rule: SubmissionPdf, reading: Reading) -> set[str]:
    """The matriculation numbers on the PDF's first page."""
    text = str((reading.pdf or {}).get("text_of_first_page", ""))
    try:
        return {found[0] for found in re.finditer(rule.matriculation, text)}
    except re.error as error:
        where = sheet.folder / "sheet.toml"
        raise SheetError(f"{where}: rules.submission_pdf.matriculation is no regular expression ({error})") from None


def _compared(numbers: set[str], members: set[str]) -> str:
    """How the numbers differ from the roster's, in counts alone."""
    strangers, unnamed = len(numbers - members), len(members - numbers)
    message = ""
    if strangers:
        message += f" Not on the roster for this submission: {counted(strangers, 'number')}."
    if unnamed:
        message += f" On the roster, but not named: {counted(unnamed, 'person', 'people')}."
    return message


def unreadable(sheet: Sheet, file: str, submission: Submission, read: Mapping[str, Any] | None = None) -> str:
    """Why a file that a person reads cannot be read, in a sentence; nothing where it can, or where nobody tried.

    `read` is what `read_pdf` found in it, where it was asked. What was handed out is nobody's work: it is not named as
    the missing file under another name.
    """
    if file in submission.files:
        error = (read or {}).get("error")
        return f"{file}: {error}." if error else ""
    for refused in submission.refused:
        if refused.file == file:
            return f"{file} was refused: {refused.reason}."
    release = sheet.course / "student" / sheet.name
    rule = sheet.rules.submission_pdf
    asked = {task.file for task in sheet.tasks} | ({rule.file} if rule else set())
    alike = [path for path in submission.files if PurePosixPath(path).suffix.lower() == PurePosixPath(file).suffix]
    others = [path for path in alike if path not in asked and not (release / path).exists()]
    return f"{file} is missing" + (f"; {others[0]} has another name or place." if others else ".")
