"""Formulas: what they are worth at a point, and whether two of them are the same.

Trees are evaluated in decimal arithmetic whose digits and exponents are bounded, so a short text cannot ask for much:
9^9^9^9 is too large at once. Two formulas count as the same where they agree at random points to 30 of 50 digits:
expressions made of these operations that differ agree only on a set of measure zero.
"""

from __future__ import annotations

import decimal
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches

from grader.answers.notation import AnswerError, Formula, Name, Number, names, parse

POINTS = 8
AGREE = Decimal("1e-30")

_CONTEXT = decimal.Context(
    prec=50,
    Emin=-9999,
    Emax=9999,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow, decimal.Underflow],
)
_OPERATIONS: dict[str, Callable[..., Decimal]] = {
    "+": _CONTEXT.add,
    "-": _CONTEXT.subtract,
    "*": _CONTEXT.multiply,
    "/": _CONTEXT.divide,
    "^": _CONTEXT.power,
    "sqrt": _CONTEXT.sqrt,
    "exp": _CONTEXT.exp,
    "log": _CONTEXT.ln,
    "ln": _CONTEXT.ln,
}

Point = Mapping[str, Decimal]


def evaluate(formula: Formula, point: Point) -> Decimal:
    """The value at a point to 50 digits; raises `AnswerError` where there is none."""
    if isinstance(formula, Number):
        return formula.value
    if isinstance(formula, Name):
        return point[formula.name]
    values = [evaluate(operand, point) for operand in formula.operands]
    try:
        value = _OPERATIONS[formula.sign](*values)
    except decimal.DivisionByZero:
        value = Decimal("Infinity")
    except decimal.Overflow:
        raise AnswerError("it becomes too large") from None
    except decimal.Underflow:
        raise AnswerError("it comes too close to zero") from None
    except decimal.InvalidOperation:
        if formula.sign == "/":
            raise AnswerError("it divides by zero") from None
        raise AnswerError(f"it has no real value ({formula.sign} of a number that has none)") from None
    if not value.is_finite():
        raise AnswerError("it divides by zero" if formula.sign in "/^" else "it takes the logarithm of zero")
    return value


@dataclass(frozen=True)
class Vocabulary:
    """The names that a formula may use.

    Attributes:
        symbols: each free symbol, and between which numbers it lies.
        relations: names that are made of symbols, and of relations before them.
    """

    symbols: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    relations: Mapping[str, Formula] = field(default_factory=dict)

    def read(self, text: str) -> Formula:
        """`parse`, and every name is known."""
        formula = parse(text)
        for name in names(formula):
            if name not in self.symbols and name not in self.relations:
                raise AnswerError(f"{name[:40]} is not known" + _advice(name, [*self.symbols, *self.relations]))
        return formula

    def points(self) -> list[dict[str, Decimal]]:
        """Points between the symbols' bounds, drawn at random once and for all: a grading repeats exactly."""
        rng = random.Random(0)
        points = []
        for _ in range(POINTS):
            point = {
                name: low + (high - low) * Decimal(rng.randrange(1, 10**18)).scaleb(-18)
                for name, (low, high) in self.symbols.items()
            }
            for name, formula in self.relations.items():
                point[name] = evaluate(formula, point)
            points.append(point)
        return points


def _advice(name: str, known: list[str]) -> str:
    near = get_close_matches(name[:40], known, 1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known are {', '.join(known)}" if known else "; write numbers only"


def same(one: Formula, other: Formula, points: Iterable[Point], tolerance: Decimal | None = None) -> bool:
    """Whether two formulas have the same value at every point.

    Args:
        tolerance: how far the values may lie apart; without it they agree to 30 digits.

    Raises:
        AnswerError: one of them has no value somewhere.
    """
    for point in points:
        a, b = evaluate(one, point), evaluate(other, point)
        allowed = AGREE * max(Decimal(1), abs(a), abs(b)) if tolerance is None else tolerance
        if abs(a - b) > allowed:
            return False
    return True
