"""How many small wrong versions of the solution the tests notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tools.checks.findings import Finding, Report
from tools.checks.subject import Subject, Trials
from tools.mutation.equivalent import FILE, load_equivalents
from tools.mutation.mutants import Mutant, find_mutants

Step = Callable[[str], None]
PROBE_SECONDS = 2.0


def check_mutants(subject: Subject, trials: Trials, seed: int, report: Report, step: Step) -> None:
    """Run the tests against each mutant until one fails; who survives must be known to be equivalent."""
    known = load_equivalents(subject.exercise.folder)
    mutants = mutants_of(subject)
    survivors = set()
    for number, (mutant, killed) in enumerate(tried(subject, trials, seed, mutants), 1):
        step(f"mutant {number} of {len(mutants)}, {report.survived + report.equivalent} not killed")
        if killed:
            report.killed += 1
            continue
        survivors.add(mutant)
        if any(one.is_of(mutant) for one in known):
            report.equivalent += 1
        else:
            report.survived += 1
            what = f"no test notices this mutant of ({mutant.gap}):\n{mutant.diff(subject.solution[mutant.file])}\n"
            do = f"write a test that fails on it, or say in {FILE} why it is right"
            report.findings.append(Finding(subject.source(mutant.file), mutant.line, what, do))
    for entry in known:
        if not any(entry.is_of(mutant) for mutant in survivors):
            what = f"({entry.gap}) {entry.mutated!r} is no mutant that survives"
            report.findings.append(Finding(f"solutions/{subject.name}/{FILE}", 0, what, "take the entry out"))
    report.ran.add("mutants")


def mutants_of(subject: Subject) -> list[Mutant]:
    """The mutants of all gaps of an exercise."""
    return [mutant for path in subject.own for mutant in find_mutants(subject.solution[path], path)]


def tried(subject: Subject, trials: Trials, seed: int, mutants: list[Mutant]) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant, and whether a test fails; tests that noticed a mutant of the same gap come first."""
    everything = [planned.id for planned in trials.planned]
    kills: dict[tuple[str, str], int] = {}
    for mutant in mutants:
        order = sorted(everything, key=lambda test: -kills.get((mutant.gap, test), 0))
        files = {**subject.solution, mutant.file: mutant.text}
        failed = trials.first_failure(files, seed, order, PROBE_SECONDS)
        if failed is not None and failed.outcome == "timeout":  # an endless loop, or a busy machine?
            failed = trials.first_failure(files, seed, order, trials.probe_seconds)
        if failed is not None:
            kills[mutant.gap, failed.id] = kills.get((mutant.gap, failed.id), 0) + 1
        yield mutant, failed is not None
