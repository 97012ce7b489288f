"""A quiz: right, wrong, abstained, and the floor of a question."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.answers.key import QuizKey
from grader.answers.quiz import explanations, judge_quiz

HALF = Decimal("0.5")


def quiz(*items: dict[str, Any]) -> QuizKey:
    named = [{"key": chr(97 + i), "points": HALF, **item} for i, item in enumerate(items)]
    return QuizKey.model_validate({"question": [{"key": "q1", "title": "Likelihood", "item": named}]})


FOUR = quiz({"answer": "yes"}, {"answer": "no"}, {"answer": True}, {"answer": False})


def points(key: QuizKey, *answers: Any) -> Decimal:
    given = {f"q1.{chr(97 + i)}": answer for i, answer in enumerate(answers)}
    return sum((one.points for one in judge_quiz(key, given)), Decimal(0))


@pytest.mark.parametrize(
    ("answers", "earned"),
    [
        (("yes", "no", "yes", "no"), 2),
        (("YES ", "n", True, "false"), 2),
        (("yes", "no", "abstain", ""), 1),
        (("yes", "no", "no", ""), HALF),
        (("yes", "yes", "no", "no"), 0),
        (("no", "yes", "no", "yes"), 0),  # never below 0
        (("yes", "no"), 1),  # the others are not there
        ((), 0),
        (("yes", "perhaps", None, ["no", "yes"]), HALF),  # what cannot be read counts as abstained
    ],
)
def test_right_earns_wrong_costs_abstaining_is_free_and_no_question_falls_below_zero(
    answers: tuple[Any, ...], earned: Any
) -> None:
    assert points(FOUR, *answers) == earned


def test_each_question_has_its_own_floor() -> None:
    item = {"key": "a", "answer": "yes", "points": 1}
    key = QuizKey.model_validate({"question": [{"key": "q1", "item": [item]}, {"key": "q2", "item": [item]}]})
    judged = judge_quiz(key, {"q1.a": "no", "q2.a": "yes"})
    assert [one.points for one in judged] == [0, 1]


@pytest.mark.parametrize(
    ("item", "right", "wrong", "unreadable"),
    [
        ({"kind": "choice", "answer": "b", "options": ["a", "b", "c"]}, ["b", " B"], ["a"], ["d", ["a", "b"], True]),
        (
            {"kind": "choices", "answer": ["a", "c"], "options": ["a", "b", "c"]},
            [["c", "a"], "a, c", "C a"],
            ["a", ["a", "b", "c"]],
            ["a d", ["a", "d"], None],
        ),
        ({"kind": "choices", "answer": "a GAN", "options": ["a GAN", "VAE"]}, ["a GAN", ["A gan"]], ["VAE"], ["GAN"]),
        (
            {"kind": "number", "answer": 0.25, "tolerance": Decimal("0.01")},
            ["0.25", "1/4", "0,26", "24 %"],
            ["0.261", "-1"],
            ["nan", "inf", "x", "1/0", "9**9**9**9", "1" * 1000, ["1", "2"]],
        ),
    ],
)
def test_choices_and_numbers(item: dict[str, Any], right: list[Any], wrong: list[Any], unreadable: list[Any]) -> None:
    key = quiz(item)
    for expected, answers in (("right", right), ("wrong", wrong), ("unreadable", unreadable)):
        for answer in answers:
            (question,) = judge_quiz(key, {"q1.a": answer})
            assert question.items[0].verdict == expected, answer


def test_what_a_wrong_answer_costs_may_differ_from_what_a_right_one_earns() -> None:
    key = quiz({"answer": "yes"}, {"answer": "yes", "wrong": Decimal("0.1")})
    assert points(key, "yes", "no") == Decimal("0.4")


def test_explanations_name_the_right_answer_and_the_students() -> None:
    key = quiz({"answer": "yes", "title": "A VAE.", "explanation": "By a bound."})
    assert list(explanations(judge_quiz(key, {"q1.a": "no"}))) == [
        "q1 Likelihood: 0 of 0.5",
        "- a A VAE: yes (you: wrong). By a bound.",
    ]


@given(
    st.lists(st.none() | st.booleans() | st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=4), max_size=4)
)
def test_any_answers_earn_between_nothing_and_everything(answers: list[Any]) -> None:
    mixed = quiz(
        {"answer": "yes"},
        {"kind": "choice", "answer": "a", "options": ["a", "b"]},
        {"kind": "choices", "answer": ["a"], "options": ["a", "b"]},
        {"kind": "number", "answer": 3},
    )
    assert 0 <= points(mixed, *answers) <= 2
