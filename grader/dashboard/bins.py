"""Numbers of a class put into bins that people read: points around the pass line, hours before the due date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

MAX_BINS = 24
WIDTHS = [factor * Decimal(10) ** power for power in range(-2, 4) for factor in (1, 2, 5)]


@dataclass(frozen=True)
class Column:
    """How many have from `low` up to, but not including, `high` points; the last column includes the most."""

    low: Decimal
    high: Decimal
    count: int
    passes: bool


def columns_of(scores: Sequence[Decimal], most: Decimal, line: Decimal) -> list[Column]:
    """The scores in columns of one width from the least to the most; one edge is the pass line.

    Args:
        most: the most points that can be reached.
        line: the points that pass.
    """
    low, high = min([*scores, Decimal(0)]), max([*scores, most])
    width = next(one for one in WIDTHS if (high - low) / one < MAX_BINS and one >= most / MAX_BINS)
    first = int(((low - line) / width).to_integral_value(ROUND_FLOOR))
    last = max(first + 1, int(((high - line) / width).to_integral_value(ROUND_CEILING)))
    counts = [0] * (last - first)
    for score in scores:
        place = int(((score - line) / width).to_integral_value(ROUND_FLOOR)) - first
        counts[min(place, len(counts) - 1)] += 1
    edges = [line + (first + number) * width for number in range(len(counts) + 1)]
    return [
        Column(max(start, Decimal(0)), end, count, start >= line)
        for start, end, count in zip(edges, edges[1:], counts, strict=False)
    ]


BEFORE = (
    (7 * 24, "more than 7 days before"),
    (3 * 24, "3 to 7 days before"),
    (24, "1 to 3 days before"),
    (12, "12 to 24 hours before"),
    (6, "6 to 12 hours before"),
    (1, "1 to 6 hours before"),
    (0, "in the last hour"),
    (-24, "up to a day late"),
)
LATEST = "more than a day late"


def pushes_before(hours: Iterable[float]) -> dict[str, int]:
    """How many pushed last in each span of time before their due date, the earliest first."""
    counts = {name: 0 for _, name in BEFORE} | {LATEST: 0}
    for one in hours:
        counts[next((name for least, name in BEFORE if one >= least), LATEST)] += 1
    return counts
