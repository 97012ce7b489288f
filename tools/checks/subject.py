"""An exercise as its tests see it: what is handed out, the solution in its place, and the tests collected once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from grader.cells import SUFFIX, text_path
from grader.dialects import translate
from grader.gaps import Gap, find_gaps, strip, without_solution_only
from grader.result import TestResult
from grader.sheet import Limits, Sheet
from grader.suite import Gate, Planned, Suite, tests_version, with_suite
from grader.wall import Wall
from tools.exercise import Exercise, with_required
from tools.notebook import is_notebook, read_source

T = TypeVar("T")


@dataclass(frozen=True)
class Subject:
    """An exercise and the Python files that its students have: its own and those of the exercises that it needs.

    Attributes:
        templates: the text of each file as it is handed out.
        solution: the same files with the solution in the gaps.
        own: the files that are the exercise's own and have gaps.
    """

    exercise: Exercise
    course: Path
    templates: Mapping[str, str]
    solution: Mapping[str, str]
    own: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.exercise.name

    def source(self, path: str) -> str:
        """Where a file of the exercise stands in the course."""
        return f"solutions/{self.name}/{path}"

    def gaps(self, path: str) -> list[Gap]:
        """The gaps of a file, with the solution in them."""
        return find_gaps(self.solution[path], path)

    @property
    def sheet_alone(self) -> Sheet:
        """A sheet of this exercise alone, for collecting its tests."""
        return Sheet(name=self.name, folder=self.course / "sheets" / self.name, title=self.name, exercises=(self.name,))

    @cached_property
    def version(self) -> str:
        """Of the tests and the solution: what was counted with them holds for as long as it stays."""
        whole = hashlib.sha256(tests_version(self.sheet_alone).encode())
        for path, text in self.solution.items():
            whole.update(f"{path}\0{text}\0".encode())
        return whole.hexdigest()[:12]


def load_subject(name: str, course: Path) -> Subject:
    """Read an exercise; raises `GapgradeError` where its markers cannot be read."""
    templates: dict[str, str] = {}
    solution: dict[str, str] = {}
    own = []
    for exercise in with_required([name], course):
        for name_in_release, file in exercise.files().items():
            if file.suffix not in (".py", SUFFIX):
                continue
            where = file.relative_to(course).as_posix()
            text = read_source(file, where) if is_notebook(file.name) else file.read_bytes().decode("utf-8")
            path = text_path(name_in_release) if file.suffix == SUFFIX else name_in_release
            templates[path] = strip(text, where)
            solution[path] = without_solution_only(translate(text, where), where)
            if exercise.name == name and find_gaps(templates[path], where):
                own.append(path)
    return Subject(exercise, course, templates, solution, tuple(own))


class Trials:
    """Runs an exercise's tests against any text of its files, behind one warm wall. Made by `with_trials`."""

    def __init__(self, suite: Suite, wall: Wall, limits: Limits) -> None:
        self._suite, self._wall, self._limits = suite, wall, limits
        self.planned: Sequence[Planned] = suite.planned
        self.groups = suite.groups
        self.probe_seconds = limits.probe_seconds

    def run(self, files: Mapping[str, str], seed: int, only: Collection[str] | None = None) -> list[TestResult]:
        """The result of every test, or only of those with these ids."""
        with self._wall.open(self._limits) as cell:
            cell.place(_encoded(files))
            return self._suite.run(Gate(cell, seed, self._limits.submission_seconds), seed, only)

    def failures(self, files: Mapping[str, str], seed: int) -> list[TestResult]:
        return [test for test in self.run(files, seed) if test.outcome != "passed"]

    def first_failure(
        self, files: Mapping[str, str], seed: int, order: Sequence[str], probe_seconds: float
    ) -> TestResult | None:
        """The first test in this order that does not pass, or None where all of them pass.

        Args:
            order: the ids of the tests to run.
            probe_seconds: a time for each probe that may be shorter than the sheet's: an endless loop is known soon.
        """
        limits = self._limits.model_copy(update={"probe_seconds": probe_seconds})
        with self._wall.open(limits) as cell:
            cell.place(_encoded(files))
            gate = Gate(cell, seed, limits.submission_seconds)
            for name in order:
                for test in self._suite.run(gate, seed, [name]):
                    if test.outcome != "passed":
                        return test
        return None


def _encoded(files: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}


def with_trials(subject: Subject, wall: Wall, limits: Limits, work: Callable[[Trials], T]) -> T:
    """Collect the exercise's tests once and call `work` with them."""
    return with_suite(subject.sheet_alone, lambda suite: work(Trials(suite, wall, limits)))
