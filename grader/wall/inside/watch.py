"""Follows one probe's process from outside it: what it writes, what it uses, how it ends.

Runs in the cell's server. Where the server is process 1 of its own namespace, time and memory are those of everything
that the probe started, together: the kernel's own limits are for one process each.
"""

from __future__ import annotations

import math
import os
import resource
import select
import signal
import time
from dataclasses import dataclass
from typing import Any

LOOK_SECONDS = 0.05  # how often the use of all processes is added up
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()


class Gone(Exception):
    """The other end of the cell's socket has closed: nobody waits for an answer any more."""


@dataclass(frozen=True)
class Bounds:
    """What a probe may use.

    Attributes:
        seconds: of wall time, and of CPU time over all its processes.
        memory_bytes: of memory of their own, over all its processes.
    """

    seconds: float
    memory_bytes: int
    result_bytes: int
    output_bytes: int


@dataclass(frozen=True)
class Usage:
    """What all processes of this namespace but its first have used: seconds of CPU time, bytes of own memory."""

    cpu: float
    memory: int


def usage_of_all(inherited: int) -> Usage:
    """Add up `/proc`.

    Args:
        inherited: the bytes that a fork of this process shares with it; counted for none.
    """
    cpu, memory = _cpu_of_ended(), 0
    for name in os.listdir("/proc"):
        if name.isdigit() and name != "1":
            try:
                cpu += _cpu_seconds(_read(f"/proc/{name}/stat"))
                memory += max(0, _own_bytes(_read(f"/proc/{name}/statm")) - inherited)
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
    return Usage(cpu, memory)


def _cpu_of_ended() -> float:
    """Of processes that ended and were waited for by this one: the probe's, and what it left behind."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def own_bytes() -> int:
    """This process's memory that belongs to no file: what its forks share with it."""
    try:
        return _own_bytes(_read("/proc/self/statm"))
    except FileNotFoundError:  # no Linux
        return 0


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _own_bytes(statm: str) -> int:
    _, resident, shared, *_ = statm.split()
    return (int(resident) - int(shared)) * PAGE


def _cpu_seconds(stat: str) -> float:
    fields = stat.rpartition(")")[2].split()  # a process chooses its own name, brackets and all
    return sum(int(field) for field in fields[11:15]) / TICKS  # user, system; the same of its ended children


class Watch:
    """One probe's process, until it ends or is to be ended."""

    def __init__(self, child: int, answer: int, output: int, control: int, bounds: Bounds, *, alone: bool) -> None:
        """Start the clock.

        Args:
            answer, output: the pipes to read from.
            control: the cell's socket; nothing comes there during a call, so what can be read is its end.
            alone: whether this process is the first of a namespace that holds the probe and nothing else.
        """
        self.child, self.bounds = child, bounds
        self.answer, self.output = bytearray(), bytearray()
        self.stopped = ""
        self._alone, self._control = alone, control
        self._pipes = {answer: (self.answer, bounds.result_bytes), output: (self.output, bounds.output_bytes)}
        now = time.monotonic()
        self._deadline, self._next_look = now + bounds.seconds, now + LOOK_SECONDS
        self._answer_pipe = answer
        if alone:
            self._inherited = own_bytes()
            self._cpu_before = _cpu_of_ended()
        for pipe in self._pipes:
            os.set_blocking(pipe, False)

    def wait(self) -> None:
        """Until the process ends, has answered, or a limit is reached. Raises `Gone`."""
        poll = select.poll()
        for descriptor in (*self._pipes, self._control):
            poll.register(descriptor, select.POLLIN)
        ended = _end_of(self.child)
        if ended is not None:
            poll.register(ended, select.POLLIN)
        try:
            while not self.stopped:
                over = False
                pause = min(self._next_look, self._deadline) - time.monotonic()
                for descriptor, event in poll.poll(max(0, math.ceil(pause * 1000))):
                    if descriptor == self._control:
                        raise Gone
                    if descriptor == ended:
                        over = True
                    elif event & select.POLLIN:
                        self._take(descriptor)
                    elif descriptor == self._answer_pipe:
                        return  # closed: nothing that it still does can change the answer
                    else:
                        poll.unregister(descriptor)
                if over or (ended is None and _has_ended(self.child)):
                    return  # what it started may hold the pipes open, and ends with it
                self._look(time.monotonic())
        finally:
            if ended is not None:
                os.close(ended)

    def _look(self, now: float) -> None:
        if len(self.answer) > self.bounds.result_bytes:
            self.stopped = "result"
        elif now >= self._deadline:
            self.stopped = "wall"
        elif self._alone and now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            used = usage_of_all(self._inherited)
            if used.cpu - self._cpu_before > self.bounds.seconds:
                self.stopped = "cpu"
            elif used.memory > self.bounds.memory_bytes:
                self.stopped = "memory"

    def _take(self, pipe: int) -> bool:
        kept, most = self._pipes[pipe]
        try:
            part = os.read(pipe, 2**20)
        except BlockingIOError:
            return False
        kept.extend(part[: most + 1 - len(kept)])
        return bool(part)

    def drain(self) -> None:
        """Read what is left in the pipes once nobody writes any more."""
        for pipe in self._pipes:
            for _ in range(4):  # a pipe holds a megabyte at most
                if not self._take(pipe):
                    break

    def verdict(self, status: int) -> dict[str, Any]:
        """The answer's header: `answered`, or `stopped` by which limit, or `ended` and how."""
        output = self.output[: self.bounds.output_bytes]
        header: dict[str, Any] = {"output": bytes(output).decode(errors="replace")}
        header["output_cut"] = len(self.output) > self.bounds.output_bytes
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            self.stopped = self.stopped or "cpu"
        if len(self.answer) > self.bounds.result_bytes:
            self.stopped = self.stopped or "result"
        if self.stopped:
            self.answer.clear()
            return {**header, "status": "stopped", "limit": self.stopped}
        if self.answer:
            return {**header, "status": "answered"}
        header["signal"] = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        header["exit"] = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
        return {**header, "status": "ended"}


def _end_of(child: int) -> int | None:
    """A descriptor that can be read once the process has ended; None where the system has none."""
    try:
        return os.pidfd_open(child)
    except (AttributeError, OSError):
        return None


def _has_ended(child: int) -> bool:
    if not hasattr(os, "waitid"):  # macOS: the end of the answer's pipe has to do
        return False
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
