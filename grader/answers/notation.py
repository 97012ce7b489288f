"""The notation of formulas: `sqrt(alpha_bar_t) * x_0`, `1 - a_1^2`, `2/3`, `0,5`, `66.7 %`.

    sum     = product (("+" | "-") product)*
    product = signed (("*" | "/") signed)*
    signed  = ("+" | "-") signed | power
    power   = atom [("^" | "**") signed]
    atom    = NUMBER ["%"] | NAME | FUNCTION "(" sum ")" | "prod" "(" NAME "," INDEX "," INDEX ")" | "(" sum ")"

A text becomes a tree by this grammar and in no other way: no part of it is ever compiled or evaluated as Python.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader import GapgradeError

MAX_CHARACTERS = 200
MAX_DEPTH = 40
MAX_DIGITS = 30
MAX_FACTORS = 20
FUNCTIONS = ("sqrt", "exp", "log", "ln", "prod")

# Other ways to type the same signs; a combining macron (and a bar above) turns alpha into alpha_bar.
_SPELLINGS = {
    **dict.fromkeys("−–", "-"), **dict.fromkeys("·⋅∙×", "*"), "÷": "/", "√": "sqrt",
    "α": "alpha", "β": "beta", "\u0304": "_bar", "\u0305": "_bar",
    **{sign: f"_{plain}" for sign, plain in zip("₀₁₂₃₄₅₆₇₈₉ₜ", "0123456789t", strict=True)},
    **{sign: f"^{plain}" for sign, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True)},
}  # fmt: skip
_TRANSLATION = str.maketrans(_SPELLINGS)
_TOKEN = re.compile(
    r"(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3}(?!\w))?)|(?P<name>[A-Za-z]\w*)|(?P<sign>\*\*|[-+*/^(),%])",
    re.ASCII,
)


class AnswerError(GapgradeError):
    """An answer that cannot be read or has no value: a clause that a message puts its place before."""


@dataclass(frozen=True)
class Number:
    """A number as it was typed."""

    value: Decimal


@dataclass(frozen=True)
class Name:
    """A symbol, or the product of a family of symbols with an open end, spelt `prod(alpha, 1, t)`."""

    name: str


@dataclass(frozen=True)
class Operation:
    """A sign or a function, and what it is applied to."""

    sign: str
    operands: tuple[Formula, ...]


Formula = Number | Name | Operation


def parse(text: str) -> Formula:
    """The tree of a formula; raises `AnswerError` with what is wrong, and at which column."""
    if len(text) > MAX_CHARACTERS:
        raise AnswerError(f"it has {len(text):,} characters, and at most {MAX_CHARACTERS} are read")
    return _Parser(list(_tokens(_plain(text)))).whole()


def _plain(text: str) -> str:
    """The text in ASCII where other signs stand for ASCII ones; a comma between digits is a decimal comma."""
    plain = unicodedata.normalize("NFD", text).translate(_TRANSLATION)
    return plain if "prod" in plain else re.sub(r"(?<=[0-9]),(?=[0-9])", ".", plain)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    column: int


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if not found:
            name = unicodedata.name(text[at], "without a name")
            shown = text[at] if text[at].isascii() and text[at].isprintable() else name
            raise AnswerError(f"the character {shown} at column {at + 1} is not part of the notation")
        yield _Token(found.lastgroup or "", "^" if found[0] == "**" else found[0], at + 1)
        at = found.end()


class _Parser:
    """Reads tokens from left to right, one method a line of the grammar."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Formula:
        formula = self._sum()
        if self._at < len(self._tokens):
            left = self._tokens[self._at]
            what = "closes nothing" if left.text == ")" else "has no operator before it; write * for a product"
            raise AnswerError(f"{left.text[:40]} at column {left.column} {what}")
        return formula

    def _sum(self) -> Formula:
        formula = self._product()
        while sign := self._take("+", "-"):
            formula = Operation(sign, (formula, self._product()))
        return formula

    def _product(self) -> Formula:
        formula = self._signed()
        while sign := self._take("*", "/"):
            formula = Operation(sign, (formula, self._signed()))
        return formula

    def _signed(self) -> Formula:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise AnswerError(f"it is nested deeper than {MAX_DEPTH} levels")
        if sign := self._take("+", "-"):
            formula: Formula = Operation(sign, (Number(Decimal(0)), self._signed()))
        else:
            formula = self._atom()
            if self._take("^"):
                formula = Operation("^", (formula, self._signed()))
        self._depth -= 1
        return formula

    def _atom(self) -> Formula:
        if self._take("("):
            return self._until_closed()
        token = self._next("a number, a name or a bracket")
        if token.kind == "number":
            return self._number(token)
        if token.kind != "name":
            raise AnswerError(f"{token.text} at column {token.column} stands where a number or a name is expected")
        if not self._take("("):
            if token.text in FUNCTIONS:
                raise AnswerError(f"{token.text} at column {token.column} needs brackets: {token.text}(...)")
            return Name(token.text)
        if token.text == "prod":
            return self._family()
        if token.text not in FUNCTIONS:
            advice = f"the functions are {', '.join(FUNCTIONS)}; write * for a product"
            raise AnswerError(f"{token.text[:40]}(...) at column {token.column} is no function; {advice}")
        return Operation(token.text, (self._until_closed(),))

    def _number(self, token: _Token) -> Formula:
        if sum(character.isdigit() for character in token.text) > MAX_DIGITS:
            raise AnswerError(f"the number at column {token.column} has more than {MAX_DIGITS} digits")
        number = Number(Decimal(token.text))
        return Operation("/", (number, Number(Decimal(100)))) if self._take("%") else number

    def _until_closed(self) -> Formula:
        formula = self._sum()
        self._expect(")")
        return formula

    def _family(self) -> Formula:
        """`prod(alpha, 1, 3)` is alpha_1 * alpha_2 * alpha_3; with an open end it is a name of its own."""
        family = self._next("the name of a family of symbols")
        ends = []
        for _ in range(2):
            self._expect(",")
            ends.append(self._next("an index").text)
        self._expect(")")
        first, last = ends
        if not (first.isdigit() and last.isdigit()):
            return Name(f"prod({family.text}, {first}, {last})")
        factors = range(int(first[:6]), int(last[:6]) + 1)
        if not 1 <= len(factors) <= MAX_FACTORS:
            raise AnswerError(f"prod(...) has {len(factors)} factors; it may have 1 to {MAX_FACTORS}")
        formula: Formula = Name(f"{family.text}_{factors[0]}")
        for index in factors[1:]:
            formula = Operation("*", (formula, Name(f"{family.text}_{index}")))
        return formula

    def _take(self, *signs: str) -> str:
        """The next token's text if it is one of these signs, or nothing."""
        if self._at < len(self._tokens) and self._tokens[self._at].text in signs:
            self._at += 1
            return self._tokens[self._at - 1].text
        return ""

    def _next(self, expected: str) -> _Token:
        if self._at == len(self._tokens):
            raise AnswerError(f"it ends where {expected} is expected")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, sign: str) -> None:
        token = self._next(f"a {sign}")
        if token.text != sign:
            raise AnswerError(f"a {sign} is expected at column {token.column}, before {token.text[:40]}")


def names(formula: Formula) -> Iterator[str]:
    """The names in a formula, from left to right."""
    if isinstance(formula, Name):
        yield formula.name
    elif isinstance(formula, Operation):
        for operand in formula.operands:
            yield from names(operand)
