"""`@task`: which points a test belongs to, and the one sentence that a student reads when it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

F = TypeVar("F", bound=Callable[..., object])


def task(group: str, *, hint: str, title: str | None = None, weight: int = 1) -> Callable[[F], F]:
    """Count a test for the sheet's task whose `tests` name this group.

    Args:
        group: the name that `sheet.toml` gives in `tests = "..."`, for example `vae-model`.
        hint: one sentence that points to a concept; all that a student learns of a hidden test that fails.
        title: what the test checks; made from the function's name where it is not given.
        weight: the test's share of the task's points, relative to the others of its group.
    """
    if not hint.strip():
        raise ValueError(f"@task({group!r}): the hint is empty; say in one sentence what may help")
    if weight < 1:
        raise ValueError(f"@task({group!r}): weight is {weight}; it must be 1 or more")

    def mark(test: F) -> F:
        readable = title or test.__name__.removeprefix("test_").replace("_", " ")
        marked: F = pytest.mark.task(group=group, hint=hint, title=readable, weight=weight)(test)
        return marked

    return mark


def run_alone(file: str) -> int:
    """Run one test file by itself: the last line of each, for `python -m tests.test_vae`."""
    return int(pytest.main([file, "-v"]))
