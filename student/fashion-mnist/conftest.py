"""What pytest needs to know in this repository. Nothing to do here."""

from __future__ import annotations

from collections.abc import Generator

import pytest

pytest_plugins = ["gapcheck.plugin"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write into the JUnit report which task's tests a test belongs to, and how much it counts there."""
    for item in items:
        for mark in item.iter_markers("task"):
            item.user_properties += [("group", mark.kwargs["group"]), ("weight", mark.kwargs["weight"])]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Print the hint of a test that failed below its failure."""
    report = yield
    if report.failed:
        report.sections += [("Hint", mark.kwargs["hint"]) for mark in item.iter_markers("task")]
    return report
