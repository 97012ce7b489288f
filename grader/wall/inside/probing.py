"""A probe's process: it confines itself, runs student code, and writes what came of it to a pipe."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import random
import sys
import traceback
import types
from dataclasses import dataclass
from typing import Any

from gapcheck import codec
from grader.wall.inside import confine, frames
from grader.wall.inside.watch import ANSWER
from grader.wall.inside.words import files_text, memory_text

PRIVATE = "/private"
KEPT_FRAMES = 30
KEPT_CHARACTERS = 4_000


@dataclass(frozen=True)
class Cage:
    """How a probe's process is confined: the sheet's limits, and what this sandbox allows.

    Attributes:
        folders: what gets an empty file system of its own, with further mount flags; none where that is not possible.
        shared: the folders that are emptied after each call instead.
        home: the working directory, where the submission's files are laid out.
        processes: 0 where the kernel counts those of other people's work too.
        seccomp: the system call filter; empty for none.
    """

    seconds: float
    memory_mb: int
    processes: int
    open_files: int
    disk_mb: int
    folders: dict[str, int]
    shared: list[str]
    home: str
    seccomp: bytes
    linux: bool


def run(cage: Cage, files: dict[str, bytes], call: dict[str, Any], frame: bytes, pipes: tuple[int, int, int]) -> None:
    """Answer a call, and those that follow it, and never return.

    Args:
        pipes: the ends to write the answer and the output to, and to read further calls from.
    """
    try:
        answer_pipe, calls = _keep_only(*pipes)
        if cage.folders:
            confine.private_folders(PRIVATE, cage.folders, cage.disk_mb)
        _settle_in(cage.home)
        _lay_out(files)
        _confine(cage)
        message: tuple[dict[str, Any], bytes] | None = (call, frame)
        while message is not None:
            goes_on = _serve(cage, *message, answer_pipe)
            message = frames.receive(calls, frames.MAX_REQUEST) if goes_on else None
    except BaseException as error:  # student code may raise anything at any time; only data leaves this process
        with contextlib.suppress(BaseException):
            os.write(2, f"{type(error).__name__}: {error}".encode(errors="replace"))
        os._exit(70)
    finally:
        os._exit(0)


def _serve(cage: Cage, call: dict[str, Any], blob: bytes, answer_pipe: int) -> bool:
    """Answer one call; returns whether this process takes another.

    Args:
        blob: the files that go before the call, if there are any, and the frame of its arguments.
    """
    me, shared = os.getpid(), call["shared"]
    files, frame = frames.split(blob, call.get("files", []))
    _lay_out(files)
    before = _state(cage.home) if shared else ()
    args, kwargs = codec.decode(frame)
    _reseed(call["seed"])
    answer = _answer(cage, call["source"], call["function"], args, kwargs)
    if os.getpid() != me:  # a fork that student code made and did not end comes by here too
        os._exit(0)
    with contextlib.suppress(BaseException):  # streams may be student code's own by now
        sys.stdout.flush()
    goes_on = bool(shared) and answer[:1] == b"V" and _state(cage.home) == before
    _write(answer_pipe, ANSWER.pack(goes_on, len(answer)) + answer)
    return goes_on


def _state(home: str) -> tuple[Any, ...]:
    """What a call may leave behind without meaning to: switches of torch and numpy, paths, files.

    Student code could hide from this whatever it likes.
    """
    import numpy as np
    import torch

    disk = os.statvfs(home)  # one file system holds everything that can be written
    switches = (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype())
    others = (torch.are_deterministic_algorithms_enabled(), torch.is_anomaly_enabled(), torch.get_default_device())
    places = (os.getcwd(), *sys.path, disk.f_bfree, disk.f_ffree)
    return (*switches, *others, tuple(np.geterr().values()), places)


def _keep_only(answer: int, output: int, calls: int) -> tuple[int, frames.Pipe]:
    """Close everything that the server has open but the three pipes; returns the answer's new number, and the calls."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    moved = [os.dup(descriptor) for descriptor in (null, output, answer, calls)]  # out of the way of 0 to 4
    high = [os.dup(descriptor) for descriptor in moved]
    for number, descriptor in zip((0, 1, 2, 3, 4), (high[0], high[1], high[1], high[2], high[3]), strict=True):
        os.dup2(descriptor, number)
    os.closerange(5, 65_536)
    return 3, frames.Pipe(4)


def _settle_in(home: str) -> None:
    os.umask(0o077)
    os.chdir(home)
    sys.path.insert(0, home)


def _lay_out(files: dict[str, bytes]) -> None:
    for path, content in files.items():
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(path, "xb") as file:
            file.write(content)


def _reseed(seed: int) -> None:
    """Forks of one process share its generators' state: give this one its own, where the sandbox has loaded them."""
    random.seed(seed)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(seed % 2**32)
    if (torch := sys.modules.get("torch")) is not None:
        # torch.manual_seed would look for accelerators first, which takes longer than all else here
        torch.default_generator.manual_seed(seed)


def _confine(cage: Cage) -> None:
    if cage.linux:
        confine.expect_to_be_killed_first()
    confine.limit_resources(cage.memory_mb, cage.seconds, cage.processes, cage.open_files, cage.disk_mb)
    if cage.linux:
        confine.drop_capabilities()
        confine.filter_system_calls(cage.seccomp)


def _answer(cage: Cage, source: str, function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """`V` and a frame; or `E` (it raised) or `R` (no plain data) and a frame of sentence and traceback."""
    try:
        value = _module(source).__dict__[function](*args, **kwargs)
    except BaseException as error:  # SystemExit and KeyboardInterrupt are failures too
        return b"E" + codec.encode([_sentence(cage, error), _trace(error)])
    try:
        return b"V" + codec.encode(value)
    except codec.Refused as refused:
        return b"R" + codec.encode([str(refused)[:KEPT_CHARACTERS], ""])
    except BaseException as error:
        return b"E" + codec.encode([_sentence(cage, error), _trace(error)])


@functools.lru_cache(maxsize=16)  # calls that share a process have few sources
def _module(source: str) -> types.ModuleType:
    module = types.ModuleType("probe")
    sys.modules["probe"] = module
    exec(compile(source, "<probe>", "exec"), module.__dict__)
    return module


def _sentence(cage: Cage, error: BaseException) -> str:
    try:
        text = f"{type(error).__name__}: {error}"
    except BaseException:  # a student's own exception may fail to print
        return "an exception that cannot be printed"
    limit = _limit_behind(cage, error, text)
    return _clean(f"{limit} ({text})" if limit else text, 500)


def _limit_behind(cage: Cage, error: BaseException, text: str) -> str:
    """The limit that made the system say no, by the system's own words; empty where it was none."""
    number = error.errno if isinstance(error, OSError) else 0
    if isinstance(error, MemoryError) or number == errno.ENOMEM or "can't allocate memory" in text:
        return f"more than {memory_text(cage.memory_mb)} of memory"
    if number in (errno.ENOSPC, errno.EFBIG):
        return f"more than {files_text(cage.disk_mb)} written"
    if number == errno.EMFILE:
        return f"more than {cage.open_files} open files"
    if cage.processes and (isinstance(error, BlockingIOError) or "can't start new thread" in text):
        return f"more than {cage.processes} processes and threads"
    return ""


def _trace(error: BaseException) -> str:
    try:
        lines = traceback.format_exception(type(error), error, error.__traceback__, limit=-KEPT_FRAMES, chain=False)
        text = "".join(lines)
    except BaseException:
        text = "a traceback that cannot be printed"
    return _clean(text, KEPT_CHARACTERS)


def _clean(text: str, size: int) -> str:
    """Text that the codec takes, whatever a student's exception says."""
    return str.__str__(text)[:size].encode(errors="replace").decode()


def _write(pipe: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(pipe, view) :]
