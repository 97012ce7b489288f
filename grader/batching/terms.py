"""What holds for one submission alone: when it is due, and whose numbers its PDF should name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from grader.batching.find import BatchError
from grader.collect import Collected, Record
from grader.roster import Person, due_of, identifiers
from grader.sheet import Sheet


@dataclass(frozen=True)
class Terms:
    """One submission's own terms.

    Attributes:
        due: when it is due, where that is later than the sheet says: its extension.
        members: the identifiers of its people by the roster.
    """

    due: datetime | None = None
    members: tuple[str, ...] = ()


def terms_of(names: Iterable[str], sheet: Sheet, record: Record, people: Sequence[Person]) -> dict[str, Terms]:
    """The terms of each submission: extensions as it was collected with them, else as the roster gives them.

    Raises `BatchError` where the two differ, or where the sheet was due at another time when an extension was applied:
    which of them is meant is not guessed, since points depend on it.
    """
    collected = {one.name.lower(): one for one in record.submissions}
    on_roster: dict[str, list[Person]] = {}
    for person in people:
        on_roster.setdefault(person.submission, []).append(person)
    terms = {}
    for name in names:
        own, one = on_roster.get(name.lower(), []), collected.get(name.lower())
        by_roster = due_of(own, name, sheet.due) if own else None
        due = by_roster if one is None or one.due is None else _collected_due(one, sheet)
        if by_roster is not None and due != by_roster:
            raise BatchError(
                f"{name}: by the roster it is due {_told(by_roster)}, it was collected for {_told(due)}; give the same "
                "--roster and --extensions to `python -m grader collect` and here"
            )
        terms[name] = Terms(None if due == sheet.due else due, identifiers(own, name))
    return terms


def last_due(sheet: Sheet, people: Iterable[Person], record: Record | None = None) -> datetime | None:
    """The last moment at which anyone's work is due, handed in already or not; None where nothing is known."""
    collected = [one.due for one in record.submissions] if record else []
    by_roster = [due_of([person], person.submission, sheet.due) for person in people]
    return max((due for due in (sheet.due, *collected, *by_roster) if due), default=None)


def outdated(record: Record, sheet: Sheet) -> list[str]:
    """The submissions that were fetched for another due date than the sheet's, so that what counts may not be there."""
    return [one.name for one in record.submissions if one.due_for_all not in (None, sheet.due)]


def _collected_due(one: Collected, sheet: Sheet) -> datetime | None:
    """The due date that it was collected for where it has an extension, else the sheet's."""
    if sheet.due is None:
        return one.due
    for_all = one.due_for_all or sheet.due
    if one.due is None or one.due <= for_all:
        return sheet.due
    if for_all != sheet.due:
        raise BatchError(
            f"{one.name}: its extension was collected when the sheet was due {_told(for_all)}, and now it is due "
            f"{_told(sheet.due)}; run `python -m grader collect` again"
        )
    return one.due


def _told(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S %z}" if at else "at no time"
