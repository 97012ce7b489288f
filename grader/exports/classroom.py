"""`grades.csv` as GitHub Classroom wrote it, which many a script still reads; points keep their fractions here."""

from __future__ import annotations

from grader.exports.cells import number, write_csv
from grader.exports.rows import Book

HEADER = (
    "assignment_name", "assignment_url", "starter_code_url", "github_username", "roster_identifier",
    "student_repository_name", "student_repository_url", "submission_timestamp", "points_awarded", "points_available",
)  # fmt: skip


def classroom(book: Book) -> str:
    """A row for each person of the roster; whoever handed nothing in has 0 points, as there. Addresses stay empty."""
    teams = any(row.person.team for row in book.rows)
    title = book.results[0].title if book.results else ""
    available = number(book.results[0].max_score) if book.results else ""
    rows = [
        {
            "assignment_name": title,
            "github_username": row.person.username,
            "roster_identifier": row.person.identifier,
            "student_repository_name": row.person.repository.rpartition("/")[2] if row.result else "",
            "points_awarded": number(row.result.score) if row.result else "0",
            "points_available": available,
            "group_name": row.person.team,
        }
        for row in book.rows
    ]
    return write_csv((*HEADER, "group_name") if teams else HEADER, rows)
