"""What a class says of a sheet: hours and comments of many `feedback.md`, without anybody's name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median, quantiles

from grader.feedback import answers, asks_for_hours, read_feedback
from grader.reports.text import markdown
from grader.rules.evidence import counted

MAX_BINS = 10
BAR = 30
MAX_COMMENT = 2_000
_PERSONAL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<!\w)@[\w-]+|\b\d{6,}\b")


@dataclass(frozen=True)
class Bin:
    """How many needed from `low` up to, but not including, `high` hours."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class ClassFeedback:
    """The feedback of many submissions.

    Attributes:
        handed_in: how many texts there were, the untouched ones among them.
        answered: how many of them somebody wrote something in.
        hours: in ascending order; of a range its middle.
        median: of the hours, or None where nobody gave any.
        middle_half: the hours between which half of the answers lie, or None for fewer than two answers.
        spread: the hours in bins of one width.
        comments: by question of the template, in alphabetical order: whose they are cannot be told from their place.
    """

    handed_in: int
    answered: int
    hours: tuple[Decimal, ...]
    median: Decimal | None
    middle_half: tuple[Decimal, Decimal] | None
    spread: tuple[Bin, ...]
    comments: dict[str, tuple[str, ...]]


def summarise(texts: Iterable[str], template: str, names: Iterable[str] = ()) -> ClassFeedback:
    """Put many feedbacks together.

    Args:
        texts: each submission's `feedback.md`.
        template: `feedback.md` as it was handed out.
        names: what is left out of the comments wherever it stands as a word, besides mail addresses, accounts with an @
            and numbers of six digits or more.
    """
    texts = list(texts)
    read = [read_feedback(text, template) for text in texts]
    hours = sorted((one.hours[0] + one.hours[1]) / 2 for one in read if one.hours)
    quarters = quantiles(hours, n=4, method="inclusive") if len(hours) > 1 else []
    return ClassFeedback(
        handed_in=len(texts),
        answered=sum(one.answered for one in read),
        hours=tuple(hours),
        median=median(hours) if hours else None,
        middle_half=(quarters[0], quarters[2]) if quarters else None,
        spread=spread(hours),
        comments=_comments(texts, template, _any_of(names)),
    )


def spread(hours: Sequence[Decimal]) -> tuple[Bin, ...]:
    """Bins of 1, 2, 5, 10, ... hours, the smallest width that needs no more than `MAX_BINS`, of hours in order."""
    if not hours:
        return ()
    widths = (factor * 10**power for power in range(4) for factor in (1, 2, 5))
    width = next(one for one in widths if hours[-1] // one - hours[0] // one < MAX_BINS)
    places = [int(one // width) for one in hours]
    return tuple(
        Bin(place * width, (place + 1) * width, places.count(place)) for place in range(places[0], places[-1] + 1)
    )


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    """Matches a person: a name as a whole word, in any case, or what `_PERSONAL` knows."""
    words = sorted({name.strip() for name in names} - {""}, key=len, reverse=True)
    spelled = "".join(rf"|(?<!\w){re.escape(word)}(?!\w)" for word in words)
    return re.compile(_PERSONAL.pattern + spelled, re.IGNORECASE)


def _comments(texts: list[str], template: str, person: re.Pattern[str]) -> dict[str, tuple[str, ...]]:
    questions = [line.strip() for line in template.splitlines() if line.startswith("#")]
    found: dict[str, list[str]] = {question: [] for question in questions}
    for text in texts:
        written: dict[str, list[str]] = {}
        for answer in answers(text, template):
            written.setdefault(answer.asked if answer.asked in found else "", []).append(answer.text)
        for question, lines in written.items():
            comment = person.sub("[...]", "\n".join(lines))[:MAX_COMMENT]
            if not asks_for_hours(question) and any(character.isalpha() for character in comment):
                found.setdefault(question, []).append(comment)
    return {
        question.strip("# ") or "Elsewhere": tuple(sorted(comments)) for question, comments in found.items() if comments
    }


def as_markdown(feedback: ClassFeedback, title: str) -> str:
    """The summary as a page for the staff."""
    parts = [
        f"# {markdown(title)}: feedback",
        f"Written in: {feedback.answered} of {counted(feedback.handed_in, 'feedback')}.",
    ]
    if feedback.median is not None:
        line = f"Hours: median {_short(feedback.median)}"
        if feedback.middle_half:
            low, high = feedback.middle_half
            line += f", half of the answers between {_short(low)} and {_short(high)}"
        parts += [f"{line} ({counted(len(feedback.hours), 'answer')}).", _table(feedback.spread)]
    for question, comments in feedback.comments.items():
        parts += [f"## {markdown(question)}", "\n".join(f"- {markdown(comment)}" for comment in comments)]
    return "\n\n".join(parts) + "\n"


def _table(spread: tuple[Bin, ...]) -> str:
    most = max(one.count for one in spread)
    rows = [
        f"| {one.low} to {one.high} | {one.count} | {'█' * round(BAR * one.count / max(most, BAR))} |" for one in spread
    ]
    return "\n".join(["| hours | answers | |", "| --- | ---: | --- |", *rows])


def _short(hours: Decimal) -> str:
    """7, 7.5, 7.25."""
    return f"{hours.quantize(Decimal('0.01')).normalize():f}"
