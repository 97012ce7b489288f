"""How far a batch is: a live line on a terminal, a line now and then in a log."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grader.batch import Tally

LOG_SECONDS = 10.0
MEMORY_SECONDS = 2.0


@contextmanager
def shown_progress(total: int, console: Console) -> Iterator[Callable[[Tally], None]]:
    """Yields what to call with the tally after each submission."""
    if not console.is_terminal:
        yield _Log(total, console).tell
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[problems]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[memory]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total, problems="", rate="starting", memory="")
        clock, memory = _Clock(), _Memory()

        def tell(tally: Tally) -> None:
            rate = clock.per_second(tally.done)
            progress.update(
                task,
                completed=tally.done,
                problems=_problems(tally),
                rate=_pace(rate) if rate else "starting",
                memory=f"{memory.mebibytes()} MiB",
            )

        yield tell


class _Log:
    """Writes a line at most every ten seconds."""

    def __init__(self, total: int, console: Console) -> None:
        self._total, self._console = total, console
        self._clock, self._last = _Clock(), time.monotonic()

    def tell(self, tally: Tally) -> None:
        rate = self._clock.per_second(tally.done)
        if time.monotonic() - self._last >= LOG_SECONDS:
            self._last = time.monotonic()
            parts = [f"{tally.done} of {self._total}", _problems(tally)]
            if rate:
                parts += [_pace(rate), f"about {(self._total - tally.done) / rate:.0f} s left"]
            self._console.print(", ".join(part for part in parts if part), highlight=False)


def _pace(rate: float) -> str:
    return f"{rate:.1f}/s" if rate >= 1 else f"{1 / rate:.1f} s each"


class _Clock:
    """The rate since the first outcome: what came before was setting up."""

    def __init__(self) -> None:
        self._first = 0.0

    def per_second(self, done: int) -> float:
        """0 as long as nothing can be said."""
        if done and not self._first:
            self._first = time.monotonic()
        return (done - 1) / (time.monotonic() - self._first) if done > 1 else 0


def _problems(tally: Tally) -> str:
    counts = ((len(tally.refused), "refused"), (len(tally.failed), "grader's errors"))
    return ", ".join(f"{number} {what}" for number, what in counts if number)


class _Memory:
    """What all processes of the batch use, each shared page counted once where the system tells."""

    def __init__(self) -> None:
        self._last, self._mebibytes = 0.0, 0

    def mebibytes(self) -> int:
        if time.monotonic() - self._last > MEMORY_SECONDS:
            self._last, self._mebibytes = time.monotonic(), memory_of(os.getpid())
        return self._mebibytes


def memory_of(pid: int) -> int:
    """MiB that a process and all its descendants use."""
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                total += _bytes_of(one)
    return total // 2**20


def _bytes_of(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    return int(getattr(full, "pss", full.rss))
