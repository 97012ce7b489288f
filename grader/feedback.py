"""Read `feedback.md`: what a student wrote in a template of headings, and how many hours the sheet took."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

MAX_CHARACTERS = 50_000
MAX_HOURS = 1_000

_NUMBER = r"(?<![\d.,])\d{1,4}(?:[.,]\d{1,2})?(?![\d]|[.,]\d)"
_HOURS = re.compile(rf"(?P<low>{_NUMBER})(?:\s?(?:-|–|to|bis)\s?(?P<high>{_NUMBER}))?")
_WITH_UNIT = re.compile(_HOURS.pattern + r"\s?(?:h|hrs?|hours?|std|stunden?)\b", re.IGNORECASE)
_ASKS_FOR_HOURS = re.compile(r"\b(?:hours?|duration|stunden?|dauer)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Feedback:
    """What `feedback.md` holds.

    Attributes:
        answered: whether the student wrote anything.
        hours: the least and the most hours, equal where one number was given; None where there is none.
    """

    answered: bool
    hours: tuple[Decimal, Decimal] | None


@dataclass(frozen=True)
class Answer:
    """A line that a student wrote, and the line above or before it that asked for it."""

    asked: str
    text: str


def read_feedback(text: str, template: str) -> Feedback:
    """Compare a feedback with the template it was written in.

    Hours are the first number that answers the template's line on hours or duration, or else the first with a unit:
    `5`, `5.5`, `5,5`, `5-6`, `about 5 hours`.
    """
    written = list(answers(text, template))
    hours = [_HOURS.search(answer.text) for answer in written if asks_for_hours(answer.asked)]
    hours += [_WITH_UNIT.search(answer.text) for answer in written]
    found = next((match for match in hours if match), None)
    return Feedback(bool(written), _range(found) if found else None)


def asks_for_hours(question: str) -> bool:
    """Whether a line of the template asks how long the sheet took."""
    return _ASKS_FOR_HOURS.search(question) is not None


def answers(text: str, template: str) -> Iterator[Answer]:
    """The lines that the template does not hold; of one that continues a line of the template only the rest."""
    given = {line.strip() for line in template.splitlines()} - {""}
    questions = [line for line in given if line.strip("#-*_ ")]
    asked = ""
    for line in filter(None, (line.strip() for line in text[:MAX_CHARACTERS].splitlines())):
        if line in given or line.startswith("#"):
            asked = line
            continue
        begun = max((question for question in questions if line.startswith(question)), key=len, default="")
        asked = begun or asked
        yield Answer(asked, line.removeprefix(begun).strip())


def _range(found: re.Match[str]) -> tuple[Decimal, Decimal] | None:
    low, high = (Decimal(one.replace(",", ".")) for one in (found["low"], found["high"] or found["low"]))
    return (min(low, high), max(low, high)) if max(low, high) <= MAX_HOURS else None
