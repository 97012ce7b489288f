"""A result to export and to publish, with a hidden test whose staff text must stay with the staff."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from grader.result import Result, TaskResult, TestResult, Versions


def result(submission: str = "ada", score: str = "12.35", **changes: Any) -> Result:
    """12.35 of 16 points, passed; `changes` are fields of the result."""
    hidden = TestResult(
        id="t.py::test_secret", title="A title", visibility="hidden", outcome="failed", weight=1, hint="A hint",
        staff="SECRET",
    )  # fmt: skip
    task = TaskResult(
        id="1.1", title="The VAE", kind="code", score=Decimal(score), max_score=Decimal(16), bonus=False,
        state="graded", tests=(hidden,),
    )  # fmt: skip
    values: dict[str, Any] = {
        "sheet": "vae", "title": "The VAE", "submission": submission, "graded_at": "2027-01-17T00:00:00+00:00",
        "seed": 1, "sandbox": "nested", "score": Decimal(score), "max_score": Decimal(16), "bonus": 0, "max_bonus": 0,
        "pass_mark": Decimal("0.5"), "passed": True, "pending": 0, "advisory": False, "tasks": (task,), "rules": (),
        "versions": Versions(gapgrade="0", sheet="s", tests="t", torch="2"),
    }  # fmt: skip
    return Result(**{**values, **changes})
