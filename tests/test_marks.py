"""Points in a spreadsheet: what goes out comes back, and one row that is wrong keeps everything as it was."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from grader.exports.marks import HEADER, MarksError, read_marks, write_marks
from grader.gradebook.marks import marks_in
from grader.gradebook.reviews import Review, Saving, known_reviews, save_reviews
from grader.review.desk import Desk
from tests.test_review import EVIL, make_book, make_sheet

Row = dict[str, str]
COMMENT = "=1+1; good\r\nx;=cmd"


@pytest.fixture
def desk(course: Path, tmp_path: Path) -> Iterator[Desk]:
    with make_book(tmp_path, ["ada", EVIL]) as book:
        yield Desk(book, make_sheet(course), "Grace")


@pytest.fixture
def table(desk: Desk, tmp_path: Path) -> Callable[..., Path]:
    """Exports, changes the rows as a person would in a spreadsheet, and gives the file."""

    def write(change: Callable[[list[Row]], object], delimiter: str = ",") -> Path:
        file = tmp_path / "marks.csv"
        file.write_text(write_marks(desk), encoding="utf-8-sig", newline="")
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
        change(rows)
        with file.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.DictWriter(stream, HEADER, delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
        return file

    return write


def fill(rows: list[Row]) -> None:
    """Points and a comment for task 3 of ada."""
    (first, second) = [row for row in rows if (row["submission"], row["task"]) == ("ada", "3")]
    first.update(points="0,5", comment=COMMENT)
    second.update(points="1")


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_table_comes_back_as_it_went_out(desk: Desk, table: Callable[..., Path], delimiter: str) -> None:
    assert read_marks(desk, table(lambda rows: None, delimiter)) == []
    save_reviews(desk.book, "Grace", read_marks(desk, table(fill, delimiter)))
    (mark,) = marks_in(desk.book, "sums")["ada"].manual.values()
    assert (mark.points, mark.who) == (Decimal("1.5"), "Grace")
    (known,) = known_reviews(desk.book, "sums").values()
    assert known.review.comment == COMMENT.replace("\r\n", "\n")
    again = table(lambda rows: None)
    assert "\n'=1" not in again.read_text() + known.review.comment
    assert all(not row.startswith("=") for row in csv.reader(again.read_text().splitlines()) for row in row)
    assert read_marks(desk, again) == []


def rows_of(change: Row, more: Row | None = None) -> Callable[[list[Row]], None]:
    def apply(rows: list[Row]) -> None:
        fill(rows)
        rows[-1].update(change)
        rows += [{**rows[-1], **more}] if more is not None else []

    return apply


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (rows_of({"submission": "nobody"}), "8: the gradebook has no submission 'nobody'"),
        (rows_of({"task": "9"}), "8: no task '9' is graded by a person, only 3, 4"),
        (rows_of({"item": "2"}), "8: task 4 has the items 1 to 1, not '2'"),
        (rows_of({"points": "3.5"}), "8: 'Points' has 0 to 3 points, not 3.5"),
        (rows_of({"points": "-1"}), "8: 'Points' has 0 to 3 points, not -1"),
        (rows_of({"points": "good"}), "8: 'good' are no points"),
        (rows_of({"points": "1e999999999"}), "8: '1e999999999' are no points"),
        (rows_of({"points": "1_0"}), "8: '1_0' are no points"),
        (rows_of({"points": "1"}, {"points": "2"}), "9: item 1 of task 4 stands here for the second time"),
        (
            rows_of({"points": "1", "state": "v7 of ada, 4"}),
            "8: somebody changed task 4 of ada since",
        ),
        (
            rows_of({"points": "1", "state": "v0 of ada, 4.10"}),
            "8: by its state ('v0 of ada, 4.10') this row is",
        ),
        (lambda rows: (fill(rows), rows.pop()) and rows.pop(), "5: task 3 of ada needs a row for each of its items"),
    ],
)
def test_one_wrong_row_refuses_the_whole_table(
    desk: Desk, table: Callable[..., Path], change: Callable[[list[Row]], object], said: str
) -> None:
    file = table(change)
    with pytest.raises(MarksError) as error:
        save_reviews(desk.book, "Grace", read_marks(desk, file))
    assert str(error.value).startswith(f"{file}:{said}")
    assert "nothing was written" in str(error.value)
    assert known_reviews(desk.book, "sums") == {}


def test_what_somebody_decided_meanwhile_is_not_written_over(desk: Desk, table: Callable[..., Path]) -> None:
    file = table(fill)
    (ada,) = desk.book.records("sums", "ada")
    save_reviews(desk.book, "Hedy", [Saving("sums", "ada", Review(ada.id, "3", (Decimal(0), None)), "v0", "")])
    with pytest.raises(MarksError, match=r"marks\.csv:5: Hedy changed task 3 of ada since this table was made"):
        read_marks(desk, file)


def test_a_name_that_is_made_for_a_classmates_code_gets_another_code(course: Path, tmp_path: Path) -> None:
    names = ["ada-915", "eve-4166"]
    with make_book(tmp_path, names) as book:
        labels = {entry.label for entry in Desk(book, make_sheet(course), "Grace", anonymous=True).look().entries}
    assert len(labels) == 2
    assert all(label.startswith("Submission f7d2u") for label in labels)
