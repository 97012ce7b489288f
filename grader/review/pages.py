"""The pages as HTML: whatever a template prints is made plain and escaped; no template can forget it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from grader.gradebook.phrases import Phrase
from grader.gradebook.reviews import Items, Known
from grader.reports import words
from grader.reports.pages import with_code
from grader.reports.text import plain
from grader.result import UNREADABLE
from grader.review.desk import Desk, Entry, Order, Place, View
from grader.review.guard import Doors
from grader.review.paper import LONGEST, Text
from grader.review.rubric import Item, fitted, items_of, thoughts_of
from grader.sheet import Task

HERE = Path(__file__).parent
FOUND = 40
"""How many submissions a search shows."""
_KEYS = "qweasdfgzxhiy"
"""The keys of comments that are kept, those under the left hand first; the others are taken by commands."""


@dataclass(frozen=True)
class Row:
    """An item of a rubric as it is shown: its number, its text, what it may give, and what is decided (or "")."""

    number: int
    item: Item
    points: str

    @property
    def pressed(self) -> str:
        """For a button with three states: `true` where all points are given."""
        if self.points in ("", "0"):
            return "false"
        return "true" if Decimal(self.points) == self.item.points else "mixed"


@dataclass(frozen=True)
class Paper:
    """What is read beside the rubric: texts, and the PDF, whose `problem` says why there is none; what is shown first;
    and the digest of it all."""

    texts: Sequence[Text]
    problem: str
    pdf_first: bool
    digest: str


class Pages:
    """The templates of one server: they know its address, its sheet and who grades."""

    def __init__(self, desk: Desk, doors: Doors, has_viewer: bool) -> None:
        self._desk = desk
        self._environment = _environment().overlay()
        self._environment.globals = {
            **_environment().globals,
            "base": f"/{doors.token}",
            "viewer": f"/{doors.viewer}/viewer.html" if has_viewer else "",
            "desk": desk,
        }

    def render(self, template: str, **values: Any) -> str:
        return self._environment.get_template(template).render(**values)

    def place(self, view: View, place: Place, order: Order, paper: Paper, phrases: Sequence[Phrase]) -> str:
        """A task of a submission, beside what was handed in."""
        known = view.known_at(place)
        review = known.review
        stale = review.read and review.read != paper.digest
        return self.render(
            "place.html.j2",
            view=view,
            place=place,
            order=order,
            paper=paper,
            known=known,
            rows=rows_of(place.task, fitted(review.items, place.task)),
            thoughts=thoughts_of(place.task),
            state=view.state(place.entry, place.task),
            status=status(known),
            overridden=view.overridden.get((place.entry.id, place.task.id)),
            stale=stale,
            elsewhere=is_from_elsewhere(known),
            phrases=keyed(phrases),
            asked=view.asked(place),
        )

    def overview(self, view: View) -> str:
        """The class: every submission by every task."""
        return self.render("overview.html.j2", view=view, place=None)

    def found(self, view: View, query: str, task: int) -> str:
        """The submissions whose name holds a text."""
        hits = [entry for entry in view.entries if query.strip().lower() in entry.label.lower()]
        return self.render("found.html.j2", view=view, hits=hits[:FOUND], more=len(hits) - FOUND, task=task)


def rows_of(task: Task, items: Items) -> list[Row]:
    return [
        Row(number, item, "" if points is None else words.points(points))
        for number, (item, points) in enumerate(zip(items_of(task), items, strict=True), 1)
    ]


def status(known: Known) -> str:
    """Who saved what, in a line."""
    review, mark = known.review, known.mark
    if mark and is_from_elsewhere(known):
        return f"{words.counted(mark.points)} from {mark.who}: {mark.why}"
    if not review.version:
        return "nothing decided yet"
    return f"{'done by' if mark else 'begun by'} {review.who}, {_local(review.at)}"


def is_from_elsewhere(known: Known) -> bool:
    """Whether the points that count were not decided item by item, but given by a command."""
    review, mark = known.review, known.mark
    return mark is not None and (not review.version or (mark.at > review.at and mark.points != review.points))


def _local(at: str) -> str:
    """A time as the grader's clock shows it."""
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M")


def keyed(phrases: Sequence[Phrase]) -> list[tuple[str, Phrase]]:
    """Comments with their keys; those beyond the last key have none."""
    return [(_KEYS[number] if number < len(_KEYS) else "", phrase) for number, phrase in enumerate(phrases)]


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"points": words.points, "with_code": with_code}
    environment.filters |= {"verbatim": _verbatim, "state_of": _state_of}
    environment.globals |= {"letters": _KEYS}
    return environment


def _shown(value: Any) -> Any:
    return plain(value, LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value


def _verbatim(text: str) -> Markup:
    """A grader's own text, which goes back into a field as it is: escaped, and nothing else."""
    return escape(text)


def _state_of(view: View, entry: Entry, task: Task) -> dict[str, str]:
    """A cell of the overview: its state, its sign, and what a screen reader says."""
    state = view.state(entry, task)
    known = view.known.get((entry.id, task.id))
    points = words.points(known.mark.points) if known and known.mark else ""
    asked = (entry.id, task.id) in view.asking
    nothing = state in ("open", "begun") and entry.notes.get(task.id, "").startswith(UNREADABLE)
    signs = {"open": "∅" if nothing else "·", "begun": "◐", "done": points, "closed": "–"}
    said = {"open": "open", "begun": "begun", "done": f"{points} points", "closed": "nothing to decide"}
    more = (", nothing could be read" if nothing else "") + (", a request waits" if asked else "")
    return {"state": state, "sign": signs[state], "said": said[state] + more, "asked": "yes" if asked else ""}
