"""What a program costs: seconds on the clock, seconds of CPU with all that it waited for, memory at its peak."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.batching.progress import memory_of

SAMPLE_SECONDS = 0.25


@dataclass(frozen=True)
class Command:
    """A program to run."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Spent:
    """Seconds and MiB."""

    wall: float
    cpu: float
    memory: int


def spend(commands: Sequence[Command]) -> Spent:
    """Run programs one after the other; raises `RuntimeError` with the last words of one that fails."""
    before, started, peak = _cpu(), time.perf_counter(), 0
    for command in commands:
        with subprocess.Popen(
            command.arguments,
            cwd=command.folder,
            env={**os.environ, "OMP_NUM_THREADS": "1", **command.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            sampler = _Sampler(process.pid)
            said = process.communicate()[0]
            peak = max(peak, sampler.stop())
        if process.returncode not in (0, 1):  # some graders say 1 where a test failed; the scores are looked at
            raise RuntimeError(f"{' '.join(command.arguments)} ended with {process.returncode}:\n{said[-2000:]}")
    return Spent(time.perf_counter() - started, _cpu() - before, peak)


class _Sampler(threading.Thread):
    """Looks at a program's memory until it is stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._peak, self._over = pid, 0, threading.Event()
        self.start()

    def run(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, memory_of(self._pid))

    def stop(self) -> int:
        self._over.set()
        self.join()
        return self._peak


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
