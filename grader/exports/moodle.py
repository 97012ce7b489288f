"""Moodle: a CSV for its grade import, and the worksheet of an assignment with offline grading."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from grader.exports.cells import ExportError, number, read_table, write_csv, write_table
from grader.exports.rows import Book
from grader.reports import words
from grader.result import Result
from grader.roster import Person

_KEYS = (("username", "moodle_username"), ("email", "email"), ("idnumber", "identifier"))
_PARTICIPANT = re.compile(r"(?P<word>\D+?) ?(?P<number>\d+)")


def moodle(book: Book) -> str:
    """For "Import from CSV": the teacher maps the columns. Who has no result is left out: `-` would clear a grade."""
    graded = book.graded
    key = next((key for _, key in _KEYS if all(_value(person, key) for person, _ in graded)), None)
    if key is None:
        columns = ", ".join(key for _, key in _KEYS)
        raise ExportError(f"no column of {columns} is filled in for everyone on the roster; fill in one of them")
    heading = next(name for name, own in _KEYS if own == key)
    column = book.column or (book.results[0].title if book.results else "Grade")
    rows = [
        {heading: _value(person, key), column: number(result.score), "Feedback comments": comment(result)}
        for person, result in graded
    ]
    return write_csv((heading, column, "Feedback comments"), rows)


def moodle_worksheet(book: Book) -> str:
    """A downloaded worksheet with the grades filled in; its words may be of any language.

    The first column holds "Participant 123" in some language; a person is found by that number (the roster's
    `moodle_id`), else by e-mail.
    """
    if book.template is None:
        raise ExportError("Moodle's worksheet is filled in; download it in the assignment, and give it as --template")
    table = read_table(book.template)
    grade = _grade_column(table.header, book)
    by_key: dict[str, set[int]] = defaultdict(set)
    for place, row in enumerate(table.rows):
        if found := _PARTICIPANT.fullmatch(row[0].strip()):
            by_key[found["number"]].add(place)
        for cell in row:
            if "@" in cell:
                by_key[cell.strip().lower()].add(place)
    rows = [*table.rows]
    for person, result in book.graded:
        keys = (person.more.get("moodle_id", ""), person.more.get("email", "").lower())
        places = next((by_key[key] for key in keys if key and key in by_key), set())
        if not places:
            raise ExportError(
                f"{book.template}: nobody in it is {person.username!r}; add moodle_id or email to the roster"
            )
        if len(places) > 1:  # people choose what they are called there, and may choose a classmate's address
            raise ExportError(
                f"{book.template}: {len(places)} rows name {person.username!r}; add their moodle_id to the roster"
            )
        (place_of,) = places
        row = rows[place_of]
        rows[place_of] = (*row[:grade], number(result.score), *row[grade + 1 :])
    return write_table(replace(table, rows=tuple(rows)))


def comment(result: Result) -> str:
    """What a student reads beside the points: per task, one line of text; `-` stands for what nobody graded yet."""
    scores = ("-" if task.state == "pending" else words.points(task.score) for task in result.tasks)
    tasks = zip(result.tasks, scores, strict=True)
    told = "; ".join(f"{task.id}: {score} / {words.points(task.max_score)}" for task, score in tasks)
    return f"{words.verdict(result)}. {told}"


def _grade_column(header: tuple[str, ...], book: Book) -> int:
    names = [name.strip().lower() for name in header]
    wanted = [book.column.lower()] if book.column else ["grade", "bewertung", "note", "calificación", "valutazione"]
    for name in wanted:
        if name in names:
            return names.index(name)
    where = book.template or Path("the worksheet")
    raise ExportError(f"{where}: which column holds the grade? Name it with --column: {', '.join(header)}")


def _value(person: Person, key: str) -> str:
    return person.identifier if key == "identifier" else person.more.get(key, "")
