"""Outcomes, rules and points: what each task earns, and what it all adds up to. Exact decimals, rounded down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from grader.result import RuleResult, TaskResult, TestResult
from grader.sheet import Sheet, Task


@dataclass(frozen=True)
class Total:
    """The sums of a result; see `Result` for what each means."""

    score: Decimal
    bonus: Decimal
    pending: Decimal
    passed: bool


def round_down(points: Decimal, sheet: Sheet) -> Decimal:
    """The nearest multiple of the sheet's granularity that is not above: a failed test never rounds to full points."""
    return (points / sheet.granularity).to_integral_value(ROUND_DOWN) * sheet.granularity


def score_code(sheet: Sheet, task: Task, tests: Sequence[TestResult], problem: str = "") -> TaskResult:
    """A code task earns the share of its tests that pass, by weight.

    Args:
        problem: why the submission could not be read at all; the task is then refused.
    """
    whole = sum(test.weight for test in tests)
    earned = sum(test.weight for test in tests if test.outcome == "passed")
    score = task.points if earned == whole else round_down(task.points * earned / whole, sheet)
    return TaskResult(
        id=task.id,
        title=task.title,
        kind=task.kind,
        score=Decimal(0) if problem else score,
        max_score=task.points,
        bonus=task.bonus,
        state="refused" if problem else "graded",
        note=problem,
        tests=tuple(tests),
    )


def add_up(sheet: Sheet, tasks: Iterable[TaskResult], rules: Iterable[RuleResult]) -> Total:
    """The total; deductions never make it negative."""
    tasks = list(tasks)
    earned = sum((task.score for task in tasks), Decimal(0))
    deducted = sum((rule.deduction for rule in rules), Decimal(0))
    score = max(Decimal(0), earned - deducted)
    return Total(
        score=score,
        bonus=min(score, sum((task.score for task in tasks if task.bonus), Decimal(0))),
        pending=sum((task.max_score for task in tasks if task.state == "pending"), Decimal(0)),
        passed=score >= sheet.pass_mark * sheet.max_score,
    )
