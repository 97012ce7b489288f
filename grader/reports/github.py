"""Lines that GitHub's runner obeys: annotations, the notices that GitHub Classroom read, and the guard around output.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Literal

from grader.cells import split_place
from grader.reports import words
from grader.reports.failures import causes, mistakes, waiting
from grader.reports.text import plain, workflow_data, workflow_property
from grader.reports.views import StudentResult
from grader.result import Evidence, TaskResult

Kind = Literal["error", "warning", "notice"]

PER_KIND = 10
"""GitHub shows at most so many annotations of a kind for a step."""
CLASSROOM_NOTICES = 2
MESSAGE = 2000
OUTPUT = 100_000


def annotate(student: StudentResult) -> list[str]:
    """What failed as errors, each cause once; what rules found as warnings where it costs points, else as notices.

    At most 10 errors, 10 warnings and 8 notices, which leaves room for `classroom_notices`; the last one of a kind says
    how many were left out.
    """
    result = student.shown
    errors = [one for task in result.tasks for one in _errors(task)]
    refused = [command("error", task.note, title=words.name(task)) for task in result.tasks if task.state == "refused"]
    warnings: list[str] = []
    notices = [command("notice", words.ADVISORY, title="Advisory score")] if result.advisory else []
    for rule in result.rules:
        kind: Kind = "warning" if rule.deduction else "notice"
        cost = f" ({words.points(-rule.deduction)})" if rule.deduction else ""
        lines = [
            command(kind, f"{rule.message}{cost}: {one.text}", title=rule.id, place=one) for one in rule.evidence
        ] or [command(kind, f"{rule.message}{cost}", title=rule.id)]
        (warnings if rule.deduction else notices).extend(lines)
    notices += [
        command("notice", words.waits(task), title=words.name(task)) for task in result.tasks if task.state == "pending"
    ]
    notices += [
        command("notice", one.text, title=words.name(task), place=one) for task in result.tasks for one in task.evidence
    ]
    return [
        *_at_most(PER_KIND, "error", [*refused, *errors]),
        *_at_most(PER_KIND, "warning", warnings),
        *_at_most(PER_KIND - CLASSROOM_NOTICES, "notice", notices),
    ]


def _errors(task: TaskResult) -> Iterator[str]:
    if waits := waiting(task):
        yield command("error", words.waits_for(waits), title=words.name(task))
    for mistake in mistakes(task):
        yield command("error", f"It looks as if: {mistake}", title=words.name(task))
    for cause in causes(task):
        titles = [test.title for test in cause.tests] if len(cause.tests) > 1 else []
        lines = [cause.message, *titles, *(f"Hint: {hint}" for hint in cause.hints)]
        yield command("error", "\n".join(filter(None, lines)), title=words.alike(cause))


def classroom_notices(student: StudentResult) -> list[str]:
    """The two notices that carried a score to GitHub Classroom; points keep their fractions."""
    score, whole = words.points(student.shown.score), words.points(student.shown.max_score)
    return [
        f"::notice title=Autograding complete::Points {score}/{whole}",
        f'::notice title=Autograding report::{{"totalPoints":{score},"maxPoints":{whole}}}',
    ]


def stop_commands(output: str) -> str:
    """What student code printed, between two lines that make the runner obey nothing in it."""
    token = secrets.token_hex(16)
    return f"::stop-commands::{token}\n{plain(output, OUTPUT)}\n::{token}::\n"


def command(kind: Kind, message: str, *, title: str, place: Evidence | None = None) -> str:
    """One annotation as a line of the log; `place` points to a file and a line where it has them.

    GitHub knows files, and no cells of notebooks: the message names the cell.
    """
    properties = []
    if place and place.file:
        path, cell = split_place(place.file)
        properties.append(f"file={workflow_property(path)}")
        if cell:
            message = f'cell "{cell}"{f", line {place.line}" if place.line else ""}: {message}'
        elif place.line > 0:
            properties.append(f"line={place.line}")
    properties.append(f"title={workflow_property(title)}")
    return f"::{kind} {','.join(properties)}::{workflow_data(message, MESSAGE)}"


def _at_most(limit: int, kind: Kind, lines: Sequence[str]) -> list[str]:
    if len(lines) <= limit:
        return list(lines)
    left_out = len(lines) - limit + 1
    return [*lines[: limit - 1], command(kind, f"{left_out} more: see the job summary", title="More of these")]
