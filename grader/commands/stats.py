"""`python -m grader stats`: a class in numbers."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.commands.places import DEFAULT_PLACE, Course, Place, SheetName, sheet_of
from grader.gradebook import open_gradebook
from grader.gradebook.stats import Stats, stats_of
from grader.reports.text import line

MOST = 20  # failing tests that are listed


def stats(
    gradebook: Place = DEFAULT_PLACE,
    sheet: SheetName = None,
    json: Annotated[Path | None, typer.Option(help="Write the numbers here; points as text, so exact.")] = None,
    course: Course = Path(),
) -> None:
    """Show each task's mean, the share that passes, the tests that fail most, the mistakes that were recognised.

    Example:

        python -m grader stats --gradebook out
    """
    with open_gradebook(gradebook, must_exist=True) as book:
        found = stats_of(book, sheet_of(book, sheet, course))
    console = Console()
    counts = ", ".join(f"{number} {state}" for state, number in sorted(found.states.items()))
    share = f", {found.passed} passed ({100 * found.passed / found.graded:.0f} %)" if found.graded else ""
    console.print(Text(f"{found.sheet}: {counts}{share}"))
    console.print(_tasks(found))
    if found.failing:
        console.print(_tests(found))
    if found.mistakes:
        console.print(_mistakes(found))
    if json is not None:
        json.write_text(json_module.dumps(found.to_json(), indent=2) + "\n", encoding="utf-8")


def _table(*headings: str) -> Table:
    table = Table(box=box.ROUNDED)
    for heading in headings:
        table.add_column(heading, overflow="fold", justify="left" if heading in WORDS else "right")
    return table


WORDS = ("task", "test", "recognised mistake")


def _tasks(found: Stats) -> Table:
    table = _table("task", "mean", "of", "full points", "pending")
    for task in found.tasks.values():
        mean = "-" if task.mean is None else f"{task.mean:f}"
        name = Text(line(f"{task.id} {task.title}"))
        table.add_row(name, mean, f"{task.max_score:f}", str(task.full), str(task.pending))
    return table


def _tests(found: Stats) -> Table:
    table = _table("test", "task", "failed", "how")
    for test in found.failing[:MOST]:
        how = ", ".join(
            f"{number} {outcome}" for outcome, number in sorted(test.outcomes.items()) if outcome != "passed"
        )
        table.add_row(Text(line(test.title)), test.task, f"{test.failures} of {test.outcomes.total()}", how)
    if len(found.failing) > MOST:
        table.add_row(f"and {len(found.failing) - MOST} more", "", "", "")
    return table


def _mistakes(found: Stats) -> Table:
    table = _table("recognised mistake", "submissions")
    for mistake, number in found.mistakes.most_common():
        table.add_row(Text(line(mistake)), str(number))
    return table
