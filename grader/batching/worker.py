"""Worker processes as their starter sees them: each is a fork of a nursery, and does one job at a time."""

from __future__ import annotations

import itertools
import math
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

import grader
from grader import UnsafeError
from grader.batching.find import BatchError
from grader.batching.job import Job, Outcome, Ready, Settings, Unable

START_SECONDS = 180.0
DYING_SECONDS = 2.0
ANSWER_SECONDS = 10.0  # for a nursery to say that a worker has ended
ORDER = struct.Struct(">If")
"""To a nursery: a worker's number, and the seconds that it has to end by itself."""
STATUS = struct.Struct(">i")


class WorkerGone(Exception):
    """A worker's process ended, or did not answer in time."""


class Nursery:
    """The process that sets everything up once and forks workers."""

    def __init__(self, settings: Settings) -> None:
        self._numbers = itertools.count(1)
        self._control, theirs = socket.socketpair()
        self._says = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `end`
        self._last_line = ""
        path = os.pathsep.join([str(Path(grader.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "grader.batching.nursery", str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._says,
                pass_fds=[theirs.fileno()],
                process_group=0,  # Ctrl-C on a terminal is for the starter alone
                env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep), "OMP_NUM_THREADS": "1"},
            )
        with suppress(OSError), Connection(os.dup(self._control.fileno())) as connection:
            connection.send(settings)

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def start(self, speaks: socket.socket, says: IO[bytes]) -> int:
        """Order a worker; its number. Where the nursery has ended, nobody will speak."""
        number = next(self._numbers)
        with suppress(OSError):
            socket.send_fds(self._control, [ORDER.pack(number, 0)], [speaks.fileno(), says.fileno()])
        return number

    def stop(self, number: int, seconds: float) -> tuple[int, str]:
        """End a worker that does not end by itself within so many seconds; its wait status, and nothing.

        Where the nursery itself has ended or does not answer, it is ended with all its workers: its own status then,
        and the last thing that it had to say.
        """
        try:
            self._control.settimeout(seconds + ANSWER_SECONDS)
            self._control.sendall(ORDER.pack(number, seconds))
            answer = self._control.recv(STATUS.size)
        except OSError:
            answer = b""
        if len(answer) == STATUS.size:
            return int(STATUS.unpack(answer)[0]), ""
        self.end()
        ended = self._process.returncode
        return -ended if ended < 0 else ended << 8, self._last_line

    def end(self, seconds: float = 0) -> None:
        """End the process and its workers within so many seconds, and what runs in their sandbox."""
        if self._says.closed:
            return
        self._control.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self._last_line = _last_line(self._says)
        self._says.close()


class Worker:
    """One process that grades."""

    def __init__(self, nursery: Nursery) -> None:
        self.nursery = nursery
        ours, theirs = socket.socketpair()
        self._says = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `end`
        with theirs:
            self._number = nursery.start(theirs, self._says)
        self.connection = Connection(ours.detach())
        self.greeting: Ready | None = None
        self.job: Job | None = None
        self.deadline = time.monotonic() + START_SECONDS
        self._end = ""

    @property
    def late(self) -> bool:
        return time.monotonic() > self.deadline

    def give(self, job: Job, seconds: float) -> None:
        """Hand over a job, to be done within so many seconds."""
        self.job, self.deadline = job, time.monotonic() + seconds
        with suppress(OSError):
            self.connection.send(job)

    def hear(self) -> Outcome | None:
        """What became of its job; None for its greeting. Waits until the deadline; one that has nothing to do has none.

        Raises `WorkerGone`, and for a worker that cannot grade `UnsafeError` or `BatchError`.
        """
        left = None if self.deadline == math.inf else max(0.0, self.deadline - time.monotonic())
        if not self.connection.poll(left):
            raise WorkerGone("its worker gave no answer in time and was ended")
        try:
            message: Ready | Unable | Outcome = self.connection.recv()
        except Exception:  # the end of the file, or half a message
            raise WorkerGone(self.end(DYING_SECONDS)) from None  # it may live, where half a message came
        if isinstance(message, Unable):
            raise (UnsafeError if message.unsafe else BatchError)(message.reason)
        self.job, self.deadline = None, math.inf
        if isinstance(message, Ready):
            self.greeting = message
            return None
        return message

    def leave(self) -> None:
        """Ask it to end."""
        self.connection.close()

    def end(self, seconds: float = 0) -> str:
        """End the process within so many seconds, and what runs in its sandbox; how it ended, in words."""
        self.leave()
        if self._says.closed:
            return self._end
        status, line = self.nursery.stop(self._number, seconds)
        code = os.waitstatus_to_exitcode(status)
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        line = _last_line(self._says) or line
        self._says.close()
        self._end = f"its worker {how}" + (f" ({line})" if line else "")
        return self._end


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read(2**16).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
