"""Courses of other graders become courses of this one: graded right, and with a list of what is left to do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import jupytext
import nbformat
import pytest

from grader.grade import with_bench
from grader.handin import Handin
from grader.intake import take_in
from grader.result import Result
from grader.sheet import load_sheet
from grader.wall.nested import NestedWall
from tests.foreign_courses import classroom_repository, nbgrader_course, otter_master
from tools.make_release import make_release
from tools.migrate import Tool, main
from tools.migration.assignment import Check, MigrationError, Names
from tools.migration.probes import NotTurned, turn

ROOT = Path(__file__).resolve().parent.parent
QUICKSTART = "nbgrader/lib/python*/site-packages/nbgrader/docs/source/user_guide"
NAMES = Names(
    {name: f"from lib.x import {name}" for name in ("f", "Net", "v")}, frozenset({"f", "Net"}), frozenset({"Net"})
)


def migrated(source: Path, out: Path) -> str:
    main(source, out)
    return (out / "MIGRATION.md").read_text(encoding="utf-8")


def graded(course: Path, name: str, wall: NestedWall, folder: Path) -> tuple[Result, Result]:
    """The untouched release, and the solution handed in as students would."""
    sheet = load_sheet(name, course)
    empty = make_release(sheet)
    solved = folder / "solved"
    shutil.copytree(empty, solved)
    for file in (course / "solutions" / name).rglob("*.py"):
        if file.name.endswith(".nb.py"):
            notebook = jupytext.reads(file.read_text(encoding="utf-8"), "py:percent")
            for cell in notebook.cells:
                cell.id = cell.metadata["id"]
            nbformat.write(notebook, solved / file.name.replace(".nb.py", ".ipynb"))
        else:
            shutil.copy(file, solved / file.relative_to(course / "solutions" / name))
    handins = [Handin(take_in(one), seed=7) for one in (empty, solved)]
    first, second = with_bench(sheet, wall, lambda bench: [bench.grade(handin) for handin in handins])
    return first, second


def scores(result: Result) -> dict[str, Decimal]:
    return {task.id: task.score for task in result.tasks}


def test_an_nbgrader_course_is_graded_as_before(tmp_path: Path, nested: NestedWall) -> None:
    report = migrated(nbgrader_course(tmp_path), tmp_path / "course")
    empty, solved = graded(tmp_path / "course", "ps-1", nested, tmp_path)
    assert set(scores(empty).values()) == {0}
    assert scores(solved) == {
        "squares-right": 2, "squares-zero": Decimal("0.5"), "total-right": 1, "squares-used": 0, "words": 0, "use": 0,
    }  # fmt: skip
    assert {task.id for task in solved.tasks if task.state == "pending"} == {"squares-used", "words", "use"}
    assert "cell 8 (squares_used)**: the test was not turned" in report
    assert "**nbgrader_config.py**" in report


def test_hidden_tests_of_nbgrader_are_in_no_release(tmp_path: Path) -> None:
    migrated(nbgrader_course(tmp_path), tmp_path / "course")
    release = make_release(load_sheet("ps-1", tmp_path / "course"))
    everything = "".join(file.read_text() for file in release.rglob("*") if file.suffix in (".py", ".ipynb", ".md"))
    assert "squares(2) == [1, 4]" in everything
    assert "(2 * n + 1)" not in everything
    assert "Any use counts" not in everything
    assert "multiplied with itself" not in everything
    assert "(2 * n + 1)" in (tmp_path / "course/tests_hidden/ps-1/test_ps_1_problem_1_hidden.py").read_text()


def test_an_otter_master_is_graded_as_before(tmp_path: Path, nested: NestedWall) -> None:
    report = migrated(otter_master(tmp_path), tmp_path / "course")
    empty, solved = graded(tmp_path / "course", "hw1", nested, tmp_path)
    assert set(scores(empty).values()) == {0}
    assert scores(solved) == {"q1": 3, "q2": 1, "q3": 0}
    assert "its saved value is no plain one; write the test of q1 by hand" in report
    assert "the setting 'generate' has no counterpart" in report
    assert "this prompt is left out" in report
    assert "was not turned" not in report
    assert "q4 has no tests and no points" in report
    assert "students never see this" not in (tmp_path / "course/solutions/hw1/hw1.nb.py").read_text()
    assert "double(np.ones(2))" in (tmp_path / "course/tests_hidden/hw1/TODO.md").read_text()
    assert (tmp_path / "course/solutions/hw1/data.csv").is_file()


@pytest.mark.parametrize("workflow", [False, True], ids=["autograding.json", "workflow"])
def test_a_classroom_repository_is_graded_as_before(tmp_path: Path, nested: NestedWall, workflow: bool) -> None:
    report = migrated(classroom_repository(tmp_path, workflow=workflow), tmp_path / "course")
    empty, solved = graded(tmp_path / "course", "hello-world", nested, tmp_path)
    assert set(scores(empty).values()) == {0}
    assert scores(solved) == {"says-hello": 2, "functions": 3} | ({} if workflow else {"builds": 0})
    assert "Greet people." in (tmp_path / "course/sheets/hello-world/sheet.md").read_text()
    assert "ada" in (tmp_path / "course/roster.csv").read_text()
    if not workflow:
        assert "'Builds' is no test that can be turned" in report
        assert "tests/test_hello.py:10**: fixtures and decorators cannot be parted" in report


def test_the_example_course_of_nbgrader_is_turned(tmp_path: Path) -> None:
    """Where `make bench` has installed nbgrader, whose package holds its example."""
    source = next((ROOT / ".venv-peers").glob(QUICKSTART), None)
    if source is None:
        pytest.skip("nbgrader is not installed; make bench installs it")
    report = migrated(source, tmp_path / "course")
    sheet = load_sheet("ps1", tmp_path / "course")
    assert sum(task.points for task in sheet.tasks) == 13
    assert {task.id for task in sheet.tasks if task.kind == "code"} == {
        "correct-squares", "squares-invalid-input", "correct-sum-of-squares",
    }  # fmt: skip
    listed = set(re.findall(r"\*\*problem1.ipynb, cell \d+ \((.*?)\)", report))
    assert {"sum_of_squares_uses_squares", "cell-6e9ff83aa5dfaf17", "correct_squares"} <= listed
    assert "cannot be made yet" not in report


@pytest.mark.parametrize(
    ("make", "tool"),
    [(nbgrader_course, Tool.NBGRADER), (otter_master, Tool.OTTER), (classroom_repository, Tool.CLASSROOM)],
    ids=["nbgrader", "otter", "classroom"],
)
def test_the_format_is_found_out_and_nothing_is_overwritten(
    tmp_path: Path, make: Callable[[Path], Path], tool: Tool
) -> None:
    source = make(tmp_path)
    assert f"# From {tool.value}" in migrated(source, tmp_path / "course")
    with pytest.raises(MigrationError, match="is there already"):
        main(source, tmp_path / "course")
    with pytest.raises(MigrationError, match="say which with --from"):
        main(tmp_path / "course" / "sheets", tmp_path / "other")


def check(code: str) -> Check:
    return Check("group", "t", "file", code, "here", NAMES, points=Fraction(1))


def test_what_touches_student_code_goes_into_a_probe_and_nothing_else_does() -> None:
    turned = turn(check("import math\nx = [1]\nassert f(x, 2).shape == (1,), 'shape'\nassert math.isclose(v[0], 3.5)"))
    assert turned.imports == ("import math",)
    assert turned.body.splitlines()[1:] == [
        "x = [1]",
        "assert t_1(2, x).shape == (1,), 'shape'",
        "assert math.isclose(t_2(), 3.5)",
    ]
    first, second = turned.probes
    assert first == "def t_1(second: object, x: object) -> object:\n    from lib.x import f\n\n    return f(x, second)"
    assert second.endswith("return v[0]")
    assert not any("3.5" in probe or "(1,)" in probe for probe in turned.probes)


def test_the_page_shows_what_becomes_of_a_test() -> None:
    page = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")
    names = Names({"squares": "from notebooks.problem1 import squares"}, frozenset({"squares"}))
    turned = turn(Check("group", "squares_right", "file", "assert squares(2) == [1, 4]", "here", names))
    assert "```python\nassert squares(2) == [1, 4]\n```" in page
    assert f"@probe\n{turned.probes[0]}\n" in page
    assert f"    {turned.body}\n" in page


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    f(0)\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError",
        "try:\n    f(0)\n    assert False\nexcept ValueError:\n    pass",
        "import pytest\nwith pytest.raises(ValueError):\n    f(0)",
    ],
    ids=["else", "assert False", "pytest.raises"],
)
def test_an_expected_error_is_named_inside_and_judged_outside(code: str) -> None:
    turned = turn(check(code))
    assert turned.body.splitlines()[-1] == 'assert "ValueError" in t_1(0)'
    assert "except Exception as error:" in turned.probes[0]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("f = None\nassert f is None", "another meaning"),
        ("v['a'] = 3\nassert f(1) == 3", "changes what students made"),
        ("x = [2, 1]\nf(x)\nassert x == [1, 2]", "would be lost"),
        ("import random\nrandom.seed(1)\nassert f(1) == 3", "a seed outside"),
        ("assert callable(f)", "needs 'f' itself"),
        ("net = Net()\nassert net.size == 3", "an object of 'Net'"),
        ("assert helper(f(1))", "'helper' is made nowhere"),
        ("run = lambda: f(1)\nrun()", "lambda cannot be parted"),
        ("with open('x') as x:\n    f(x)", "with cannot be parted"),
        ("def g(x):\n    return x\nassert f(g) == 1", "function 'g' cannot be passed"),
        ("assert 1 + 1 == 2", "looks at nothing that students write"),
        ("import pandas as pd\nassert f(1).equals(pd.Series([1]))", "needed outside the sandbox"),
        ("assert f(1) ==", "no Python"),
    ],
)
def test_what_cannot_be_parted_is_refused_with_its_reason(code: str, why: str) -> None:
    with pytest.raises(NotTurned, match=why):
        turn(check(code))
