"""A cell's server: answers calls one by one, each in a fork of its own, and clears up after each.

It never runs student code itself. Started inside a sandbox with the number of a connected socket:

    python -I -S server.py SOCKET PACKAGES

PACKAGES is the folder of installed packages.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

MAX_REQUEST = 512 * 2**20


@dataclass
class Cellmate:
    """What a cell holds between calls: how to confine, and the submission's files."""

    cage: Any
    limits: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)


def load(packages: str) -> None:
    """Import what probes and student code will want, once, before any fork."""
    import site

    site.addsitedir(packages)
    import matplotlib as mpl
    import torch

    torch.set_num_threads(1)  # a threaded operation before a fork would hang the child
    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: F401
    import torch._dynamo  # the first optimiser would import it in every probe
    import torch.distributions
    import torch.nn.functional
    import torchvision.utils  # noqa: F401
    import tqdm  # noqa: F401

    from gapcheck import codec
    from grader.wall.inside import memory, probing  # noqa: F401

    _warm_up(torch)
    codec.encode(torch.ones(1))
    memory.settle()


def _warm_up(torch: Any) -> None:
    """Let torch set up what it sets up at the first use; no backward pass, which must not have run before a fork."""
    images = torch.randn(2, 3, 8, 8)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 4)
    )
    torch.optim.Adam(layers.parameters())
    torch.nn.functional.binary_cross_entropy(torch.sigmoid(layers(images)), torch.rand(2, 4))
    torch.manual_seed(0)


def serve(control: socket.socket) -> None:
    """Answer until the other side closes."""
    from grader.wall.inside import frames

    cellmate: Cellmate | None = None
    while (message := frames.receive(control, MAX_REQUEST)) is not None:
        header, blob = message
        if header["op"] == "open":
            cellmate = _furnish(header, blob)
            frames.send(control, {"status": "open", "pid": os.getpid()})
        elif header["op"] == "place" and cellmate is not None:
            cellmate.files = _unpack_files(header["files"], blob)
            frames.send(control, {"status": "placed"})
        elif header["op"] == "call" and cellmate is not None:
            answer, answer_blob = _call(cellmate, header, blob, control.fileno())
            frames.send(control, answer, answer_blob)


def _furnish(header: dict[str, Any], seccomp: bytes) -> Cellmate:
    from grader.wall.inside.probing import Cage

    return Cellmate(Cage(**header["cage"], seccomp=seccomp), header["limits"])


def _unpack_files(sizes: list[tuple[str, int]], blob: bytes) -> dict[str, bytes]:
    files = {}
    start = 0
    for path, size in sizes:
        files[path] = blob[start : start + size]
        start += size
    return files


def _call(cellmate: Cellmate, call: dict[str, Any], frame: bytes, control: int) -> tuple[dict[str, Any], bytes]:
    from grader.wall.inside import probing

    answer_read, answer_write = os.pipe()
    output_read, output_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(control)
        probing.run(cellmate.cage, cellmate.files, call, frame, (answer_write, output_write))
    os.close(answer_write)
    os.close(output_write)
    watch = Watch(child, answer_read, output_read, cellmate.limits)
    try:
        watch.wait()
    finally:
        status = _clear_up(child, cellmate.cage.home, own_namespace=os.getpid() == 1)
        watch.drain()
        os.close(answer_read)
        os.close(output_read)
    return watch.verdict(status), bytes(watch.answer)


class Watch:
    """Follows one probe's process: what it writes, how long it takes, how it ends."""

    def __init__(self, child: int, answer: int, output: int, limits: dict[str, Any]) -> None:
        self.child, self.limits = child, limits
        self.answer, self.output = bytearray(), bytearray()
        self.pipes = {answer: (self.answer, limits["result_bytes"]), output: (self.output, limits["output_bytes"])}
        self.stopped = ""
        for pipe in self.pipes:
            os.set_blocking(pipe, False)

    def wait(self) -> None:
        """Until the process ends, its time is over, or its answer is too long."""
        deadline = time.monotonic() + self.limits["seconds"]
        poll = select.poll()
        for pipe in self.pipes:
            poll.register(pipe, select.POLLIN)
        open_pipes = len(self.pipes)
        while open_pipes:
            left = deadline - time.monotonic()
            if left <= 0:
                self.stopped = "timeout"
                return
            for pipe, event in poll.poll(min(left, 0.2) * 1000):
                if event & select.POLLIN:
                    self._read(pipe)
                elif event & (select.POLLHUP | select.POLLERR):
                    poll.unregister(pipe)
                    open_pipes -= 1
            if len(self.answer) > self.limits["result_bytes"]:
                self.stopped = "result"
                return
            if os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return  # what it started may hold the pipes open, and ends with it

    def _read(self, pipe: int) -> bool:
        kept, most = self.pipes[pipe]
        try:
            part = os.read(pipe, 2**20)
        except BlockingIOError:
            return False
        kept.extend(part[: most + 1 - len(kept)])
        return bool(part)

    def drain(self) -> None:
        """Read what is left in the pipes once nobody writes any more."""
        for pipe in self.pipes:
            for _ in range(4):  # a pipe holds a megabyte at most
                if not self._read(pipe):
                    break

    def verdict(self, status: int) -> dict[str, Any]:
        """The answer's header: `answered`, or why there is none."""
        header: dict[str, Any] = {"output": bytes(self.output[: self.limits["output_bytes"]]).decode(errors="replace")}
        header["output_cut"] = len(self.output) > self.limits["output_bytes"]
        if self.stopped == "timeout" or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
            header["status"] = "timeout"
        elif self.stopped == "result" or len(self.answer) > self.limits["result_bytes"]:
            header["status"] = "result-too-large"
            self.answer.clear()
        elif self.answer:
            header["status"] = "answered"
        else:
            header["status"] = "crashed"
            header["signal"] = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            header["exit"] = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
        return header


def _clear_up(child: int, home: str, *, own_namespace: bool) -> int:
    """End the probe's process and all that it started, and reap them; returns its wait status."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        # as process 1, all others of the namespace are the probe's
        os.kill(-1, signal.SIGKILL) if own_namespace else os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    with contextlib.suppress(ChildProcessError):
        while own_namespace:
            os.waitpid(-1, 0)
    if not own_namespace:
        _empty(home)
    return status


def _empty(home: str) -> None:
    """Without mounts of its own, a probe leaves its files behind."""
    import shutil

    for entry in os.scandir(home):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                os.unlink(entry.path)


def main() -> None:
    descriptor, packages = int(sys.argv[1]), sys.argv[2]
    sys.path.insert(0, os.path.abspath(__file__).removesuffix("/grader/wall/inside/server.py"))
    load(packages)
    from grader.wall.inside import confine, frames

    if sys.platform == "linux":
        confine.prctl(confine.PR_SET_DUMPABLE, 0)
    control = socket.socket(fileno=descriptor)
    frames.send(control, {"status": "ready"})
    serve(control)


if __name__ == "__main__":
    main()
