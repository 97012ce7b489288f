"""The template fails every test, the solution passes them all at every run, and every gap decides something."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from grader.gaps import find_gaps, lay
from grader.result import TestResult
from tools.checks.findings import Finding, Report
from tools.checks.places import place_of_test
from tools.checks.subject import Subject, Trials

Step = Callable[[str], None]


def check_template(subject: Subject, trials: Trials, seed: int, report: Report) -> None:
    """Each test needs a gap, and each gap is needed by a test."""
    for test in trials.run(subject.templates, seed):
        if test.outcome == "passed":
            file, line = place_of_test(test.id, subject.course)
            what = f"{test.id.rpartition('::')[2]} passes on the untouched template"
            report.findings.append(Finding(file, line, what, "let it look at what a gap does"))
    everything = [planned.id for planned in trials.planned]
    for path, line, label, files in _one_gap_untouched(subject):
        if trials.first_failure(files, seed, everything, trials.probe_seconds) is None:
            what = f"no test notices that the gap ({label}) is not filled"
            report.findings.append(Finding(subject.source(path), line, what, "write a test that needs it"))
    report.ran.add("template")


def _one_gap_untouched(subject: Subject) -> Iterator[tuple[str, int, str, dict[str, str]]]:
    """Path, line and label of each gap, and the solution without what stands in that gap."""
    for path in subject.own:
        gaps, handed_out = subject.gaps(path), find_gaps(subject.templates[path], path)
        for i, gap in enumerate(gaps):
            contents = [handed_out[i].content if j == i else None for j in range(len(gaps))]
            text = lay(subject.solution[path], gaps, contents)
            yield path, gap.start, gap.label, {**subject.solution, path: text}


def check_solution(subject: Subject, trials: Trials, seeds: list[int], report: Report, step: Step) -> None:
    """The solution passes every test, under every one of these seeds."""
    for number, seed in enumerate(seeds):
        step(f"grading {number + 1} of {len(seeds)}")
        for test in trials.failures(subject.solution, seed):
            report.false_failures.add(number)
            report.findings.append(_false_failure(subject, test, seed))
    report.gradings = len(seeds)
    report.ran.add("solution")


def _false_failure(subject: Subject, test: TestResult, seed: int) -> Finding:
    file, line = place_of_test(test.id, subject.course)
    said = test.staff.partition("\n")[0]
    what = f"{test.id.rpartition('::')[2]} fails on the solution with seed {seed} ({said})"
    return Finding(file, line, what, "widen its bound by the false-failure rate, or correct the solution")
