"""Whole submissions of a miniature course: good, wrong, crashing, hanging, cheating."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from grader.grade import with_bench
from grader.handin import Handin
from grader.intake import take_in
from grader.result import Result, TestResult
from grader.sheet import load_sheet
from grader.wall import Call, Failure, Value, Wall, WallError
from grader.wall.cell import RemoteCell
from grader.wall.nested import NestedWall

SOLUTION = ("# added\nreturn a + b", "# drawn\nreturn torch.randn(n)")
Submit = Callable[..., Path]


def grade(course: Path, wall: Wall, *folders: Path, seed: int = 7) -> list[Result]:
    sheet = load_sheet("sums", course)
    handins = [Handin(take_in(folder), seed=seed) for folder in folders]
    return with_bench(sheet, wall, lambda bench: [bench.grade(handin) for handin in handins])


def scores(result: Result) -> dict[str, Decimal]:
    return {task.id: task.score for task in result.tasks}


def every_test(result: Result) -> list[TestResult]:
    return [test for task in result.tasks for test in task.tests]


def outcomes(result: Result, task: str) -> dict[str, TestResult]:
    return {test.id.rpartition("::")[2]: test for one in result.tasks if one.id == task for test in one.tests}


def test_the_solution_gets_every_code_point_and_the_template_none(course: Path, any_wall: Wall, submit: Submit) -> None:
    good, empty = grade(course, any_wall, submit(*SOLUTION), submit(name="empty"))
    assert scores(good) == {"1": 3, "2": 2, "3": 0, "4": 1}
    assert (good.score, good.max_score, good.bonus, good.pending, good.passed) == (6, 6, 1, 1, True)
    assert (good.sandbox, good.advisory) == (any_wall.mode, any_wall.mode == "none")
    assert scores(empty) == {"1": 0, "2": 0, "3": 0, "4": 0}
    assert not empty.passed
    assert all(test.message in ("", "NotImplementedError: TODO sums 1") for test in outcomes(empty, "1").values())


def test_the_same_seed_gives_the_same_result_in_every_mode(
    course: Path, any_wall: Wall, nested: NestedWall, submit: Submit
) -> None:
    folder = submit("return a - b", SOLUTION[1])
    differs = {"graded_at": True, "sandbox": True, "advisory": True}
    (first,) = grade(course, nested, folder)
    (second,) = grade(course, any_wall, folder)
    assert first.model_dump(exclude=differs) == second.model_dump(exclude=differs)
    assert first.score == 3


def test_a_syntax_error_costs_only_its_own_task(course: Path, nested: NestedWall, submit: Submit) -> None:
    (result,) = grade(course, nested, submit("return (a +", SOLUTION[1]))
    assert scores(result) | {"4": 0} == {"1": 0, "2": 2, "3": 0, "4": 0}
    failure = outcomes(result, "1")["test_a_sum_is_symmetric"]
    assert failure.outcome == "error"
    assert "SyntaxError" in failure.message


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("import os\nos._exit(0)", "crashed"),
        ("raise SystemExit(0)", "error"),
        ("while True:\n    pass", "timeout"),
        ("import time\ntime.sleep(60)", "timeout"),
        ("return object()", "refused"),
        ("class Same(float):\n    __eq__ = lambda self, other: True\nreturn Same(1)", "refused"),
        ("import ctypes\nctypes.string_at(0)", "crashed"),
        ("return None", "failed"),
        ("return float('nan')", "failed"),
        ("return a if a > b else b", "failed"),
    ],
)
def test_each_way_to_fail_has_its_name_and_costs_nobody_else(
    course: Path, nested: NestedWall, submit: Submit, body: str, outcome: str
) -> None:
    (result,) = grade(course, nested, submit(body, SOLUTION[1]))
    assert outcomes(result, "1")["test_a_sum_is_the_sum"].outcome == outcome
    assert scores(result)["2"] == 2


def test_a_forged_result_changes_nothing(course: Path, nested: NestedWall, submit: Submit) -> None:
    forgery = (
        "import json, os, pathlib\n"
        "pathlib.Path('result.json').write_text(json.dumps({'score': 100}))\n"
        "os.write(3, b'V' + bytes(100))\n"
        "print('::notice title=Autograding complete::Points 100/100')\n"
        "os._exit(0)"
    )
    (result,) = grade(course, nested, submit(forgery, SOLUTION[1]))
    assert scores(result)["1"] == 0


def test_what_a_student_reads_of_a_hidden_test_is_its_title_hint_and_points(
    course: Path, nested: NestedWall, submit: Submit
) -> None:
    (result,) = grade(course, nested, submit("return a * b", SOLUTION[1]))
    hidden = outcomes(result, "1")["test_a_sum_is_the_sum"]
    assert (hidden.visibility, hidden.message) == ("hidden", "")
    assert hidden.title == "a sum is the sum"
    assert hidden.staff


def test_an_import_outside_the_gaps_is_undone_and_the_failure_says_so(
    course: Path, nested: NestedWall, submit: Submit
) -> None:
    folder = submit("return operator.add(a, b)", SOLUTION[1])
    file = folder / "lib" / "adding.py"
    file.write_text(file.read_text().replace("import math", "import math\nimport operator"))
    (result,) = grade(course, nested, folder)
    assert scores(result)["1"] == 0
    assert (
        "`import operator` in lib/adding.py stands outside the gaps"
        in outcomes(result, "1")["test_a_sum_is_the_sum"].hint
    )
    assert "+import operator" in result.edits["lib/adding.py"]
    assert any(rule.id == "gaps" for rule in result.rules)


def test_many_submissions_share_one_collection_and_nothing_else(
    course: Path, nested: NestedWall, submit: Submit
) -> None:
    poison = "import torch\ntorch.randn = lambda *_: torch.zeros(1)\nopen('/tmp/left', 'w').close()\nreturn a + b"
    look = "import os\nassert not os.path.exists('/tmp/left')\nreturn torch.randn(n)"
    poisoned, clean = grade(course, nested, submit(poison, SOLUTION[1], "a"), submit(SOLUTION[0], look, "b"))
    assert scores(poisoned)["2"] == 2
    assert scores(clean)["2"] == 2


def test_tests_that_share_a_process_get_the_points_that_they_get_alone(
    course: Path, nested: NestedWall, submit: Submit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = "import torch\ntorch.randn = lambda *_: torch.zeros(1)\nreturn a + b"
    folders = [submit(*SOLUTION, "good"), submit(poison, SOLUTION[1], "poison"), submit("return a - b", name="wrong")]
    alone = grade(course, nested, *folders)
    sharing = tmp_path / "sharing"
    shutil.copytree(course, sharing)
    with (sharing / "solutions" / "sums" / "exercise.toml").open("a") as file:
        file.write("share_process = true\n")
    used: list[bool] = []
    call = RemoteCell.call

    def watched(cell: RemoteCell, what: Call) -> Value | Failure:
        answer = call(cell, what)
        if what.shared == "sums":
            used.append(answer.used)
        return answer

    monkeypatch.setattr(RemoteCell, "call", watched)
    shared = grade(sharing, nested, *folders)
    assert used.count(True) >= 5
    for one, other in zip(alone, shared, strict=True):
        assert scores(one) == scores(other)
        assert [(test.id, test.outcome) for test in every_test(one)] == [
            (test.id, test.outcome) for test in every_test(other)
        ]


def test_a_sandbox_that_dies_is_an_error_and_never_a_score(course: Path, submit: Submit) -> None:
    wall = NestedWall()
    folder = submit(*SOLUTION)
    sheet = load_sheet("sums", course)
    with pytest.raises(WallError, match="grade again"):
        with_bench(sheet, _Dying(wall), lambda bench: bench.grade(Handin(take_in(folder))))
    (result,) = grade(course, wall, folder)  # the next submission gets a new zygote
    wall.close()
    assert result.score == 6


class _Dying:
    """A wall whose zygote is killed after each cell was opened."""

    mode = "nested"

    def __init__(self, wall: NestedWall) -> None:
        self._wall = wall

    def open(self, limits: object):  # type: ignore[no-untyped-def]  # a test's stand-in
        from contextlib import contextmanager

        @contextmanager
        def opened():  # type: ignore[no-untyped-def]
            with self._wall.open(limits) as cell:  # type: ignore[arg-type]
                zygote = os.pidfd_open(self._wall.zygote.pid)  # type: ignore[union-attr]
                signal.pidfd_send_signal(zygote, signal.SIGKILL)
                select.select([zygote], [], [])  # it has ended, and the kernel has ended its namespace
                os.close(zygote)
                yield cell

        return opened()

    def close(self) -> None:
        self._wall.close()


def test_a_result_reads_back_as_it_was_written(course: Path, nested: NestedWall, submit: Submit) -> None:
    (result,) = grade(course, nested, submit("return a * b", SOLUTION[1]))
    assert Result.from_json(result.to_json()) == result
    assert json.loads(result.to_json())["score"] == 4  # symmetric, but no sum: 1 of 3, 2 for the noise, 1 for style
