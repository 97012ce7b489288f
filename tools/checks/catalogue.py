"""Each catalogued mistake is caught by the tests named for it, and each variant gets full marks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from grader.catalogue import CatalogueError, Mistake, Variant, apply_edits, load_mistakes, load_variants
from grader.diagnose import Diagnosis, Signature, Signatures, evidence_of
from grader.lines import why_not_python
from grader.result import TestResult
from tools.checks.findings import Finding, Report
from tools.checks.places import function_of, place_of_entry
from tools.checks.subject import Subject, Trials

Step = Callable[[str], None]


def check_variants(subject: Subject, trials: Trials, seed: int, report: Report, step: Step) -> None:
    """Run every test against every variant."""
    folder = subject.exercise.folder / "variants"
    variants = load_variants(subject.exercise.folder)
    for number, variant in enumerate(variants, 1):
        step(f"variant {number} of {len(variants)}: {variant.id}")
        files = _edited(variant, folder, subject, report)
        report.variants += 1
        if files is None:
            continue
        failed = trials.failures(files, seed)
        report.variants_passed += not failed
        for test in failed:
            said = test.staff.partition("\n")[0]
            what = f"the variant {variant.id!r} fails {function_of(test.id)} with seed {seed} ({said})"
            place = place_of_entry(folder, variant.id, subject.course)
            report.findings.append(Finding(*place, what, "let the test accept it, or drop the variant"))
    report.ran.add("variants")


def check_mistakes(
    subject: Subject, trials: Trials, seed: int, signatures: Signatures | None, report: Report, step: Step
) -> None:
    """Run the named tests against every mistake; where there are signatures all tests, and compare them.

    Args:
        signatures: what each mistake is known by, or None where only the named tests are to be run.
    """
    folder = subject.exercise.folder / "mistakes"
    mistakes = load_mistakes(subject.exercise.folder)
    functions = {function_of(planned.id) for planned in trials.planned}
    for number, mistake in enumerate(mistakes, 1):
        step(f"mistake {number} of {len(mistakes)}: {mistake.id}")
        report.mistakes += 1
        place = place_of_entry(folder, mistake.id, subject.course)
        if unknown := sorted(set(mistake.tests) - functions):
            what = f"the mistake {mistake.id!r} names {unknown[0]}, and no test has that name"
            report.findings.append(Finding(*place, what, "name a test of this exercise"))
            continue
        files = _edited(mistake, folder, subject, report)
        if files is None:
            continue
        named = {planned.id for planned in trials.planned if function_of(planned.id) in mistake.tests}
        results = trials.run(files, seed, None if signatures is not None else named)
        missed = _missed(mistake, results)
        report.mistakes_caught += not missed
        for name in missed:
            what = f"{name} does not catch the mistake {mistake.id!r} with seed {seed}"
            report.findings.append(Finding(*place, what, "sharpen the test, or name the test that catches it"))
        if signatures is not None:
            _check_diagnosis(mistake, results, signatures, subject, trials, seed, place, report)
    report.ran.add("mistakes")


def _check_diagnosis(
    mistake: Mistake,
    results: Sequence[TestResult],
    signatures: Signatures,
    subject: Subject,
    trials: Trials,
    seed: int,
    place: tuple[str, int],
    report: Report,
) -> None:
    """A mistake is recognised as itself, or nothing is said."""
    if not signatures.covers(mistake.id, evidence_of(results)):
        what = f"the signature of {mistake.id!r} is not what its failures look like"
        report.findings.append(Finding(*place, what, "run python -m tools.make_signatures for this exercise"))

    def replay(signature: Signature, tests: Collection[str]) -> list[TestResult]:
        return trials.run(apply_edits(signature.mistake, subject.solution), seed, tests)

    diagnosis = Diagnosis(list(signatures.by_id.values()), trials.groups)
    for found in diagnosis.recognised(results, replay):
        report.recognised += found.id == mistake.id
        if found.id != mistake.id:
            what = f"the mistake {mistake.id!r} is taken for {found.id!r}"
            report.findings.append(Finding(*place, what, "make the signatures again, with more seeds"))


def _missed(mistake: Mistake, results: Iterable[TestResult]) -> list[str]:
    """The named tests of which no case fails."""
    failing = {function_of(test.id) for test in results if test.outcome != "passed"}
    return [name for name in mistake.tests if name not in failing]


def _edited(entry: Variant, folder: Path, subject: Subject, report: Report) -> dict[str, str] | None:
    """The solution with the entry's edits, or None and a finding where they cannot be made."""
    place = place_of_entry(folder, entry.id, subject.course)
    try:
        files = apply_edits(entry, subject.solution)
    except CatalogueError as error:
        report.findings.append(Finding(*place, str(error), "correct the edit"))
        return None
    for path in subject.own:
        if broken := why_not_python(files[path], path):
            what = f"with the edits of {entry.id!r} {path} does not compile (line {broken[0]}: {broken[1]})"
            report.findings.append(Finding(*place, what, "correct the edit"))
            return None
    return files
