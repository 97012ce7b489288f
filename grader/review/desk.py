"""What waits for a person, in which order, and how far they are."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeVar

from sqlalchemy import select

from grader.gradebook import Gradebook, GradebookError
from grader.gradebook.requests import Request, requests_of
from grader.gradebook.reviews import Known, Review, known_reviews
from grader.gradebook.schema import overrides, results, submissions
from grader.review.rubric import tasks_by_hand
from grader.sheet import Sheet, Task

State = Literal["open", "begun", "done", "closed"]
"""Of a task of a submission: nobody decided anything; not done; its points count; there is nothing to decide."""
Order = Literal["task", "student"]
Thing = TypeVar("Thing")
MANY = 500  # results that are read at once
SHORT, LONG = 5, 20
"""Letters of what an anonymous submission is called."""


@dataclass(frozen=True)
class Entry:
    """A submission; `notes` tells by task what the grader found, `open` which tasks wait for a person."""

    id: int
    name: str
    source: str
    result: str
    label: str
    notes: dict[str, str]
    waits: frozenset[str]


@dataclass(frozen=True)
class Place:
    """A task of a submission: what is looked at."""

    entry: Entry
    task: Task


@dataclass
class Desk:
    """A sheet's submissions and who grades them; `look` reads the gradebook as it is now.

    Attributes:
        anonymous: submissions are called by a code, in an order that says nothing of their names.
        ref: the branch, tag or commit that was graded of each repository.
    """

    book: Gradebook
    sheet: Sheet
    grader: str
    anonymous: bool = False
    ref: str | None = None
    _results: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)

    def look(self) -> View:
        """The class at this moment. Raises `GradebookError` where there is nothing to grade by hand."""
        tasks = tasks_by_hand(self.sheet)
        if not tasks:
            raise GradebookError(f"no task of {self.sheet.name} is graded by a person")
        entries = list(self._entries(tasks))
        if not entries:
            raise GradebookError(f"{self.book.place} has no result of {self.sheet.name}; run the batch first")
        with self.book.reading() as connection:
            query = select(overrides).join(submissions).where(submissions.c.sheet == self.sheet.name)
            overridden = {(row.submission_id, row.task): row.points for row in connection.execute(query)}
        return View(tasks, entries, known_reviews(self.book, self.sheet.name), overridden,
                    requests_of(self.book, self.sheet.name))  # fmt: skip

    def answer(self, place: Place) -> str:
        """What stands in the task's cell of a notebook; empty where the task has none."""
        with self.book.reading() as connection:
            text = connection.execute(select(results.c.json).where(results.c.uid == place.entry.result)).scalar_one()
        tasks = json.loads(text)["tasks"]
        return next((str(one.get("answer", "")) for one in tasks if one["id"] == place.task.id), "")

    def _entries(self, tasks: list[Task]) -> Iterator[Entry]:
        query = select(submissions).where((submissions.c.sheet == self.sheet.name) & submissions.c.result.is_not(None))
        with self.book.reading() as connection:
            rows = list(connection.execute(query.order_by(submissions.c.name)))
        self._read_results([row.result for row in rows if row.result not in self._results])
        codes = _codes(self.sheet.name, [row.name for row in rows])
        if self.anonymous:
            rows.sort(key=lambda row: codes[row.name])
        by_hand = {task.id for task in tasks}
        for row in rows:
            found = self._results[row.result]
            yield Entry(
                id=row.id,
                name=row.name,
                source=row.source,
                result=row.result,
                label=f"Submission {codes[row.name]}" if self.anonymous else row.name,
                notes={task: note for task, (_, note) in found.items()},
                waits=frozenset(task for task, (state, _) in found.items() if state == "pending" and task in by_hand),
            )

    def _read_results(self, wanted: list[str]) -> None:
        """By task, the state and the note of results that were not read before; a result never changes."""
        with self.book.reading() as connection:
            for start in range(0, len(wanted), MANY):
                part = results.c.uid.in_(wanted[start : start + MANY])
                for row in connection.execute(select(results.c.uid, results.c.json).where(part)):
                    tasks = json.loads(row.json)["tasks"]
                    self._results[row.uid] = {one["id"]: (one["state"], one.get("note", "")) for one in tasks}


@dataclass(frozen=True)
class View:
    """A class at one moment."""

    tasks: list[Task]
    entries: list[Entry]
    known: dict[tuple[int, str], Known]
    overridden: dict[tuple[int, str], Decimal]
    requests: list[Request]

    def known_at(self, place: Place) -> Known:
        key = (place.entry.id, place.task.id)
        return self.known.get(key, Known(Review(*key)))

    def state(self, entry: Entry, task: Task) -> State:
        known = self.known.get((entry.id, task.id))
        if task.id not in entry.waits:
            return "closed"
        if known is None:
            return "open"
        return "done" if known.mark else "begun"

    def waits(self, entry: Entry, task: Task) -> bool:
        return self.state(entry, task) in ("open", "begun")

    @functools.cached_property
    def asking(self) -> set[tuple[int, str]]:
        """Where a request waits for its answer."""
        return {(one.submission, one.task) for one in self.requests if not one.answer}

    def asked(self, place: Place) -> list[Request]:
        """The requests about a task of a submission."""
        return [one for one in self.requests if (one.submission, one.task) == (place.entry.id, place.task.id)]

    def find(self, entry: int, task: int) -> Place:
        """A place by the submission's number and the task's place among those that are graded by hand."""
        for one in self.entries:
            if one.id == entry and 0 <= task < len(self.tasks):
                return Place(one, self.tasks[task])
        raise GradebookError("there is no such submission or task; go back to the overview")

    def number(self, task: Task) -> int:
        return self.tasks.index(task)

    def step(self, place: Place, by: int) -> Place:
        """The next or previous submission, the same task; around at the end."""
        where = (self.entries.index(place.entry) + by) % len(self.entries)
        return Place(self.entries[where], place.task)

    def turn(self, place: Place, by: int) -> Place:
        """The next or previous task of the same submission; around at the end."""
        return Place(place.entry, self.tasks[(self.number(place.task) + by) % len(self.tasks)])

    def next_waiting(self, place: Place | None, order: Order) -> Place | None:
        """The next place that waits for a person, after this one and around; None where nothing does any more.

        By task: the same task of the other submissions, then the next task. By student: the other tasks of the same
        submission, then the next one.
        """
        first = place or Place(self.entries[0], self.tasks[0])
        tasks, entries = _from(self.tasks, first.task), _from(self.entries, first.entry)
        if order == "task":
            places = [Place(e, task) for task in tasks for e in (entries if task == first.task else self.entries)]
        else:
            places = [Place(entry, t) for entry in entries for t in (tasks if entry == first.entry else self.tasks)]
        others = [one for one in places if one != place] + ([place] if place else [])
        return next((one for one in others if self.waits(one.entry, one.task)), None)

    def last_of(self, grader: str) -> Place | None:
        """Where somebody saved last."""
        mine = [known.review for known in self.known.values() if known.review.who == grader]
        last = max(mine, key=lambda review: review.at, default=None)
        for place in (Place(entry, task) for entry in self.entries for task in self.tasks):
            if last and (place.entry.id, place.task.id) == (last.submission, last.task):
                return place
        return None

    def resume(self, grader: str) -> Place | None:
        """Where somebody goes on: what they had begun last, else what waits next."""
        last = self.last_of(grader)
        return last if last and self.waits(last.entry, last.task) else self.next_waiting(last, "task")

    def progress(self, task: Task | None = None) -> tuple[int, int]:
        """How many are done, of how many that a person decides; of one task, or of all."""
        states = [self.state(entry, one) for entry in self.entries for one in ([task] if task else self.tasks)]
        return states.count("done"), len(states) - states.count("closed")


def _from(things: list[Thing], first: Thing) -> list[Thing]:
    """The same things, from one of them around to the one before it."""
    start = things.index(first)
    return things[start:] + things[:start]


def _codes(sheet: str, names: Sequence[str]) -> dict[str, str]:
    """What anonymous submissions are called: the same at every call, whoever is added.

    Accounts choose their names, and can choose one whose first letters are a classmate's: then both have longer ones.
    """
    digests = {name: hashlib.sha256(f"{sheet}\0{name}".encode("utf-8", "backslashreplace")).digest() for name in names}
    codes = {name: base64.b32encode(digest).decode().lower() for name, digest in digests.items()}
    short = Counter(code[:SHORT] for code in codes.values())
    return {name: code[:SHORT] if short[code[:SHORT]] == 1 else code[:LONG] for name, code in codes.items()}
