"""Tasks that no test decides: code style, feedback, and what a person grades."""

from __future__ import annotations

from decimal import Decimal

from grader.feedback import read_feedback
from grader.intake import Submission
from grader.reader import Reading
from grader.result import State, TaskResult
from grader.rules.evidence import counted
from grader.sheet import Sheet, Task

FEEDBACK = "feedback.md"
MAX_SHOWN = 3


def score_other(sheet: Sheet, task: Task, submission: Submission, reading: Reading, feedback: str = "") -> TaskResult:
    """Score a task of any kind but `code`: all its points or none; what a person grades is pending.

    Args:
        feedback: the text of `feedback.md` as it was handed out.
    """
    state: State = "graded"
    earned = False
    if task.kind == "style":
        earned, state, note = _style(reading)
    elif task.kind == "feedback":
        earned, note = _feedback(submission, feedback)
    else:
        state, note = "pending", "A person grades this" + (f": {task.where}." if task.where else ".")
    return TaskResult(
        id=task.id,
        title=task.title,
        kind=task.kind,
        score=task.points if earned else Decimal(0),
        max_score=task.points,
        bonus=task.bonus,
        state=state,
        note=note,
    )


def _style(reading: Reading) -> tuple[bool, State, str]:
    if reading.problem:
        return False, "refused", reading.problem
    if not reading.filled:
        return False, "graded", "No gap is filled yet, so there is no code of your own to look at."
    total, findings = reading.style["total"], reading.style["findings"]
    if not total:
        return True, "graded", "pycodestyle has no findings."
    shown = "; ".join(f"{one['file']}:{one['line']}: {one['code']} {one['text']}" for one in findings[:MAX_SHOWN])
    return (
        False,
        "graded",
        f"pycodestyle has {counted(total, 'finding')}: {shown}" + ("; ..." if total > MAX_SHOWN else ""),
    )


def _feedback(submission: Submission, template: str) -> tuple[bool, str]:
    data = submission.files.get(FEEDBACK)
    if data is None:
        return False, f"{FEEDBACK} is missing."
    feedback = read_feedback(data.decode("utf-8", "replace"), template)
    if not feedback.answered:
        return False, f"{FEEDBACK} is as it was handed out."
    if feedback.hours is None:
        return False, f"{FEEDBACK} does not say how many hours the sheet took; write a number, such as 5 or 4.5."
    return True, "Thank you."
