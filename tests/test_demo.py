"""The main job end to end, on the real sheet: what `make demo` shows is what it should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grader.result import Result

HOUSE = Path(__file__).parent.parent
CODE = ("1.1", "1.2", "1.3", "2.2", "3.1", "3.2")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    out = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "tools.demo", "--out", str(out)]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    files = sorted((out / "reports").glob("*/result.json"))
    return {file.parent.name[2:]: Result.from_json(file.read_text()) for file in files}


def points(result: Result) -> dict[str, tuple[float, float]]:
    return {task.id: (float(task.score), float(task.max_score)) for task in result.tasks if task.id in CODE}


def test_the_perfect_submission_gets_every_code_point(results: dict[str, Result]) -> None:
    perfect = results["perfect"]
    assert all(score == whole for score, whole in points(perfect).values())
    assert (perfect.bonus, perfect.sandbox) == (2, "nested")
    assert sum(rule.deduction for rule in perfect.rules) == 0


def test_the_untouched_template_gets_nothing(results: dict[str, Result]) -> None:
    untouched = results["untouched"]
    assert untouched.score == 0
    assert not any(test.outcome == "passed" for task in untouched.tasks for test in task.tests)


def test_a_partial_submission_gets_the_tasks_that_are_done(results: dict[str, Result]) -> None:
    assert {task: score for task, (score, _) in points(results["partial"]).items() if score} == {"1.1": 4}


def test_a_mistake_costs_its_own_tests_only(results: dict[str, Result]) -> None:
    earned = points(results["mistake"])
    assert 0 < earned["1.1"][0] < 4
    assert all(score == whole for task, (score, whole) in earned.items() if task != "1.1")


def test_edits_outside_gaps_are_undone_and_pushes_beyond_three_cost_a_point_each(results: dict[str, Result]) -> None:
    outside = results["outside"]
    assert points(outside) == points(results["perfect"])
    assert {rule.id: rule.deduction for rule in outside.rules}["pushes"] == 2
    assert "-" in outside.edits["lib/model_vae.py"]


def test_hostile_gaps_earn_what_their_other_gaps_are_worth(results: dict[str, Result]) -> None:
    hostile = results["hostile"]
    outcomes = {test.outcome for task in hostile.tasks for test in task.tests}
    assert {"crashed", "timeout", "error", "passed"} <= outcomes
    assert points(hostile)["2.2"] == points(results["perfect"])["2.2"]
    assert points(hostile)["1.2"] == points(results["perfect"])["1.2"]
    assert points(hostile)["1.1"][0] < 4
    assert points(hostile)["1.3"][0] < 2
