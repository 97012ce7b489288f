"""Which wall grades: the one that was asked for, or the strongest that works on this machine."""

from __future__ import annotations

from collections.abc import Callable

from grader import UnsafeError
from grader.sheet import Limits
from grader.wall import Wall, WallError
from grader.wall.container import ContainerWall
from grader.wall.fresh import FreshWall
from grader.wall.nested import NestedWall
from grader.wall.plain import PlainWall

STRONGEST_FIRST: dict[str, Callable[[], Wall]] = {
    "nested": NestedWall,
    "fresh": FreshWall,
    "container": ContainerWall,
}


def choose_wall(mode: str) -> Wall:
    """The wall of a mode; `auto` takes the strongest. Raises `UnsafeError`: grading never degrades silently."""
    if mode == "none":
        return PlainWall()
    if mode in STRONGEST_FIRST:
        return working_wall(mode)
    if mode != "auto":
        raise UnsafeError(f"there is no sandbox mode {mode!r}; use one of: auto, {', '.join(STRONGEST_FIRST)}, none")
    reasons = []
    for name in STRONGEST_FIRST:
        try:
            return working_wall(name)
        except UnsafeError as error:
            reasons.append(f"{name}: {error}")
    raise UnsafeError(
        f"no sandbox works here ({'; '.join(reasons)}); run: python -m grader doctor "
        f"(an advisory grading runs with --sandbox none)"
    )


def working_wall(mode: str) -> Wall:
    """A wall that has opened a cell on this machine; raises `UnsafeError` with the reason where it cannot."""
    wall = STRONGEST_FIRST[mode]()
    try:
        with wall.open(Limits()):
            return wall
    except WallError as error:
        wall.close()
        raise UnsafeError(f"{error}".removesuffix("; run: python -m grader doctor")) from None
