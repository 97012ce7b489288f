"""The hidden key of a formula or quiz task: `[NAME]` in `tests_hidden/<exercise>/answers_key.toml`.

`NAME` is the table of `answers.toml` that a task of a sheet names with `answers = "NAME"`. A key is checked when a
sheet is loaded: its formulas are read, its names are unique, and the `answers.toml` that is handed out asks for each.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from grader import GapgradeError
from grader.answers.formula import Vocabulary, same
from grader.answers.notation import AnswerError, Formula
from grader.answers.reading import read_answers

FILE = "answers.toml"
KEY_FILE = "answers_key.toml"

Points = Annotated[Decimal, Field(ge=0, max_digits=8, decimal_places=4)]


class KeyFileError(GapgradeError):
    """A key that cannot be used: file, where in it, and what to change."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mistake(_Model):
    """A wrong formula that is met often, and the concept that it misses."""

    formula: str
    hint: str


class FormulaPart(_Model):
    """One answer: `key` is its name in `answers.toml`, `title` says what is asked for.

    `tolerance` is for numbers that may be rounded: how far from the right one they may lie.
    """

    key: str
    title: str = ""
    formula: str
    points: Points
    tolerance: Annotated[Decimal, Field(gt=0)] | None = None
    mistake: tuple[Mistake, ...] = ()


class FormulaKey(_Model):
    """What a formula task asks for.

    Attributes:
        example: the notation, shown where an answer cannot be read.
        symbols: the free names, and between which two numbers each lies.
        relations: further names, each a formula of symbols and of relations above it.
    """

    example: str = "sqrt(2) / 3"
    symbols: dict[str, tuple[Decimal, Decimal]] = {}
    relations: dict[str, str] = {}
    part: Annotated[tuple[FormulaPart, ...], Field(min_length=1)]

    @property
    def points(self) -> Decimal:
        return sum((part.points for part in self.part), Decimal(0))

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        relations: dict[str, Formula] = {}
        for name, text in self.relations.items():
            relations[name] = Vocabulary(self.symbols, relations).read(text)
        return Vocabulary(self.symbols, relations)

    def paths(self) -> Iterator[str]:
        """The answers' places below the task's table."""
        return (part.key for part in self.part)


def _as_texts(value: Any) -> Any:
    """One answer or several, as students type them."""
    values = value if isinstance(value, list) else [value]
    words = {True: "yes", False: "no"}
    return tuple(words[one] if isinstance(one, bool) else str(one) for one in values)


class Item(_Model):
    """One statement or choice of a question: right earns `points`, wrong costs `wrong` (the same, where not given).

    `answer` is `yes` or `no`, one of the `options`, a list of several of them, or a number with its `tolerance`.
    """

    key: str
    title: str = ""
    kind: Literal["yes-no", "choice", "choices", "number"] = "yes-no"
    answer: Annotated[tuple[str, ...], BeforeValidator(_as_texts)]
    options: tuple[str, ...] = ()
    tolerance: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    points: Points
    wrong: Points | None = None
    explanation: str = ""

    @property
    def cost(self) -> Decimal:
        return self.points if self.wrong is None else self.wrong


class Question(_Model):
    """Items that are scored together, never below 0."""

    key: str
    title: str = ""
    item: Annotated[tuple[Item, ...], Field(min_length=1)]


class QuizKey(_Model):
    """What a quiz asks."""

    question: Annotated[tuple[Question, ...], Field(min_length=1)]

    @property
    def points(self) -> Decimal:
        return sum((item.points for question in self.question for item in question.item), Decimal(0))

    def paths(self) -> Iterator[str]:
        """The answers' places below the task's table."""
        return (f"{question.key}.{item.key}" for question in self.question for item in question.item)


Key = FormulaKey | QuizKey
_MODELS: dict[str, type[FormulaKey] | type[QuizKey]] = {"formula": FormulaKey, "quiz": QuizKey}


def load_key(course: Path, exercises: tuple[str, ...], name: str, kind: str) -> Key:
    """The key of a task of the kind `formula` or `quiz`; raises `KeyFileError`."""
    files = [course / "tests_hidden" / exercise / KEY_FILE for exercise in exercises]
    tables = {file: found[name] for file in files if file.is_file() and name in (found := _tables(file))}
    if not tables:
        raise KeyFileError(
            f"no key for the answers {name!r}: none of {', '.join(map(str, files))} has a table [{name}]"
        )
    if len(tables) > 1:
        raise KeyFileError(f"{' and '.join(map(str, tables))} both have the table [{name}]; rename one of them")
    ((file, table),) = tables.items()
    return _read(file, name, kind, table)


def _tables(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{file}: {error}") from None


def _read(file: Path, name: str, kind: str, table: Any) -> Key:
    try:
        key = _MODELS[kind](**table)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in (name, *first["loc"]))
        raise KeyFileError(f"{file}: {where}: {first['msg']}") from None
    except TypeError:
        raise KeyFileError(f"{file}: {name} is no table; write [{name}]") from None
    try:
        _check(key)
    except AnswerError as error:
        raise KeyFileError(f"{file}: [{name}] {error}") from None
    return key


def _check(key: Key) -> None:
    """Raise `AnswerError` for a key that no answer could be compared with."""
    paths = list(key.paths())
    twice = {path for path in paths if paths.count(path) > 1}
    if twice:
        raise AnswerError(f"asks twice for {', '.join(sorted(twice))}")
    if isinstance(key, FormulaKey):
        for part in key.part:
            _check_part(key.vocabulary, part)
    else:
        for question in key.question:
            for item in question.item:
                _check_item(item)


def _check_part(vocabulary: Vocabulary, part: FormulaPart) -> None:
    points = vocabulary.points()
    try:
        right = vocabulary.read(part.formula)
        same(right, right, points)
        for mistake in part.mistake:
            if same(right, vocabulary.read(mistake.formula), points, part.tolerance):
                raise AnswerError(f"the mistake {mistake.formula!r} is right")
    except AnswerError as error:
        raise AnswerError(f"{part.key}: {error}") from None


def _check_item(item: Item) -> None:
    wrong = ""
    if item.kind == "yes-no" and item.answer not in (("yes",), ("no",)):
        wrong = "the answer is yes or no"
    elif item.kind in ("choice", "choices") and not set(item.answer) <= set(item.options):
        wrong = "each answer is one of the options"
    elif item.kind != "choices" and len(item.answer) != 1:
        wrong = "there is one answer"
    elif item.kind == "number":
        Vocabulary().read(item.answer[0])
    if wrong:
        raise AnswerError(f"{item.key}: {wrong}, not {', '.join(item.answer)}")


def check_handed_out(course: Path, exercises: tuple[str, ...], name: str, key: Key) -> None:
    """Every answer that the key asks for stands in an exercise's `answers.toml`; raises `KeyFileError`."""
    files = [course / "solutions" / exercise / FILE for exercise in exercises]
    asked: set[str] = set()
    for file in files:
        if file.is_file():
            found = read_answers(file.read_bytes())
            if found["error"]:
                raise KeyFileError(f"{file}:{found['line']}: {found['error']}")
            asked |= found["values"].keys()
    missing = [path for path in key.paths() if f"{name}.{path}" not in asked]
    if missing:
        where = ", ".join(str(file) for file in files if file.is_file()) or f"an exercise's {FILE}"
        raise KeyFileError(
            f"{where}: the key asks for {name}.{missing[0]}, which is not there; add an empty line for it"
        )
