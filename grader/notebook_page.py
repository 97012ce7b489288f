"""A submission's notebooks as a page for whoever grades: its cells, and each answer beside the rubric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from grader.intake import Submission
from grader.reports.pages import environment, inline
from grader.review.model import model_answers
from grader.sheet import Sheet
from grader.submitted import handed_notebooks
from grader.wall import Call, Cell, Failure, Wall

SOURCE = """
from grader.rendering import render_markdown, render_notebook

def render(template, data, path):
    return render_notebook(template, data.tobytes(), path)

def markdown(text):
    return render_markdown(text)
"""
SECONDS, RESULT_MB = 60, 48


@dataclass(frozen=True)
class Shown:
    """A notebook to show; `error` says why it has no cells."""

    path: str
    cells: list[dict[str, Any]]
    error: str = ""


def notebook_page(sheet: Sheet, submission: Submission, notebooks: Mapping[str, str], wall: Wall) -> str:
    """The page of all notebooks of a submission; raises `WallError`.

    Args:
        notebooks: the release's notebooks, by path.
    """
    limits = sheet.limits.model_copy(update={"probe_seconds": SECONDS, "result_mb": RESULT_MB})
    named = handed_notebooks(notebooks, submission.files)
    with wall.open(limits) as cell:
        shown = [_rendered(cell, path, text, named.get(path), submission) for path, text in notebooks.items()]
        answers = model_answers(sheet.course, sheet.exercises)
        models = {task.cell: _markdown(cell, answers.get(task.cell, "")) for task in sheet.tasks if task.cell}
    return (
        environment()
        .get_template("notebook.html.j2")
        .render(
            sheet=sheet,
            submission=submission.name,
            notebooks=shown,
            tasks={task.cell: task for task in sheet.tasks if task.cell},
            models=models,
            missing_pdf=missing_pdf(sheet, submission),
            style=inline("base.css", "notebook.css"),
        )
    )


def missing_pdf(sheet: Sheet, submission: Submission) -> str:
    """The PDF that the sheet asks the student for and that is not there; empty otherwise."""
    rule = sheet.rules.submission_pdf
    return rule.file if rule and rule.file not in submission.files else ""


def _rendered(cell: Cell, path: str, template: str, name: str | None, submission: Submission) -> Shown:
    if name is None:
        return Shown(path, [], f"{path} is missing.")
    answer = cell.call(Call(SOURCE, "render", (template, np.frombuffer(submission.files[name], np.uint8), path)))
    if isinstance(answer, Failure):
        return Shown(path, [], f"{path} was not rendered: {answer.message}")
    # no student code ran in that process, and its parsers let a few tags and no attributes through
    for one in answer.value["cells"]:
        one["html"] = Markup(one["html"])
        one["outputs"] = [Markup(output) for output in one["outputs"]]
    return Shown(path, answer.value["cells"], answer.value["error"])


def _markdown(cell: Cell, text: str) -> Markup:
    answer = cell.call(Call(SOURCE, "markdown", (text,)))
    return Markup("") if isinstance(answer, Failure) else Markup(answer.value)
