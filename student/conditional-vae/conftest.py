"""What pytest needs to know in this repository. Nothing to do here."""

from __future__ import annotations

import pytest

pytest_plugins = ["gapcheck.plugin"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write into the JUnit report which task's tests a test belongs to, and how much it counts there."""
    for item in items:
        for mark in item.iter_markers("task"):
            item.user_properties += [("group", mark.kwargs["group"]), ("weight", mark.kwargs["weight"])]
