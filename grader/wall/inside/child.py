"""A probe's process as its cell's server holds it: started with a call, perhaps called again, ended with all it left.

A process takes another call only where the call says that it may be shared, and where nothing was seen that the last
one left behind. What student code hides there it can use: that is why the tests' author decides which calls may share.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from dataclasses import dataclass, field, replace
from typing import Any

from grader.wall.inside import frames, probing
from grader.wall.inside.usage import Usage, cpu_if_alone, own_bytes
from grader.wall.inside.watch import Bounds, Pipes, Watch


@dataclass
class Cellmate:
    """What a cell holds between calls: how to confine, the submission's files, and a process that takes more calls."""

    cage: probing.Cage
    bounds: Bounds
    files: dict[str, bytes] = field(default_factory=dict)
    kept: Child | None = None

    def place(self, files: dict[str, bytes]) -> None:
        """Give later calls these files; a process that has run no student code lays them out before its next call."""
        if self.kept is not None and not self.kept.clean:
            self.let_go()
        if self.kept is not None:
            self.kept.to_lay_out = files
        self.files = files

    def call(self, call: dict[str, Any], frame: bytes, control: int) -> tuple[dict[str, Any], bytes]:
        """The answer's header and the answer; raises `Gone`."""
        if self.kept is not None and not self.kept.takes(call):
            self.let_go()
        child, used = self.kept or Child(self, call, frame), self.kept is not None
        self.kept = None
        question = child.question(call, frame) if used else b""
        watch = Watch(child.pid, child.pipes, control, self.bounds, child.used if child.alone else None, question)
        status = 0
        try:
            watch.wait()
            if child.can_be_kept(watch):
                self.kept = child
        finally:
            if self.kept is None:
                status = child.end()
            watch.drain()
            if self.kept is None:
                child.pipes.close()
        return {**watch.verdict(status), "used": used}, watch.answer

    def let_go(self) -> None:
        """End the process that is kept, if there is one."""
        if self.kept is not None:
            self.kept.end()
            self.kept.pipes.close()
            self.kept = None


class Child:
    """One process, and what it was started with.

    Attributes:
        clean: it has run no student code yet.
        to_lay_out: files that have come since its last call.
        used: the CPU time that its calls have used, and the memory that it shares with this process.
    """

    def __init__(self, cellmate: Cellmate, call: dict[str, Any], frame: bytes) -> None:
        """Start it with its first call."""
        self._cage, self._bounds = cellmate.cage, cellmate.bounds
        self._shared, self.clean = call["shared"], call["clean"]
        self.to_lay_out: dict[str, bytes] = {}
        self.alone = os.getpid() == 1
        self.used = Usage(0.0, own_bytes())
        answer_read, answer_write = os.pipe()
        output_read, output_write = os.pipe()
        calls_read, calls_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            probing.run(cellmate.cage, cellmate.files, call, frame, (answer_write, output_write, calls_read))
        for descriptor in (answer_write, output_write, calls_read):
            os.close(descriptor)
        self.pipes = Pipes(answer_read, output_read, calls_write)

    def takes(self, call: dict[str, Any]) -> bool:
        """Whether the call may come after those that the process has answered, and the process waits for it."""
        fits = call["shared"] == self._shared or (self.clean and call["shared"])
        return bool(fits) and self._waits()

    def question(self, call: dict[str, Any], frame: bytes) -> bytes:
        """The message that hands over a further call, with the files that go before it."""
        files, self.to_lay_out = self.to_lay_out, {}
        self._shared, self.clean = call["shared"], call["clean"]
        sizes = [(path, len(content)) for path, content in files.items()]
        blob = b"".join((*files.values(), frame))
        return frames.head({**call, "files": sizes}, blob) + blob

    def can_be_kept(self, watch: Watch) -> bool:
        """Whether it can take another call: as process 1 alone can it be known what a call left running."""
        return bool(self._shared) and self.alone and not self._cage.shared and watch.goes_on

    def _waits(self) -> bool:
        """Nothing runs beside it, half of its CPU time is left, and it has said nothing that nobody asked for."""
        cpu = cpu_if_alone(self.pid)
        if cpu is None or cpu > self._bounds.seconds / 2:
            return False
        self.used = replace(self.used, cpu=cpu)
        with contextlib.suppress(BlockingIOError):
            os.read(self.pipes.answer, 1)
            return False
        return True

    def end(self) -> int:
        """End the process and all that it started, reap them, and empty shared folders; returns its wait status."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            # as process 1, all others of the namespace are the probe's
            os.kill(-1, signal.SIGKILL) if self.alone else os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        status = os.waitpid(self.pid, 0)[1]
        with contextlib.suppress(ChildProcessError):
            while True:
                for orphan in [] if self.alone else _children():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(orphan, signal.SIGKILL)
                os.waitpid(-1, 0)
        for folder in self._cage.shared:
            _empty(folder)
        return status


def _children() -> list[int]:
    """This process's children: a probe's orphans come to it, as the nearest subreaper."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(number) for number in file.read().split()]
    except FileNotFoundError:  # no Linux: orphans go to the system's first process
        return []


def _empty(folder: str) -> None:
    """Without mounts of its own, a probe leaves its files behind."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                os.unlink(entry.path)
