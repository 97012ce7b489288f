"""`fresh`: a cold bubblewrap for every submission. Slow to start, and it needs least of the kernel."""

from __future__ import annotations

import contextlib
import os
import signal
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
    with theirs:
        process = subprocess.Popen(
            bubblewrap.command(server, theirs.fileno()),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    try:
        wait_until_ready(ours, process)
        yield ours
    finally:
        end(ours, process)


def end(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """Close a server's socket, which ends it, and kill the session that it was started in."""
    control.close()
    with contextlib.suppress(ProcessLookupError):
        # as root there are two bubblewraps, and the second survives the first: kill both
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_until_ready(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """Raises `WallError` with what the sandbox printed where it does not start."""
    control.settimeout(START_SECONDS)
    try:
        message = frames.receive(control, 0)
    except (OSError, frames.BadMessage):
        message = None
    if message is None or message[0].get("status") != "ready":
        os.killpg(process.pid, signal.SIGKILL)
        assert process.stderr is not None
        said = process.stderr.read().decode(errors="replace").strip().splitlines()
        raise WallError(
            f"the sandbox did not start: {said[-1] if said else 'no reason given'}; run: python -m grader doctor"
        )
