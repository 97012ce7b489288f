"""A mistake is recognised by its failures, as itself or not at all."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from grader.catalogue import Edit, Mistake, load_mistakes
from grader.diagnose import PASSED, Diagnosis, Replay, Signature, Signatures, evidence_of, load_signatures
from grader.grade import with_bench
from grader.handin import Handin
from grader.intake import take_in
from grader.reports.markdown import summary
from grader.reports.views import student_view
from grader.result import Outcome, TestResult
from grader.sheet import load_sheet
from grader.wall.nested import NestedWall

COURSE = Path(__file__).resolve().parent.parent
EXERCISES = sorted(file.parent.name for file in (COURSE / "tests_hidden").glob("*/signatures.json"))
Submit = Callable[..., Path]


def result(name: str, outcome: Outcome = "failed", staff: str = "the mean is 3.1") -> TestResult:
    said = "" if outcome == "passed" else staff
    return TestResult(
        id=f"t.py::{name}", title=name, visibility="hidden", outcome=outcome, weight=1, hint="h", staff=said
    )


def mistake(name: str, *tests: str) -> Mistake:
    edit = (Edit(file="a.py", find="a", replace="b"),)
    return Mistake(id=name, title=f"{name}.", hint="h", tests=tests, edit=edit)


def signature(name: str, seen: dict[str, set[str]], *, certain: tuple[str, ...] = ("test_a",)) -> Signature:
    return Signature(mistake(name, *certain), {f"t.py::{test}": frozenset(marks) for test, marks in seen.items()})


def recognised(signatures: list[Signature], *results: TestResult, replay: Replay | None = None) -> list[str]:
    groups = {f"t.py::test_{letter}": "one" for letter in "abc"} | {"t.py::test_other": "two"}
    return [found.id for found in Diagnosis(signatures, groups).recognised(results, replay)]


(MEAN,) = evidence_of([result("test_a")]).values()
(SHAPE,) = evidence_of([result("test_a", staff="the shape is wrong")]).values()


def test_numbers_do_not_count_and_words_do() -> None:
    said = ["the mean is 3.1", "the mean is -2e-05", "the mean is nan", "the mean is 1,024.5 and more"]
    marks = [evidence_of([result("test_a", staff=one)])["t.py::test_a"] for one in said]
    assert marks[0] == marks[1] == marks[2] != marks[3]
    own_words = [result("test_a", "error", f"ValueError: {word}\nTraceback") for word in ("x", "y")]
    assert evidence_of(own_words[:1]) == evidence_of(own_words[1:]) == {"t.py::test_a": "error:ValueError"}


def test_a_mistake_is_recognised_by_all_of_its_groups_failures_and_by_what_they_say() -> None:
    known = [signature("one", {"test_a": {MEAN}, "test_b": {MEAN}}), signature("two", {"test_a": {SHAPE}})]
    assert recognised(known, result("test_a"), result("test_b"), result("test_c", "passed")) == ["one"]
    assert recognised(known, result("test_a", staff="the shape is wrong")) == ["two"]
    assert recognised(known, result("test_a"), result("test_b"), result("test_c")) == []
    assert recognised(known, result("test_a"), result("test_b", "passed")) == []
    assert recognised(known, result("test_a"), result("test_b"), result("test_other")) == ["one"]
    assert recognised(known, result("test_a", "passed")) == []


def test_nothing_is_said_where_two_mistakes_do() -> None:
    twins = [signature("one", {"test_a": {MEAN}}), signature("two", {"test_a": {MEAN}})]
    assert recognised(twins, result("test_a")) == []
    assert recognised(twins[:1], result("test_a")) == ["one"]


def test_a_tie_is_broken_by_what_the_tests_say_of_the_mistakes_themselves() -> None:
    twins = [signature(name, {"test_a": {MEAN}}) for name in ("one", "two")]

    def saying(one: str, two: str) -> Replay:
        said = {"one": one, "two": two}
        return lambda known, tests: [result("test_a", staff=f"the mean is {said[known.mistake.id]}")]

    assert recognised(twins, result("test_a"), replay=saying("3.1", "2.9")) == ["one"]
    assert recognised(twins, result("test_a"), replay=saying("2.9", "3.1")) == ["two"]
    assert recognised(twins, result("test_a"), replay=saying("3.1", "3.1")) == []
    assert recognised(twins, result("test_a"), replay=saying("2.9", "2.9")) == []


def test_a_mistake_that_another_seed_could_let_pass_a_test_is_not_ruled_out() -> None:
    sure = signature("sure", {"test_a": {MEAN}})
    moody = signature("moody", {"test_a": {MEAN}, "test_b": {MEAN, PASSED}})
    lucky = signature("lucky", {"test_a": {MEAN}, "test_b": {MEAN}})
    certain = signature("certain", {"test_a": {MEAN}, "test_b": {MEAN}}, certain=("test_a", "test_b"))
    assert recognised([sure, moody], result("test_a")) == []
    assert recognised([sure, lucky], result("test_a")) == []
    assert recognised([sure, certain], result("test_a")) == ["sure"]
    wide = signature("wide", {"test_a": {MEAN}, "test_c": {MEAN}})
    assert recognised([wide, moody], result("test_a"), result("test_c")) == []
    assert recognised([wide, certain], result("test_a"), result("test_c")) == ["wide"]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_catalogued_mistake_is_recognised_as_itself_or_not_at_all(exercise: str) -> None:
    signatures = load_signatures(exercise, COURSE).by_id
    assert set(signatures) == {one.id for one in load_mistakes(COURSE / "solutions" / exercise)}
    groups = {test: "one" for known in signatures.values() for test in known.seen}
    diagnosis = Diagnosis(list(signatures.values()), groups)
    for name, known in signatures.items():
        evidence = {test: min(seen - {PASSED}) for test, seen in known.seen.items()}
        found = {one.mistake.id: rivals for one, rivals, _ in diagnosis.fitting(evidence)}
        assert name in found
        assert [one for one, rivals in found.items() if not rivals] in ([], [name])


def test_signatures_cover_what_they_were_made_from() -> None:
    known = Signatures({"one": signature("one", {"test_a": {MEAN}})})
    assert known.covers("one", {"t.py::test_a": MEAN})
    assert known.covers("one", {"t.py::test_a": SHAPE, "t.py::test_b": "timeout"})
    assert not known.covers("one", {"t.py::test_a": "error:ValueError"})
    assert not known.covers("none", {"t.py::test_a": MEAN})


def test_a_student_is_told_of_the_mistake_that_the_failures_look_like(
    course: Path, nested: NestedWall, submit: Submit
) -> None:
    bodies = {"wrong": "return a - b", "twin": "return a + 2 * b", "other": "return a * b", "empty": ""}
    folders = [submit(body, name=name) for name, body in bodies.items()]
    sheet = load_sheet("sums", course)
    handins = [Handin(take_in(folder), seed=3) for folder in folders]
    wrong, twin, other, empty = with_bench(sheet, nested, lambda bench: [bench.grade(one) for one in handins])
    told = {test.id.rpartition("::")[2]: test.mistake for task in wrong.tasks for test in task.tests}
    assert told == {
        "test_a_sum_is_symmetric": "difference",
        "test_a_sum_is_the_sum": "difference",
        "test_noise_is_standard_normal": None,
        "test_noise_follows_the_seed": None,
    }
    assert "The second number is subtracted. Which sign has b?" in unescape(summary(student_view(wrong)))
    assert {test.mistake for task in twin.tasks for test in task.tests} == {"twice", None}
    assert not any(test.mistake for one in (other, empty) for task in one.tasks for test in task.tests)
