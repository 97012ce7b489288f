"""Which repositories are to be collected, under which names, until when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from grader.collect import CollectError, Wanted
from grader.roster import Person, due_of

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class Deadline:
    """When work is due, and how many days later it is still taken; without a due date whatever is there is taken."""

    due: datetime | None = None
    late_days: int = 0

    def until(self, due: datetime | None) -> datetime | None:
        return None if due is None else due + timedelta(days=self.late_days)


def by_roster(people: Sequence[Person], owner: str, prefix: str, deadline: Deadline) -> list[Wanted]:
    """A submission for each person or team of the roster; those without an account are left out.

    A repository is the roster's own, else `OWNER/PREFIX-USERNAME` or `OWNER/PREFIX-TEAM`. Of a team the latest
    extension counts.
    """
    groups: dict[str, list[Person]] = {}
    for person in people:
        if person.submission:
            groups.setdefault(person.submission, []).append(person)
    return [_wanted(name, members, owner, prefix, deadline) for name, members in groups.items()]


def by_name(repositories: Iterable[str], prefix: str, deadline: Deadline) -> Iterator[Wanted]:
    """A submission for each repository, called by what stands behind the prefix."""
    for repository in repositories:
        name = repository.rpartition("/")[2].lower()
        name = name.removesuffix(".git").removeprefix(prefix.lower()).lstrip("-")
        if not _NAME.fullmatch(name):
            raise CollectError(f"{repository!r} gives no name for a submission; check the prefix {prefix!r}")
        yield Wanted(name, repository, (), deadline.due, deadline.until(deadline.due), deadline.due)


def strangers(wanted: Iterable[Wanted], repositories: Iterable[str]) -> list[str]:
    """Repositories of the assignment that belong to nobody on the roster."""
    known = {one.repository.lower() for one in wanted}
    return [name for name in repositories if name.lower() not in known]


def _wanted(name: str, members: Sequence[Person], owner: str, prefix: str, deadline: Deadline) -> Wanted:
    own = {person.repository for person in members if person.repository}
    if len(own) > 1:
        raise CollectError(f"the roster gives {name!r} several repositories ({', '.join(sorted(own))}); keep one")
    repository = own.pop() if own else "-".join(filter(None, (prefix.rstrip("-"), name)))
    if owner and "/" not in repository:
        repository = f"{owner}/{repository}"
    due = due_of(members, name, deadline.due)
    accounts = tuple(person.username for person in members if person.username)
    return Wanted(name, repository, accounts, due, deadline.until(due), deadline.due)
