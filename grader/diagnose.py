"""Recognises catalogued mistakes by the tests that fail and by what each of them says.

A mistake's signature is what the tests said of it under several seeds (`python -m tools.make_signatures` writes them to
`tests_hidden/<exercise>/signatures.json`). A submission is told of a mistake when its failures look exactly like that
mistake's and like no other's; where two would do, nothing is said.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
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
    sentence = test.staff.partition("\n")[0]
    if test.outcome == "error":
        return f"error:{sentence.partition(':')[0]}"
    if test.outcome != "failed":
        return test.outcome
    return f"failed:{hashlib.blake2b(_NUMBERS.sub('#', sentence).encode(), digest_size=4).hexdigest()}"


@dataclass(frozen=True)
class Signature:
    """What tests say of one mistake.

    Attributes:
        mistake: the entry of the catalogue.
        seen: by test, all that it ever said; `passed` is among it where the mistake sometimes passes.
    """

    mistake: Mistake
    seen: Mapping[str, frozenset[str]]

    def fits(self, evidence: Mapping[str, str]) -> bool:
        """Whether this is what the mistake's failures look like."""
        return all(evidence.get(test, PASSED) in self.seen.get(test, (PASSED,)) for test in {*self.seen, *evidence})

    def possible(self, evidence: Mapping[str, str]) -> bool:
        """Whether the mistake could fail in this way, too, under a seed that was not tried.

        Only the tests that the catalogue names catch it with certainty, and a test that said several things may
        say more.
        """
        return all(self._could_say(test, evidence.get(test, PASSED)) for test in {*self.seen, *evidence})

    def _could_say(self, test: str, mark: str) -> bool:
        seen = self.seen.get(test, frozenset([PASSED]))
        if mark in seen:
            return True
        if mark == PASSED:
            return _function_of(test) not in self.mistake.tests
        return len(seen - {PASSED}) > 1 and mark.partition(":")[0] in {one.partition(":")[0] for one in seen}


def _function_of(test: str) -> str:
    return test.rpartition("::")[2].partition("[")[0]


@dataclass(frozen=True)
class Signatures:
    """The signatures of one exercise's mistakes, by the mistake's id."""

    by_id: Mapping[str, Signature]

    def covers(self, mistake: str, evidence: Mapping[str, str]) -> bool:
        """Whether these failures of a catalogued mistake are as its signature has them, as far as they are certain."""
        known = self.by_id.get(mistake)
        return known is not None and known.possible(evidence)


def load_signatures(exercise: str, course: Path) -> Signatures:
    """The exercise's signatures; none where nobody has made them. Raises `SignatureError`."""
    file = signature_file(exercise, course)
    if not file.is_file():
        return Signatures({})
    mistakes = {mistake.id: mistake for mistake in load_mistakes(course / "solutions" / exercise)}
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        found = {
            name: Signature(mistakes[name], {test: frozenset(marks) for test, marks in seen.items()})
            for name, seen in data["mistakes"].items()
            if name in mistakes
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        advice = f"run python -m tools.make_signatures {exercise}"
        raise SignatureError(f"{file}: cannot be read ({type(error).__name__}: {error}); {advice}") from None
    return Signatures(found)


def signature_file(exercise: str, course: Path) -> Path:
    return course / "tests_hidden" / exercise / FILE


@dataclass(frozen=True)
class Diagnosis:
    """Recognises the mistakes of a sheet's exercises.

    Attributes:
        signatures: of all mistakes of all exercises.
        groups: the group of each test, by the test's id: a mistake is looked for in the groups that it touches.
    """

    signatures: Sequence[Signature]
    groups: Mapping[str, str]

    def recognised(self, tests: Iterable[TestResult]) -> list[Mistake]:
        """The mistakes that explain a group's failures, where exactly one does."""
        return self.found_in(evidence_of(tests))

    def found_in(self, evidence: Mapping[str, str]) -> list[Mistake]:
        """As `recognised`, from what each failing test says."""
        found = []
        for signature in self.signatures:
            touched = self._touched(signature)
            inside = self._inside(evidence, touched)
            if not inside or not signature.fits(inside):
                continue
            others = (one for one in self.signatures if one is not signature and self._touched(one) & touched)
            if not any(other.possible(self._inside(evidence, self._touched(other))) for other in others):
                found.append(signature.mistake)
        return found

    def explained(self, tests: Sequence[TestResult]) -> list[TestResult]:
        """The same results; the failing tests that a recognised mistake names say which one it is."""
        told: dict[str, Mistake] = {}
        for mistake in self.recognised(tests):
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
