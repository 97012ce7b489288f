"""A real scheduler and two workers on this machine: jobs spread, a worker that is killed loses nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

pytest.importorskip("distributed")

from grader.batching.crew import Stop
from grader.batching.find import BatchError
from grader.batching.job import Job, Settings
from grader.distributed import work_on
from grader.gradebook import open_gradebook
from grader.sheet import Limits
from tests.classes import SLOW, batch_command, hand_in

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Cluster:
    """A scheduler's address, and the workers' processes."""

    address: str
    workers: tuple[subprocess.Popen[bytes], ...]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = ["worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", "/tmp"]
    with ExitStack() as stack:
        processes = [stack.enter_context(_dask(*arguments)) for arguments in (scheduler, worker, worker)]
        yield Cluster(address, tuple(processes[1:]))
        for process in processes:
            process.kill()


def _dask(*arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_worker_that_sees_other_folders_is_refused(cluster: Cluster, course: Path) -> None:
    settings = Settings(str(course / "sheets" / "sums"), str(course))
    jobs = [Job("team", "/nowhere/team")]
    with pytest.raises(BatchError, match=r"tcp://.*: there is no /nowhere/team; share the course and the submissions"):
        list(work_on(cluster.address, jobs, settings, Limits(), Stop()))


def test_a_class_is_graded_whole_though_a_worker_is_killed(cluster: Cluster, course: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "class", tmp_path / "out"
    names = {hand_in(course, folder, f"team-{number}", noise=SLOW).name for number in range(8)}
    command = batch_command(course, folder, out, "--scheduler", cluster.address)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as batch:
        while batch.poll() is None and _graded(out).total() < 2:
            time.sleep(0.02)
        children = psutil.Process(cluster.workers[0].pid).children(recursive=True)
        cluster.workers[0].kill()
        said = batch.communicate()[0]
    assert batch.returncode == 0, said
    assert "8 graded, 0 unchanged, 0 refused, 0 grader's errors" in said
    assert _graded(out) == Counter(names)
    assert children
    assert psutil.wait_procs(children, timeout=10)[1] == []  # the killed worker's grading ended with it
    with open_gradebook(out) as book:
        assert {record.result.score for record in book.records() if record.result} == {6}
    left = psutil.Process(cluster.workers[1].pid).children(recursive=True)
    assert psutil.wait_procs(left, timeout=10)[1] == []  # nothing stays behind on the other one


def _graded(out: Path) -> Counter[str]:
    if not (out / "gradebook.sqlite").is_file():
        return Counter()
    with open_gradebook(out) as book:
        return Counter(row.submission for row in book.history() if row.event == "graded")
