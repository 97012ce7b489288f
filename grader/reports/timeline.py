"""Pushes on a time line: what the rule on pushes lists as evidence, placed to scale."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from grader.result import RuleResult

_PUSH = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}) (?P<kind>\S+) by (?P<actor>.*?)(?P<late>, after the due date)?"
)
_FREE = re.compile(r"\b(\d+) (?:is|are) free\b")


@dataclass(frozen=True)
class Push:
    """One push: `place` from 0 (the first) to 1 (the last); `costs` where it is one too many."""

    at: datetime
    kind: str
    actor: str
    late: bool
    costs: bool
    place: float


def pushes_of(rule: RuleResult) -> list[Push]:
    """The pushes in a rule's evidence, in the order of time; empty where the rule lists none."""
    if rule.id != "pushes":
        return []
    found = [match for one in rule.evidence if (match := _PUSH.fullmatch(one.text))]
    times = [datetime.strptime(match["at"], "%Y-%m-%d %H:%M:%S %z") for match in found]
    free = _FREE.search(rule.message)
    limit = int(free[1]) if free and rule.deduction else len(found)
    pushes = [
        Push(at, match["kind"], match["actor"], bool(match["late"]), i >= limit and not match["late"], place)
        for i, (at, match, place) in enumerate(zip(times, found, _places(times), strict=True))
    ]
    return sorted(pushes, key=lambda push: push.at)


def _places(times: Sequence[datetime]) -> list[float]:
    """Each time's share of the way from the first to the last; a single one stands in the middle."""
    if not times or min(times) == max(times):
        return [0.5 for _ in times]
    first, span = min(times), max(times) - min(times)
    return [(at - first) / span for at in times]
