"""Which wall grades: the one that was asked for, or the strongest that works on this machine."""

from __future__ import annotations

from collections.abc import Callable

from grader import UnsafeError
from grader.wall import Wall
from grader.wall.fresh import FreshWall
from grader.wall.nested import NestedWall
from grader.wall.plain import PlainWall

STRONGEST_FIRST: dict[str, Callable[[], Wall]] = {"nested": NestedWall, "fresh": FreshWall}


def choose_wall(mode: str) -> Wall:
    """The wall of a mode; `auto` takes the strongest. Raises `UnsafeError`: grading never degrades silently."""
    if mode == "none":
        return PlainWall()
    if mode in STRONGEST_FIRST:
        return STRONGEST_FIRST[mode]()
    if mode != "auto":
        raise UnsafeError(
            f"the sandbox mode {mode} is not available; use one of: auto, {', '.join(STRONGEST_FIRST)}, none"
        )
    reasons = []
    for name, make in STRONGEST_FIRST.items():
        try:
            return make()
        except UnsafeError as error:
            reasons.append(f"{name}: {error}")
    raise UnsafeError(f"no sandbox works here ({'; '.join(reasons)}); an advisory grading runs with --sandbox none")
