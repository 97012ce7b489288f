"""The feedback of a class: hours, and comments that tell no name."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.class_feedback import Bin, as_markdown, summarise

HOUSE = Path(__file__).parent.parent
TEMPLATE = (HOUSE / "tools" / "release_files" / "feedback.md").read_text()
PROBLEMS, HELPFUL, HOURS, OTHER = [line for line in TEMPLATE.splitlines() if line.startswith("## ")]


def filled(**answers: str) -> str:
    text = TEMPLATE
    for question, answer in answers.items():
        heading = {"problems": PROBLEMS, "helpful": HELPFUL, "hours": HOURS, "other": OTHER}[question]
        text = text.replace(heading, f"{heading}\n\n{answer}\n")
    return text


def test_the_median_and_the_spread_of_hours() -> None:
    texts = [filled(hours=hours) for hours in ("5", "6-8", "4,5", "about 12 hours", "a lot")]
    summary = summarise([*texts, TEMPLATE, ""], TEMPLATE)
    assert (summary.handed_in, summary.answered) == (7, 5)
    assert summary.hours == (Decimal("4.5"), 5, 7, 12)
    assert (summary.median, summary.middle_half) == (6, (Decimal("4.875"), Decimal("8.25")))
    assert summary.spread[0] == Bin(4, 5, 1)
    assert sum(one.count for one in summary.spread) == 4


@pytest.mark.parametrize(("hours", "width"), [((1, 10), 1), ((1, 12), 2), ((1, 21), 5), ((3, 900), 100)])
def test_there_are_never_more_than_ten_bins(hours: tuple[int, int], width: int) -> None:
    spread = summarise([filled(hours=str(one)) for one in hours], TEMPLATE).spread
    assert len(spread) <= 10
    assert spread[0].high - spread[0].low == width
    assert (spread[0].count, spread[-1].count) == (1, 1)


def test_comments_stand_below_their_question_in_no_ones_order_and_without_names() -> None:
    first = filled(problems="The KL term.\nAsk mona-l or Mona Lisa, 1234567, mona@uni.example, @monalisa", hours="3")
    second = filled(problems="Sampling", other="-")
    texts = [second, first]
    summary = summarise(texts, TEMPLATE, names=["Mona Lisa", "mona-l", ""])
    assert summary.comments == {
        PROBLEMS.strip("# "): ("Sampling", "The KL term.\nAsk [...] or [...], [...], [...], [...]"),
    }
    assert summarise(texts[::-1], TEMPLATE, names=["Mona Lisa", "mona-l"]) == summary


def test_the_page_shows_what_students_wrote_as_text() -> None:
    page = as_markdown(summarise([filled(hours="5", other="<b>*bold*</b> [x](http://y)")], TEMPLATE), "Sums")
    assert "Written in: 1 of 1 feedback." in page
    assert "Hours: median 5 (1 answer)." in page
    assert "<b>" not in page
    assert "*bold*" not in page
    assert "| 5 to 6 | 1 |" in page


def test_a_class_that_says_nothing_has_a_page_too() -> None:
    page = as_markdown(summarise([TEMPLATE, ""], TEMPLATE), "Sums")
    assert page == "# Sums: feedback\n\nWritten in: 0 of 2 feedbacks.\n"


@given(st.lists(st.text(max_size=200), max_size=5), st.lists(st.text(max_size=10), max_size=3))
def test_any_texts_make_a_page(texts: list[str], names: list[str]) -> None:
    as_markdown(summarise([TEMPLATE + text for text in texts] + texts, TEMPLATE, names), "T")


def test_the_command_reads_a_folder_of_submissions_and_leaves_the_rosters_names_out(
    course: Path, tmp_path: Path
) -> None:
    for name, text in (("a", filled(problems="Mona had no GPU", hours="5")), ("b", TEMPLATE)):
        (tmp_path / "teams" / name).mkdir(parents=True)
        (tmp_path / "teams" / name / "feedback.md").write_text(text)
    (tmp_path / "roster.csv").write_text("username,name\nmona-l,Mona Lisa\n")
    command = [sys.executable, "-m", "grader", "feedback", "teams", "--sheet", "sums", "--course", str(course)]
    environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
    done = subprocess.run(
        [*command, "--roster", "roster.csv", "--out", "out/page.md"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "out" / "page.md").read_text()
    assert "Written in: 1 of 2 feedbacks." in page
    assert "had no GPU" in page
    assert "Mona" not in page
