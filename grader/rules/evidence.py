"""Lines of proof, few enough to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from grader.reader import Reading
from grader.result import Evidence

MAX_EVIDENCE = 20


def findings_of(reading: Reading, *kinds: str) -> list[dict[str, Any]]:
    """The findings of these kinds, in the order of files and lines."""
    found = [finding for finding in reading.findings if finding["kind"] in kinds]
    return sorted(found, key=lambda finding: (finding["file"], finding["line"]))


def evidence_of(findings: Iterable[dict[str, Any]]) -> tuple[Evidence, ...]:
    """One line for each finding."""
    return first([Evidence(text=one["message"], file=one["file"], line=one["line"]) for one in findings])


def first(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The first lines, and how many more there are."""
    if len(evidence) <= MAX_EVIDENCE:
        return tuple(evidence)
    return (*evidence[:MAX_EVIDENCE], Evidence(text=f"and {len(evidence) - MAX_EVIDENCE} more"))


def counted(number: int, one: str, many: str = "") -> str:
    """`1 gap`, `2 gaps`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
