"""What is kept of a submission's own work beside its result: what it wrote into the gaps, and the hours that it named.

The result tells how the work was judged; people who look at a class ask what was written. It is small: a gap's content
is cut, and so is the sum of all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MAX_GAP = 8_000
MAX_GAPS = 64_000
"""How many characters are kept of a gap, and of all gaps together."""


@dataclass(frozen=True)
class GapText:
    """What stands in a gap; `line` is that of its start marker in the student's file."""

    file: str
    label: str
    line: int
    content: str


@dataclass(frozen=True)
class Work:
    """A submission's own work: the gaps that it filled, and the least and the most hours that its feedback names."""

    gaps: tuple[GapText, ...] = ()
    hours: tuple[Decimal, Decimal] | None = None

    def to_json(self) -> str:
        """In ASCII: students' texts may hold what UTF-8 has no bytes for."""
        gaps = [[gap.file, gap.label, gap.line, gap.content] for gap in self.gaps]
        return json.dumps({"gaps": gaps, "hours": [f"{one:f}" for one in self.hours or ()]}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Work:
        data = json.loads(text)
        hours = tuple(Decimal(one) for one in data["hours"])
        return cls(tuple(GapText(*gap) for gap in data["gaps"]), (hours[0], hours[1]) if hours else None)


def filled_gaps(gaps: Iterable[Mapping[str, Any]]) -> tuple[GapText, ...]:
    """The gaps that hold something of the student's, as `read_submission` lists them, as far as there is room."""
    kept: list[GapText] = []
    left = MAX_GAPS
    for gap in gaps:
        content = gap["content"][: min(MAX_GAP, left)]
        if gap["state"] in ("filled", "syntax") and content:
            kept.append(GapText(gap["file"], gap["label"], gap["line"], content))
            left -= len(content)
    return tuple(kept)
