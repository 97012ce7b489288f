"""The report as Gradescope's `results.json`: an entry a task with its points, an entry a test below it.

https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from __future__ import annotations

from typing import Any, Literal

from grader.reports import words
from grader.reports.failures import recognised
from grader.reports.text import line, plain
from grader.reports.views import StudentResult
from grader.result import Result, TaskResult, TestResult

KEYED = ("formula", "quiz")
Visibility = Literal["hidden", "after_due_date", "after_published", "visible"]


def gradescope(student: StudentResult, *, hidden: Visibility = "after_published") -> dict[str, Any]:
    """The object to write to `/autograder/results/results.json`.

    Args:
        hidden: from when on students see the hidden tests' titles and hints, the points of tasks that have any, and
            those of answers with a key: who hands in again and again would ask for them one by one. Gradescope shows a
            student the total only when every entry is visible.
    """
    result = student.shown
    entries: list[dict[str, Any]] = []
    for task in result.tasks:
        keyed = task.kind in KEYED and task.state == "graded"
        concealed = keyed or any(test.visibility == "hidden" for test in task.tests)
        entries.append(_task(task, hidden if concealed else "visible"))
        entries += [_test(test, task, hidden if test.visibility == "hidden" else "visible") for test in task.tests]
    return {
        "score": words.as_json(result.score),
        "output": plain(_output(result)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "tests": entries,
        "extra_data": {"sheet": line(result.sheet), "advisory": result.advisory, "sandbox": result.sandbox},
    }


def _output(result: Result) -> str:
    """What stands above the tests: rules and advice.

    The verdict would tell the points of hidden tests, and so would what lateness costs, a share of them: not here.
    """
    lines = [words.ADVISORY] if result.advisory else []
    for rule in result.rules:
        cost = f" ({words.points(-rule.deduction)})" if rule.deduction and rule.id != "late" else ""
        lines.append(f"{line(rule.id)}: {line(rule.message)}{cost}")
    lines += [f"edited outside the gaps: {line(file)}" for file in result.edits]
    return "\n".join(lines)


def _task(task: TaskResult, visibility: Visibility) -> dict[str, Any]:
    return {
        "number": line(task.id),
        "name": line(words.name(task)) + (" (bonus)" if task.bonus else ""),
        "score": words.as_json(task.score),
        "max_score": words.as_json(task.max_score),
        "output": plain(task.note),  # of written work, too: that a person grades it, how many words it has
        "visibility": visibility,
    }


def _test(test: TestResult, task: TaskResult, visibility: Visibility) -> dict[str, Any]:
    """A test has a status and no points of its own: its task's entry has them, and Gradescope would add both up."""
    parts = [f"Hint: {test.hint}" if test.hint else "", f"It looks as if: {recognised(test)}" if test.mistake else ""]
    output = [words.OUTCOMES[test.outcome], *filter(None, parts), *filter(None, [test.message])]
    return {
        "number": line(task.id),
        "name": line(test.title),
        "status": "passed" if test.outcome == "passed" else "failed",
        "output": "" if test.outcome == "passed" else plain("\n".join(output)),
        "visibility": visibility,
    }
