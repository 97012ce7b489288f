"""`fresh`: a cold bubblewrap for every submission. Slow to start, and it needs least of the kernel."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from grader.result import Mode
from grader.sheet import Limits
from grader.wall import Cell, WallError, bubblewrap, seccomp
from grader.wall.cell import FOLDERS, RemoteCell
from grader.wall.contents import SERVER
from grader.wall.inside import frames

START_SECONDS = 120.0


class FreshWall:
    """Starts a sandbox for each cell and ends it with the cell."""

    mode: Mode = "fresh"

    def __init__(self) -> None:
        bubblewrap.find_bubblewrap()
        self._seccomp = seccomp.program()

    @contextmanager
    def open(self, limits: Limits) -> Iterator[Cell]:
        with started(SERVER) as control:
            cage = {"folders": FOLDERS, "home": "/submission", "processes": limits.processes, "linux": True}
            yield RemoteCell(control, limits, cage, self._seccomp)

    def close(self) -> None:
        """Nothing runs between submissions."""


@contextmanager
def started(server: str) -> Iterator[socket.socket]:
    """A sandbox that runs one of the inside's servers, connected and ready; ended when the context is left."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = subprocess.Popen(
                bubblewrap.command(server, theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        try:
            wait_until_ready(ours, process)
            yield ours
        finally:
            process.kill()
            process.wait()


def wait_until_ready(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """Raises `WallError` with what the sandbox printed where it does not start."""
    control.settimeout(START_SECONDS)
    try:
        message = frames.receive(control, 0)
    except (OSError, frames.BadMessage):
        message = None
    if message is None or message[0].get("status") != "ready":
        process.kill()
        said = process.communicate()[1].decode(errors="replace").strip().splitlines()
        raise WallError(
            f"the sandbox did not start: {said[-1] if said else 'no reason given'}; run: python -m grader doctor"
        )
