"""The result as GitHub Classroom's runner and Classroom 50 write it."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from results import Results, Task, number


def runner_result(results: Results) -> str:
    """GitHub Classroom's step output `result`: base64 of its JSON."""
    passed = all(task.earned == task.points for task in results.tasks)
    data = {
        "version": 1,
        "status": "pass" if passed else "fail",
        "max_score": plain(results.most),
        "tests": [
            {
                "name": task.name,
                "status": "pass" if task.earned == task.points else "fail",
                "score": plain(task.earned),
                "max_score": plain(task.points),
                "message": "",
                "test_code": "",
                "filename": "",
                "line_no": 0,
                "duration": 0,
            }
            for task in results.tasks
        ],
    }
    return base64.b64encode(json.dumps(data).encode()).decode()


def classroom50(results: Results) -> dict[str, Any]:
    """Classroom 50's `result.json`; it keeps whole points only, so all points are hundredths.

    A repository there is called `<classroom>-<assignment>-<username>`. The organisation's variables CLASSROOM and
    ASSIGNMENT tell the first two.
    """
    classroom, assignment = os.environ["CLASSROOM"], os.environ.get("ASSIGNMENT", "")
    repository, commit = os.environ["GITHUB_REPOSITORY"], os.environ["GITHUB_SHA"]
    server, actor = os.environ["GITHUB_SERVER_URL"], os.environ["GITHUB_ACTOR"]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    page = f"{server}/{repository}"
    score = hundredths(results.score)
    return {
        "schema": "classroom50/result/v1",
        "classroom": classroom,
        "assignment": assignment,
        "assignment_type": "individual",
        "owner": repository.partition("/")[2].removeprefix(f"{classroom}-{assignment}-".lower()),
        "submission": f"submit/{now.replace(':', '-')}-{commit[:7]}",
        "commit": f"{page}/commit/{commit}",
        "release": f"{page}/releases",
        "review": f"{page}/actions/runs/{os.environ['GITHUB_RUN_ID']}",
        "datetime": now,
        "graded_at": now,
        "score": score,
        "max-score": max(score, hundredths(results.most)),
        "tests": [one_task(task) for task in results.tasks],
        "submitted_by": {"username": actor},
    }


def one_task(task: Task) -> dict[str, Any]:
    """A task as one test."""
    return {
        "test-name": f"{task.name} (in hundredths of a point)",
        "passed": task.earned == task.points,
        "score": hundredths(task.earned),
        "max-score": hundredths(task.points),
    }


def hundredths(points: Decimal) -> int:
    """2.5 points are 250."""
    return int(points * 100)


def plain(points: Decimal) -> int | float:
    """The JSON number."""
    return int(points) if points == int(points) else float(number(points))
