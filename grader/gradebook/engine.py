"""Connections to a gradebook: a file or a server, one writer at a time, readers who see one moment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from grader.gradebook.migrations import GradebookError

BUSY_MILLISECONDS = 30_000  # how long a process waits while another one commits
WRITERS = 0x6761706772616465  # "gapgrade": the number of the lock that writers of one database on a server share


def make_engine(url: str) -> Engine:
    """What opens connections to a gradebook. Raises `GradebookError` for an address that no gradebook can have."""
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise NoSuchModuleError
        engine = create_engine(parsed)
    except (ArgumentError, NoSuchModuleError):
        shown = re.sub(r"(?<=:)[^:/@]*(?=@)", "***", url)
        raise GradebookError(
            f"{shown}: no gradebook can be there; give a file or postgresql://user@host/name"
        ) from None
    except ModuleNotFoundError:
        raise GradebookError("PostgreSQL needs one more package; run: pip install 'psycopg[binary]'") from None
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """WAL: readers and the writer do not wait for each other. FULL: what is committed survives a power cut."""
    connection.isolation_level = None  # sqlite3 would begin transactions where it likes; `_begin_sqlite` does it
    for pragma in (f"busy_timeout={BUSY_MILLISECONDS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: a transaction that reads first could not upgrade beside another writer."""
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    """As with SQLite: one writer at a time, who reads what the last one committed; a reader sees one moment."""
    if connection.get_execution_options().get("immediate", False):
        said = [f"SET LOCAL lock_timeout = {BUSY_MILLISECONDS}", f"SELECT pg_advisory_xact_lock({WRITERS})"]
    else:
        said = ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"]
    for statement in said:  # read at once, however the connection's own statements are streamed
        connection.exec_driver_sql(statement, execution_options={"stream_results": False, "yield_per": None})


@contextmanager
def in_words(place: str) -> Iterator[None]:
    """What a database complains of becomes a `GradebookError` with what to do."""
    try:
        yield
    except DatabaseError as error:
        why = str(error.orig).strip().splitlines()[0]
        raise GradebookError(f"{place}: {why}; look at its disk or server, then try again") from None
