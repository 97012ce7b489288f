"""Looking after a gradebook: is everything in it whole, and a copy of it while others write."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection, select, text

from grader.gradebook.book import Gradebook, columns_of, parse_result
from grader.gradebook.migrations import GradebookError
from grader.gradebook.schema import results, submissions
from grader.gradebook.works import wrong_works


def check(book: Gradebook) -> list[str]:
    """Everything that is wrong, one sentence each; nothing where all is well."""
    with book.reading() as connection:
        return [*_file(connection), *_results(connection), *_submissions(connection), *wrong_works(connection)]


def backup(book: Gradebook, target: Path) -> None:
    """Copy the whole gradebook as it is at one moment, also while a batch writes; the copy appears when it is whole."""
    if book.file is None:
        raise GradebookError("a gradebook on a server is backed up with its own tool: pg_dump DATABASE > FILE")
    if target.exists():
        raise GradebookError(f"{target} is there already; give the backup another name")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(book.file)) as source, closing(sqlite3.connect(partial)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        os.replace(partial, target)
    except (sqlite3.Error, OSError) as error:
        raise GradebookError(f"{target}: the backup failed ({error}); look at the disk and try again") from None


def _file(connection: Connection) -> Iterator[str]:
    if connection.dialect.name == "sqlite":
        for row in connection.execute(text("PRAGMA integrity_check")):
            if row[0] != "ok":
                yield f"the file is damaged: {row[0]}; restore the last backup"
        for row in connection.execute(text("PRAGMA foreign_key_check")):
            yield f"table {row[0]}, row {row[1]}: it belongs to no submission; restore the last backup"


def _results(connection: Connection) -> Iterator[str]:
    """Each result's digest is right, and its columns say what it says."""
    for row in connection.execution_options(yield_per=200).execute(select(results)):
        if row.uid != f"sha256:{hashlib.sha256(row.json.encode()).hexdigest()}":
            yield f"result {row.id}: it was changed after it was written; restore the last backup, or grade again"
            continue
        for name, value in columns_of(parse_result(row.json)).items():
            stored = getattr(row, name)
            if stored != value or (isinstance(value, Decimal) and not isinstance(stored, Decimal)):
                yield f"result {row.id}: its column {name} says {stored}, the result says {value}; grade again"


def _submissions(connection: Connection) -> Iterator[str]:
    """A graded submission has a result of its own, another one none; what counts was graded with the same versions."""
    query = select(submissions, results.c.submission_id, results.c.json).outerjoin(
        results, results.c.uid == submissions.c.result
    )
    versions: dict[str, set[str]] = {}
    for row in connection.execution_options(yield_per=200).execute(query.order_by(submissions.c.name)):
        if (row.state == "graded") != (row.submission_id == row.id):
            yield f"{row.sheet}, {row.name}: it is {row.state} and its result is {row.result}; grade it again"
        elif row.json:
            used = json.loads(row.json)["versions"]
            versions.setdefault(row.sheet, set()).add(json.dumps(used, sort_keys=True))
    for sheet, several in sorted(versions.items()):
        if len(several) > 1:
            yield f"{sheet}: its results come from {len(several)} versions of the sheet and tests; run the batch again"
