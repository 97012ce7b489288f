"""Small courses in the formats of nbgrader, otter-grader and GitHub Classroom, written as their documentation says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

SQUARES = '''\
def squares(n):
    """The squares of 1 to n."""
    ### BEGIN SOLUTION
    if n < 1:
        raise ValueError("n is at least 1")
    # each number by itself
    return [i * i for i in range(1, n + 1)]
    ### END SOLUTION'''

SQUARES_TEST = '''\
"""Small numbers have the right squares."""
import numpy as np
numbers = [1, 2]
assert squares(2) == [1, 4]
assert np.allclose(squares(len(numbers)), np.array([1.0, 4.0]))
### BEGIN HIDDEN TESTS
for n in range(1, 5):
    assert sum(squares(n)) == n * (n + 1) * (2 * n + 1) // 6
### END HIDDEN TESTS'''

RAISES_TEST = '''\
"""Zero is refused."""
try:
    squares(0)
except ValueError:
    pass
else:
    raise AssertionError("nothing was raised")'''

DOUBLE = """\
def double(x):
    # BEGIN IGNORE
    # students never see this
    y = 0
    # END IGNORE
    # nor this # IGNORE
    y = 2 * x # SOLUTION
    return y # SOLUTION"""

PATCHES_TEST = """\
kept = squares
del squares
total(3)
squares = kept"""


def _nbgrader(cell: Any, name: str, points: float | None = None, **more: Any) -> Any:
    about = {"schema_version": 3, "grade_id": name, "grade": False, "solution": False, "locked": False, "task": False}
    cell.metadata["nbgrader"] = about | more | ({"points": points} if points is not None else {})
    return cell


def nbgrader_course(folder: Path) -> Path:
    """A course with one assignment, `ps 1`, of one notebook and one file of data."""
    cells = [
        new_code_cell('NAME = ""'),
        new_markdown_cell("## Squares (3 points)"),
        _nbgrader(new_code_cell(SQUARES), "squares", solution=True),
        _nbgrader(new_code_cell(SQUARES_TEST), "squares_right", 2, grade=True, locked=True),
        _nbgrader(new_code_cell(RAISES_TEST), "squares_zero", 0.5, grade=True, locked=True),
        _nbgrader(new_code_cell("total = sum(squares(3))"), "total", solution=True),
        _nbgrader(new_code_cell("assert total == 14"), "total_right", 1, grade=True, locked=True),
        _nbgrader(new_code_cell(PATCHES_TEST), "squares_used", 1, grade=True, locked=True),
        new_markdown_cell("## In words (1 point)"),
        _nbgrader(new_markdown_cell("Each number is multiplied with itself."), "words", 1, grade=True, solution=True),
        _nbgrader(
            new_markdown_cell("## Find a use\n### BEGIN MARK SCHEME\nAny use counts.\n### END MARK SCHEME"),
            "use", 4, task=True, locked=True,
        ),
    ]  # fmt: skip
    course = folder / "nbgrader-course"
    (course / "source" / "ps 1").mkdir(parents=True)
    (course / "source" / "ps 1" / "numbers.csv").write_text("1,2\n")
    (course / "nbgrader_config.py").write_text("c = get_config()\n")
    _write(course / "source" / "ps 1" / "problem 1.ipynb", cells)
    return course


def otter_master(folder: Path) -> Path:
    """A master notebook with two questions that tests grade, and two that people do."""

    def test(code: str, value: str = "") -> Any:
        outputs = [new_output("execute_result", {"text/plain": value})] if value else []
        return new_code_cell(code, outputs=outputs)

    def question(settings: str, *cells: Any) -> list[Any]:
        return [new_raw_cell(f"# BEGIN QUESTION\n{settings}"), *cells, new_raw_cell("# END QUESTION")]

    def block(what: str, *cells: Any) -> list[Any]:
        return [new_raw_cell(f"# BEGIN {what}"), *cells, new_raw_cell(f"# END {what}")]

    settings = "points: 2\nhidden: true\nfailure_message: Think of odd numbers."
    config = f'""" # BEGIN TEST CONFIG\n{settings}\n""" # END TEST CONFIG\n'
    cells = [
        new_raw_cell(
            "# ASSIGNMENT CONFIG\nname: hw 1\ngenerate: true\nfiles:\n    - data.csv\nrequirements:\n    - numpy"
        ),
        new_code_cell("import numpy as np"),
        *question(
            "name: q1\npoints: 3",
            new_markdown_cell("Write `double`."),
            *block("SOLUTION", new_code_cell(DOUBLE)),
            *block(
                "TESTS",
                test("double(4)", "8"),
                test(f"{config}double(7) == 14 and isinstance(double(7), int)", "True"),
                test("double(np.ones(2))", "array([2., 2.])"),
            ),
        ),
        new_markdown_cell("Now\n\n```otter\n# BEGIN QUESTION\nname: q2\n```\n\nset `three`."),
        *block("SOLUTION", new_code_cell("three = 3 # SOLUTION")),
        *block(
            "TESTS",
            test("# HIDDEN\nassert three == 3"),
            test("def test_three(env):\n    assert env['three'] < 4\n\ntest_three(globals())"),
            test("def same(x: int) -> int:\n    return x\n\nsame(three)", "3"),
        ),
        new_raw_cell("# END QUESTION"),
        *question("name: q4", *block("SOLUTION", new_code_cell("five = 5 # SOLUTION"))),
        *question(
            "name: q3\nmanual: true\npoints: 1.5",
            *block("PROMPT", new_markdown_cell("_Type here._")),
            *block("SOLUTION", new_markdown_cell("Because two is even.")),
        ),
    ]
    file = folder / "hw1.ipynb"
    (folder / "data.csv").write_text("1\n")
    _write(file, cells)
    return file


def classroom_repository(folder: Path, *, workflow: bool = False) -> Path:
    """A repository with a test of what is printed, one of pytest, and one in another language."""
    repository = folder / "hello-world"
    (repository / "tests").mkdir(parents=True)
    (repository / "hello.py").write_text(
        'def greet(name):\n    # START TODO (hello 1): greet.\n    # with the name\n    return f"Hello, {name}!"\n'
        '    # END TODO\n\n\nif __name__ == "__main__":\n    print(greet(input()))\n'
    )
    (repository / "tests" / "test_hello.py").write_text(
        "import pytest\n\nfrom hello import greet\n\n\ndef test_ada():\n    assert greet('Ada') == 'Hello, Ada!'\n\n\n"
        "def test_shape(capsys):\n    greet('')\n    assert capsys.readouterr().out == ''\n"
    )
    (repository / "README.md").write_text("# Hello\n\nGreet people.\n")
    (repository / "requirements.txt").write_text("pytest\n")
    (repository / "classroom_roster.csv").write_text(
        '"identifier","github_username","github_id","name"\n"s1","ada","1","Ada"\n'
    )
    if workflow:
        _workflow(repository)
        return repository
    tests = [
        {"name": "Says hello", "run": "python hello.py", "points": 2}
        | {"input": "Ada", "output": "Hello, Ada!", "comparison": "exact"},
        {"name": "Functions", "setup": "sudo -H pip3 install pytest", "run": "pytest", "points": 3},
        {"name": "Builds", "run": "make hello", "points": 1},
    ]  # fmt: skip
    (repository / ".github" / "classroom").mkdir(parents=True)
    (repository / ".github" / "classroom" / "autograding.json").write_text(json.dumps({"tests": tests}))
    return repository


def _workflow(repository: Path) -> None:
    (repository / ".github" / "workflows").mkdir(parents=True)
    (repository / ".github" / "workflows" / "classroom.yml").write_text(
        """\
name: Autograding Tests
on: [push]
jobs:
  run-autograding-tests:
    runs-on: ubuntu-latest
    steps:
    - uses: actions/checkout@v4
    - uses: classroom-resources/autograding-io-grader@v1
      with:
        test-name: Says hello
        command: python hello.py
        input: Ada
        expected-output: "^Hello, .*!$"
        comparison-method: regex
        max-score: 2
    - uses: classroom-resources/autograding-command-grader@v1
      with:
        test-name: Functions
        command: pytest -k ada
        max-score: 3
    - uses: classroom-resources/autograding-grading-reporter@v1
"""
    )


def _write(file: Path, cells: list[Any]) -> None:
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(notebook, file)
