"""What pytest needs to know in this repository. Nothing to do here."""

from __future__ import annotations

import json
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path

import pytest

pytest_plugins = ["gapcheck.plugin"]
SHEET = Path(__file__).parent / ".gapgrade" / "sheet.json"


def needed_groups() -> set[str]:
    """The groups of tests of which the sheet's 100 % are made: those of bonus and optional tasks are not among them."""
    tasks = json.loads(SHEET.read_text(encoding="utf-8"))["tasks"]
    return {group for task in tasks if Decimal(task["points"]) and not task["bonus"] for group in task["tests"]}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write into the JUnit report which task's tests a test belongs to, and how much it counts there.

    A test that needs an open gap of an optional task is no failure: it is reported as expected.
    """
    needed = needed_groups()
    for item in items:
        for mark in item.iter_markers("task"):
            item.user_properties += [("group", mark.kwargs["group"]), ("weight", mark.kwargs["weight"])]
            if mark.kwargs["group"] not in needed:
                item.add_marker(pytest.mark.xfail(raises=NotImplementedError, strict=False, reason="optional"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Print the hint of a test that failed below its failure."""
    report = yield
    if report.failed:
        report.sections += [("Hint", mark.kwargs["hint"]) for mark in item.iter_markers("task")]
    return report
