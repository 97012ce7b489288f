"""What an attack is: where it acts, what it does, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from grader.result import Outcome, Result
from grader.sheet import Limits

Letter = Literal["F", "D", "K", "R", "E", "N", "ok"]
LETTERS: dict[Letter, str] = {
    "F": "that test fails, others are unaffected",
    "D": "the call is denied, the run goes on",
    "K": "killed, the limit is named, nothing survives",
    "R": "refused at intake, file and reason named",
    "E": "shown as literal text",
    "N": "no effect on points",
    "ok": "allowed, and works",
}
LIMITS = Limits(probe_seconds=5, memory_mb=512, processes=16, open_files=64, disk_mb=8, output_kb=16, result_mb=8)
SHORT = LIMITS.model_copy(update={"probe_seconds": 1})


def anywhere() -> str:
    """No reason why an attack could not run here."""
    return ""


@dataclass(frozen=True)
class Gap:
    """A whole submission, graded: `body` fills the attacked function's gap, the neighbour's gap holds the solution.

    Attributes:
        row: the attack in a few words.
        outcome: what must come of it.
        own: how the tests of the attacked task may end.
        after: code that follows the function, outside of it.
        files: further files of the submission, or others in place of its own.
        says: a part of what the staff read of each of the attacked tests.
        check: a further look at the result: what is wrong with it, or nothing.
    """

    id: str
    row: str
    outcome: Letter
    body: str
    own: tuple[Outcome, ...]
    after: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    says: str = ""
    check: Callable[[Result], str] = lambda result: ""
    here: Callable[[], str] = anywhere


@dataclass(frozen=True)
class Probe:
    """One call behind the wall: `code` defines `attack()`, with the helpers of `inside.py` around it.

    Attributes:
        sees: what `attack()` returns where the wall holds: the value itself, or a function that says whether it is one.
        ends: how the call ends instead, where it does not return.
        says: a part of the failure's sentence.
        output: a part of what was printed.
    """

    id: str
    row: str
    outcome: Letter
    code: str
    sees: Any = True
    ends: tuple[str, ...] = ()
    says: str = ""
    output: str = ""
    limits: Limits = LIMITS
    here: Callable[[], str] = anywhere


@dataclass(frozen=True)
class Steps:
    """Two calls, one after the other or at once, of one submission or of two: `first()` acts, `second()` looks.

    Attributes:
        sees: what `second()` returns where nothing passed between them.
        apart: whether the two belong to different submissions.
        at_once: whether the first still runs when the second does.
    """

    id: str
    row: str
    outcome: Letter
    code: str
    sees: Any
    apart: bool = False
    at_once: bool = False
    limits: Limits = LIMITS
    here: Callable[[], str] = anywhere


@dataclass(frozen=True)
class Outside:
    """What never reaches the wall: `check` gets an empty folder and says what is wrong, or nothing."""

    id: str
    row: str
    outcome: Letter
    check: Callable[[Path], str]
    here: Callable[[], str] = anywhere


@dataclass(frozen=True)
class NotHere:
    """A row of the list that nothing on this machine or in this version can try, and why."""

    id: str
    row: str
    outcome: Letter
    reason: str


Attack = Gap | Probe | Steps | Outside | NotHere
