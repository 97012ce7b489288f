"""Count pushes to a branch from the host's activity log (GitHub: `GET /repos/{owner}/{repo}/activity`).

The log is the server's own: commits, their dates and workflow runs are the student's to forge, this is not.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Literal, get_args

from grader import GapgradeError

# GitHub's schema knows these.
ActivityType = Literal["push", "force_push", "branch_deletion", "branch_creation", "pr_merge", "merge_queue_merge"]

MAX_LOG_BYTES = 64 * 1024**2
_COUNTED = ("push", "force_push", "pr_merge", "merge_queue_merge")
_IN_WORDS: dict[type[Any], str] = {str: "a text", int: "a whole number"}
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class PushesError(GapgradeError):
    """An activity log that cannot be read: file, item, and what is wrong."""


@dataclass(frozen=True)
class Item:
    """One entry of the log: a ref went from `before` to `after`.

    Attributes:
        before, after: commit ids; all zeros where the branch did not exist.
        actor: who did it; empty where the host no longer knows.
    """

    id: int
    ref: str
    before: str
    after: str
    at: datetime
    kind: ActivityType
    actor: str
    bot: bool


@dataclass(frozen=True)
class Activity:
    """A repository's log, each entry once, the oldest first."""

    items: tuple[Item, ...]


@dataclass(frozen=True)
class Push:
    """A person's push; `actor` is empty where the host no longer knows who."""

    at: datetime
    actor: str
    kind: ActivityType
    after_due: bool


@dataclass(frozen=True)
class PushCount:
    """The pushes to one branch.

    Attributes:
        count: pushes up to the due date. Later ones make the work late and do not count here as well: nobody pays twice
            for one push.
        complete: whether the log has no hole. Where it has one, nothing may be deducted.
        pushes: those of people, the late ones among them, the oldest first.
        by_bots: how many pushes of bots were left out.
        hole: where the log has a hole, in words; empty where it is complete.
    """

    branch: str
    count: int
    complete: bool
    pushes: tuple[Push, ...]
    by_bots: int = 0
    hole: str = ""


def read_activity(path: Path) -> Activity:
    """Read a log that was saved as JSON: one list of items, in any order. Raises `PushesError`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PushesError(f"{path}: it cannot be opened ({error.strerror}); check the path") from None
    if len(data) > MAX_LOG_BYTES:
        raise PushesError(f"{path}: it is larger than {MAX_LOG_BYTES // 1024**2} MiB; ask the host for one branch only")
    try:
        items = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PushesError(f"{path}: it is not JSON ({error}); save the host's answer as it came") from None
    return parse_activity(items, str(path))


def parse_activity(items: Any, where: str) -> Activity:
    """A log from its decoded JSON; `where` names it in errors. Raises `PushesError` with the item's number from 1."""
    if not isinstance(items, list):
        raise PushesError(f"{where}: it is no list of items; save the host's answer as it came")
    by_id: dict[int, Item] = {}
    for number, item in enumerate(items, 1):
        parsed = _parse_item(item, f"{where}: item {number}")
        by_id.setdefault(parsed.id, parsed)  # two pages of the log may overlap
    return Activity(tuple(sorted(by_id.values(), key=lambda item: (item.at, item.id))))


def count_pushes(activity: Activity, branch: str, due: datetime | None) -> PushCount:
    """Count the pushes of people to a branch.

    Creating the branch is no push, unless it had been deleted before: then the new branch carries new work. Raises
    `PushesError` for a due date without a time zone.
    """
    if due is not None and due.tzinfo is None:
        raise PushesError(f"the due date {due} has no time zone; write it like 2027-01-16T23:59:00+01:00")
    items = _in_order([item for item in activity.items if item.ref == f"refs/heads/{branch}"])
    hole = _hole(items)
    counted = [item for item in items if item.kind in _COUNTED or (item.kind == "branch_creation" and item != items[0])]
    pushes = tuple(
        Push(item.at, item.actor, item.kind, due is not None and item.at > due) for item in counted if not item.bot
    )
    count = sum(not push.after_due for push in pushes)
    by_bots = sum(item.bot for item in counted)
    return PushCount(branch, count, not hole, pushes, by_bots, hole)


def last_push(activity: Activity, branch: str, commit: str | None = None) -> datetime | None:
    """When the work was handed in, by the server's clock; None where the log does not tell.

    That is when the branch first came to `commit`, whoever moved it there: a bot's late push is late, too. Where the
    commit is not given or not in the log, it is when a person last pushed.
    """
    items = [item for item in activity.items if item.ref == f"refs/heads/{branch}"]
    came = [item.at for item in items if commit and item.after == commit]
    moved = [item.at for item in items if not item.bot and item.kind != "branch_deletion"]
    return came[0] if came else max(moved, default=None)


def _hole(items: list[Item]) -> str:
    """Where one entry does not begin at what the entry before it ended with."""
    if items and items[0].kind != "branch_creation" and set(items[0].before) != {"0"}:
        return f"the log begins at {items[0].at:%Y-%m-%d %H:%M} with a branch that was there before"
    for earlier, later in pairwise(items):
        if earlier.after != later.before:
            return f"between {earlier.at:%Y-%m-%d %H:%M} and {later.at:%Y-%m-%d %H:%M} something is missing in the log"
    return ""


def _in_order(items: list[Item]) -> list[Item]:
    """One ref's entries by time; those of one second are chained: each begins where the one before it ended."""
    ordered: list[Item] = []
    by_time = sorted(items, key=lambda item: (item.at, item.id))
    for _, same_time in groupby(by_time, key=lambda item: item.at):
        waiting = list(same_time)
        while waiting:
            tip = ordered[-1].after if ordered else ""
            ends = {item.after for item in waiting}
            following = [item for item in waiting if item.before == tip]
            heads = [item for item in waiting if item.before not in ends]
            ordered.append((following or heads or waiting)[0])
            waiting.remove(ordered[-1])
    return ordered


def _parse_item(item: Any, where: str) -> Item:
    if not isinstance(item, dict):
        raise PushesError(f"{where}: it is no object; save the host's answer as it came")

    def field(name: str, kind: type[Any]) -> Any:
        value = item.get(name)
        if type(value) is not kind:
            found = "is missing" if name not in item else f"is {value!r:.80}"
            raise PushesError(
                f"{where}: {name!r} {found}, expected {_IN_WORDS[kind]}; save the host's answer as it came"
            )
        return value

    kind = field("activity_type", str)
    if kind not in get_args(ActivityType):
        known = ", ".join(get_args(ActivityType))
        raise PushesError(f"{where}: the activity_type {kind!r:.80} is unknown; known are {known}")
    actor, bot = _parse_actor(item, where)
    return Item(
        field("id", int),
        field("ref", str),
        _parse_id(field("before", str), f"{where}: 'before'"),
        _parse_id(field("after", str), f"{where}: 'after'"),
        _parse_time(field("timestamp", str), where),
        kind,
        actor,
        bot,
    )


def _parse_actor(item: dict[str, Any], where: str) -> tuple[str, bool]:
    """The login and whether it is a bot's; the host writes null where the account is gone."""
    if "actor" not in item:
        raise PushesError(f"{where}: 'actor' is missing; save the host's answer as it came")
    actor = item["actor"]
    if actor is None:
        return "", False
    if not isinstance(actor, dict) or not isinstance(actor.get("login"), str):
        raise PushesError(f"{where}: 'actor' has no login; save the host's answer as it came")
    login = actor["login"]
    return login, actor.get("type") == "Bot" or login.endswith("[bot]")


def _parse_id(value: str, where: str) -> str:
    if not _ID.fullmatch(value):
        raise PushesError(f"{where} is {value!r:.80}, expected a commit's full id; save the host's answer as it came")
    return value


def _parse_time(value: str, where: str) -> datetime:
    try:
        at: datetime | None = datetime.fromisoformat(value)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise PushesError(f"{where}: 'timestamp' is {value!r:.80}, expected a time like 2027-01-16T22:59:00Z")
    return at
