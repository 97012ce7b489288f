"""What a person decides in a task: the items of its rubric, their points, and what the student reads of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.gradebook import GradebookError
from grader.gradebook.marks import read_points
from grader.gradebook.reviews import Items
from grader.sheet import Sheet, Task

WHOLE = "Points"


@dataclass(frozen=True)
class Item:
    """One thing to decide, worth 0 to `points`."""

    text: str
    points: Decimal


def tasks_by_hand(sheet: Sheet) -> list[Task]:
    """The tasks of a sheet that a person grades."""
    keyed = ("formula", "quiz")
    return [
        task for task in sheet.tasks if task.kind in ("written", "review") or (task.kind in keyed and not task.answers)
    ]


def items_of(task: Task) -> list[Item]:
    """The rubric's items; one for the whole task where the rubric gives no points, and is only to be thought of."""
    if any(item.points for item in task.rubric):
        return [Item(item.text, item.points) for item in task.rubric]
    return [Item(WHOLE, task.points)]


def thoughts_of(task: Task) -> list[str]:
    """The lines of a rubric without points."""
    return [] if any(item.points for item in task.rubric) else [item.text for item in task.rubric]


def read_item(item: Item, text: str) -> Decimal | None:
    """Points as somebody wrote them, with a decimal point or comma; None for an empty field.

    Raises `GradebookError` for what is no number, or out of range.
    """
    text = text.strip().replace(",", ".")
    if not text:
        return None
    points = read_points(text)
    if not 0 <= points <= item.points:
        raise GradebookError(f"{item.text!r} has 0 to {item.points:f} points, not {points:f}")
    return points


def fitted(items: Items, task: Task) -> Items:
    """Decisions by the rubric as it is now: what it has no more is left out, what is new is undecided."""
    most = [item.points for item in items_of(task)]
    kept = [item if item is None or item <= limit else None for item, limit in zip(items, most, strict=False)]
    return (*kept, *[None] * (len(most) - len(kept)))


def why(task: Task, items: Sequence[Decimal | None], comment: str) -> str:
    """What the student reads beside the points: the comment, and what each item gave."""
    known = items_of(task)
    parts = [f"{item or Decimal(0):f}/{one.points:f}" for item, one in zip(items, known, strict=True)]
    sums = f"Item by item: {', '.join(parts)}." if len(parts) > 1 else ""
    return " ".join(part for part in (comment.strip(), sums) if part) or f"{parts[0]} points."
