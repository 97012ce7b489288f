"""What a student may see of a result, by construction: faces for students take a `StudentResult`, nothing else.

Of a hidden test a student reads its title, its hint, its points and how it ended, or that it waits for an empty gap:
never its message, its traceback, its name in the suite, nor the run's seed, which its inputs come from.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from grader.reports import words
from grader.reports.failures import EMPTY_GAP, empty_gap
from grader.result import Evidence, Result, RuleResult, TestResult

WITHHELD = "withheld: it would tell about a hidden test"

_HOST_PATH = re.compile(r"(?<![\w.:/])(?:/|[A-Za-z]:\\)(?:[\w.+@~-]+[/\\])+(?=[\w.+@~-])")


@dataclass(frozen=True)
class StudentResult:
    """A result that holds nothing of the staff's and nothing of a hidden test's; only `student_view` makes one.

    A plain `Result` has no `shown`, so that a face for students refuses it, with and without a type checker.
    """

    shown: Result

    def __post_init__(self) -> None:
        for test in words.tests(self.shown):
            hidden = test.visibility == "hidden"
            if test.staff or (hidden and (test.message not in ("", EMPTY_GAP) or not test.id.startswith("hidden-"))):
                raise ValueError(f"the test {test.id!r} holds what a student may not see; use student_view(result)")


def student_view(result: Result) -> StudentResult:
    """The same result without what a student may not see; the points stay as they are."""
    secrets = _secrets(result)
    numbers = itertools.count(1)
    tasks = [
        task.model_copy(
            update={
                "note": _harmless(task.note, secrets),
                "evidence": tuple(_evidence(one, secrets) for one in task.evidence),
                "tests": tuple(_shown(test, next(numbers)) for test in task.tests),
            }
        )
        for task in result.tasks
    ]
    rules = [_rule(rule, secrets) for rule in result.rules]
    pictures = [one.model_copy(update={"problem": _harmless(one.problem, secrets)}) for one in result.pictures]
    shown = {"seed": 0, "tasks": tuple(tasks), "rules": tuple(rules), "pictures": tuple(pictures)}
    return StudentResult(result.model_copy(update=shown))


def without_host_paths(text: str) -> str:
    """Absolute paths cut to the file's name: where the grader keeps its files is nobody's business."""
    return _HOST_PATH.sub("", text)


def _shown(test: TestResult, number: int) -> TestResult:
    if test.visibility == "hidden":
        message = EMPTY_GAP if empty_gap(test) is not None else ""
        return test.model_copy(update={"id": f"hidden-{number}", "message": message, "staff": ""})
    return test.model_copy(update={"message": without_host_paths(test.message), "staff": ""})


def _rule(rule: RuleResult, secrets: frozenset[str]) -> RuleResult:
    evidence = tuple(_evidence(one, secrets) for one in rule.evidence)
    return rule.model_copy(update={"message": _harmless(rule.message, secrets), "evidence": evidence})


def _evidence(evidence: Evidence, secrets: frozenset[str]) -> Evidence:
    if _reveals(evidence.text, secrets) or _reveals(evidence.file, secrets):
        return Evidence(text=WITHHELD)
    return evidence.model_copy(update={"text": without_host_paths(evidence.text)})


def _harmless(text: str, secrets: frozenset[str]) -> str:
    return WITHHELD if _reveals(text, secrets) else without_host_paths(text)


def _reveals(text: str, secrets: frozenset[str]) -> bool:
    return any(secret in text for secret in secrets)


def _secrets(result: Result) -> frozenset[str]:
    """What names a hidden test or was said by one: its id, its file, its function, its message, its staff text."""
    found: set[str] = set()
    for test in words.tests(result):
        if test.visibility == "hidden":
            file, _, function = test.id.partition("::")
            found |= {test.id, file, file.rpartition("/")[2], function, test.message.strip(), test.staff.strip()}
    return frozenset(found - {""})
