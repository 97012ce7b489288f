"""What one probe may use behind the wall, and that nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from grader.sheet import Limits
from grader.wall import Call, Cell, Failure, Value, Wall
from grader.wall.nested import NestedWall
from grader.wall.plain import PlainWall

LIMITS = Limits(probe_seconds=3, memory_mb=512, disk_mb=16, result_mb=1, output_kb=4)
PROBES = """
import os, signal, threading, time
import torch

def busy():
    while True: pass

def asleep():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)

def busy_together():
    for _ in range(4):
        if os.fork() == 0:
            while True: pass
    time.sleep(60)

def one_tensor():
    return [torch.ones(2**24) for _ in range(100)]

def memory_together():
    for _ in range(4):
        if os.fork() == 0:
            kept = torch.ones(50 * 2**20)
            time.sleep(60)
    time.sleep(60)

def forks():
    while True: os.fork()

def threads():
    for _ in range(100): threading.Thread(target=time.sleep, args=(60,)).start()

def three_folders():
    for place in ("/submission/a", "/tmp/b", "/dev/shm/c"):
        with open(place, "wb") as file: file.write(bytes(7 * 2**20))

def many_files():
    for i in range(10_000): open(f"/tmp/{i}", "w").close()

def descriptors():
    return [open("/dev/null") for _ in range(500)]

def large_result():
    return torch.zeros(2**20)

def chatter():
    print("x" * 100_000)
    return 1

def fine():
    return 1

def leave_a_daemon(marker):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv("/bin/sleep", [marker, "300"])
        os._exit(0)
    time.sleep(0.2)
    return 1
"""
SANDBOXED = pytest.mark.parametrize("any_wall", ["nested", "fresh"], indirect=True)


@pytest.fixture(scope="module")
def cell(any_wall: Wall) -> Iterator[Cell]:
    with any_wall.open(LIMITS) as opened:
        yield opened


@SANDBOXED
@pytest.mark.parametrize(
    ("function", "kind", "named"),
    [
        ("busy", "timeout", "stopped after 3 s"),
        ("asleep", "timeout", "stopped after 3 s"),
        ("busy_together", "timeout", "stopped after 3 s"),
        ("one_tensor", "error", "more than 512 MiB of memory"),
        ("memory_together", "crashed", "more than 512 MiB of memory"),
        ("forks", "error", "more than 32 processes and threads"),
        ("threads", "error", "more than 32 processes and threads"),
        ("three_folders", "error", "more than 16 MiB or 1,024 files written"),
        ("many_files", "error", "more than 16 MiB or 1,024 files written"),
        ("descriptors", "error", "more than 128 open files"),
        ("large_result", "refused", "the result is larger than 1 MiB"),
    ],
)
def test_each_limit_has_its_name_and_the_next_probe_runs(cell: Cell, function: str, kind: str, named: str) -> None:
    answer = cell.call(Call(PROBES, function))
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.message[: len(named)]) == (kind, named)
    assert cell.call(Call(PROBES, "fine")) == Value(1)


@SANDBOXED
def test_output_is_cut_and_the_value_arrives(cell: Cell) -> None:
    answer = cell.call(Call(PROBES, "chatter"))
    assert isinstance(answer, Value)
    assert answer.value == 1
    assert answer.output == "x" * 4096 + "\n[output cut after 4 KiB]"


SHARED = """
import os, signal, sys, threading, time
import torch
calls = []

def pid():
    calls.append(1)
    return [os.getpid(), len(calls)]

def noise():
    return torch.rand(3)

def doubled(values):
    return 2 * values

def fails(): raise ValueError
def file(): open("/tmp/left", "w").close()
def thread(): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
def child():
    if os.fork() == 0: time.sleep(60)
def no_grad(): torch.set_grad_enabled(False)
def dtype(): torch.set_default_dtype(torch.float64)
def folder(): os.chdir("/tmp")
def path(): sys.path.insert(0, "/tmp")
def stops(): signal.setitimer(signal.ITIMER_REAL, 0.01)
def half_of_its_time():
    end = time.process_time() + 1.6
    while time.process_time() < end: pass
"""


@SANDBOXED
def test_calls_of_the_same_name_follow_one_another_in_one_process(cell: Cell) -> None:
    def pid(name: str) -> tuple[Any, bool]:
        answer = cell.call(Call(SHARED, "pid", shared=name))
        assert isinstance(answer, Value)
        return answer.value, answer.used

    (first, _), again = pid("a"), pid("a")
    assert first[1] == 1
    assert again == ([first[0], 2], True)
    for name in ("b", "", ""):
        (_, calls), used = pid(name)
        assert (calls, used) == (1, False)


@SANDBOXED
def test_a_call_in_a_used_process_sees_the_same_arguments_and_random_numbers(cell: Cell) -> None:
    alone = cell.call(Call(SHARED, "noise", seed=5))
    cell.call(Call(SHARED, "noise", seed=4, shared="a"))
    shared = cell.call(Call(SHARED, "noise", seed=5, shared="a"))
    assert isinstance(alone, Value)
    assert isinstance(shared, Value)
    assert shared.used
    assert torch.equal(alone.value, shared.value)
    many = torch.arange(100_000)  # more than a pipe holds
    doubled = cell.call(Call(SHARED, "doubled", (many,), shared="a"))
    assert isinstance(doubled, Value)
    assert torch.equal(doubled.value, 2 * many)


@SANDBOXED
@pytest.mark.parametrize(
    "left",
    ["fails", "file", "thread", "child", "no_grad", "dtype", "folder", "path", "stops", "half_of_its_time"],
)
def test_a_process_takes_no_other_call_where_one_left_something(cell: Cell, left: str) -> None:
    cell.call(Call(SHARED, left, shared="a"))
    time.sleep(0.05 if left == "stops" else 0)
    answer = cell.call(Call(SHARED, "pid", shared="a"))
    assert isinstance(answer, Value)
    assert (answer.value[1], answer.used) == (1, False)


@SANDBOXED
def test_a_process_that_ran_no_student_code_gets_the_files_that_come_later(cell: Cell) -> None:
    given = Call("def given():\n    from lib.given import GIVEN\n    return GIVEN", "given", shared="a")
    cell.call(Call(SHARED, "pid", shared="reading", clean=True))
    for number, used in ((5, True), (6, False)):  # what has run the first file does not get the second
        cell.place({"lib/given.py": f"GIVEN = {number}\n".encode()})
        assert cell.call(given) == Value(number, used=used)
    cell.place({})


NEIGHBOURS = """
import os
def look():
    from lib.given import GIVEN
    return [GIVEN, sorted(os.listdir("/submission/lib")), sorted(filter(str.isdigit, os.listdir("/proc")))]
def kill():
    for pid in {*range(2, 1000)} - {os.getpid()}:
        try: os.kill(pid, 9)
        except OSError: pass
"""


def test_cells_that_are_open_at_once_know_nothing_of_one_another(nested: NestedWall) -> None:
    with nested.open(LIMITS) as one, nested.open(LIMITS) as other:
        one.place({"lib/given.py": b"GIVEN = 1\n", "lib/more.py": b""})
        other.place({"lib/given.py": b"GIVEN = 2\n"})
        mine = Value([1, ["given.py", "more.py"], ["1", "2"]])
        assert one.call(Call(NEIGHBOURS, "look", shared="a")) == mine
        assert other.call(Call(NEIGHBOURS, "look")) == Value([2, ["given.py"], ["1", "2"]])
        other.call(Call(NEIGHBOURS, "kill"))
        assert one.call(Call(NEIGHBOURS, "look", shared="a")) == replace(mine, used=True)


def test_without_a_sandbox_no_process_is_shared() -> None:
    with PlainWall().open(LIMITS) as cell:
        answers = [cell.call(Call(SHARED, "pid", shared="a")) for _ in range(2)]
    assert [answer.used for answer in answers] == [False, False]


def test_time_is_counted_over_all_processes(nested: NestedWall) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core gives no more CPU time than wall time")
    with nested.open(LIMITS.model_copy(update={"probe_seconds": 4})) as cell:
        started = time.monotonic()
        answer = cell.call(Call(PROBES, "busy_together"))
    assert isinstance(answer, Failure)
    if time.monotonic() - started < 3.9:  # on a busy machine the wall's clock may come first
        assert answer.message == "stopped after 4 s of CPU time"


def test_a_tensor_of_500_mb_is_no_offence(nested: NestedWall) -> None:
    with nested.open(Limits()) as cell:
        answer = cell.call(Call("import torch\ndef large(): return torch.ones(125_000_000).sum()", "large"))
    assert isinstance(answer, Value)
    assert torch.equal(answer.value, torch.tensor(125e6))


def test_a_daemon_ends_with_its_probe_in_every_mode(any_wall: Wall) -> None:
    marker = f"daemon-{os.getpid()}-{any_wall.mode}"
    with any_wall.open(LIMITS) as cell:
        assert cell.call(Call(PROBES, "leave_a_daemon", (marker,))) == Value(1)
        assert not _running(marker)


@pytest.mark.parametrize("mode", ["nested", "fresh", "none"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_when_the_grader_is_ended_in_the_middle_of_a_probe(
    tmp_path: Path, mode: str, number: signal.Signals
) -> None:
    marker = f"hanging-{os.getpid()}-{mode}-{number}"
    program = f"""
import signal
from grader.sheet import Limits
from grader.wall import Call
from grader.wall.choose import choose_wall
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests in the background has it ignored
wall = choose_wall({mode!r})
with wall.open(Limits(probe_seconds=60)) as cell:
    cell.call(Call("import os\\ndef hang(): os.execv('/bin/sleep', [{marker!r}, '300'])", "hang"))
"""
    root = Path(__file__).parent.parent
    grader = subprocess.Popen([sys.executable, "-c", program], cwd=root, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: bool(_running(marker)), 60)
        grader.send_signal(number)
        assert grader.wait(20) != 0
        _until(lambda: not _running(marker), 10)
    finally:
        grader.kill()
        grader.wait()


def _running(marker: str) -> list[str]:
    """The processes of this machine that carry the marker as their name."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0] == marker.encode():
            found.append(file.parent.name)
    return found


def _until(true: object, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)
