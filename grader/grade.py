"""One submission's way through the grader: read it, run the tests, apply the rules, add up."""

from __future__ import annotations

import functools
import gc
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from grader import GapgradeError, __version__
from grader.diagnose import SILENT, Diagnosis, Replay, Signature, diagnosis_of
from grader.explain import explained
from grader.feedback import read_feedback
from grader.handin import Handin
from grader.intake import Submission
from grader.pictures import Gallery, gallery_of
from grader.reader import Reading, load_notebooks, load_templates, read_behind
from grader.replay import with_mistake
from grader.result import Result, TaskResult, TestResult, Versions
from grader.rules import apply_rules, counts_pdf, extension, late, score_other
from grader.rules.run_all import rule_on_run_all
from grader.rules.tasks import FEEDBACK
from grader.run_all import run_notebooks
from grader.score import add_up, score_code
from grader.sheet import Sheet, groups_of
from grader.submitted import as_handed_in
from grader.suite import Gate, Suite, digest_of, tests_version, with_suite
from grader.wall import Cell, Wall
from grader.work import Work

T = TypeVar("T")


@dataclass(frozen=True)
class Graded:
    """A submission's result, and what is kept of its own work."""

    result: Result
    work: Work


@dataclass(frozen=True)
class Bench:
    """Everything that one sheet's submissions are graded with: set up once, used for many."""

    sheet: Sheet
    wall: Wall
    suite: Suite
    templates: dict[str, str]
    versions: Versions
    diagnosis: Diagnosis = SILENT
    notebooks: Mapping[str, str] = field(default_factory=dict)
    gallery: Gallery | None = None

    def grade(self, handin: Handin) -> Result:
        """Grade one submission. Raises `WallError` where the sandbox failed; that is never a score."""
        return self.look_at(handin).result

    def look_at(self, handin: Handin) -> Graded:
        """Grade one submission, and keep what it wrote. Raises `WallError` as `grade` does."""
        sheet = self.sheet.due_at(handin.due)
        seed = secrets.randbelow(2**31) if handin.seed is None else handin.seed
        now = datetime.now(UTC)
        pdf = sheet.rules.submission_pdf.file if sheet.rules.submission_pdf else ""
        with self.wall.open(sheet.limits) as cell:
            reading = read_behind(
                cell,
                self.templates,
                handin.submission.files,
                pdf,
                count_words=counts_pdf(sheet),
                notebooks=self.notebooks,
                left_out={one.file: one.reason for one in handin.submission.refused},
            )
            tasks = [*self._tasks(cell, handin, reading, seed, now)]
            pictures = self.gallery.show(cell) if self.gallery else ()
        runs = (
            run_notebooks(self.wall, sheet, self.notebooks, handin.submission.files, reading) if sheet.runs_all else []
        )
        rules = list(apply_rules(sheet, handin.submission, reading, handin.pushes, handin.members))
        rules += rule_on_run_all(sheet, runs)
        rules += extension(sheet.due if handin.due else None)
        so_far = add_up(sheet, tasks, rules)
        rules += late(sheet, handin.handed_in_at, so_far.score)
        total = add_up(sheet, tasks, rules)
        result = Result(
            sheet=sheet.name,
            title=sheet.title,
            submission=handin.submission.name,
            graded_at=now.isoformat(timespec="seconds"),
            seed=seed,
            sandbox=self.wall.mode,
            score=total.score,
            max_score=sheet.max_score,
            bonus=total.bonus,
            max_bonus=sheet.max_bonus,
            pass_mark=sheet.pass_mark,
            passed=total.passed,
            pending=total.pending,
            advisory=self.wall.mode == "none",
            tasks=tuple(tasks),
            rules=tuple(rules),
            edits=reading.diffs,
            extended_until=sheet.due.isoformat() if handin.due and sheet.due else None,
            pictures=pictures,
            versions=self.versions,
        )
        return Graded(result, Work(reading.gaps, self._hours(handin.submission)))

    def _hours(self, submission: Submission) -> tuple[Decimal, Decimal] | None:
        text = submission.files.get(FEEDBACK, b"").decode("utf-8", "replace")
        return read_feedback(text, handed_out(self.sheet, FEEDBACK)).hours

    def _tasks(self, cell: Cell, handin: Handin, reading: Reading, seed: int, now: datetime) -> list[TaskResult]:
        sheet = self.sheet.due_at(handin.last_due or handin.due)  # quizzes are explained when nobody can hand in
        if sheet.rules.gaps.mode == "keep":
            half_of_the_disk = sheet.limits.disk_mb * 2**19
            cell.place(as_handed_in(self.notebooks, handin.submission.files, half_of_the_disk))
        else:
            cell.place({path: text.encode() for path, text in reading.files.items()})
        tests = self.suite.run(Gate(cell, seed, sheet.limits.submission_seconds), seed)
        groups = self.suite.groups
        tests = [explained(test, reading.diffs) for test in self.diagnosis.explained(tests, self._replays(seed))]
        return [
            score_code(sheet, task, [test for test in tests if groups[test.id] in task.tests], reading.problem)
            if task.kind == "code"
            else score_other(sheet, task, handin.submission, reading, handed_out(sheet, FEEDBACK), now)
            for task in sheet.tasks
        ]

    def _replays(self, seed: int) -> Replay:
        """Runs mistakes under the seed of the submission that they are compared with."""

        def replay(signature: Signature, tests: Collection[str]) -> list[TestResult]:
            with self.wall.open(self.sheet.limits) as cell:
                cell.place(with_mistake(self.sheet, signature.exercise, signature.mistake, self.templates))
                return self.suite.run(Gate(cell, seed, self.sheet.limits.submission_seconds), seed, tests)

        return replay


class _NoTests(Suite):
    """The suite of a sheet without code tests, such as a quiz: nothing is planned, and nothing runs."""

    def __init__(self) -> None:
        self.planned, self.groups = [], {}

    def run(self, gate: Gate, seed: int, only: Collection[str] | None = None) -> list[TestResult]:
        return []


@functools.cache
def _handed_out(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def handed_out(sheet: Sheet, name: str) -> str:
    """The text of a file as the release holds it, or nothing."""
    return _handed_out(sheet.course / "student" / sheet.name / name)


def with_bench(sheet: Sheet, wall: Wall, work: Callable[[Bench], T], *, pictures: bool = False) -> T:
    """Collect the sheet's tests, and call `work` with everything that grading needs.

    Args:
        pictures: whether results come with pictures of what the code draws.
    """
    import torch

    templates = load_templates(sheet)
    # their titles and hints stand in reports
    mistakes = [sheet.course / "solutions" / exercise / "mistakes" for exercise in sheet.exercises]
    versions = Versions(
        gapgrade=__version__,
        sheet=digest_of([sheet.folder, sheet.course / "student" / sheet.name, *mistakes]),
        tests=tests_version(sheet),
        torch=str(torch.__version__),
    )

    def start(suite: Suite) -> T:
        _check_groups(sheet, suite)
        diagnosis = diagnosis_of(sheet, suite.groups)
        gallery = gallery_of(sheet, wall, templates) if pictures else None
        gc.freeze()  # the collector need not look again and again at what is loaded by now
        try:
            return work(Bench(sheet, wall, suite, templates, versions, diagnosis, load_notebooks(sheet), gallery))
        finally:
            gc.unfreeze()

    return with_suite(sheet, start) if groups_of(sheet) else start(_NoTests())


def _check_groups(sheet: Sheet, suite: Suite) -> None:
    """What the sheet's text promised must be what pytest collected."""
    groups = {planned.group for planned in suite.planned}
    for task in sheet.tasks:
        for group in task.tests:
            if group not in groups:
                raise GapgradeError(f"{sheet.folder / 'sheet.toml'}: pytest collected no test of the group {group!r}")
