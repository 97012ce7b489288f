"""What is unusual about a submission, and why: something to look at, never points.

A number is unusual where it lies beyond the class's outer fence, Q3 + 3 (Q3 - Q1) (J. W. Tukey, Exploratory data
analysis, 1977, section 2D), and is large enough for a person to care.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import quantiles

from grader.reports import words
from grader.result import Result
from grader.rules.evidence import counted

MANY_EDITS = 20
"""Fewer lines outside the gaps are a slip or two, however rare they are in the class."""
LONG = 10.0
"""Seconds of grading that nobody needs to look at."""
MANY_HOURS = 8.0
ENOUGH = 3
"""Hidden tests that a task needs before their all failing says something."""


@dataclass(frozen=True)
class Facts:
    """What is compared of a submission."""

    name: str
    result: Result
    hours: Decimal | None
    milliseconds: int


def unusual(facts: Sequence[Facts]) -> dict[str, list[str]]:
    """By name, what is unusual about the submissions of a class that have a result."""
    edits = {one.name: float(edited_lines(one.result)) for one in facts}
    seconds = {one.name: one.milliseconds / 1000 for one in facts}
    hours = {one.name: float(one.hours) for one in facts if one.hours is not None}
    many, long, busy = _beyond(edits, MANY_EDITS), _beyond(seconds, LONG), _beyond(hours, MANY_HOURS)
    told: dict[str, list[str]] = {}
    for one in facts:
        said = [*_tests(one.result)]
        if one.name in many:
            said.append(f"{edits[one.name]:.0f} lines edited outside the gaps; {many[one.name]}")
        if one.name in long:
            said.append(f"grading took {seconds[one.name]:.0f} s; {long[one.name]}")
        if one.name in busy:
            said.append(f"{hours[one.name]:g} hours in its feedback; {busy[one.name]}")
        if said:
            told[one.name] = said
    return told


def edited_lines(result: Result) -> int:
    """How many lines were added or removed outside the gaps, as far as the diffs are kept."""
    lines = [line for diff in result.edits.values() for line in diff.split("\n")[2:]]
    return sum(line.startswith(("+", "-")) for line in lines)


def _beyond(numbers: dict[str, float], least: float) -> dict[str, str]:
    """Those beyond the outer fence, each with what it is compared with."""
    if len(numbers) < 4:
        return {}
    first, middle, third = quantiles(numbers.values(), n=4, method="inclusive")
    fence = max(third + 3 * (third - first), least)
    return {name: f"the middle of the class is {middle:.3g}" for name, number in numbers.items() if number > fence}


def _tests(result: Result) -> list[str]:
    """What the tests say that does not fit together, or that code does not do by mistake."""
    said = []
    for task in result.tasks:
        public = [test.outcome == "passed" for test in task.tests if test.visibility == "public"]
        hidden = [test.outcome == "passed" for test in task.tests if test.visibility == "hidden"]
        if hidden and all(hidden) and not all(public):
            fails = counted(public.count(False), "public one")
            said.append(f"task {task.id}: passes all hidden tests, but fails {fails}")
        if public and all(public) and len(hidden) >= ENOUGH and not any(hidden):
            said.append(f"task {task.id}: passes all public tests, and none of {len(hidden)} hidden ones")
    outcomes = Counter(test.outcome for test in words.tests(result))
    for outcome in ("crashed", "timeout", "refused"):
        if outcomes[outcome]:
            said.append(f"{counted(outcomes[outcome], 'test')}: {words.OUTCOMES[outcome]}")
    return said
