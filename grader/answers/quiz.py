"""A quiz: right earns, wrong costs, abstaining is free, and no question ever falls below zero."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from grader.answers.formula import Vocabulary, evaluate
from grader.answers.key import Item, Question, QuizKey
from grader.answers.notation import AnswerError

Verdict = Literal["right", "wrong", "abstained", "unreadable"]

_YES = frozenset({"yes", "y", "true", "ja", "j"})
_NO = frozenset({"no", "n", "false", "nein"})
_ABSTAIN = frozenset({"", "abstain", "-", "?"})
MAX_SHOWN = 60


@dataclass(frozen=True)
class Judged:
    """One item's outcome; `problem` says why an answer could not be read, which counts as abstaining."""

    item: Item
    path: str
    verdict: Verdict
    points: Decimal
    problem: str = ""


@dataclass(frozen=True)
class JudgedQuestion:
    """One question's items, and its points: their sum, or 0 where that is below."""

    question: Question
    items: tuple[Judged, ...]

    @property
    def points(self) -> Decimal:
        return max(Decimal(0), sum((item.points for item in self.items), Decimal(0)))

    @property
    def max_points(self) -> Decimal:
        return sum((item.points for item in self.question.item), Decimal(0))


def judge_quiz(key: QuizKey, answers: Mapping[str, Any]) -> list[JudgedQuestion]:
    """Judge every question.

    Args:
        answers: by `QUESTION.ITEM`: a string, a bool, a list of strings, or None for what is no answer at all.
    """
    return [
        JudgedQuestion(question, tuple(_judge(question, item, answers) for item in question.item))
        for question in key.question
    ]


def _judge(question: Question, item: Item, answers: Mapping[str, Any]) -> Judged:
    path = f"{question.key}.{item.key}"
    try:
        given = _given(item, answers.get(path, ""))
    except AnswerError as error:
        return Judged(item, path, "unreadable", Decimal(0), str(error))
    if given is None:
        return Judged(item, path, "abstained", Decimal(0))
    right = _is_right(item, given)
    return Judged(item, path, "right" if right else "wrong", item.points if right else -item.cost)


def _given(item: Item, value: Any) -> tuple[str, ...] | None:
    """What was chosen, as the key spells it, or None for abstaining; raises `AnswerError` with a sentence."""
    texts = [value] if isinstance(value, str | bool) else value
    if not isinstance(texts, list):
        raise AnswerError("it is no text")
    chosen = [str(text).strip() for text in texts]
    if all(text.lower() in _ABSTAIN for text in chosen):
        return None
    names = [option.lower() for option in item.options]
    if item.kind == "choices" and len(chosen) == 1 and chosen[0].lower() not in names:
        chosen = chosen[0].replace(",", " ").split()
    if item.kind != "choices" and len(chosen) != 1:
        raise AnswerError("it is a list, and one answer is expected")
    return tuple(_spelled(item, text) for text in chosen)


def _spelled(item: Item, text: str) -> str:
    if item.kind == "number":
        evaluate(Vocabulary().read(text), {})
        return text
    if item.kind == "yes-no":
        if text.lower() in _YES | _NO:
            return "yes" if text.lower() in _YES else "no"
        raise AnswerError(f"{text[:MAX_SHOWN]} is none of yes, no and abstain")
    for option in item.options:
        if option.lower() == text.lower():
            return option
    raise AnswerError(f"{text[:MAX_SHOWN]} is none of {', '.join(item.options)}")


def _is_right(item: Item, given: tuple[str, ...]) -> bool:
    if item.kind == "number":
        values = [evaluate(Vocabulary().read(text), {}) for text in (given[0], item.answer[0])]
        return abs(values[0] - values[1]) <= item.tolerance
    return set(given) == set(item.answer)


def explanations(judged: list[JudgedQuestion]) -> Iterator[str]:
    """Each item's outcome and explanation, a line each, for when nobody can hand in any more."""
    for one in judged:
        name = f"{one.question.key} {one.question.title}".strip()
        yield f"{name}: {one.points.normalize():f} of {one.max_points.normalize():f}"
        for item in one.items:
            what = f"{item.item.key} {item.item.title}".strip().removesuffix(".")
            right = ", ".join(item.item.answer)
            yield f"- {what}: {right} (you: {item.verdict}). {item.item.explanation}".rstrip()
