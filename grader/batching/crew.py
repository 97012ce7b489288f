"""Worker processes on this machine: each does one job at a time; one that ends or hangs is replaced."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

import grader
from grader import UnsafeError
from grader.batching.find import BatchError
from grader.batching.job import Job, Outcome, Ready, Settings, Unable
from grader.intake.gather import MAX_SECONDS
from grader.result import Versions
from grader.sheet import Limits

TICK = 0.2  # seconds between two looks at the clock and at the wish to stop
START_SECONDS = 180.0
LEAVE_SECONDS = 5.0
DYING_SECONDS = 2.0
TRIES = 2  # a job whose worker ended is done once more


class WorkerGone(Exception):
    """A worker's process ended, or did not answer in time."""


@dataclass
class Stop:
    """The wish to stop: 1 finishes what has begun, 2 drops it."""

    wish: int = 0


class Worker:
    """One process that grades."""

    def __init__(self, settings: Settings) -> None:
        ours, theirs = socket.socketpair()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `end`
        path = os.pathsep.join([str(Path(grader.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
        with theirs, _without_interrupts():
            self._process = subprocess.Popen(
                [sys.executable, "-m", "grader.batching.worker", str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep), "OMP_NUM_THREADS": "1"},
            )
        self.connection = Connection(ours.detach())
        self.greeting: Ready | None = None
        self.job: Job | None = None
        self.deadline = time.monotonic() + START_SECONDS
        with suppress(OSError):  # it has ended already: `receive` tells
            self.connection.send(settings)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def late(self) -> bool:
        return time.monotonic() > self.deadline

    def give(self, job: Job, seconds: float) -> None:
        """Hand over a job, to be done within so many seconds."""
        self.job, self.deadline = job, time.monotonic() + seconds
        with suppress(OSError):
            self.connection.send(job)

    def hear(self) -> Outcome | None:
        """What became of its job; None for its greeting. Waits until the deadline.

        Raises `WorkerGone`, and for a worker that cannot grade `UnsafeError` or `BatchError`.
        """
        if not self.connection.poll(max(0.0, self.deadline - time.monotonic())):
            raise WorkerGone("its worker gave no answer in time and was ended")
        try:
            message: Ready | Unable | Outcome = self.connection.recv()
        except Exception:  # the end of the file, or half a message
            raise WorkerGone(self._last_words()) from None
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

    def end(self, seconds: float = 0) -> None:
        """End the process within so many seconds, and what runs in its sandbox."""
        self.leave()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.communicate()
        self._said.close()

    def _last_words(self) -> str:
        try:
            status = self._process.wait(DYING_SECONDS)
        except subprocess.TimeoutExpired:  # it lives, and half a message came
            self._process.kill()
            status = self._process.wait()
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        self._said.seek(0)
        lines = self._said.read(2**16).decode(errors="replace").strip().splitlines()
        return f"its worker {how}" + (f" ({lines[-1]})" if lines else "")


def patience(limits: Limits) -> float:
    """Seconds after which a job is hopeless: reading and grading end by their own limits, twice where a wall broke."""
    return MAX_SECONDS + 2 * (START_SECONDS + limits.submission_seconds + limits.probe_seconds)


def work(
    jobs: Sequence[Job], settings: Settings, limits: Limits, count: int, stop: Stop
) -> Iterator[tuple[Job, Outcome]]:
    """Do jobs with `count` workers, in their order; outcomes come as they are ready, each job's exactly once.

    A worker gets its next job only after the caller has taken care of its last one. Raises `UnsafeError` where the
    sandbox does not work, `BatchError` where no worker starts or where they do not grade with the same versions.
    """
    waiting, tries, failed_starts = deque(jobs), Counter[str](), 0
    workers = [Worker(settings) for _ in range(min(count, len(waiting)))]
    greeting: Ready | None = None
    try:
        while stop.wish < 2 and ((waiting and not stop.wish) or any(worker.job for worker in workers)):
            for worker in _speaking(workers):
                job = worker.job
                try:
                    outcome = worker.hear()
                except WorkerGone as error:
                    worker.end()
                    workers[workers.index(worker)] = Worker(settings)
                    failed_starts += worker.greeting is None
                    if failed_starts == TRIES:
                        raise BatchError(f"no worker starts: {error}; run: python -m grader doctor") from None
                    if job is not None and (gone := _once_more(job, tries, waiting, error)):
                        yield job, gone
                    continue
                greeting = _same(greeting, worker.greeting)
                failed_starts = 0
                if job is not None and outcome is not None:
                    yield job, outcome
                if waiting and not stop.wish:
                    worker.give(waiting.popleft(), patience(limits))
    finally:
        _dismiss(workers, 0 if stop.wish > 1 else LEAVE_SECONDS)


def _speaking(workers: Sequence[Worker]) -> list[Worker]:
    """Those that have something to say, or should have said it long ago."""
    said = wait([worker.connection for worker in workers], TICK)
    return [worker for worker in workers if worker.connection in said or worker.late]


def _once_more(job: Job, tries: Counter[str], waiting: deque[Job], error: WorkerGone) -> Outcome | None:
    """Queue a job whose worker is gone again, or give it up."""
    tries[job.name] += 1
    if tries[job.name] == TRIES:
        return Outcome("failed", reason=f"{error}, for the second time")
    waiting.appendleft(job)
    return None


def _same(first: Ready | None, other: Ready | None) -> Ready | None:
    """The first worker's greeting. Raises `BatchError` where another one would grade with something else."""
    if first is not None and other is not None and (unlike := differences(first.versions, other.versions)):
        raise BatchError(
            f"the workers do not grade alike: {unlike}; change nothing while a batch runs, then run it again"
        )
    return first or other


def differences(first: Versions, other: Versions) -> str:
    """In what two gradings differ; empty where they are alike."""
    pairs = {name: (value, getattr(other, name)) for name, value in first}
    return ", ".join(f"{name} {one} and {two}" for name, (one, two) in pairs.items() if one != two)


def _dismiss(workers: Sequence[Worker], seconds: float) -> None:
    for worker in workers:
        worker.leave()
    end = time.monotonic() + seconds
    for worker in workers:
        worker.end(max(0.0, end - time.monotonic()))


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C goes to all processes of a terminal; a worker that is started here leaves it to its starter."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
