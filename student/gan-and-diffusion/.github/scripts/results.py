"""What the steps before left in results/: the tests, the style check, the pushes; and the gaps that are still open."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
NOT_YOURS = ("tests", "gapcheck", ".github", ".venv", "venv", "env")
HUNDREDTH = Decimal("0.01")
MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)  # what IPython alone can read


@dataclass(frozen=True)
class Test:
    """A public test: its name in words, its file, the group of tests that it counts for, and why it failed.

    `left_out` is a test that has not passed because a gap of an optional task is still open.
    """

    name: str
    file: str
    group: str
    weight: int
    passed: bool
    left_out: bool
    message: str

    @property
    def failed(self) -> bool:
        """Whether there is something to mend."""
        return not (self.passed or self.left_out)


@dataclass(frozen=True)
class Task:
    """A task, and the points that its public tests, or the style check, earn."""

    id: str
    title: str
    bonus: bool
    points: Decimal
    earned: Decimal

    @property
    def name(self) -> str:
        """The id and the title."""
        return f"{self.id} {self.title}".strip()


@dataclass(frozen=True)
class Results:
    """Everything that the report shows; `tests` is empty where they did not run.

    `pushes` is what was counted, and `push_rule` what the sheet says of it; both are empty where there is none.
    """

    title: str
    tasks: list[Task]
    tests: list[Test]
    style: list[str]
    pushes: dict[str, Any]
    push_rule: dict[str, Any]
    open_gaps: list[str]

    @property
    def score(self) -> Decimal:
        """The points of all tasks, bonus points among them."""
        return sum((task.earned for task in self.tasks), Decimal(0))

    @property
    def pushes_in_words(self) -> str:
        """How many pushes the host counts, how many are free, and what the others cost; empty where nobody counted."""
        if not self.pushes:
            return ""
        count, rule = self.pushes["count"], self.push_rule
        said = f"{count} so far"
        if rule:
            cost = Decimal(rule["deduct"]) * max(0, count - rule["limit"])
            cost = min(cost, Decimal(rule.get("at_most", cost)))
            said += f", {rule['limit']} {'is' if rule['limit'] == 1 else 'are'} free"
            said += f": that costs {number(cost)} point{'' if cost == 1 else 's'}" if cost else ""
        return said if self.pushes["complete"] else f"{said}; GitHub's log is not complete"

    @property
    def most(self) -> Decimal:
        """The points that make 100 %."""
        return sum((task.points for task in self.tasks if not task.bonus), Decimal(0))


def read_results(folder: Path) -> Results:
    """Put everything together; what is missing counts as not passed."""
    sheet = json.loads((ROOT / ".gapgrade" / "sheet.json").read_text(encoding="utf-8"))
    tests = read_tests(folder / "tests.xml")
    style_file, pushes_file = folder / "style.txt", folder / "pushes.json"
    style = style_file.read_text(encoding="utf-8").splitlines() if style_file.is_file() else ["the check did not run"]
    pushes = json.loads(pushes_file.read_text(encoding="utf-8")) if pushes_file.is_file() else {}
    tasks = [read_task(task, tests, not style) for task in sheet["tasks"]]
    return Results(sheet["title"], tasks, tests, style, pushes, sheet.get("pushes", {}), find_open_gaps())


def read_tests(file: Path) -> list[Test]:
    """The tests of a JUnit report; `conftest.py` wrote their groups and weights into it."""
    if not file.is_file():
        return []
    tests = []
    for case in ElementTree.parse(file).iter("testcase"):
        known = {one.get("name"): one.get("value", "") for one in case.iter("property")}
        bad = [one for kind in ("failure", "error", "skipped") for one in case.iter(kind)]
        tests.append(
            Test(
                name=case.get("name", "").removeprefix("test_").replace("_", " "),
                file=case.get("classname", "").replace(".", "/") + ".py",
                group=known.get("group", ""),
                weight=int(known.get("weight", "1")),
                passed=not bad,
                left_out=any(one.get("type") == "pytest.xfail" for one in bad),
                message=bad[0].get("message", "") if bad else "",
            )
        )
    return tests


def read_task(task: dict[str, Any], tests: list[Test], style_is_clean: bool) -> Task:
    """The share of the task's points that its public tests earn, rounded down to a hundredth."""
    points = Decimal(task["points"])
    own = [test for test in tests if test.group in task["tests"]]
    whole = sum(test.weight for test in own)
    passed = sum(test.weight for test in own if test.passed)
    earned = points * passed / whole if whole else Decimal(0)
    if task["kind"] == "style":
        earned = points if style_is_clean else Decimal(0)
    return Task(task["id"], task["title"], task["bonus"], points, earned.quantize(HUNDREDTH, ROUND_DOWN))


def find_open_gaps() -> list[str]:
    """The labels of the gaps that still raise `NotImplementedError`; code that is no Python has none."""
    labels = []
    for code in read_code():
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        labels += [label for node in ast.walk(tree) if (label := open_gap(node))]
    return labels


def read_code() -> Iterator[bytes | str]:
    """The Python files, and each code cell of the notebooks; a notebook that is no JSON has none."""
    for file in sorted(ROOT.rglob("*")):
        if file.relative_to(ROOT).parts[0] in NOT_YOURS or not file.is_file():
            continue
        if file.suffix == ".py":
            yield file.read_bytes()
        elif file.suffix == ".ipynb" and file.parent.name != ".ipynb_checkpoints":
            try:
                cells = json.loads(file.read_bytes())["cells"]
                texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            yield from (MAGIC.sub(r"\1pass", text) for text in texts)


def open_gap(node: ast.AST) -> str:
    """The label in `raise NotImplementedError("TODO label")`; empty for any other statement."""
    if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args):
        return ""
    first = node.exc.args[0]
    text = first.value if isinstance(first, ast.Constant) else ""
    return text.removeprefix("TODO ") if isinstance(text, str) and text.startswith("TODO ") else ""


def number(value: Decimal) -> str:
    """Without trailing zeros: 4, 2.5."""
    return f"{value.normalize():f}" if value else "0"
