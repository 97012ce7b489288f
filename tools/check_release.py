"""`python -m tools.check_release`: prove that a sheet can be handed out, before it is."""

from __future__ import annotations

import json as json_
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from grader import GapgradeError
from grader.commands.completion import sheet_names
from grader.commands.exits import new_app, run_app
from grader.diagnose import load_signatures
from grader.sheet import Sheet
from grader.wall import Wall
from tools.checks.catalogue import check_mistakes, check_variants
from tools.checks.findings import Report
from tools.checks.mutants import check_mutants
from tools.checks.pictures import check_pictures
from tools.checks.release import check_files
from tools.checks.solving import check_solution, check_template
from tools.checks.subject import Subject, Trials, load_subject, with_trials
from tools.checks.trusted import wall_of
from tools.exercise import with_required
from tools.make_release import find_sheets

app = new_app("Prove that a sheet can be handed out.")
Step = Callable[[str], None]


class RefusedError(GapgradeError):
    """A release with findings."""


@dataclass
class Checker:
    """Checks sheets; an exercise that two of them use is checked once.

    Attributes:
        gradings: how often the solution is graded.
        quick: leave out the mutants and the signatures.
        seed: what all seeds of the run come from.
    """

    wall: Wall
    gradings: int
    quick: bool
    seed: int
    step: Step
    _done: dict[str, Report] = field(default_factory=dict)

    def check(self, sheet: Sheet) -> Report:
        """Everything that is to be proved of a sheet; raises `GapgradeError` where it cannot even be read."""
        report = Report()
        exercises = with_required(sheet.exercises, sheet.course)
        subjects = [load_subject(exercise.name, sheet.course) for exercise in exercises]
        with _timed(report, "release"):
            check_files(sheet, subjects, report, lambda what: self.step(f"{sheet.name}: {what}"))
        if not report.findings:  # a release in order: what is missing in it would be told twice
            with _timed(report, "pictures"):
                check_pictures(sheet, self.wall, report)
        for subject in subjects:
            if subject.name not in sheet.exercises or not subject.own:
                continue  # nothing to solve
            if subject.name not in self._done:
                self._done[subject.name] = self._check_exercise(subject, sheet)
            report.add(self._done[subject.name])
        return report

    def _check_exercise(self, subject: Subject, sheet: Sheet) -> Report:
        report = Report()
        with_trials(subject, self.wall, sheet.limits, lambda trials: self._run(subject, trials, report))
        return report

    def _run(self, subject: Subject, trials: Trials, report: Report) -> None:
        def step(what: str) -> None:
            self.step(f"{subject.name}: {what}")

        step("template")
        with _timed(report, "template"):
            check_template(subject, trials, self.seed, report)
        with _timed(report, "solution"):
            check_solution(subject, trials, [self.seed + i for i in range(self.gradings)], report, step)
        with _timed(report, "variants"):
            check_variants(subject, trials, self.seed, report, step)
        signatures = None if self.quick else load_signatures(subject.name, subject.course)
        with _timed(report, "mistakes"):
            check_mistakes(subject, trials, self.seed, signatures, report, step)
        if not self.quick:
            with _timed(report, "mutants"):
                check_mutants(subject, trials, self.seed, report, step)


@contextmanager
def _timed(report: Report, name: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    report.seconds[name] = report.seconds.get(name, 0.0) + time.monotonic() - start


@app.command()
def main(
    sheet: Annotated[
        str | None, typer.Argument(autocompletion=sheet_names, help="The sheet's name, or the path of its folder.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Check all sheets of the course.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write what was found here, as one JSON object.")] = None,
    gradings: Annotated[int, typer.Option(min=1, help="How often the solution is graded, with fresh seeds.")] = 20,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the mutants and the signatures.")] = False,
    sandbox: Annotated[str, typer.Option(help="auto, nested, fresh, none, or trusted: in this process.")] = "auto",
    seed: Annotated[int | None, typer.Option(help="Repeat a check: the seed that it printed.")] = None,
    course: Annotated[Path, typer.Option(help="The folder with solutions/, sheets/ and the tests.")] = Path(),
) -> None:
    """Check a release: nothing stale, nothing leaks, the tests tell right from wrong.

    Examples:

        python -m tools.check_release generative-models

        python -m tools.check_release --all --json out/check.json
    """
    sheets = find_sheets(sheet, every, course)
    console = Console()
    start = secrets.randbelow(2**30) if seed is None else seed
    console.print(f"seed: {start}", style="dim", highlight=False)
    with _progress() as step:
        step("starting the sandbox")
        wall = wall_of(sandbox)
        try:
            checker = Checker(wall, gradings, quick, start, step)
            reports = {one.name: checker.check(one) for one in sheets}
        finally:
            wall.close()
    _show(reports, console)
    if json is not None:
        json.parent.mkdir(parents=True, exist_ok=True)
        found = {"sheets": {name: report.to_json() for name, report in reports.items()}}
        json.write_text(json_.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    findings = {finding for report in reports.values() for finding in report.findings}
    if findings:
        count = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"
        raise RefusedError(f"{count} in {', '.join(name for name, one in reports.items() if one.findings)}; see above")


@contextmanager
def _progress() -> Iterator[Step]:
    """One live line on stderr that says what is being checked."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        line = progress.add_task("", total=None)
        yield lambda what: progress.update(line, description=what[:100])


def _show(reports: dict[str, Report], console: Console) -> None:
    """The findings, each once, and a table of the counts."""
    for finding in dict.fromkeys(finding for report in reports.values() for finding in report.findings):
        console.print(Text(str(finding)), soft_wrap=True)
    table = Table("", *reports, box=box.SIMPLE)
    for name, count in _ROWS.items():
        table.add_row(name, *(count(report) for report in reports.values()))
    console.print(table)


def _mutants(report: Report) -> str:
    if "mutants" not in report.ran:
        return "-"
    return f"{report.killed} of {report.mutants}, {report.equivalent} equivalent, {report.survived} survived"


_ROWS: dict[str, Callable[[Report], str]] = {
    "clean gradings of the solution": lambda one: f"{one.gradings - len(one.false_failures)} of {one.gradings}",
    "mistakes caught": lambda one: f"{one.mistakes_caught} of {one.mistakes}",
    "mistakes that a report would name": lambda one: f"{one.recognised} of {one.mistakes}" if one.recognised else "-",
    "variants with full marks": lambda one: f"{one.variants_passed} of {one.variants}",
    "mutants killed": _mutants,
    "findings": lambda one: str(len(one.findings)),
    "seconds": lambda one: f"{sum(one.seconds.values()):.0f}",
}


if __name__ == "__main__":
    run_app(app)
