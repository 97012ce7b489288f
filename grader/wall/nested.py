"""`nested`: one warm process with torch loaded, and a fork of it in namespaces of its own for every submission."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from grader import UnsafeError
from grader.result import Mode
from grader.sheet import Limits
from grader.wall import Cell, WallError, bubblewrap, seccomp
from grader.wall.cell import FOLDERS, RemoteCell
from grader.wall.contents import ZYGOTE
from grader.wall.fresh import started
from grader.wall.inside import frames

OPEN_SECONDS = 30.0


class NestedWall:
    """Keeps one zygote, and starts it again where it died."""

    mode: Mode = "nested"

    def __init__(self) -> None:
        bubblewrap.find_bubblewrap()
        self._seccomp = seccomp.program()
        self._running = ExitStack()
        self._zygote: socket.socket | None = None
        try:
            with self.open(Limits()):
                pass
        except WallError as error:
            self.close()
            raise UnsafeError(f"namespaces cannot be nested here ({error})") from None

    @contextmanager
    def open(self, limits: Limits) -> Iterator[Cell]:
        with self._cell() as control:
            cage = {"folders": FOLDERS, "home": "/submission", "processes": limits.processes, "linux": True}
            yield RemoteCell(control, limits, cage, self._seccomp)

    @contextmanager
    def _cell(self) -> Iterator[socket.socket]:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._hand_over(theirs)
            ours.settimeout(OPEN_SECONDS)
            try:
                message = frames.receive(ours, 0)
            except (OSError, frames.BadMessage) as error:
                raise WallError(f"a cell did not open ({error}); grade again") from None
            if message is None or message[0].get("status") != "ready":
                raise WallError(f"a cell did not open: {(message or ({},))[0].get('reason', 'its process ended')}")
            yield ours

    def _hand_over(self, cell: socket.socket) -> None:
        for _ in range(2):  # a zygote that died since the last submission is replaced once
            if self._zygote is None:
                self._zygote = self._running.enter_context(started(ZYGOTE))
            try:
                socket.send_fds(self._zygote, [b"c"], [cell.fileno()])
            except OSError:
                self.close()
            else:
                return
        raise WallError("the sandbox ends as soon as it is started; run: python -m grader doctor")

    def close(self) -> None:
        self._running.close()
        self._zygote = None
