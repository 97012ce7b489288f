"""Runs probes in this very process, many times faster than behind a wall: for the course's own code and nobody else's.

A probe sees freshly seeded generators and freshly imported modules, or those of the shared call before it, as it does
behind the wall. What it leaves in torch's or the system's state stays, and code that takes all memory ends the process.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import os
import random
import signal
import sys
import tempfile
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gapcheck import codec, notebooks
from grader.result import Mode
from grader.sheet import Limits
from grader.wall import Call, Cell, Failure, Value, Wall
from grader.wall.choose import choose_wall


class TrustedWall:
    """No wall at all."""

    mode: Mode = "none"

    def __init__(self) -> None:
        torch.set_num_threads(1)
        notebooks.install()
        importlib.import_module("torch._dynamo")  # the first optimiser would import it within a probe's time

    @contextmanager
    def open(self, limits: Limits) -> Iterator[Cell]:
        with tempfile.TemporaryDirectory(prefix="gapgrade-") as folder:
            cell = _TrustedCell(Path(folder), limits.probe_seconds)
            try:
                yield cell
            finally:
                cell.forget()

    def close(self) -> None:
        """Nothing runs between submissions."""


def wall_of(mode: str) -> Wall:
    """The wall of a mode, or none at all for `trusted`; raises `UnsafeError`."""
    return TrustedWall() if mode == "trusted" else choose_wall(mode)


class _OutOfTime(BaseException):
    """No `except Exception` of a probe stops it."""


class _TrustedCell:
    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder, self._seconds = folder, seconds
        self._shared = ""  # the name of the calls whose modules are loaded
        self._before: set[str] = set()

    def place(self, files: Mapping[str, bytes]) -> None:
        for path, content in files.items():
            file = self._folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def call(self, call: Call) -> Value | Failure:
        args, kwargs = codec.decode(codec.encode((call.args, dict(call.kwargs))))
        used = call.shared != "" and call.shared == self._shared
        if not used:
            self.forget()
            self._before = set(sys.modules)
        self._shared = ""
        answer = self._answer(call, args, kwargs)
        if isinstance(answer, Value):
            self._shared = call.shared
        return replace(answer, used=used)

    def _answer(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Value | Failure:
        try:
            with self._inside(), _limited(self._seconds), contextlib.redirect_stdout(io.StringIO()):
                _seed(call.seed)
                module = types.ModuleType("probe")
                exec(_compiled(call.source), module.__dict__)
                value = codec.encode(module.__dict__[call.function](*args, **kwargs))
        except _OutOfTime:
            return Failure("timeout", f"stopped after {self._seconds:g} s of CPU time")
        except codec.Refused as refused:
            return Failure("refused", str(refused))
        except (Exception, SystemExit) as error:
            return Failure("error", f"{type(error).__name__}: {error}")
        return Value(codec.decode(value))

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """The submission's folder as working directory and first place of imports, for one call."""
        home, folder = Path.cwd(), str(self._folder)
        os.chdir(folder)
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path.remove(folder)
            os.chdir(home)
            torch.set_grad_enabled(True)

    def forget(self) -> None:
        """Unload the submission's modules."""
        folder = str(self._folder)
        for path in [path for path in sys.path_importer_cache if path.startswith(folder)]:
            del sys.path_importer_cache[path]  # nothing may lie there any more
        for name in sys.modules.keys() - self._before:  # asking all of them takes longer than a probe
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(folder):
                del sys.modules[name]


@functools.lru_cache(maxsize=256)
def _compiled(source: str) -> types.CodeType:
    return compile(source, "<probe>", "exec")


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)  # torch.manual_seed would look for accelerators first


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Stop after so much CPU time, which a busy machine does not shorten."""

    def stop(*_: Any) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
