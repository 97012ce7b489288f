"""Fetch what was pushed in time: one commit a repository, and the host's own log of pushes beside it.

Written into one folder, for `grader batch`: `NAME.git` (bare, one commit), `NAME.activity.json` (see `grader.pushes`),
and `collect.json`, the record of what was fetched, from where, and why not.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader import GapgradeError
from grader.pushes import Activity, count_pushes, parse_activity
from grader.whole import write_whole

RECORD = "collect.json"
ACTIVITY = ".activity.json"
FETCHING = ".fetching-"  # what the folders begin with in which repositories grow
ABANDONED_SECONDS = 24 * 3600

State = Literal["collected", "missing", "empty", "late", "failed"]
IN_WORDS: dict[State, str] = {
    "collected": "collected",
    "missing": "no such repository",
    "empty": "nothing was pushed",
    "late": "nothing was pushed in time",
    "failed": "failed",
}


class CollectError(GapgradeError):
    """A collection that cannot go on: what, and what to do."""


@dataclass(frozen=True)
class Wanted:
    """One submission to fetch.

    Attributes:
        name: what the submission is called from now on.
        repository: where it is: `owner/name`, or a folder's name.
        people: the accounts it belongs to, for the record.
        due: when it is due, its extension included; later pushes are late.
        until: the last moment that is taken at all; None for whatever is there now.
        due_for_all: when work without an extension is due.
    """

    name: str
    repository: str
    people: tuple[str, ...] = ()
    due: datetime | None = None
    until: datetime | None = None
    due_for_all: datetime | None = None


class Collected(BaseModel):
    """The record of one submission.

    Attributes:
        asked, repository: what was asked for, and its name at the host now.
        due, until, due_for_all: as in `Wanted`; records of earlier versions do not have the last one.
        commit: what was fetched.
        pushes, complete: pushes of people up to `due`, and whether the log has no hole.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    asked: str
    repository: str
    people: tuple[str, ...] = ()
    due: datetime | None = None
    until: datetime | None = None
    due_for_all: datetime | None = None
    state: State
    commit: str | None = None
    pushes: int = 0
    complete: bool = False
    note: str = ""


class Record(BaseModel):
    """All submissions of one collection, as `collect.json` keeps them."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_: Literal["gapgrade/collect/v1"] = Field(default="gapgrade/collect/v1", alias="schema")
    branch: str
    submissions: tuple[Collected, ...] = ()


@dataclass(frozen=True)
class Found:
    """A repository at its source: what it is called there now, and its log, items as GitHub writes them."""

    repository: str
    items: list[Any]


class Source(Protocol):
    """Where repositories come from; raises `GapgradeError` for what fails, `LookupError` for what is not there."""

    def find(self, repository: str, branch: str) -> Found:
        """Look a repository up, and read the log of one branch."""

    def tip(self, repository: str, branch: str) -> str | None:
        """The commit that the branch is at now, None where there is none."""

    def fetch(self, repository: str, commit: str, branch: str, target: Path) -> None:
        """Make `target` a bare repository with that commit alone."""


def collect(
    source: Source,
    wanted: Sequence[Wanted],
    branch: str,
    out: Path,
    *,
    jobs: int = 4,
    refresh: bool = False,
    done: Callable[[Collected], None] = lambda collected: None,
) -> Record:
    """Fetch all that is wanted, several at a time; `done` hears of each.

    What an earlier run fetched is not asked for again, unless it is to be handed in by another time now, or `refresh`
    is set. Other submissions of earlier runs stay, in the folder and in its record. Raises `CollectError`.
    """
    _check_names(wanted)
    out.mkdir(parents=True, exist_ok=True)
    _sweep(out)
    earlier = read_record(out, branch)
    if earlier.branch != branch:
        raise CollectError(f"{out} holds what was pushed to {earlier.branch}, not to {branch}; give another folder")
    names = {one.name for one in wanted}
    kept = {one.name: one for one in earlier.submissions if one.name not in names}
    before = {} if refresh else {one.name: one for one in earlier.submissions}
    finished = {one.name: there for one in wanted if (there := _same(before.get(one.name), one, out))}
    for there in finished.values():
        done(there)
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        waiting = [one for one in wanted if one.name not in finished]
        futures = [pool.submit(_collect_one, source, one, branch, out) for one in waiting]
        try:
            for future in as_completed(futures):
                collected = future.result()
                finished[collected.name] = collected
                _write_record(out, branch, kept | finished)
                done(collected)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    _write_record(out, branch, kept | finished)
    return Record(branch=branch, submissions=tuple(finished[one.name] for one in wanted))


def commit_in_time(activity: Activity, branch: str, until: datetime | None) -> tuple[str | None, bool]:
    """The commit that the branch was at, by the server's clock, and whether the log knows the branch at all.

    A push after `until` is not looked at, whatever it did to the history before it.
    """
    items = [item for item in activity.items if item.ref == f"refs/heads/{branch}"]
    in_time = [item for item in items if until is None or item.at <= until]
    last = in_time[-1] if in_time else None
    if last is not None:
        # Entries of one second are in no order of time: take the one that no other of them goes on from.
        same = [item for item in in_time if item.at == last.at]
        begun = {item.before for item in same}
        last = next((item for item in reversed(same) if item.after not in begun), last)
    gone = last is None or last.kind == "branch_deletion"
    return (None if gone or last is None else last.after), bool(items)


def read_record(out: Path, branch: str = "main") -> Record:
    """The record of the collections in a folder; an empty one where there is none."""
    file = out / RECORD
    try:
        return Record.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return Record(branch=branch)
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"{error.error_count()} fields are wrong"
        raise CollectError(f"{file} cannot be read ({reason}); remove it to collect anew") from None


def _sweep(out: Path) -> None:
    """Remove what a run that was killed was fetching, long enough ago that no other run can be at it."""
    for folder in out.glob(f"{FETCHING}*"):
        if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _collect_one(source: Source, one: Wanted, branch: str, out: Path) -> Collected:
    """Fetch one submission. What an earlier run left is removed first, so that what lies there is what is recorded."""
    _remove(out, one.name)
    try:
        return _fetched(source, one, branch, out)
    except LookupError as error:
        return _recorded(one, "missing", note=str(error.args[0]))
    except GapgradeError as error:
        return _recorded(one, "failed", note=str(error))


def _fetched(source: Source, one: Wanted, branch: str, out: Path) -> Collected:
    found = source.find(one.repository, branch)
    activity = parse_activity(found.items, f"the activity of {found.repository}")
    pushes = count_pushes(activity, branch, one.due)
    known = {"repository": found.repository, "pushes": pushes.count, "complete": pushes.complete, "note": pushes.hole}
    commit, logged = commit_in_time(activity, branch, one.until)
    if commit is None and logged:
        return _recorded(one, "late", **known)
    if commit is None:
        commit = source.tip(found.repository, branch)
        if commit is None:
            return _recorded(one, "empty", **known)
        known |= {"complete": False, "note": "the log is empty: when this was pushed is not known"}
    write_whole(out / f"{one.name}{ACTIVITY}", json.dumps(found.items, indent=1, ensure_ascii=False) + "\n")
    try:
        source.fetch(found.repository, commit, branch, out / f"{one.name}.git")
    except BaseException:
        _remove(out, one.name)
        raise
    return _recorded(one, "collected", commit=commit, **known)


def _recorded(one: Wanted, state: State, **more: Any) -> Collected:
    about = {"repository": one.repository, "asked": one.repository, "people": one.people, **_times(one)}
    return Collected(name=one.name, state=state, **{**about, **more})


def _times(one: Wanted) -> dict[str, datetime | None]:
    times = {"due": one.due, "until": one.until, "due_for_all": one.due_for_all}
    return {name: at.astimezone(UTC) if at else None for name, at in times.items()}


def _same(earlier: Collected | None, one: Wanted, out: Path) -> Collected | None:
    """The earlier record where it is what is wanted now, and its files are still there."""
    if earlier is None or earlier.state != "collected":
        return None
    if (earlier.asked, earlier.due, earlier.until) != (one.repository, one.due, one.until):
        return None
    there = (out / f"{one.name}.git" / "HEAD").is_file() and (out / f"{one.name}{ACTIVITY}").is_file()
    return earlier.model_copy(update={"people": one.people, **_times(one)}) if there else None


def _check_names(wanted: Iterable[Wanted]) -> None:
    seen: dict[str, str] = {}
    for one in wanted:
        if seen.setdefault(one.name, one.repository) != one.repository:
            raise CollectError(f"{one.repository} and {seen[one.name]} would both be {one.name!r}; rename a team")


def _remove(out: Path, name: str) -> None:
    (out / f"{name}{ACTIVITY}").unlink(missing_ok=True)
    if (out / f"{name}.git").exists():
        shutil.rmtree(out / f"{name}.git")


def _write_record(out: Path, branch: str, submissions: Mapping[str, Collected]) -> None:
    record = Record(branch=branch, submissions=tuple(submissions[name] for name in sorted(submissions)))
    write_whole(out / RECORD, record.model_dump_json(by_alias=True, indent=1) + "\n")
