"""Canvas: the gradebook's CSV, filled in or made from the roster's columns.

https://community.canvaslms.com/docs/DOC-12737 - a blank cell over a score counts as a change and an unknown title
makes a new assignment: so people without a result are left out, and the title is one that the gradebook has.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from grader.exports.cells import ExportError, Table, column, number, read_table, write_csv, write_table
from grader.exports.rows import Book
from grader.result import Result
from grader.roster import Person

_OWN = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_KEYS = (("ID", "canvas_id"), ("SIS User ID", "sis_user_id"), ("SIS Login ID", "sis_login_id"))
POSSIBLE = "Points Possible"
EXCUSED = "EX"


def canvas(book: Book) -> str:
    """The CSV to import. Raises `ExportError` where the column or the people cannot be told."""
    return _filled(book, book.template) if book.template else _made(book)


def _made(book: Book) -> str:
    if not book.column:
        raise ExportError('Canvas needs the assignment\'s column; give --column "Title (1234)", or a --template')
    rows = [{"Student": f"    {POSSIBLE}", book.column: number(_possible(book))}]
    for person, result in book.graded:
        keys = {name: person.more[key] for name, key in _KEYS if key in person.more}
        if not keys:
            columns = ", ".join(key for _, key in _KEYS)
            raise ExportError(f"{person.username!r} has none of {columns} on the roster; add one, or give a --template")
        section = person.more.get("section", "")
        rows.append({"Student": person.name, "Section": section, **keys, book.column: number(result.score)})
    return write_csv((*_OWN, book.column), rows)


def _possible(book: Book) -> Decimal:
    return book.results[0].max_score if book.results else Decimal(0)


def _filled(book: Book, file: Path) -> str:
    """The people's own rows of the downloaded gradebook, with the one column filled in."""
    table = read_table(file)
    target = _target(table, book, file)
    fixed = [row for row in table.rows if row[column(table, "Student", file)].strip() == POSSIBLE]
    rows = []
    for person, result in book.graded:
        row = _row_of(person, table, file)
        if row[target].strip().upper() != EXCUSED:
            rows.append(_with(row, target, result))
    keep = [i for i, name in enumerate(table.header) if name in _OWN or i == target]
    kept = [tuple(row[i] for i in keep) for row in (*fixed, *rows)]
    return write_table(replace(table, header=tuple(table.header[i] for i in keep), rows=tuple(kept)))


def _with(row: tuple[str, ...], target: int, result: Result) -> tuple[str, ...]:
    return (*row[:target], number(result.score), *row[target + 1 :])


def _target(table: Table, book: Book, file: Path) -> int:
    if book.column:
        return column(table, book.column, file)
    title = book.results[0].title if book.results else ""
    fitting = [i for i, name in enumerate(table.header) if name.rpartition(" (")[0].strip() == title]
    if len(fitting) != 1:
        names = ", ".join(name for name in table.header if name not in _OWN)
        raise ExportError(f"{file}: {len(fitting)} columns are called {title!r}; name one with --column: {names}")
    return fitting[0]


def _row_of(person: Person, table: Table, file: Path) -> tuple[str, ...]:
    """Found by an id of the roster; never by the account, whose name students choose."""
    for name, key in _KEYS:
        wanted = person.more.get(key, "" if name == "ID" else person.identifier).lower()
        if wanted and name in table.header:
            place = table.header.index(name)
            found = [row for row in table.rows if row[place].strip().lower() == wanted]
            if len(found) == 1:
                return found[0]
    raise ExportError(f"{file}: nobody in it is {person.username!r}; add canvas_id or sis_login_id to the roster")
