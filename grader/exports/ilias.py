"""ILIAS: the status file of an exercise, downloaded with "multi feedback", for persons and for teams."""

from __future__ import annotations

from dataclasses import replace

from grader.exports.cells import ExportError, column, number, read_table, write_csv, write_table
from grader.exports.moodle import comment
from grader.exports.rows import Book
from grader.result import Result

HEADER = (
    "update", "usr_id", "login", "lastname", "firstname", "status", "mark", "notice", "comment", "plagiarism",
    "plag_comment",
)  # fmt: skip


def ilias(book: Book) -> str:
    """The file to upload: rows with `update` 1 apply, the order of columns is kept.

    People are found by a login of the roster, never by the account, whose name students choose.
    """
    return _filled(book) if book.template else _made(book)


def _made(book: Book) -> str:
    rows = []
    for person, result in book.graded:
        login, number_ = person.more.get("ilias_login", ""), person.more.get("ilias_id", "")
        if not (login and number_):
            raise ExportError(
                f"{person.username!r} has no ilias_id and ilias_login on the roster; add both, or give a --template"
            )
        first, _, last = person.name.rpartition(" ")
        names = {"lastname": person.more.get("last_name", last), "firstname": person.more.get("first_name", first)}
        rows.append({"usr_id": number_, "login": login, **names, **_marks(result), "plagiarism": "none"})
    return write_csv(HEADER, rows, ";")


def _filled(book: Book) -> str:
    assert book.template is not None
    table = read_table(book.template)
    teams = "logins" in (name.strip().lower() for name in table.header)
    login = column(table, "logins" if teams else "login", book.template)
    places = {
        one.strip().lower(): place
        for place, row in enumerate(table.rows)
        for one in (row[login].split(",") if teams else [row[login]])
    }
    columns = {name: column(table, name, book.template) for name in ("update", "status", "mark", "comment")}
    rows = [[*row] for row in table.rows]
    for person, result in book.graded:
        wanted = person.more.get("ilias_login", person.identifier).lower()
        if wanted not in places:
            who = f"{person.username!r} ({wanted or 'no login'})"
            raise ExportError(f"{book.template}: nobody in it is {who}; add their ilias_login to the roster")
        marks = _marks(result)
        for name, place in columns.items():
            rows[places[wanted]][place] = marks[name]
    return write_table(replace(table, rows=tuple(tuple(row) for row in rows)))


def _marks(result: Result) -> dict[str, str]:
    status = "notgraded" if result.pending else "passed" if result.passed else "failed"
    return {"update": "1", "status": status, "mark": number(result.score), "comment": comment(result)}
