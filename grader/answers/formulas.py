"""A formula task: each part is compared with the key on its own, so one wrong or unreadable part costs only itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from grader.answers.formula import same
from grader.answers.key import FormulaKey, FormulaPart
from grader.answers.notation import AnswerError

Verdict = Literal["right", "wrong", "empty", "unreadable"]


@dataclass(frozen=True)
class JudgedPart:
    """One answer's outcome.

    Attributes:
        points: all of the part's, or none.
        note: for a wrong answer the hint of the mistake that it is, for an unreadable one the reason; otherwise empty.
    """

    part: FormulaPart
    verdict: Verdict
    points: Decimal
    note: str = ""


def judge_formulas(key: FormulaKey, answers: Mapping[str, Any]) -> list[JudgedPart]:
    """Judge every part.

    Args:
        answers: by the part's key: a string, or None for what is no text.
    """
    points = key.vocabulary.points()
    return [_judge(key, part, answers.get(part.key, ""), points) for part in key.part]


def _judge(key: FormulaKey, part: FormulaPart, value: Any, points: list[dict[str, Decimal]]) -> JudgedPart:
    if not isinstance(value, str):
        return JudgedPart(part, "unreadable", Decimal(0), "it is no text between quotes")
    if not value.strip():
        return JudgedPart(part, "empty", Decimal(0))
    vocabulary = key.vocabulary
    try:
        answer = vocabulary.read(value)
        if same(answer, vocabulary.read(part.formula), points, part.tolerance):
            return JudgedPart(part, "right", part.points)
        mistakes = (one for one in part.mistake if same(answer, vocabulary.read(one.formula), points, part.tolerance))
        mistake = next(mistakes, None)
    except AnswerError as error:
        return JudgedPart(part, "unreadable", Decimal(0), str(error))
    return JudgedPart(part, "wrong", Decimal(0), mistake.hint if mistake else "")
