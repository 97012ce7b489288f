"""Turn the results of the public tests and of the style check into an advisory score.

Usage: python .github/scripts/report.py TESTS.xml STYLE.txt

Reads the tasks from .gapgrade/sheet.json, writes the job summary (to the terminal where there is none) and the notice
with the points. Only the standard library is needed.
"""

from __future__ import annotations

import html
import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

SHEET = Path(__file__).resolve().parents[2] / ".gapgrade" / "sheet.json"
HUNDREDTH = Decimal("0.01")


def read_tests(file: Path) -> list[dict[str, str]]:
    """Each test's name, group, weight, and whether it passed ("" or "yes")."""
    if not file.is_file():
        return []
    tests = []
    for case in ElementTree.parse(file).iter("testcase"):
        properties = {one.get("name", ""): one.get("value", "") for one in case.iter("property")}
        passed = all(case.find(kind) is None for kind in ("failure", "error", "skipped"))
        name = case.get("name", "").removeprefix("test_").replace("_", " ")
        tests.append({"group": "", "weight": "1", **properties, "name": name, "passed": "yes" if passed else ""})
    return tests


def points_of(task: dict[str, object], tests: list[dict[str, str]], style_is_clean: bool) -> Decimal:
    """The share of the task's points that its public tests earn, rounded down to a hundredth."""
    points = Decimal(str(task["points"]))
    if task["kind"] == "style":
        return points if style_is_clean else Decimal(0)
    groups = task["tests"]
    assert isinstance(groups, list)
    own = [test for test in tests if test["group"] in groups]
    total = sum(int(test["weight"]) for test in own)
    passed = sum(int(test["weight"]) for test in own if test["passed"])
    return (points * passed / total).quantize(HUNDREDTH, rounding="ROUND_DOWN") if total else Decimal(0)


def number(value: Decimal) -> str:
    """Without trailing zeros: 4, 2.5."""
    return f"{value.normalize():f}"


def summary(sheet: dict[str, object], tests: list[dict[str, str]], style: list[str], earned: list[Decimal]) -> str:
    """The Markdown of the job summary; everything that students could have written is escaped."""
    tasks = sheet["tasks"]
    assert isinstance(tasks, list)
    lines = [f"# {html.escape(str(sheet['title']))}", "", "| task | points |", "| --- | --- |"]
    for task, points in zip(tasks, earned, strict=True):
        name = html.escape(f"{task['id']} {task['title']}").replace("|", "&#124;")
        bonus = " (bonus)" if task["bonus"] else ""
        lines.append(f"| {name}{bonus} | {number(points)} of {number(Decimal(task['points']))} |")
    lines += [
        "",
        "This score is advisory: it counts the public tests and the style check only. "
        "Your instructors run further tests; their score counts.",
        "",
    ]
    failed = [test for test in tests if not test["passed"]]
    if not tests:
        lines += ["The tests did not run; the log of the step before says why.", ""]
    elif failed:
        lines += [f"{len(failed)} of {len(tests)} public tests fail:", ""]
        lines += [f"- <code>{html.escape(test['name'])}</code>" for test in failed] + [""]
    else:
        lines += [f"All {len(tests)} public tests pass.", ""]
    if style:
        lines += [f"pycodestyle has {len(style)} findings, the first of them:", ""]
        lines += [f"- <code>{html.escape(line)}</code>" for line in style[:20]]
    else:
        lines += ["pycodestyle has no findings."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the summary, then the two notices that score readers look for."""
    tests_file, style_file = Path(sys.argv[1]), Path(sys.argv[2])
    sheet = json.loads(SHEET.read_text(encoding="utf-8"))
    tests = read_tests(tests_file)
    style = style_file.read_text(encoding="utf-8").splitlines() if style_file.is_file() else ["the check did not run"]
    earned = [points_of(task, tests, not style) for task in sheet["tasks"]]
    text = summary(sheet, tests, style, earned)
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if target:
        with open(target, "a", encoding="utf-8") as file:
            file.write(text)
    else:
        print(text)
    total = sum(earned, Decimal(0))
    most = sum((Decimal(str(task["points"])) for task in sheet["tasks"] if not task["bonus"]), Decimal(0))
    print(f"::notice title=Autograding complete::Points {number(total)}/{number(most)}")
    print(f'::notice title=Autograding report::{{"totalPoints":{number(total)},"maxPoints":{number(most)}}}')


if __name__ == "__main__":
    main()
