"""The roster: who takes part, under which account, in which repository. Three formats are read and told apart.

- ours: a column `username`, and any of `COLUMNS` beside it, in any order;
- GitHub Classroom's: `identifier,github_username,github_id,name`;
- Classroom 50's `students.csv`: `username,first_name,last_name,email,section,github_id`.

Who a submission belongs to is only ever taken from here or from the host, never from what was handed in.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from grader import GapgradeError

COLUMNS = (
    "username", "identifier", "github_id", "name", "first_name", "last_name", "email", "section", "team", "repository",
    "extension", "canvas_id", "sis_user_id", "sis_login_id", "moodle_id", "moodle_username", "ilias_id", "ilias_login",
)  # fmt: skip
_CLASSROOM = {"identifier", "github_username", "github_id", "name"}
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?")  # 39 characters, longer for managed accounts
_REPOSITORY = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_-]*/)?[A-Za-z0-9._-]{1,100}")
_TEAM = re.compile(r"[\w][\w .-]{0,98}")
_DAYS = re.compile(r"\+?(\d{1,3})(?: ?d| days?)?")
MAX_BYTES = 16 * 1024**2


class RosterError(GapgradeError):
    """A roster that cannot be used: file, line, and what to change."""


@dataclass(frozen=True)
class Extension:
    """More time: until a moment, or for some days beyond the due date."""

    until: datetime | None = None
    days: int = 0

    def end(self, due: datetime) -> datetime:
        """When this person's work is due; never before it is due for everyone."""
        return max(due, self.until if self.until is not None else due + timedelta(days=self.days))


@dataclass(frozen=True)
class Person:
    """One line of the roster.

    Attributes:
        username: the account at the host; empty where a student never linked one.
        more: the other columns that were filled in, by name (the ids of learning management systems among them).
    """

    username: str
    identifier: str = ""
    name: str = ""
    team: str = ""
    repository: str = ""
    extension: Extension | None = None
    more: dict[str, str] = field(default_factory=dict)

    @property
    def submission(self) -> str:
        """What this person's submission is called: the team, else the account, in lower case."""
        return (self.team or self.username).lower().replace(" ", "-")

    @property
    def own_repository(self) -> str:
        """The repository's name without its owner, in lower case; what a clone of it is called."""
        return self.repository.rpartition("/")[2].lower()


def read_roster(file: Path, extensions: Path | None = None) -> list[Person]:
    """Read a roster, and the extensions of a second CSV `username,extension` over its own.

    Raises:
        RosterError: with file and line, for a format that is not known, an account that is none or stands there twice.
    """
    people = [*_people(file)]
    if extensions is None:
        return people
    known = {person.username.lower() for person in people}
    given: dict[str, Extension | None] = {}
    for line, row in read_table(extensions, {"username", "extension"}):
        where, username = f"{extensions}:{line}", row["username"].lower()
        if username not in known:
            raise RosterError(f"{where}: {username!r} is not on the roster {file}; correct the account")
        given[username] = parse_extension(row["extension"], where)
    return [replace(person, extension=given.get(person.username.lower(), person.extension)) for person in people]


def read_people(roster: Path | None, extensions: Path | None = None) -> list[Person]:
    """The same where a roster was given; nobody otherwise. Raises `RosterError` for extensions without a roster."""
    if roster is not None:
        return read_roster(roster, extensions)
    if extensions is not None:
        raise RosterError(f"{extensions}: whose extensions these are stands in the roster; give --roster, too")
    return []


def identifiers(people: Iterable[Person], submission: str) -> tuple[str, ...]:
    """The identifiers of a submission's people, in most courses matriculation numbers; empty ones are left out."""
    return tuple(each.identifier for each in people if each.submission == submission.lower() and each.identifier)


def due_of(people: Iterable[Person], submission: str, due: datetime | None) -> datetime | None:
    """When a submission is due that is due so for everyone: of a team the latest extension counts."""
    if due is None:
        return None
    given = (each.extension for each in people if each.submission == submission.lower())
    return max([due, *(extension.end(due) for extension in given if extension)])


def is_repository(text: str) -> bool:
    """Whether a text is `owner/name` or `name`, as GitHub allows them."""
    return bool(_REPOSITORY.fullmatch(text)) and text.rpartition("/")[2] not in (".", "..")


def parse_extension(text: str, where: str) -> Extension | None:
    """`2027-01-20T23:59:00+01:00`, or a number of days: `2`, `+2`, `2 days`. Empty: none."""
    if not text:
        return None
    if days := _DAYS.fullmatch(text):
        return Extension(days=int(days[1]))
    try:
        until: datetime | None = datetime.fromisoformat(text)
    except ValueError:
        until = None
    if until is None or until.tzinfo is None:
        raise RosterError(
            f"{where}: the extension {text!r} is neither a time like 2027-01-20T23:59:00+01:00 nor a number of days"
        )
    return Extension(until=until)


def read_table(file: Path, needed: set[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their lines' numbers; its columns by lower-case name, cells without outer blanks."""
    try:
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise RosterError(f"{file}: it cannot be opened ({error.strerror}); check the path") from None
    except UnicodeDecodeError:
        raise RosterError(f"{file}: it is not UTF-8; save it as CSV UTF-8") from None
    if len(data) > MAX_BYTES:
        raise RosterError(f"{file}: it is larger than {MAX_BYTES // 1024**2} MiB; give the roster itself")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if missing := needed - set(header):
            raise RosterError(f"{file}:1: the column {sorted(missing)[0]!r} is missing; found {', '.join(header)}")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(header):
                    raise RosterError(
                        f"{file}:{reader.line_num}: {len(cells)} cells under {len(header)} columns; correct the line"
                    )
                yield reader.line_num, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    except csv.Error as error:
        raise RosterError(f"{file}:{reader.line_num}: it is no CSV ({error}); correct the line") from None


def _people(file: Path) -> Iterator[Person]:
    seen: dict[str, int] = {}
    people: list[tuple[str, Person]] = []
    for line, row in read_table(file, set()):
        where = f"{file}:{line}"
        person = _person(_renamed(row, where), where)
        key = person.username.lower()
        if key and seen.setdefault(key, line) != line:
            raise RosterError(f"{where}: the account {person.username!r} stands in line {seen[key]} too; keep one")
        people.append((where, person))
    if not seen:
        raise RosterError(f"{file}: nobody on it has an account; fill in the accounts' names")
    _refuse_borrowed_names(people)
    yield from (person for _, person in people)


def _refuse_borrowed_names(people: Sequence[tuple[str, Person]]) -> None:
    """Submissions are called as teams, accounts or repositories: students choose names, and may choose others'."""
    called: dict[str, dict[str, set[str]]] = {}
    spelled: dict[str, str] = {}
    for where, person in people:
        if person.team and (other := spelled.setdefault(person.submission, person.team)).lower() != person.team.lower():
            raise RosterError(f"{where}: the team {person.team!r} is {other!r} elsewhere; spell both alike")
        team = person.submission if person.team else ""
        own = {"team": team, "account": person.username.lower(), "repository": person.own_repository}
        for kind, name in own.items():
            if name:
                called.setdefault(name, {}).setdefault(kind, set()).add(where)
    for name, kinds in called.items():
        most = max(kinds.values(), key=len)
        for kind, places in kinds.items():
            if strangers := sorted(places - most):
                raise RosterError(
                    f"{strangers[0]}: the {kind} {name!r} is called like a team, an account or a repository of others; "
                    "whose submission that is cannot be told, so rename one of them"
                )


def _renamed(row: dict[str, str], where: str) -> dict[str, str]:
    """The row under our columns' names; refuses a roster of no known format and a column that nothing reads."""
    if row.keys() >= _CLASSROOM - {"github_id", "name"}:
        row = {"username" if name == "github_username" else name: value for name, value in row.items()}
    if "username" not in row:
        raise RosterError(f"{where}: neither a column 'username' nor 'github_username'; add the accounts' names")
    for name in row.keys() - set(COLUMNS):
        near = difflib.get_close_matches(name, COLUMNS, 1)
        if near:
            raise RosterError(f"{where}: unknown column {name!r}; did you mean {near[0]!r}?")
    return row


def _person(row: dict[str, str], where: str) -> Person:
    username, team, repository = row["username"].removeprefix("@"), row.get("team", ""), row.get("repository", "")
    if username and not _LOGIN.fullmatch(username):
        raise RosterError(f"{where}: {username!r:.80} is no account's name; correct it, or leave it empty")
    if team and not _TEAM.fullmatch(team):
        raise RosterError(f"{where}: {team!r:.80} is no team's name; use letters, digits, blanks, '.', '-' and '_'")
    if repository and not is_repository(repository):
        raise RosterError(f"{where}: {repository!r:.80} is no repository; write owner/name or name")
    name = row.get("name") or " ".join(filter(None, (row.get("first_name", ""), row.get("last_name", ""))))
    taken = {"username", "identifier", "name", "team", "repository", "extension"}
    return Person(
        username=username,
        identifier=row.get("identifier", ""),
        name=name,
        team=team,
        repository=repository,
        extension=parse_extension(row.get("extension", ""), where),
        more={key: value for key, value in row.items() if value and key not in taken},
    )
