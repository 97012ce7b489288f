"""What to do next, in the order of what it may earn: the few lines that a student looks for first."""

from __future__ import annotations

from collections.abc import Iterator

from grader.reports import words
from grader.reports.failures import causes, waiting
from grader.result import Result, TaskResult

BY_HAND = ("written", "review")
"""Kinds of tasks whose points a person gave: their comment stands with the task, and there is no next step."""
MOST = 6
"""More steps than this are not read; the rest is counted."""


def next_steps(result: Result) -> list[str]:
    """One sentence a step; empty where there is nothing left to do."""
    steps = list(dict.fromkeys(_steps(result)))
    if len(steps) > MOST:
        return [*steps[: MOST - 1], f"{len(steps) - MOST + 1} more tasks are not done."]
    return steps


def _steps(result: Result) -> Iterator[str]:
    unread: dict[str, list[str]] = {}
    for task in result.tasks:
        if reason := words.unreadable(task):
            unread.setdefault(reason, []).append(task.id)
    yield from (f"{', '.join(ids)}: {reason}" for reason, ids in unread.items())
    open_tasks = [
        task
        for task in result.tasks
        if task.state != "pending" and not words.done(task) and not (task.state == "graded" and task.kind in BY_HAND)
    ]
    open_tasks.sort(key=lambda task: (task.score == task.max_score, task.bonus, task.score - task.max_score))
    for task in open_tasks:
        if task.state == "refused":
            yield task.note
        elif task.tests:
            yield from _repair(task)
        else:
            yield f"{words.name(task)}: {_OTHER.get(task.kind, task.note)}"


_OTHER = {
    "style": "run `python -m pycodestyle --max-line-length 120 .` and mend what it finds.",
    "formula": "look again at the lines of `answers.toml` that the report names.",
    "quiz": "look again at your answers in `answers.toml`.",
    "feedback": "fill in `feedback.md`, with a number of hours.",
}


def _repair(task: TaskResult) -> Iterator[str]:
    left = task.max_score - task.score
    worth = f", {words.counted(left)} open" if left else ""
    if (waits := waiting(task)) and waits.gaps:
        more = len(waits.gaps) - 1
        others = f", then {more} more gap{'s' if more > 1 else ''}" if more else ""
        yield f"{words.name(task)}{worth}: fill {waits.gaps[0]}{others}."
    elif command := _command(task):
        yield f"{words.name(task)}{worth}: repeat `{command}` until all pass."
    elif causes(task):
        yield f"{words.name(task)}{worth}: think about the hints of the hidden tests."
    else:
        yield f"{words.name(task)}{worth}: fill the gaps that are left."


def _command(task: TaskResult) -> str:
    """The command that runs the file of the first public test that does not pass, or nothing."""
    for cause in causes(task):
        for test in cause.tests:
            if test.visibility == "public":
                return f"python -m pytest tests/{test.id.partition('::')[0].rpartition('/')[2]}"
    return ""
