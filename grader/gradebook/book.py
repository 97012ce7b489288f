"""Open a gradebook, commit what became of a submission, and read it back."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from grader.gradebook import migrations
from grader.gradebook.engine import in_words, make_engine
from grader.gradebook.migrations import GradebookError
from grader.gradebook.schema import history, results, submissions
from grader.gradebook.works import keep_work
from grader.result import Result
from grader.work import Work

FILE = "gradebook.sqlite"
GRADER = "gapgrade"  # who did what no person did

State = Literal["graded", "refused", "failed"]


@dataclass(frozen=True)
class Known:
    """What is known of a submission before it is read again: its result's key, and how long it took."""

    key: str
    milliseconds: int


@dataclass(frozen=True)
class Record:
    """What became of a submission; `result` is None where it was refused or a grader's error stands instead."""

    id: int
    sheet: str
    name: str
    source: str
    state: State
    reason: str
    updated_at: str
    result: Result | None = None
    handed_in_at: datetime | None = None
    milliseconds: int = 0


class Gradebook:
    """An open gradebook. Made by `open_gradebook`; each method is one transaction, committed when it returns."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(immediate=True)

    @property
    def place(self) -> str:
        return self.engine.url.render_as_string(hide_password=True) if self.engine.url.host else str(self.file)

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a database server."""
        is_file = self.engine.dialect.name == "sqlite" and self.engine.url.database
        return Path(self.engine.url.database or "") if is_file else None

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view; a writer is neither waited for nor held up."""
        with in_words(self.place), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is on the disk when the context is left, or nothing."""
        with in_words(self.place), self._writer.begin() as connection:
            yield connection

    def add_result(
        self,
        source: str,
        key: str,
        result: Result,
        milliseconds: int,
        handed_in_at: datetime | None = None,
        work: Work | None = None,
    ) -> None:
        """Commit a grading; from now on this result counts for the submission."""
        text = _compact(result)
        uid = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        with self.writing() as connection:
            number = _put(connection, result.sheet, result.submission, source, "graded", "", uid)
            row = {
                "submission_id": number,
                "key": key,
                "handed_in_at": handed_in_at.isoformat() if handed_in_at else None,
                "milliseconds": milliseconds,
                "json": text,
                **columns_of(result),
            }
            same = update(results).where(results.c.uid == uid)  # graded again with one seed, within one second
            if not connection.execute(same.values(**row)).rowcount:
                connection.execute(insert(results).values(uid=uid, **row))
            keep_work(connection, number, uid, work, now())
            detail = f"{result.score:f} of {result.max_score:f} points, {uid}"
            note(connection, GRADER, result.sheet, "graded", detail, result.submission)

    def add_problem(self, sheet: str, name: str, source: str, state: Literal["refused", "failed"], reason: str) -> None:
        """Commit that a submission has no result, and why: it was refused, or a grader's error stands in the way."""
        with self.writing() as connection:
            _put(connection, sheet, name, source, state, storable(reason), None)
            note(connection, GRADER, sheet, state, storable(reason), name)

    def note(self, who: str, sheet: str, what: str, detail: str = "", submission: str = "") -> None:
        """Add a line to the history."""
        with self.writing() as connection:
            note(connection, who, sheet, what, detail, submission)

    def known(self, sheet: str) -> dict[str, Known]:
        """By name, the submissions of a sheet that have a result."""
        query = (
            select(submissions.c.name, results.c.key, results.c.milliseconds)
            .join(results, results.c.uid == submissions.c.result)
            .where(submissions.c.sheet == sheet)
        )
        with self.reading() as connection:
            return {name: Known(key, milliseconds) for name, key, milliseconds in connection.execute(query)}

    def graded_since(self, sheet: str, what: str) -> set[str]:
        """The names of the submissions that were graded since something was last noted about the sheet."""
        here = history.c.sheet == sheet
        began = select(func.max(history.c.at)).where(here, history.c.event == what).scalar_subquery()
        query = select(history.c.submission).where(here, history.c.event == "graded", history.c.at >= began)
        with self.reading() as connection:
            return set(connection.execute(query).scalars())

    def records(self, sheet: str | None = None, name: str | None = None) -> Iterator[Record]:
        """The submissions in the order of their names, one at a time however many there are."""
        query = (
            select(submissions, results.c.json, results.c.handed_in_at, results.c.milliseconds)
            .outerjoin(results, results.c.uid == submissions.c.result)
            .order_by(submissions.c.sheet, submissions.c.name)
        )
        if sheet is not None:
            query = query.where(submissions.c.sheet == sheet)
        if name is not None:
            query = query.where(submissions.c.name == name)
        with self.reading() as connection:
            for row in connection.execution_options(yield_per=200).execute(query):
                yield _record(row)

    def history(self, name: str | None = None) -> Iterator[Row[Any]]:
        """What happened, the oldest first; of one submission where it is named."""
        query = select(history).order_by(history.c.at, history.c.id)
        if name is not None:
            query = query.where(history.c.submission == name)
        with self.reading() as connection:
            yield from connection.execution_options(yield_per=200).execute(query)

    def count(self, sheet: str) -> dict[str, int]:
        """How many submissions of a sheet are in each state."""
        query = select(submissions.c.state, func.count()).where(submissions.c.sheet == sheet)
        with self.reading() as connection:
            rows = connection.execute(query.group_by(submissions.c.state))
            return {row[0]: row[1] for row in rows}


def open_gradebook(place: str | Path, *, must_exist: bool = False) -> Gradebook:
    """Open a gradebook and bring its schema up to date.

    Args:
        place: a file, a folder that holds `gradebook.sqlite`, or a PostgreSQL URL (postgresql://user@host/name).
        must_exist: refuse to make a new one.
    """
    url = str(place)
    if "://" not in url:
        file = Path(place)
        file = file / FILE if file.is_dir() or not file.suffix else file
        if must_exist and not file.is_file():
            raise GradebookError(f"there is no gradebook {file}; name the folder that a batch wrote with --out")
        file.parent.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{file}"
    book = Gradebook(make_engine(url))
    try:
        with book.reading() as connection:
            version = migrations.version_of(connection)
        if version != migrations.LATEST:
            with book.writing() as connection:
                migrations.migrate(connection)
    except BaseException:
        book.close()
        raise
    return book


def note(connection: Connection, who: str, sheet: str, what: str, detail: str = "", submission: str = "") -> None:
    """Add a line to the history, inside a transaction."""
    row = {"at": now(), "who": who, "sheet": sheet, "submission": submission, "event": what, "detail": detail}
    connection.execute(insert(history).values(uid=uuid.uuid4().hex, **row))


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def columns_of(result: Result) -> dict[str, Any]:
    """What of a result has a column of its own."""
    return {
        "graded_at": result.graded_at,
        "seed": str(result.seed),
        "sandbox": result.sandbox,
        "advisory": result.advisory,
        "score": result.score,
        "max_score": result.max_score,
        "bonus": result.bonus,
        "pending": result.pending,
        "passed": result.passed,
        "gapgrade": result.versions.gapgrade,
        "sheet_version": result.versions.sheet,
        "tests_version": result.versions.tests,
        "torch": result.versions.torch,
    }


def parse_result(text: str) -> Result:
    """A stored result; its points are read as the decimals that they were."""
    return Result.model_validate(json.loads(text, parse_float=Decimal))


def storable(text: str) -> str:
    """A text that every database takes: no lone surrogates, no null characters."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _compact(result: Result) -> str:
    """The result as JSON in ASCII: students' texts may hold what UTF-8 has no bytes for."""
    return json.dumps(result.model_dump(mode="json", by_alias=True), separators=(",", ":"))


def _put(
    connection: Connection, sheet: str, name: str, source: str, state: State, reason: str, result: str | None
) -> int:
    """Insert or update a submission; its id."""
    values = {"source": storable(source), "state": state, "reason": reason, "result": result, "updated_at": now()}
    here = (submissions.c.sheet == sheet) & (submissions.c.name == name)
    number = connection.execute(select(submissions.c.id).where(here)).scalar()
    if number is None:
        added = connection.execute(
            insert(submissions).values(sheet=sheet, name=name, **values).returning(submissions.c.id)
        )
        return int(added.scalar_one())
    connection.execute(update(submissions).where(submissions.c.id == number).values(**values))
    return int(number)


def _record(row: Any) -> Record:
    return Record(
        id=row.id,
        sheet=row.sheet,
        name=row.name,
        source=row.source,
        state=row.state,
        reason=row.reason,
        updated_at=row.updated_at,
        result=parse_result(row.json) if row.json else None,
        handed_in_at=datetime.fromisoformat(row.handed_in_at) if row.handed_in_at else None,
        milliseconds=row.milliseconds or 0,
    )
