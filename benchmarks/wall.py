"""What the wall costs: `python -m benchmarks.wall [--jobs N] [--gradings N]`.

Two comparisons, each within this one run, since times of different runs or machines say little:

- a warm job (a cell opened, one trivial probe called, the cell closed) beside a bare `fork` of a process that has
  loaded the same modules;
- a whole grading of the VAE exercise (reading, style, every public and hidden test) beside one `pytest --json-report`
  process that imports the same tests and the same solution directly, without any wall.

CPU seconds are those of all processes, by the kernel's own accounts. Memory is the zygote's, once.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from grader.grade import Bench, with_bench
from grader.handin import Handin
from grader.intake import take_in
from grader.result import Result
from grader.sheet import Limits, load_sheet
from grader.wall import Call
from grader.wall.contents import HOUSE
from grader.wall.nested import NestedWall
from tools.exercise import with_required
from tools.make_release import make_release

TICKS = os.sysconf("SC_CLK_TCK")
SHEET = """\
title = "One exercise"
due = 2030-01-01T00:00:00+01:00
exercises = ["data", "vae"]
task = [{ id = "1", title = "The VAE", points = 1, tests = ["vae-model", "vae-loss", "vae-latent-space"] }]
"""
BARE = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from grader.wall.inside import server
server.load(sys.argv[2])
for _ in range(int(sys.argv[3])):
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    print(time.perf_counter() - started)
"""


@dataclass(frozen=True)
class Cost:
    """Of one thing that was repeated: medians in seconds, and how often."""

    wall: float
    cpu: float
    times: int


def bare_forks(times: int) -> Cost:
    """Forks of a process with the same modules loaded, which end at once."""
    packages = Path(sys.executable).parent.parent
    (site,) = packages.glob("lib/python3*/site-packages")
    command = [sys.executable, "-I", "-c", BARE, str(HOUSE), str(site), str(times)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env={"OMP_NUM_THREADS": "1"})
    seconds = [float(line) for line in said.stdout.split()]
    return Cost(statistics.median(seconds), 0.0, times)


def warm_jobs(wall: NestedWall, times: int) -> Cost:
    """A cell and one trivial probe."""

    def job() -> None:
        with wall.open(Limits()) as cell:
            cell.place({"one.py": b"ONE = 1\n"})
            cell.call(Call("def one():\n    from one import ONE\n    return ONE", "one"))

    return repeated(wall, job, times)


def repeated(wall: NestedWall, work: Callable[[], object], times: int) -> Cost:
    """Call `work` once for nothing, and then `times` times."""
    work()
    before = cpu_of(wall)
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return Cost(statistics.median(seconds), (cpu_of(wall) - before) / times, times)


def cpu_of(wall: NestedWall) -> float:
    """CPU seconds of this process, and of the zygote with all cells that have ended."""
    time.sleep(0.3)  # the last cell may still be ending
    with wall.open(Limits()):
        pass  # the zygote collects its ended cells when it opens the next one
    assert wall.zygote is not None
    fields = Path(f"/proc/{wall.zygote.pid}/stat").read_text().rpartition(")")[2].split()
    own = resource.getrusage(resource.RUSAGE_SELF)
    return sum(int(field) for field in fields[11:15]) / TICKS + own.ru_utime + own.ru_stime


def solution(folder: Path) -> Path:
    """The exercise's own files, as a submission that solves everything."""
    for exercise in with_required(["vae"], HOUSE):
        for name, file in exercise.files().items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / name)
    return folder


def course(folder: Path) -> Path:
    """A course with a sheet of this one exercise."""
    (folder / "sheets" / "one").mkdir(parents=True)
    (folder / "sheets" / "one" / "sheet.toml").write_text(SHEET)
    (folder / "sheets" / "one" / "sheet.md").write_text("# One exercise\n")
    for name in ("solutions", "tests_public", "tests_hidden"):
        (folder / name).symlink_to(HOUSE / name)
    return folder


def gradings(wall: NestedWall, folder: Path, submission: Path, times: int) -> tuple[Cost, int]:
    """Whole gradings of the solution; returns their cost, and how many tests each ran."""
    sheet = load_sheet("one", course(folder))
    make_release(sheet)

    def measured(bench: Bench) -> tuple[Cost, int]:
        results: list[Result] = []
        cost = repeated(wall, lambda: results.append(bench.grade(Handin(take_in(submission), seed=1))), times)
        tests = [test for result in results for task in result.tasks for test in task.tests]
        failed = {test.id: test.staff for test in tests if test.outcome != "passed"}
        if failed:
            raise SystemExit(f"the solution fails: {failed}")
        return cost, len(tests) // len(results)

    return with_bench(sheet, wall, measured)


def plain_pytest(submission: Path, times: int) -> Cost:
    """One pytest process a submission, which imports the solution and runs the same tests."""
    suites = [str(HOUSE / folder / "vae") for folder in ("tests_public", "tests_hidden")]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "gapcheck.plugin",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
    ]
    command += ["--import-mode=importlib", "--rootdir", str(submission), "--json-report", "--json-report-file=none"]
    environment = {**os.environ, "PYTHONPATH": f"{HOUSE}:{submission}", "OMP_NUM_THREADS": "1"}
    seconds = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run([*command, *suites], cwd=submission, env=environment, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - started)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(statistics.median(seconds), cpu / times, times)


def memory_of(wall: NestedWall) -> str:
    """The zygote's resident and proportional memory."""
    assert wall.zygote is not None
    lines = Path(f"/proc/{wall.zygote.pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in lines[1:]}
    return f"{sizes['Rss']} MiB resident, {sizes['Pss']} MiB proportional"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--gradings", type=int, default=10)
    options = parser.parse_args()
    wall = NestedWall()
    with tempfile.TemporaryDirectory() as folder:
        submission = solution(Path(folder, "submission"))
        job, bare = warm_jobs(wall, options.jobs), bare_forks(options.jobs)
        graded, tests = gradings(wall, Path(folder, "course"), submission, options.gradings)
        plain = plain_pytest(submission, max(2, options.gradings // 4))
        memory = memory_of(wall)
    wall.close()
    table = Table(show_edge=False, title=f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for title in ("", "wall ms", "CPU ms", "times"):
        table.add_column(title, justify="left" if not title else "right")
    rows = {"bare fork": bare, "warm job": job, f"VAE graded, {tests} tests": graded, "VAE with plain pytest": plain}
    for name, cost in rows.items():
        cpu = f"{cost.cpu * 1000:.1f}" if cost.cpu else ""
        table.add_row(name, f"{cost.wall * 1000:.1f}", cpu, str(cost.times))
    Console().print(table)
    print(f"a warm job takes {job.wall / bare.wall:.1f} times a bare fork")
    cpu, seconds = plain.cpu / graded.cpu, plain.wall / graded.wall
    print(f"plain pytest takes {cpu:.1f} times the CPU time of a grading, and {seconds:.1f} times its time")
    print(f"the zygote: {memory}")


if __name__ == "__main__":
    main()
