"""The report as one HTML file for the student: no script, nothing loaded, readable on any screen and on paper.

Its policy allows the page's own style sheet, and nothing else; see `pages`.
"""

from __future__ import annotations

import functools
import re
from decimal import Decimal

import jinja2
from markupsafe import Markup

from grader.reports import words
from grader.reports.advice import next_steps
from grader.reports.failures import causes, mistakes, waiting
from grader.reports.pages import environment, inline
from grader.reports.text import plain
from grader.reports.timeline import pushes_of
from grader.reports.views import StudentResult
from grader.result import Result, RuleResult, TaskResult

DIFF = 8000
"""How many characters are shown of a file's edits."""

HEAD = 2
"""The lines of a diff that only name its file."""
RULES = {
    "pushes": "Pushes",
    "gaps": "Edits outside the gaps",
    "comments": "Comments",
    "submission_pdf": "The PDF",
    "run_all": "The notebook as a whole",
    "cells": "Cells of the notebook",
    "late": "Lateness",
    "loops": "Loops",
    "syntax": "Syntax",
    "files": "Files that were handed out",
    "extra-files": "Files that are not used",
    "refused-files": "Files that could not be read",
}
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def html(student: StudentResult) -> str:
    """The page."""
    result = student.shown
    page = _environment().get_template("report.html.j2")
    return page.render(
        result=result,
        style=inline("base.css", "report.css"),
        bar=_bar(result),
        not_right=[task for task in result.tasks if _is_not_right(task)],
        steps=next_steps(result),
        pushes=[(rule, pushes_of(rule)) for rule in result.rules if pushes_of(rule)],
        rules=[rule for rule in result.rules if not pushes_of(rule)],
    )


@functools.cache
def _environment() -> jinja2.Environment:
    report = environment().overlay()
    report.filters = {
        **report.filters,
        "diff_lines": _diff_lines,
        "rule_title": _rule_title,
        "note_lines": _note_lines,
        "image": _image,
    }
    report.globals = {**report.globals, "causes": causes, "mistakes": mistakes, "waiting": waiting}
    return report


def _bar(result: Result) -> dict[str, Decimal]:
    """The parts of the bar of all points, in percent of its length."""
    deducted = sum((rule.deduction for rule in result.rules), Decimal(0))
    whole = max(result.max_score, result.score + deducted + result.pending) or Decimal(1)
    parts = {"score": result.score, "deducted": deducted, "pending": result.pending, "line": words.pass_line(result)}
    return {name: (100 * part / whole).quantize(Decimal("0.01")) for name, part in parts.items()}


def _is_not_right(task: TaskResult) -> bool:
    return task.state == "refused" or (task.state == "graded" and not words.done(task))


def _diff_lines(diff: str) -> list[tuple[str, str]]:
    """The lines of a diff, each with its kind: added, removed, place or same."""
    kinds = {"+": "added", "-": "removed", "@": "place"}
    lines = plain(diff.rstrip("\n"), DIFF).split("\n")
    return [("place" if i < HEAD else kinds.get(line[:1], "same"), line) for i, line in enumerate(lines)]


def _rule_title(rule: RuleResult) -> str:
    return RULES.get(rule.id, rule.id)


def _note_lines(task: TaskResult) -> list[str]:
    """The lines of a task's note; where findings are listed below it, only what they come to."""
    return [task.note.partition(": ")[0] + "."] if task.evidence else task.note.split("\n")


def _image(png: str) -> Markup:
    """A picture's address: the PNG itself, and nothing but base64."""
    return Markup("data:image/png;base64,{}").format(png if _BASE64.fullmatch(png) else "")
