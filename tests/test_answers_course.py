"""The keys of this course's sheets: right by another way than theirs, and nothing of them is handed out."""

from __future__ import annotations

import itertools
import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from grader.answers.formula import POINTS, evaluate
from grader.answers.formulas import judge_formulas
from grader.answers.key import FormulaKey, QuizKey, load_key
from grader.answers.reading import read_answers
from grader.sheet import load_sheet

ROOT = Path(__file__).parent.parent
SHEETS = sorted(file.parent.name for file in ROOT.glob("sheets/*/sheet.toml"))


def formula_key(exercise: str, name: str) -> FormulaKey:
    key = load_key(ROOT, (exercise,), name, "formula")
    assert isinstance(key, FormulaKey)
    return key


def test_bertrands_box_is_counted_side_by_side() -> None:
    cards = [("black", "black"), ("white", "white"), ("black", "white")]
    laid = [(card[up], card[1 - up]) for card, up in itertools.product(cards, (0, 1))]  # six equally likely pairs

    def probability(of: str, given: str) -> Fraction:
        hidden = [other for upper, other in laid if upper == given]
        return Fraction(hidden.count(of), len(hidden))

    black, white = (Fraction(sum(upper == colour for upper, _ in laid), len(laid)) for colour in ("black", "white"))
    counted = [black, white, probability("black", "black"), probability("black", "white")]
    key = formula_key("probability", "bertrand")
    judged = judge_formulas(key, {part.key: str(value) for part, value in zip(key.part, counted, strict=True)})
    assert [one.verdict for one in judged] == ["right"] * 4
    assert [str(value) for value in counted] == ["1/2", "1/2", "2/3", "1/3"]


def test_the_forward_process_is_followed_step_by_step() -> None:
    key = formula_key("diffusion", "diffusion")
    right = {part.key: key.vocabulary.read(part.formula) for part in key.part}
    points = key.vocabulary.points()
    assert len(points) == POINTS
    for point in points:
        mean, variance = point["x_0"], Decimal(0)
        for t in (1, 2, 3):  # x_t = sqrt(alpha_t) x_(t-1) + sqrt(1 - alpha_t) epsilon_t
            mean *= point[f"alpha_{t}"].sqrt()
            variance = point[f"alpha_{t}"] * variance + (1 - point[f"alpha_{t}"])
        assert abs(evaluate(right["mean_x_3"], point) - mean) < Decimal("1e-25")
        assert abs(evaluate(right["variance_x_3"], point) - variance) < Decimal("1e-25")
    three = [{**point, "alpha_bar_t": point["alpha_bar_3"]} for point in points]  # t = 3
    for what in ("mean_x", "variance_x"):
        for point in three:
            assert abs(evaluate(right[f"{what}_t"], point) - evaluate(right[f"{what}_3"], point)) < Decimal("1e-40")


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("1 - alpha_1*alpha_2*alpha_3", "right"),
        ("1 - alpha_bar_3", "right"),
        ("1 - (1-b1)*(1-b2)*(1-b3)", "right"),
        ("1 - a1*a2*a3", "right"),
        ("1 - prod(alpha, 1, 3)", "right"),
        ("(1 - α₁α₂α₃)", "unreadable"),  # a product needs its signs
        ("(1 - α₁·α₂·α₃) I", "unreadable"),
        ("(1 - α₁·α₂·α₃) * I", "right"),
        ("a3*(a2*(1 - a1) + 1 - a2) + 1 - a3", "right"),
        ("1 - alpha_bar_t", "wrong"),
        ("beta_1 + beta_2 + beta_3", "wrong"),
    ],
)
def test_equivalent_variances_count(answer: str, verdict: str) -> None:
    key = formula_key("diffusion", "diffusion")
    judged = {one.part.key: one for one in judge_formulas(key, {"variance_x_3": answer})}
    assert judged["variance_x_3"].verdict == verdict


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("2/3", "right"), ("0.67", "right"), ("66,7 %", "right"), ("0.66", "wrong"), ("0.7", "wrong"), ("1/2", "wrong")],
)
def test_a_probability_may_be_rounded_to_two_decimals(answer: str, verdict: str) -> None:
    key = formula_key("probability", "bertrand")
    judged = {one.part.key: one for one in judge_formulas(key, {"other_black_given_black": answer})}
    assert judged["other_black_given_black"].verdict == verdict


@pytest.mark.parametrize("name", SHEETS)
def test_what_is_handed_out_asks_for_every_answer_and_holds_none(name: str) -> None:
    sheet = load_sheet(name, ROOT)
    tasks = [task for task in sheet.tasks if task.kind == "formula"]
    if not tasks:
        pytest.skip("no formulas on this sheet")
    found = read_answers((ROOT / "student" / name / "answers.toml").read_bytes())
    assert not any(found["values"].values())
    for task in tasks:
        key = load_key(ROOT, sheet.exercises, task.answers, "formula")
        assert {path for path in found["values"] if path.startswith(f"{task.answers}.")} == {
            f"{task.answers}.{path}" for path in key.paths()
        }
    handed_out = {file.name for file in (ROOT / "student" / name).rglob("*") if file.is_file()}
    assert "answers_key.toml" not in handed_out


@pytest.mark.parametrize(
    "file", sorted(ROOT.glob("tests_hidden/*/answers_key.toml")), ids=lambda file: file.parent.name
)
def test_no_example_of_the_notation_is_an_answer(file: Path) -> None:
    for name, table in tomllib.loads(file.read_text()).items():
        if "part" in table:
            key = formula_key(file.parent.name, name)
            judged = judge_formulas(key, {part.key: key.example for part in key.part})
            assert {one.verdict for one in judged} == {"wrong"}


def test_the_quiz_hands_out_the_statements_that_its_key_judges() -> None:
    key = load_key(ROOT, ("generative_quiz",), "quiz", "quiz")
    assert isinstance(key, QuizKey)
    assert [len(question.item) for question in key.question] == [4] * 5
    assert key.points == 10
    comments = [line.strip("# ") for line in (ROOT / "solutions/generative_quiz/answers.toml").read_text().splitlines()]
    handed_out = " ".join(comments)
    for question in key.question:
        assert question.title in handed_out
        for item in question.item:
            assert item.title in handed_out
            assert item.title not in item.explanation
            assert item.explanation
