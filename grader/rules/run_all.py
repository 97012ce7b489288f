"""Notebooks run from their first cell to their last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from grader.cells import shown_place
from grader.result import Evidence, RuleResult
from grader.rules.evidence import counted
from grader.run_all import Run
from grader.score import round_down
from grader.sheet import Sheet


def rule_on_run_all(sheet: Sheet, runs: Sequence[Run]) -> Iterator[RuleResult]:
    """Deduct once where a notebook stops at a cell that fails, and name the cell."""
    ours = [run for run in runs if run.ours]
    failed = [run for run in runs if run.problem and not run.ours]
    deduction = Decimal(0)
    if failed:
        message = f"{_names(failed)} {'does' if len(failed) == 1 else 'do'} not run from the first cell to the last."
        deduction = round_down(sheet.rules.run_all.deduct, sheet) if sheet.rules.run_all else deduction
    elif ours:
        message = f"{_names(ours)} could not be run as a whole; nothing is deducted."
    elif runs:
        ran, skipped = sum(run.ran for run in runs), sum(run.skipped for run in runs)
        message = f"All {counted(ran, 'cell')} ran, from the first to the last"
        message += f"; {counted(skipped, 'long cell was', 'long cells were')} left out." if skipped else "."
    else:
        return
    evidence = tuple(Evidence(text=run.problem, file=shown_place(run.path, run.cell)) for run in [*failed, *ours])
    yield RuleResult(id="run_all", deduction=deduction, message=message, evidence=evidence)


def _names(runs: Sequence[Run]) -> str:
    return ", ".join(run.path for run in runs)
