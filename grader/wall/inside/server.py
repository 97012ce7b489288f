"""A cell's server: answers calls one by one, in forks of its own.

It never runs student code itself. Started inside a sandbox, and spoken with over its standard input and output:

    python -I -S server.py PACKAGES

PACKAGES is the folder of installed packages.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # this file runs as a program, before it knows where its modules are
    from grader.wall.inside import frames
    from grader.wall.inside.child import Cellmate


def load(packages: str) -> None:
    """Import what probes and student code will want, once, before any fork."""
    import site

    sys.dont_write_bytecode = True  # what is compiled inside is used once; under -I Python asks no environment variable
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

    import grader.reading  # noqa: F401  # it reads each submission, and its modules have no compiled form inside
    from gapcheck import codec, notebooks
    from grader.wall.inside import child, memory  # noqa: F401

    notebooks.install()
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


def serve(control: frames.Stream) -> None:
    """Answer until the other side closes."""
    from grader.wall.inside import confine
    from grader.wall.inside.watch import Gone

    # Python handles it, so student code could send it; without a handler the kernel keeps it from process 1
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        confine.forbid_new_capabilities()
    with contextlib.suppress(Gone, BrokenPipeError, ConnectionResetError):
        _answer_all(control)


def _answer_all(control: frames.Stream) -> None:
    from grader.wall.inside import frames

    cellmate: Cellmate | None = None
    try:
        while (message := frames.receive(control, frames.MAX_REQUEST)) is not None:
            header, blob = message
            if header["op"] == "open":
                cellmate = _furnish(header, blob)
                frames.send(control, {"status": "open", "pid": os.getpid()})
            elif header["op"] == "place" and cellmate is not None:
                cellmate.place(frames.split(blob, header["files"])[0])
                frames.send(control, {"status": "placed"})
            elif header["op"] == "call" and cellmate is not None:
                frames.send(control, *cellmate.call(header, blob, control.fileno()))
    finally:
        if cellmate is not None:
            cellmate.let_go()


def _furnish(header: dict[str, Any], seccomp: bytes) -> Cellmate:
    from grader.wall.inside.child import Cellmate
    from grader.wall.inside.probing import Cage
    from grader.wall.inside.watch import Bounds

    return Cellmate(Cage(**header["cage"], seccomp=seccomp), Bounds(**header["bounds"]))


def main() -> None:
    sys.path.insert(0, os.path.abspath(__file__).removesuffix("/grader/wall/inside/server.py"))
    from grader.wall.inside import confine, frames

    control = frames.Standard()
    load(sys.argv[1])

    if sys.platform == "linux":
        confine.prctl(confine.PR_SET_DUMPABLE, 0)
        confine.prctl(confine.PR_SET_CHILD_SUBREAPER, 1)
    frames.send(control, {"status": "ready"})
    serve(control)
    os._exit(0)  # at once, whatever torch would like to tidy up


if __name__ == "__main__":
    main()
