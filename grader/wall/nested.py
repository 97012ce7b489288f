"""`nested`: one warm process with torch loaded, and a fork of it in namespaces of its own for every submission."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from grader import UnsafeError
from grader.result import Mode
from grader.sheet import Limits
from grader.wall import Cell, WallError, bubblewrap, seccomp
from grader.wall.budget import Budgets
from grader.wall.cell import PRIVATE_FOLDERS, RemoteCell
from grader.wall.contents import ZYGOTE
from grader.wall.process import Peer, connected, greeted, started

OPEN_SECONDS = 30.0


class NestedWall:
    """Keeps one zygote, and starts it again where it died."""

    mode: Mode = "nested"

    def __init__(self) -> None:
        bubblewrap.find_bubblewrap()
        self._seccomp = seccomp.program()
        self._budgets = Budgets()
        self._running = ExitStack()
        self.zygote: Peer | None = None
        try:
            with self.open(Limits()):
                pass
        except WallError as error:
            self.close()
            raise UnsafeError(f"namespaces cannot be nested here ({error})") from None

    @contextmanager
    def open(self, limits: Limits) -> Iterator[Cell]:
        with self._budgets.open(limits) as budget, budget.doors() as doors, self._cell(doors) as peer:
            if not doors:
                budget.join(peer.pid)
            yield RemoteCell(peer.control, limits, PRIVATE_FOLDERS, budget, self._seccomp)

    @contextmanager
    def _cell(self, doors: Sequence[int]) -> Iterator[Peer]:
        ours, theirs = connected()
        with ours:
            with theirs:
                self._hand_over(theirs.fileno(), *doors)
            try:
                peer = greeted(ours, OPEN_SECONDS)
            except WallError as error:
                raise WallError(f"a cell did not open: {error}; grade again") from None
            yield peer

    def _hand_over(self, *descriptors: int) -> None:
        for _ in range(2):  # a zygote that died since the last submission is replaced once
            if self.zygote is None:
                self.zygote = self._running.enter_context(started(bubblewrap.command(ZYGOTE), meanwhile=_load))
            try:
                socket.send_fds(self.zygote.control, [b"c"], descriptors)
            except OSError:
                self._stop()
            else:
                return
        raise WallError("the sandbox ends as soon as it is started; run: python -m grader doctor")

    def _stop(self) -> None:
        self._running.close()
        self.zygote = None

    def close(self) -> None:
        self._stop()
        self._budgets.close()


def _load() -> None:
    """What crosses the wall needs torch on both sides, so both load it at once."""
    import gapcheck.codec  # noqa: F401
