"""The wall: what separates tests and expected values from student code.

One small interface. A wall opens a cell for a submission; a cell is given files and calls, and answers each call with a
value or a named failure. Which walls there are, and what each is made of, nobody else needs to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from grader import GapgradeError
from grader.result import Mode
from grader.sheet import Limits

FailureKind = Literal["error", "timeout", "crashed", "refused"]


@dataclass(frozen=True)
class Call:
    """One probe call: the probe's source and its arguments, all plain data.

    Attributes:
        source: a module's text that defines `function`.
        seed: what the random generators inside start from, so that a repeated run sees the same student.
        shared: calls of the same name may follow one another in one process; a call without one is alone in its own.
        clean: it runs no student code, so shared calls of any name may follow it.
    """

    source: str
    function: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    shared: str = ""
    clean: bool = False


@dataclass(frozen=True)
class Value:
    """What a probe returned, rebuilt from plain data.

    Attributes:
        output: what it printed.
        used: whether its process had answered another call before.
    """

    value: Any
    output: str = ""
    used: bool = False


@dataclass(frozen=True)
class Failure:
    """Why a probe returned nothing that a test can look at.

    Attributes:
        kind: `error` (it raised), `timeout` (a limit of time stopped it), `crashed` (its process ended, or another
            limit ended it), `refused` (what it returned is no plain data).
        message: one sentence, student code's own words among it: untrusted text.
        detail: the traceback inside; untrusted text, for staff.
        used: whether its process had answered another call before.
    """

    kind: FailureKind
    message: str
    detail: str = ""
    output: str = ""
    used: bool = False


class WallError(GapgradeError):
    """The wall itself failed: a grader's error, never a score."""


class Cell(Protocol):
    """One submission behind the wall."""

    def place(self, files: Mapping[str, bytes]) -> None:
        """Give every later call a folder of its own with these files, as its working directory."""

    def call(self, call: Call) -> Value | Failure:
        """Call a probe in a process of its own; nothing of it is left for the next, except among shared calls."""


class Wall(Protocol):
    """Opens cells."""

    @property
    def mode(self) -> Mode: ...

    def open(self, limits: Limits) -> AbstractContextManager[Cell]:
        """A cell for one submission; closing it ends everything that runs in it."""

    def close(self) -> None:
        """End what the wall keeps running between submissions."""
