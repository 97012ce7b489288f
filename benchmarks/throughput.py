"""How a batch grows with the class, and where the time of one grading goes.

    python -m benchmarks.throughput --sizes 1 10 100 1000

The growth is measured on the miniature course of the tests, whose grading costs little: what the batch itself adds
shows best there. The share of the students' own code is measured on the VAE exercise.
"""

from __future__ import annotations

import argparse
import cProfile
import importlib
import io
import pstats
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.assignment import ROOT, SHEET, make_class, make_course
from benchmarks.measure import Command, Spent, spend
from grader.sheet import load_sheet
from tools.make_release import make_release

SIZES = (1, 10, 100, 1000)
GRADINGS = 5  # that the breakdown is the mean of


def batch(course: Path, sheet: str, folder: Path, out: Path, jobs: int) -> Command:
    """The command that grades a folder."""
    place = ["--sheet", sheet, "--course", str(course), "--out", str(out), "--jobs", str(jobs)]
    return Command([sys.executable, "-m", "grader", "batch", str(folder), *place], ROOT, {})


@dataclass(frozen=True)
class Grown:
    """What a batch of one size cost.

    Attributes:
        pace: seconds from one submission to the next, the first to the last; the start of the batch is no part of it.
        gradebook: its size in MiB.
    """

    size: int
    spent: Spent
    pace: float | None
    gradebook: float


def growth(sizes: Sequence[int], jobs: int, work: Path) -> Iterator[Grown]:
    """A batch of each size."""
    course = work / "course"
    shutil.copytree(ROOT / "tests" / "course", course, ignore=shutil.ignore_patterns("__pycache__"))
    make_release(load_sheet("sums", course))
    for place, size in enumerate(sizes):
        folder, out = work / f"class-{place}", work / f"out-{place}"
        for number in range(size):
            shutil.copytree(course / "student" / "sums", folder / f"team-{number:05d}")
        spent = spend([batch(course, "sums", folder, out, jobs)])
        ends = sorted(report.stat().st_mtime for report in out.glob("reports/*/result.json"))
        pace = (ends[-1] - ends[0]) / (size - 1) if size > 1 else None
        yield Grown(size, spent, pace, (out / "gradebook.sqlite").stat().st_size / 2**20)


def growth_table(sizes: Sequence[int], jobs: int, work: Path) -> Table:
    """Each size's cost; the pace is that of the submissions after the first."""
    table = Table(title=f"Growth of a batch, workers: {jobs} (miniature course)")
    for heading in ("submissions", "s", "pace, ms", "CPU ms each", "peak MiB", "gradebook KiB each"):
        table.add_column(heading, justify="right")
    for one in growth(sizes, jobs, work):
        pace = "" if one.pace is None else f"{1000 * one.pace:.0f}"
        cpu, kibibytes = 1000 * one.spent.cpu / one.size, 1024 * one.gradebook / one.size
        memory = str(one.spent.memory)
        table.add_row(f"{one.size:,}", f"{one.spent.wall:.1f}", pace, f"{cpu:.0f}", memory, f"{kibibytes:.1f}")
    return table


@dataclass
class Clock:
    """Seconds by what they went to."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[what] = self.seconds.get(what, 0) + time.perf_counter() - started

    def around(self, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.on(what):
                return function(*args, **kwargs)

        return timed


class Direct:
    """A cell without a wall, for trusted code alone: calls probes in this process and takes their time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def place(self, files: Mapping[str, bytes]) -> None:
        """The files lie on the import path already."""

    def call(self, call: Any) -> Any:
        from grader.wall import Value

        for name in [name for name in sys.modules if name == "lib" or name.startswith("lib.")]:
            del sys.modules[name]  # each probe starts anew behind the wall, too
        importlib.invalidate_caches()
        names: dict[str, Any] = {"__name__": "probe"}
        exec(compile(call.source, "probe", "exec"), names)
        with self._clock.on("own"):
            return Value(names[call.function](*call.args, **call.kwargs))


def breakdown(work: Path) -> tuple[dict[str, float], str]:
    """Seconds of one grading of the VAE's solution by what they go to, and a profile of the grader's own process."""
    from grader import grade as grade_module
    from grader.grade import Bench, with_bench
    from grader.handin import Handin
    from grader.intake import take_in
    from grader.suite import Gate, Suite
    from grader.wall.choose import choose_wall

    course = make_course(work / "vae-course")
    make_class(course, work / "one", 1)
    folder = work / "one" / "team-0001"
    submission = take_in(folder)
    clock, profile = Clock(), cProfile.Profile()

    def work_on(bench: Bench) -> None:
        bench.grade(Handin(submission, seed=1))  # the first one warms everything up
        originals = Gate.call, Suite.run, grade_module.read_behind
        Gate.call = clock.around("probes", Gate.call)  # type: ignore[method-assign]
        Suite.run = clock.around("tests", Suite.run)  # type: ignore[method-assign]
        grade_module.read_behind = clock.around("reading", grade_module.read_behind)
        try:
            for number in range(GRADINGS):
                with clock.on("whole"):
                    bench.grade(Handin(take_in(folder), seed=number))
        finally:
            Gate.call, Suite.run, grade_module.read_behind = originals  # type: ignore[method-assign]
        with profile:
            bench.grade(Handin(submission, seed=1))
        sys.path.insert(0, str(folder))
        try:
            for number in range(GRADINGS):
                bench.suite.run(Gate(Direct(clock), number, 3600), number)
        finally:
            sys.path.remove(str(folder))

    wall = choose_wall("auto")
    try:
        with_bench(load_sheet(SHEET, course), wall, work_on)
    finally:
        wall.close()
    one = {what: seconds / GRADINGS for what, seconds in clock.seconds.items()}
    parts = {
        "the students' own code": one["own"],
        "the wall: processes, codec, what probes cross": one["probes"] - one["own"],
        "the tests outside: pytest, assertions, record": one["tests"] - one["probes"],
        "reading the gaps, style": one["reading"],
        "intake, opening a cell, rules, score": one["whole"] - one["tests"] - one["reading"],
    }
    return parts, _top(profile)


def _top(profile: cProfile.Profile) -> str:
    said = io.StringIO()
    pstats.Stats(profile, stream=said).strip_dirs().sort_stats("tottime").print_stats(12)
    return said.getvalue()


def breakdown_table(parts: Mapping[str, float]) -> Table:
    whole = sum(parts.values())
    table = Table(title="Where the time of one grading goes (VAE exercise, warm worker)")
    table.add_column("what")
    table.add_column("ms", justify="right")
    table.add_column("share", justify="right")
    for what, seconds in parts.items():
        table.add_row(what, f"{1000 * seconds:.0f}", f"{100 * seconds / whole:.0f} %")
    table.add_row("a grading", f"{1000 * whole:.0f}", "100 %")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description="How a batch grows, and where the time of one grading goes.")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--profile", action="store_true", help="print the profile of the grader's own process")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="gapgrade-bench-") as work:
        if options.sizes:
            console.print(growth_table(options.sizes, options.jobs, Path(work)))
        parts, profile = breakdown(Path(work))
        console.print(breakdown_table(parts))
        if options.profile:
            console.print(profile, markup=False, highlight=False)


if __name__ == "__main__":
    main()
