"""The solution draws every picture that reports show beside a student's."""

from __future__ import annotations

from grader.pictures import PictureError, gallery_of
from grader.reader import load_templates
from grader.sheet import Sheet
from grader.wall import Wall
from tools.checks.findings import Finding, Report


def check_pictures(sheet: Sheet, wall: Wall, report: Report) -> None:
    """Draw the pictures of a sheet as a grading does."""
    try:
        gallery_of(sheet, wall, load_templates(sheet))
    except PictureError as error:
        report.findings.append(Finding(error.file, 0, error.sentence, "correct it, or the solution"))
