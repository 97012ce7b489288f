"""Results as GitHub Classroom's runners and Classroom 50 write them: a test for each task, titles and points only."""

from __future__ import annotations

import base64
import json
from decimal import ROUND_DOWN, Decimal
from typing import Any, Literal

from grader.reports import words
from grader.reports.text import line
from grader.reports.views import StudentResult
from grader.result import TaskResult

SCALE = 100
"""Classroom 50 keeps whole points only: everything is written in hundredths of a point."""


def runner_result(student: StudentResult) -> str:
    """The step output `result` of a GitHub Classroom grader: base64 of its JSON, fractions kept."""
    tasks = student.shown.tasks
    whole = sum((task.max_score for task in tasks), Decimal(0))
    refused = any(task.state == "refused" for task in tasks)
    data = {
        "version": 1,
        "status": "error" if refused else "pass" if student.shown.passed else "fail",
        "max_score": words.as_json(whole),
        "tests": [_runner_test(task) for task in tasks],
    }
    return base64.b64encode(json.dumps(data).encode()).decode()


def classroom50(
    student: StudentResult,
    *,
    classroom: str,
    assignment: str,
    assignment_type: Literal["individual", "group", "team"],
    owner: str,
    submission: str,
    commit: str,
    release: str,
    review: str,
    datetime: str,
    graded_at: str,
    submitted_by: str,
) -> dict[str, Any]:
    """Classroom 50's `result.json` (`classroom50/result/v1`), in hundredths of a point, as each test's name says.

    Its schema is closed and its collector refuses a score above the maximum, so bonus points raise the maximum that is
    written where they lift the score above it.

    Args:
        submission: the tag, `submit/<time>-<sha>`.
        commit, release, review: links on the host.
        datetime, graded_at: when it was handed in and when it was graded, UTC, as 2027-01-16T22:59:00Z.
        submitted_by: the login of who pushed.
    """
    result = student.shown
    score = _hundredths(result.score)
    return {
        "schema": "classroom50/result/v1",
        "classroom": classroom,
        "assignment": assignment,
        "assignment_type": assignment_type,
        "owner": owner,
        "submission": submission,
        "commit": commit,
        "release": release,
        "review": review,
        "datetime": datetime,
        "graded_at": graded_at,
        "score": score,
        "max-score": max(score, _hundredths(result.max_score)),
        "tests": [
            {
                "test-name": f"{line(words.name(task))} (in hundredths of a point)",
                "passed": _complete(task),
                "score": _hundredths(task.score),
                "max-score": _hundredths(task.max_score),
            }
            for task in result.tasks
        ],
        "submitted_by": {"username": submitted_by},
    }


def _runner_test(task: TaskResult) -> dict[str, Any]:
    status = "error" if task.state == "refused" else "pass" if _complete(task) else "fail"
    return {
        "name": line(words.name(task)),
        "status": status,
        "score": words.as_json(task.score),
        "max_score": words.as_json(task.max_score),
        "message": line(task.note.replace("\n", " ")),
        "test_code": "",
        "filename": "",
        "line_no": 0,
        "duration": 0,
    }


def _complete(task: TaskResult) -> bool:
    return task.state == "graded" and task.score == task.max_score


def _hundredths(points: Decimal) -> int:
    return int((points * SCALE).to_integral_value(ROUND_DOWN))
