"""Who gets which result: results by submission, people by roster."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import jsonschema_rs

from grader.exports.cells import ExportError
from grader.result import SCHEMA, Result
from grader.roster import Person


@dataclass(frozen=True)
class Row:
    """A person and the result of their submission; None where they handed nothing in."""

    person: Person
    result: Result | None


@dataclass(frozen=True)
class Book:
    """What an export is made from.

    Attributes:
        column: the system's own name of the assignment, where it needs one.
        template: the file that the system gave out, to be filled in, where there is one.
    """

    rows: tuple[Row, ...]
    column: str = ""
    template: Path | None = None

    @property
    def graded(self) -> list[tuple[Person, Result]]:
        return [(row.person, row.result) for row in self.rows if row.result is not None]

    @property
    def results(self) -> list[Result]:
        """Each submission's result once, in the roster's order."""
        return list({result.submission: result for _, result in self.graded}.values())


def join(people: Sequence[Person], results: Sequence[Result]) -> tuple[tuple[Row, ...], list[str]]:
    """Each person of the roster with their result, and the submissions that belong to nobody on it.

    A submission is called as the person's team or account, or as their repository. Raises `ExportError` for two results
    of one submission, and for results of several sheets.
    """
    sheets = sorted({result.sheet for result in results})
    if len(sheets) > 1:
        raise ExportError(f"the results are of several sheets ({', '.join(sheets)}); export one sheet at a time")
    by_name: dict[str, Result] = {}
    for result in results:
        if by_name.setdefault(result.submission.lower(), result) is not result:
            raise ExportError(f"there are two results of the submission {result.submission!r}; give one")
    rows = tuple(Row(person, _result_of(person, by_name)) for person in people)
    found = {row.result.submission for row in rows if row.result}
    return rows, sorted(result.submission for result in results if result.submission not in found)


def without_roster(results: Sequence[Result]) -> tuple[Row, ...]:
    """A row for each submission, for formats that need no person."""
    return tuple(Row(Person(result.submission), result) for result in results)


def read_results(paths: Iterable[Path]) -> list[Result]:
    """Results from files, and from folders: every `result.json` below them, else every `.json` that is a result."""
    return [result for path in paths for result in _read(path)]


def share(result: Result) -> Decimal:
    """The score as a share of the points that make 100 %; more than one with bonus points."""
    return result.score / result.max_score if result.max_score else Decimal(0)


def _read(path: Path) -> Iterator[Result]:
    if not path.is_dir():
        yield _parse(path)
        return
    files = sorted(path.rglob("result.json")) or sorted(path.rglob("*.json"))
    found = [file for file in files if _is_result(file)]
    if not found:
        raise ExportError(f"{path} holds no result; give result files, or the folder that a batch wrote")
    for file in found:
        yield _parse(file)


def _is_result(file: Path) -> bool:
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and data.get("schema") == SCHEMA


def _parse(file: Path) -> Result:
    try:
        return Result.from_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExportError(f"{file}: it cannot be opened ({error.strerror}); check the path") from None
    except ValueError as error:  # of JSON, of the schema, of pydantic
        reason = error.message if isinstance(error, jsonschema_rs.ValidationError) else str(error).partition("\n")[0]
        raise ExportError(f"{file}: it is no result ({reason:.200}); give what `grader grade --json` wrote") from None


def _result_of(person: Person, by_name: dict[str, Result]) -> Result | None:
    names = (person.submission, person.username.lower(), person.own_repository)
    return next((by_name[name] for name in names if name and name in by_name), None)
