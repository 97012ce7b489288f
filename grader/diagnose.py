"""Recognises catalogued mistakes by the tests that fail and by what each of them says.

A mistake's signature is what the tests said of it under several seeds (`python -m tools.make_signatures` writes them to
`tests_hidden/<exercise>/signatures.json`). A submission is told of a mistake when its failures look exactly like that
mistake's and like no other's. Where several would do, each of them is run under the submission's own seed: the one
whose messages are the same to the last digit is told. Where that leaves none or two, nothing is said.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import GapgradeError
from grader.catalogue import Mistake, load_mistakes
from grader.result import TestResult
from grader.sheet import Sheet

PASSED = "passed"
FILE = "signatures.json"

_NUMBERS = re.compile(r"[-+]?\b(\d[\d,]*(\.\d*)?(e[-+]?\d+)?|nan|inf)\b(\s*,\s*(?=[-+\d]))?", re.IGNORECASE)


class SignatureError(GapgradeError):
    """Signatures that cannot be read: file, and what to do."""


def evidence_of(tests: Iterable[TestResult]) -> dict[str, str]:
    """What each failing test says, by the test's id: how it ended, and its sentence without the numbers.

    The numbers change with the seed. Of an error only its type counts: the rest are the student's own words.
    """
    return {test.id: _mark(test) for test in tests if test.outcome != PASSED}


def _mark(test: TestResult) -> str:
    sentence = _sentence(test)
    if test.outcome == "error":
        return f"error:{sentence.partition(':')[0]}"
    if test.outcome != "failed":
        return test.outcome
    return f"failed:{hashlib.blake2b(_NUMBERS.sub('#', sentence).encode(), digest_size=4).hexdigest()}"


def _sentence(test: TestResult) -> str:
    return test.staff.partition("\n")[0]


@dataclass(frozen=True)
class Signature:
    """What tests say of one mistake.

    Attributes:
        mistake: the entry of the catalogue.
        seen: by test, all that it ever said; `passed` is among it where the mistake sometimes passes.
        exercise: whose mistake it is.
    """

    mistake: Mistake
    seen: Mapping[str, frozenset[str]]
    exercise: str = ""

    def fits(self, evidence: Mapping[str, str]) -> bool:
        """Whether this is what the mistake's failures look like."""
        return all(evidence.get(test, PASSED) in self.seen.get(test, (PASSED,)) for test in {*self.seen, *evidence})

    def possible(self, evidence: Mapping[str, str]) -> bool:
        """Whether the mistake could fail in this way, too, under a seed that was not tried.

        Only the tests that the catalogue names catch it with certainty. What a test said differently under two seeds
        depends on chance: then other tests may, too.
        """
        return all(self._could_say(test, evidence.get(test, PASSED)) for test in {*self.seen, *evidence})

    def _could_say(self, test: str, mark: str) -> bool:
        seen = self.seen.get(test, frozenset([PASSED]))
        certain = _function_of(test) in self.mistake.tests
        if mark in seen or (mark == PASSED and not certain):
            return True
        depends_on_chance = any(len(marks) > 1 for marks in self.seen.values())
        return depends_on_chance and (not certain or _kind(mark) in {_kind(one) for one in seen})


def _function_of(test: str) -> str:
    return test.rpartition("::")[2].partition("[")[0]


@dataclass(frozen=True)
class Signatures:
    """The signatures of one exercise's mistakes, by the mistake's id."""

    by_id: Mapping[str, Signature]

    def covers(self, mistake: str, evidence: Mapping[str, str]) -> bool:
        """Whether the tests that the mistake names end now as they did when its signature was made."""
        known = self.by_id.get(mistake)
        return known is not None and all(
            _kind(mark) in {_kind(one) for one in known.seen.get(test, ())}
            for test, mark in evidence.items()
            if _function_of(test) in known.mistake.tests
        )


def _kind(mark: str) -> str:
    """How a test ended, without what it said."""
    return mark.partition(":")[0]


def load_signatures(exercise: str, course: Path) -> Signatures:
    """The exercise's signatures; none where nobody has made them. Raises `SignatureError`."""
    file = signature_file(exercise, course)
    if not file.is_file():
        return Signatures({})
    mistakes = {mistake.id: mistake for mistake in load_mistakes(course / "solutions" / exercise)}
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        found = {
            name: Signature(mistakes[name], {test: frozenset(marks) for test, marks in seen.items()}, exercise)
            for name, seen in data["mistakes"].items()
            if name in mistakes
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        advice = f"run python -m tools.make_signatures {exercise}"
        raise SignatureError(f"{file}: cannot be read ({type(error).__name__}: {error}); {advice}") from None
    return Signatures(found)


def signature_file(exercise: str, course: Path) -> Path:
    return course / "tests_hidden" / exercise / FILE


Replay = Callable[[Signature, Collection[str]], Sequence[TestResult]]
"""Runs the tests with these ids against a mistake, under the seed of the submission that it is compared with."""

MOST_RIVALS = 8


class _Replays:
    """Runs mistakes, each once a group, and compares what the tests say of them with what they said of a submission."""

    def __init__(self, replay: Replay | None, failed: Mapping[str, TestResult]) -> None:
        self._replay, self._failed = replay, failed
        self._agreed: dict[tuple[str, frozenset[str]], bool] = {}

    def only(self, signature: Signature, rivals: Sequence[Signature], tests: Collection[str]) -> bool:
        """Whether these tests say the same of this mistake, number by number, and not of any of its rivals."""
        if self._replay is None or len(rivals) > MOST_RIVALS:
            return False
        return self._agrees(signature, tests) and not any(self._agrees(rival, tests) for rival in rivals)

    def _agrees(self, signature: Signature, tests: Collection[str]) -> bool:
        key = (signature.mistake.id, frozenset(tests))
        if self._replay is not None and key not in self._agreed:
            again = self._replay(signature, tests)
            self._agreed[key] = all(_says(test) == _says(self._failed[test.id]) for test in again)
        return self._agreed[key]


def _says(test: TestResult) -> str:
    return _mark(test) if test.outcome == "error" else f"{test.outcome}:{_sentence(test)}"


@dataclass(frozen=True)
class Diagnosis:
    """Recognises the mistakes of a sheet's exercises.

    Attributes:
        signatures: of all mistakes of all exercises.
        groups: the group of each test, by the test's id: a mistake is looked for in the groups that it touches.
    """

    signatures: Sequence[Signature]
    groups: Mapping[str, str]

    def recognised(self, tests: Iterable[TestResult], replay: Replay | None = None) -> list[Mistake]:
        """The mistakes that explain a group's failures, where exactly one does.

        Args:
            replay: runs a mistake itself under the submission's seed; without it ties are left alone.
        """
        failed = {test.id: test for test in tests if test.outcome != PASSED}
        replays = _Replays(replay, failed)
        return [
            signature.mistake
            for signature, rivals, inside in self.fitting(evidence_of(failed.values()))
            if not rivals or replays.only(signature, rivals, inside)
        ]

    def fitting(self, evidence: Mapping[str, str]) -> Iterator[tuple[Signature, list[Signature], dict[str, str]]]:
        """Each mistake that fits, its rivals, and the failures of the groups that it touches."""
        for signature in self.signatures:
            touched = self._touched(signature)
            inside = self._inside(evidence, touched)
            if inside and signature.fits(inside):
                others = (one for one in self.signatures if one is not signature and self._touched(one) & touched)
                rivals = [one for one in others if one.possible(self._inside(evidence, self._touched(one)))]
                yield signature, rivals, inside

    def explained(self, tests: Sequence[TestResult], replay: Replay | None = None) -> list[TestResult]:
        """The same results; the failing tests that a recognised mistake names say which one it is."""
        told: dict[str, Mistake] = {}
        for mistake in self.recognised(tests, replay):
            told |= {test.id: mistake for test in tests if _function_of(test.id) in mistake.tests}
        return [_told(test, told.get(test.id)) for test in tests]

    def _touched(self, signature: Signature) -> frozenset[str]:
        return frozenset(self.groups.get(test, "") for test in signature.seen)

    def _inside(self, evidence: Mapping[str, str], touched: frozenset[str]) -> dict[str, str]:
        return {test: mark for test, mark in evidence.items() if self.groups.get(test) in touched}


SILENT = Diagnosis((), {})


def _told(test: TestResult, mistake: Mistake | None) -> TestResult:
    if mistake is None or test.outcome == PASSED:
        return test
    return test.model_copy(update={"mistake": mistake.id, "mistake_title": mistake.title, "mistake_hint": mistake.hint})


def diagnosis_of(sheet: Sheet, groups: Mapping[str, str]) -> Diagnosis:
    """What recognises the mistakes of a sheet's exercises.

    Args:
        groups: the group of each test of the sheet, by its id.
    """
    loaded = [load_signatures(exercise, sheet.course) for exercise in sheet.exercises]
    return Diagnosis([one for signatures in loaded for one in signatures.by_id.values()], groups)
