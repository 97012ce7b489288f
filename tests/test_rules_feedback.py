"""What students write in feedback.md."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.feedback import Feedback, read_feedback

TEMPLATE = "# Feedback\n\n## Problems\n\n## Duration\n\nHow many hours did you need?\n\n- Hours:\n\n## Other\n"


def hours_of(answer: str, below: str = "How many hours did you need?\n") -> tuple[Decimal, Decimal] | None:
    return read_feedback(TEMPLATE.replace(below, below + answer + "\n"), TEMPLATE).hours


@pytest.mark.parametrize(
    ("answer", "hours"),
    [
        ("5", ("5", "5")),
        ("5.5", ("5.5", "5.5")),
        ("about 5,5 hours", ("5.5", "5.5")),
        ("5-6", ("5", "6")),
        ("5 – 6h", ("5", "6")),
        ("5 to 6.5", ("5", "6.5")),
        ("~12h", ("12", "12")),
        ("5, maybe more", ("5", "5")),
        ("very long", None),
        ("99999", None),
        ("3000", None),
    ],
)
def test_hours_are_read_below_their_question(answer: str, hours: tuple[str, str] | None) -> None:
    assert hours_of(answer) == (None if hours is None else (Decimal(hours[0]), Decimal(hours[1])))


def test_hours_may_stand_on_the_questions_own_line() -> None:
    text = TEMPLATE.replace("- Hours:", "- Hours: 4,5")
    assert read_feedback(text, TEMPLATE) == Feedback(True, (Decimal("4.5"), Decimal("4.5")))


def test_elsewhere_a_number_needs_its_unit() -> None:
    assert hours_of("task 3 was hard", "## Other\n") is None
    assert hours_of("task 3 took me 7 hours", "## Other\n") == (7, 7)
    assert read_feedback("all fine, 5 hours", "") == Feedback(True, (Decimal(5), Decimal(5)))
    assert read_feedback("## Duration\n5\n", "") == Feedback(True, (Decimal(5), Decimal(5)))


def test_an_untouched_feedback_is_no_answer() -> None:
    assert read_feedback(TEMPLATE + "\n\n", TEMPLATE) == Feedback(False, None)
    assert read_feedback("", TEMPLATE) == Feedback(False, None)


@given(st.text(st.sampled_from("0123456789.,-– hHours\n#") | st.characters(), max_size=200))
def test_any_text_is_read(text: str) -> None:
    read_feedback(text, TEMPLATE)
    read_feedback(TEMPLATE + text, TEMPLATE)
