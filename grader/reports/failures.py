"""What did not pass, each thing told once: tests that wait for an empty gap, and failures that have one cause."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass

from grader.result import Outcome, TaskResult, TestResult

EMPTY_GAP = "NotImplementedError: TODO"
"""How the message begins of a test that met an empty gap; of a hidden test, a student reads no more than this."""

_MESSAGE = re.compile(r"NotImplementedError: (TODO [^\n]*\S)")
_IN_TRACEBACK = re.compile(rf"^{_MESSAGE.pattern}\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Waiting:
    """A task's tests that only wait for gaps to be filled, and the gaps that are known ("TODO vae 7")."""

    gaps: tuple[str, ...]
    tests: tuple[TestResult, ...]


@dataclass(frozen=True)
class Cause:
    """Tests of a task that ended alike for the same reason; `message` is empty where a student may not know it."""

    outcome: Outcome
    message: str
    tests: tuple[TestResult, ...]

    @property
    def hints(self) -> tuple[str, ...]:
        """The hints of its tests, each once; where a crash or a timeout ended many, they were about something else."""
        if len(self.tests) > 1 and self.outcome in ("crashed", "timeout"):
            return ()
        return tuple(dict.fromkeys(test.hint for test in self.tests if test.hint))


def empty_gap(test: TestResult) -> str | None:
    """The gap ("TODO vae 7") that a test met empty, "" where it is not to be told, or None where there was none."""
    if test.outcome != "error":
        return None
    if test.message == EMPTY_GAP:
        return ""
    found = _MESSAGE.fullmatch(test.message.strip()) or (not test.message and _IN_TRACEBACK.search(test.staff))
    return found[1] if found else None


def waiting(task: TaskResult) -> Waiting | None:
    """The tests of a task that wait for gaps, or None where there are none."""
    met = [(empty_gap(test), test) for test in _failed(task)]
    tests = tuple(test for gap, test in met if gap is not None)
    return Waiting(gaps=tuple(dict.fromkeys(gap for gap, _ in met if gap)), tests=tests) if tests else None


def causes(task: TaskResult) -> list[Cause]:
    """The other tests that did not pass, those of one cause together, in the order in which the causes first came.

    A message makes a cause. Without one, as hidden tests are, an outcome of its own (a crash, a timeout) does, and
    wrong values with the same hint.
    """
    found: dict[Hashable, list[TestResult]] = {}
    for test in _failed(task):
        if empty_gap(test) is None:
            reason = test.message.strip() or (test.hint if test.outcome == "failed" else "")
            found.setdefault((test.visibility, test.outcome, test.mistake, reason), []).append(test)
    return [Cause(outcome=tests[0].outcome, message=tests[0].message, tests=tuple(tests)) for tests in found.values()]


def _failed(task: TaskResult) -> list[TestResult]:
    """The tests that say something: where a submission could not be read, its task's note says it all."""
    return [test for test in task.tests if test.outcome != "passed" and task.state != "refused"]


def mistakes(task: TaskResult) -> list[str]:
    """The catalogued mistakes that were recognised in a task, each once, as a student reads them."""
    return list(dict.fromkeys(recognised(test) for test in task.tests if test.mistake))


def recognised(test: TestResult) -> str:
    """What the test's mistake is, and what may help against it; its id where the catalogue's words are not there."""
    return f"{test.mistake_title} {test.mistake_hint}".strip() or test.mistake or ""
