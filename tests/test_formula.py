"""Formulas: the notation, what counts as the same, and what no text can do."""

from __future__ import annotations

import random
import time
from decimal import Decimal

import pytest
import sympy
from hypothesis import example, given
from hypothesis import strategies as st

from grader.answers.formula import Vocabulary, evaluate, same
from grader.answers.notation import FUNCTIONS, AnswerError, parse

UNIT = (Decimal(0), Decimal(1))
VOCABULARY = Vocabulary(
    {"x_0": (Decimal(-2), Decimal(2)), "alpha_1": UNIT, "alpha_2": UNIT, "alpha_3": UNIT, "alpha_bar_t": UNIT},
    {
        "beta_1": parse("1 - alpha_1"),
        "alpha_bar_3": parse("alpha_1 * alpha_2 * alpha_3"),
        "prod(alpha, 1, t)": parse("alpha_bar_t"),
    },
)


def equal(one: str, other: str) -> bool:
    return same(VOCABULARY.read(one), VOCABULARY.read(other), VOCABULARY.points())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2/3", Decimal(2) / 3), ("0.5", "0.5"), ("0,5", "0.5"), (".5", "0.5"), ("5e-1", "0.5"), ("66 %", "0.66"),
        ("1 - 2 - 3", -4), ("8/4/2", 1), ("2^3^2", 512), ("2**3", 8), ("-2^2", -4), ("2^-1", "0.5"), ("--2", 2),
        ("2·3", 6), ("2×3", 6), ("7 − 2", 5), ("√(9)", 3), ("3²", 9), ("sqrt(16) + ln(1) + exp(0)", 5),
    ],
)  # fmt: skip
def test_plain_notation_is_read_as_it_is_meant(text: str, value: object) -> None:
    assert abs(evaluate(parse(text), {}) - Decimal(value)) < Decimal("1e-27")  # str or int


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sqrt(alpha_bar_3) * x_0", "x_0 * alpha_1^0.5 * alpha_2^(1/2) * √(α₃)"),
        ("1 - alpha_1", "beta_1"),
        ("1 - (1 - beta_1)*alpha_2*alpha_3", "1 - ᾱ_3"),
        ("prod(alpha, 1, 3)", "alpha_bar_3"),
        ("prod(alpha, 1, t)", "ᾱₜ"),
        ("(x_0 + alpha_1)^2", "x_0^2 + 2*x_0*alpha_1 + alpha_1^2"),
        ("exp(log(alpha_1) / 2)", "sqrt(alpha_1)"),
    ],
)
def test_equivalent_forms_are_the_same(one: str, other: str) -> None:
    assert equal(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sqrt(alpha_bar_t) * x_0", "alpha_bar_t * x_0"),
        ("sqrt(alpha_bar_t * x_0^2)", "sqrt(alpha_bar_t) * x_0"),  # |x_0|: the points have both signs
        ("1 - alpha_bar_3", "1 - alpha_bar_t"),
        ("1/3", "0.3333333333333333333333333333"),
        ("alpha_1", "alpha_1 + 10^-29"),
    ],
)
def test_formulas_that_differ_are_not(one: str, other: str) -> None:
    assert not equal(one, other)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it ends where a number, a name or a bracket is expected"),
        ("2 x_0", "x_0 at column 3 has no operator before it; write * for a product"),
        ("sqrt alpha_1", "sqrt at column 1 needs brackets: sqrt(...)"),
        ("alpha_1(2)", "alpha_1(...) at column 1 is no function"),
        ("(1", "it ends where a ) is expected"),
        ("1)", ") at column 2 closes nothing"),
        ("1 +* 2", "* at column 4 stands where a number or a name is expected"),
        ("alpha1", "alpha1 is not known; did you mean alpha_1?"),
        ("nan", "nan is not known"),
        ("inf", "inf is not known"),
        ("__import__('os').system('id')", "the character _ at column 1 is not part of the notation"),
        (r"\sqrt{2}", "the character \\ at column 1"),
        ("\u0430lpha_1", "the character CYRILLIC SMALL LETTER A at column 1"),
        ("170!", "the character ! at column 4"),
        ("factorial(1000000)", "factorial(...) at column 1 is no function"),
        ("9" * 31, "the number at column 1 has more than 30 digits"),
        ("prod(alpha, 1, 999999999)", "factors; it may have 1 to 20"),
        ("(" * 100, "it is nested deeper than 40 levels"),
        ("-" * 150 + "1", "it is nested deeper than 40 levels"),
        ("2^" * 90 + "2", "it is nested deeper than 40 levels"),
        ("1+" * 500_000 + "1", "it has 1,000,001 characters, and at most 200 are read"),
        ("9**9**9**9", "it becomes too large"),
        ("exp(exp(99))", "it becomes too large"),
        ("1 / exp(99999)", "it becomes too large"),
        ("exp(-99999)", "it comes too close to zero"),
        ("1/0", "it divides by zero"),
        ("0/0", "it divides by zero"),
        ("0^-1", "it divides by zero"),
        ("log(0)", "it takes the logarithm of zero"),
        ("sqrt(0 - alpha_1)", "it has no real value (sqrt"),
        ("log(-1)", "it has no real value (log"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason_at_once(text: str, sentence: str) -> None:
    start = time.perf_counter()
    with pytest.raises(AnswerError) as refused:
        equal(text, text)
    assert sentence in str(refused.value)
    assert time.perf_counter() - start < 0.5


@given(
    st.text(max_size=300)
    | st.text(st.sampled_from("0123456789.,+-*/^()% e_abxt√²ᾱ₁"), max_size=220)
    | st.lists(st.sampled_from([*FUNCTIONS, "x_0", "alpha_1", "9", "99999", "1e-999", *"+-*/^(),% "]), max_size=60).map(
        "".join
    )
)
@example("exp(" * 39 + "1" + ")" * 39)
@example("1e999^1e999")
@example("(1+1e-29)^(1e29)")
def test_no_text_raises_anything_else_or_takes_long(text: str) -> None:
    start = time.perf_counter()
    sentence = ""
    try:
        equal(text, "x_0")
    except AnswerError as error:
        sentence = str(error)
    assert len(sentence.splitlines()) <= 1
    assert len(sentence) < 300
    assert time.perf_counter() - start < 0.5


def _random_text(rng: random.Random, depth: int) -> str:
    if depth == 0:
        return rng.choice(["x_0", "alpha_1", "alpha_2", "2", "3", "0.5"])
    one, other = (_random_text(rng, rng.randrange(depth)) for _ in range(2))
    form = rng.choice(
        ["{} + {}", "({} - {})", "({}) * ({})", "({}) / ({})", "-({1})*{0}", "({})^2 + {}", "exp({})*({})"]
    )
    return form.format(one, other)


def test_the_notation_means_what_sympy_takes_it_for() -> None:
    rng = random.Random(1)
    point = VOCABULARY.points()[0]
    compared = 0
    for _ in range(200):
        text = _random_text(rng, 4)
        try:
            ours = evaluate(VOCABULARY.read(text), point)
        except AnswerError:
            continue
        values = {sympy.Symbol(name): sympy.Float(str(value), 60) for name, value in point.items() if "(" not in name}
        theirs = sympy.sympify(text.replace("^", "**"), rational=True).evalf(60, subs=values)
        assert abs(Decimal(str(theirs)) - ours) <= Decimal("1e-35") * max(1, abs(ours)), text
        compared += 1
    assert compared > 100
