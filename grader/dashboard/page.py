"""The class as one HTML file: nothing is loaded, and one script of ours sorts and filters the table.

Every chart is a list whose items say their numbers in words; the bars beside them are decoration.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median
from urllib.parse import quote

import jinja2

from grader.class_feedback import spread
from grader.dashboard.bins import columns_of, pushes_before
from grader.dashboard.view import ClassView, Row
from grader.gradebook.stats import TaskStats, TestStats
from grader.reports import words
from grader.reports.pages import environment, inline
from grader.reports.text import plain
from grader.similarity.pairs import Pair, SharedGap

MOST_PAIRS = 40
"""How many pairs beyond chance are shown."""
MOST_ALIKE = 10
"""How many of the other pairs are shown."""
MOST_GAPS = 12
REPORT = "report.html"


@dataclass(frozen=True)
class Bar:
    """A line of a chart: `share` of the full length, from 0 to 1."""

    name: str
    value: str
    share: float
    note: str = ""
    kind: str = "earned"


def page(view: ClassView, reports: Path | None = None, out: Path | None = None) -> str:
    """The page.

    Args:
        reports: the folder that holds each submission's report, to link to.
        out: the file that the page is written to, which the links start from.
    """
    scores = [result.score for result in view.results]
    line = view.sheet.pass_mark * view.sheet.max_score
    beyond = [pair for pair in view.pairs if pair.beyond]
    columns = columns_of(scores, view.sheet.max_score + view.sheet.max_bonus, line) if scores else []
    return _environment().get_template("class.html.j2").render(
        view=view,
        sheet=view.sheet,
        stats=view.stats,
        style=inline("base.css", "class.css"),
        script=inline("class.js"),
        line=line,
        median=median(scores) if scores else None,
        columns=columns,
        highest=max((column.count for column in columns), default=1) or 1,
        tasks=[(task, _tests(view, task)) for task in view.stats.tasks.values()],
        mistakes=_mistakes(view),
        pushes=_pushes(view.rows),
        hours=_hours(view.rows),
        pending=[task for task in view.stats.tasks.values() if task.pending],
        without=[row for row in view.rows if row.result is None],
        unusual=[row for row in view.rows if row.unusual],
        beyond=beyond[:MOST_PAIRS],
        more_beyond=max(0, len(beyond) - MOST_PAIRS),
        alike=[pair for pair in view.pairs if not pair.beyond][:MOST_ALIKE],
        link=lambda row: _link(row, reports, out),
    )  # fmt: skip


@functools.cache
def _environment() -> jinja2.Environment:
    found = environment().overlay()
    found.filters = {**found.filters, "sides": _sides, "percent": _percent}
    found.globals = {**found.globals, "most_gaps": MOST_GAPS, "evidence": _evidence, "task_bar": _task_bar}
    return found


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _task_bar(task: TaskStats, tests: Sequence[Bar]) -> Bar:
    """A task's mean points; of a task without points the mean share of the tests that pass."""
    name = f"{task.id} {task.title}".strip()
    if not task.max_score:
        share = sum(test.share for test in tests) / len(tests) if tests else 0.0
        return Bar(name, "no points", share, f"{100 * share:.0f} % of the tests pass" if tests else "")
    mean = f"{'–' if task.mean is None else words.points(task.mean)} / {words.points(task.max_score)}"
    share = float(task.mean / task.max_score) if task.mean is not None and task.max_score else 0.0
    return Bar(name, mean, share, f"{task.full} of {task.graded} have full points" if task.graded else "")


def _tests(view: ClassView, task: TaskStats) -> list[Bar]:
    """How many pass each test of a task, the hardest first."""
    tests = [test for test in view.stats.tests.values() if test.task == task.id]
    return [_test_bar(test) for test in sorted(tests, key=lambda test: (test.outcomes["passed"], test.id))]


def _test_bar(test: TestStats) -> Bar:
    passed, whole = test.outcomes["passed"], test.outcomes.total()
    others = [f"{n} {outcome}" for outcome, n in sorted(test.outcomes.items()) if outcome not in ("passed", "failed")]
    note = ", ".join(["hidden" if test.hidden else "public", *others])
    return Bar(test.title, f"{passed} of {whole} pass ({_percent(passed, whole)})", passed / whole, note)


def _mistakes(view: ClassView) -> list[Bar]:
    most = max(view.stats.mistakes.values(), default=1)
    return [
        Bar(view.stats.mistake_titles[name], str(count), count / most, name, "wait")
        for name, count in view.stats.mistakes.most_common()
    ]


def _pushes(rows: Sequence[Row]) -> list[Bar]:
    """When the last pushes came, where the server was asked and there is a due date."""
    hours = [row.hours_before_due for row in rows if row.hours_before_due is not None]
    counts = pushes_before(hours)
    most = max(counts.values())
    late = [name for name in counts if name.endswith("late")]
    return [
        Bar(name, str(count), count / most, "", "lost" if name in late else "earned") for name, count in counts.items()
    ] if hours else []  # fmt: skip


def _hours(rows: Sequence[Row]) -> tuple[list[Bar], Decimal | None]:
    """The hours that feedback names, and their median."""
    hours = sorted(row.hours for row in rows if row.hours is not None)
    bins = spread(hours)
    most = max((one.count for one in bins), default=1)
    bars = [Bar(f"{one.low} to {one.high} hours", str(one.count), one.count / most) for one in bins]
    return bars, median(hours) if hours else None


def _evidence(pair: Pair) -> str:
    """In words: how many gaps, and how rare what they share is."""
    number, bits = len(pair.gaps), round(pair.bits)
    return f"{number} gap{'' if number == 1 else 's'} alike, {bits} bit{'' if bits == 1 else 's'}"


def _sides(gap: SharedGap) -> list[list[tuple[bool, str]]]:
    """Both contents line by line, each with whether the other one has it, too."""
    return [
        [(number in lines, text) for number, text in enumerate(plain(content.rstrip()).split("\n"))]
        for content, lines in zip(gap.contents, gap.lines, strict=True)
    ]


def _link(row: Row, reports: Path | None, out: Path | None) -> str:
    """The address of a submission's report, as seen from the page; empty where there is none."""
    if reports is None or out is None or row.result is None:
        return ""
    report = reports / row.name / REPORT
    return (
        quote(Path(os.path.relpath(report, out.parent)).as_posix(), errors="surrogateescape")
        if report.is_file()
        else ""
    )
