"""Follows one probe's process from outside it: what it writes, what it uses, how it ends.

Runs in the cell's server. Where the server is process 1 of its own namespace, time and memory are those of everything
that the probe started, together: the kernel's own limits are for one process each.
"""

from __future__ import annotations

import math
import os
import select
import signal
import struct
import time
from dataclasses import dataclass
from typing import Any

from grader.wall.inside.usage import Usage, cpu_of_ended, usage_of_all

LOOK_SECONDS = 0.05  # how often the use of all processes is added up
ANSWER = struct.Struct(">?Q")  # goes before an answer: whether the process takes another call, the answer's length


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
class Pipes:
    """This side's ends of what a probe's process is connected by."""

    answer: int
    output: int
    calls: int

    def close(self) -> None:
        for descriptor in (self.answer, self.output, self.calls):
            os.close(descriptor)


class Watch:
    """One call of a probe's process, until it is answered or is to be ended."""

    def __init__(
        self, child: int, pipes: Pipes, control: int, bounds: Bounds, before: Usage | None, question: bytes = b""
    ) -> None:
        """Start the clock.

        Args:
            control: the cell's socket; nothing comes there during a call, so what can be read is its end.
            before: the CPU time that the process has used, and the memory that it shares with this one; None where
                this process is not the first of a namespace that holds the probe and nothing else.
            question: the call, where the process has answered another one before; else it knows its first.
        """
        self.child, self.bounds = child, bounds
        self.stopped = ""
        self._written, self.output = bytearray(), bytearray()
        self._before, self._control, self._ends = before, control, pipes
        self._question = memoryview(question)
        self._pipes = {
            pipes.answer: (self._written, ANSWER.size + bounds.result_bytes),
            pipes.output: (self.output, bounds.output_bytes),
        }
        now = time.monotonic()
        self._deadline, self._next_look = now + bounds.seconds, now + LOOK_SECONDS
        self._cpu_of_ended = cpu_of_ended()
        for pipe in (*self._pipes, pipes.calls):
            os.set_blocking(pipe, False)

    @property
    def answer(self) -> bytes:
        """What was answered, as much as its head says; empty where a limit was reached or less came."""
        if self.stopped or not self._is_whole():
            return b""
        return bytes(self._written[ANSWER.size : ANSWER.size + ANSWER.unpack_from(self._written)[1]])

    @property
    def goes_on(self) -> bool:
        """Whether the process says that it takes another call, has answered this one and wrote nothing more."""
        if self.stopped or not self._is_whole():
            return False
        goes_on, length = ANSWER.unpack_from(self._written)
        return bool(goes_on) and len(self._written) == ANSWER.size + length

    def _is_whole(self) -> bool:
        if len(self._written) < ANSWER.size:
            return False
        return len(self._written) - ANSWER.size >= int(ANSWER.unpack_from(self._written)[1])

    def wait(self) -> None:
        """Until the process has answered or ends, or a limit is reached. Raises `Gone`."""
        poll = select.poll()
        for descriptor in (*self._pipes, self._control):
            poll.register(descriptor, select.POLLIN)
        if self._question:
            poll.register(self._ends.calls, select.POLLOUT)
        ended = _end_of(self.child)
        if ended is not None:
            poll.register(ended, select.POLLIN)
        try:
            while not self.stopped and not self._is_whole():
                pause = min(self._next_look, self._deadline) - time.monotonic()
                events = poll.poll(max(0, math.ceil(pause * 1000)))
                closed = [descriptor for descriptor, event in events if not self._follow(descriptor, event)]
                # what the process started may hold the pipes open, and ends with it; with its answer's end closed,
                # nothing that it still does can change the answer
                if {ended, self._ends.answer}.intersection(closed) or (ended is None and _has_ended(self.child)):
                    return
                for descriptor in closed:
                    poll.unregister(descriptor)
                self._look(time.monotonic())
        finally:
            if ended is not None:
                os.close(ended)

    def _follow(self, descriptor: int, event: int) -> bool:
        """Read or write what can be; returns whether there may be more of it. Raises `Gone`."""
        if descriptor == self._control:
            raise Gone
        if descriptor == self._ends.calls:
            return self._ask()
        if descriptor in self._pipes and event & select.POLLIN:
            self._take(descriptor)
            return True
        return False

    def _look(self, now: float) -> None:
        if self._is_too_much():
            self.stopped = "result"
        elif now >= self._deadline:
            self.stopped = "wall"
        elif self._before is not None and now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            used = usage_of_all(self._before.memory)
            if used.cpu - self._before.cpu - self._cpu_of_ended > self.bounds.seconds:
                self.stopped = "cpu"
            elif used.memory > self.bounds.memory_bytes:
                self.stopped = "memory"

    def _is_too_much(self) -> bool:
        return len(self._written) > ANSWER.size + self.bounds.result_bytes

    def _ask(self) -> bool:
        """Hand over as much of the call as the pipe takes; returns whether some is left, and somebody to read it."""
        try:
            self._question = self._question[os.write(self._ends.calls, self._question) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False
        return bool(self._question)

    def _take(self, pipe: int) -> bool:
        kept, most = self._pipes[pipe]
        try:
            part = os.read(pipe, 2**16)
        except BlockingIOError:
            return False
        kept.extend(part[: most + 1 - len(kept)])
        return bool(part)

    def drain(self) -> None:
        """Read what is left in the pipes once nobody writes any more."""
        for pipe in self._pipes:
            for _ in range(16):  # a pipe holds a megabyte at most
                if not self._take(pipe):
                    break

    def verdict(self, status: int) -> dict[str, Any]:
        """The answer's header: `answered`, or `stopped` by which limit, or `ended` and how.

        Args:
            status: the process's wait status; 0 where it lives on.
        """
        output = self.output[: self.bounds.output_bytes]
        header: dict[str, Any] = {"output": bytes(output).decode(errors="replace")}
        header["output_cut"] = len(self.output) > self.bounds.output_bytes
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            self.stopped = self.stopped or "cpu"
        if self._is_too_much():
            self.stopped = self.stopped or "result"
        if self.stopped:
            return {**header, "status": "stopped", "limit": self.stopped}
        if self._is_whole():
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
