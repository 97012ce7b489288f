"""Where attacks are tried: one sandbox mode, a miniature course, and a watch over what survives."""

from __future__ import annotations

import os
import shutil
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from grader.diagnose import SILENT
from grader.grade import Bench
from grader.handin import Handin
from grader.intake import Submission
from grader.result import Mode, Outcome, Result
from grader.sheet import Limits, Sheet, load_sheet
from grader.wall import Call, Cell, Failure, Value, Wall, WallError
from tests.attacks.kinds import Gap, Probe, Steps
from tools.make_release import make_release

COURSE = Path(__file__).parent / "course"
FILES = {"lib/__init__.py": b"", "given.txt": b"given\n"}
EMPTY = {"processes": 2, "files": {"/tmp": [], "/dev/shm": [], ".": ["given.txt", "lib"]}}
SLACK_SECONDS = 15.0  # for a busy machine, on top of a call's limit
TOKEN = "ghs_this-token-must-not-be-seen"


def lay_course(folder: Path) -> Sheet:
    """A copy of the attacks' course with its release."""
    shutil.copytree(COURSE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    sheet = load_sheet("attacks", folder)
    make_release(sheet)
    return sheet


def solution(sheet: Sheet, name: str) -> str:
    return (sheet.course / "solutions" / "target" / "lib" / name).read_text(encoding="utf-8")


def submission(attack: Gap, sheet: Sheet) -> Submission:
    """The submission of an attack: the neighbour as in the solution, the attacked gap as the attack has it."""
    release = sheet.course / "student" / sheet.name
    template = (release / "lib" / "target.py").read_text(encoding="utf-8")
    empty = '    raise NotImplementedError("TODO target 1")\n'
    filled = "".join(f"    {line}\n" if line else "\n" for line in attack.body.strip("\n").splitlines())
    files = {
        "lib/__init__.py": (release / "lib" / "__init__.py").read_bytes(),
        "lib/neighbour.py": solution(sheet, "neighbour.py").encode(),
        "lib/target.py": template.replace(empty, filled + attack.after).encode(),
        **attack.files,
    }
    return Submission(attack.id, files)


@cache
def prelude() -> str:
    """The helpers that travel in, with this machine's numbers of system calls."""
    import pyseccomp

    names = (Path(__file__).parent / "system_calls.txt").read_text(encoding="ascii").split()
    numbers = {name: pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) for name in names}
    return f"NUMBERS = {numbers!r}\n" + (Path(__file__).parent / "inside.py").read_text(encoding="utf-8")


class Watched:
    """A wall; after each of its cells nothing may run in the namespaces that were new with it."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self.mode: Mode = wall.mode
        self._survivors = 0

    @contextmanager
    def open(self, limits: Limits) -> Iterator[Cell]:
        before = _spaces_below()
        with ExitStack() as held:
            with self._wall.open(limits) as cell:
                new = {space: name for space, name in _spaces_below().items() if space not in before}
                for name in new.values():  # held, so that no later namespace gets the same number
                    held.callback(os.close, os.open(f"/proc/{name}/ns/pid", os.O_RDONLY))
                yield cell
            self._survivors += _left(set(new) - {"", _space("self")})

    def survivors(self) -> str:
        """What survived since this was last asked."""
        found, self._survivors = self._survivors, 0
        return f"{found} processes survived" if found else ""

    def close(self) -> None:
        self._wall.close()


def _left(spaces: set[str]) -> int:
    """How many processes run in namespaces that are to be empty; the kernel gets a few seconds."""
    end = time.monotonic() + 5
    while (count := sum(_space(name) in spaces for name in _processes())) and time.monotonic() < end:
        time.sleep(0.02)
    return count


class OneCell:
    """A wall that keeps its cells open, one for each set of limits: a cold start costs seconds."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self.mode: Mode = wall.mode
        self._open: dict[Limits, tuple[ExitStack, Cell]] = {}

    @contextmanager
    def open(self, limits: Limits) -> Iterator[Cell]:
        if limits not in self._open:
            stack = ExitStack()
            self._open[limits] = stack, stack.enter_context(self._wall.open(limits))
        try:
            yield self._open[limits][1]
        except WallError:
            self._open.pop(limits)[0].close()
            raise

    def close(self) -> None:
        for stack, _ in self._open.values():
            stack.close()
        self._open.clear()


@dataclass
class Scene:
    """One mode, ready for attacks.

    Attributes:
        wall: opens a cell for each attack, or keeps one where that costs seconds.
        other: opens or keeps other cells than `wall`, for a second submission.
        real: what both open their cells with.
    """

    sheet: Sheet
    bench: Bench
    wall: Wall
    other: Wall
    real: Watched

    def gap(self, attack: Gap) -> str:
        """Grade it; what was seen where it is not what must be."""
        bench = replace(self.bench, wall=self.wall, diagnosis=SILENT)
        result = bench.grade(Handin(submission(attack, self.sheet), seed=7))
        wrong = _wrong_neighbour(result) or _wrong_own(result, attack) or attack.check(result)
        return self.real.survivors() or wrong

    def probe(self, attack: Probe) -> str:
        with self.wall.open(attack.limits) as cell:
            cell.place(FILES)
            start = time.monotonic()
            seen = cell.call(Call(f"{prelude()}\n{attack.code}", "attack"))
            took = time.monotonic() - start
            wrong = _wrong_answer(seen, attack) or _not_empty(cell)
        late = took > attack.limits.probe_seconds + SLACK_SECONDS
        return self.real.survivors() or wrong or (f"it took {took:.0f} s" if late else "")

    def steps(self, attack: Steps) -> str:
        source = f"{prelude()}\n{attack.code}"
        with ExitStack() as stack:
            first = stack.enter_context(self.wall.open(attack.limits))
            second = stack.enter_context(self.other.open(attack.limits)) if attack.apart else first
            for cell in (first, second):
                cell.place(FILES)
            seen = _second(attack, source, first, second)
            wrong = _not_empty(second)
        if isinstance(seen, Failure):
            return f"{seen.kind}: {seen.message}"
        return self.real.survivors() or wrong or _compared(seen.value, attack.sees)


def _second(attack: Steps, source: str, first: Cell, second: Cell) -> Value | Failure:
    if not attack.at_once:
        acted = first.call(Call(source, "first", seed=1))
        return acted if isinstance(acted, Failure) else second.call(Call(source, "second", seed=2))
    thread = threading.Thread(target=first.call, args=(Call(source, "first", seed=1),))
    thread.start()
    try:
        return second.call(Call(source, "second", seed=2))
    finally:
        thread.join()


def _wrong_neighbour(result: Result) -> str:
    ended = _ended(result, "2")
    return "" if set(ended) == {"passed"} else f"the neighbour's tests ended: {', '.join(ended)}"


def _wrong_own(result: Result, attack: Gap) -> str:
    tests = next(task for task in result.tasks if task.id == "1").tests
    for test in tests:
        if test.outcome not in attack.own:
            return f"{test.outcome}: {test.staff.splitlines()[0] if test.staff else test.title}"
        if attack.says not in test.staff:
            return f"{attack.says!r} is not said in: {test.staff[:200]}"
    return ""


def _ended(result: Result, task: str) -> list[Outcome]:
    return [test.outcome for one in result.tasks if one.id == task for test in one.tests]


def _wrong_answer(seen: Value | Failure, attack: Probe) -> str:
    if attack.output not in seen.output:
        return f"printed {seen.output[-200:]!r}"
    if isinstance(seen, Failure):
        if seen.kind not in attack.ends:
            return f"{seen.kind}: {seen.message} {seen.detail[-300:]}"
        return "" if attack.says in seen.message else f"{attack.says!r} is not said in: {seen.message}"
    if attack.ends and attack.sees is True:
        return f"it returned {seen.value!r:.200}"
    return _compared(seen.value, attack.sees)


def _compared(value: Any, sees: Any | Callable[[Any], bool]) -> str:
    fits = sees(value) if callable(sees) else type(value) is type(sees) and value == sees
    return "" if fits else f"it saw {value!r:.300}"


def _not_empty(cell: Cell) -> str:
    """What the next call of the same cell finds."""
    answer = cell.call(Call(prelude(), "state"))
    if isinstance(answer, Failure):
        return f"the next call failed: {answer.message}"
    return "" if answer.value == EMPTY else f"the next call found {answer.value}"


def _processes() -> list[str]:
    return [name for name in os.listdir("/proc") if name.isdigit()]


def _space(name: str) -> str:
    """The process namespace of a process; nothing where it has ended."""
    try:
        return os.readlink(f"/proc/{name}/ns/pid")
    except OSError:
        return ""


def _spaces_below() -> dict[str, str]:
    """The process namespaces of this process's descendants, each with one of its processes."""
    parents: dict[str, str] = {}
    for name in _processes():
        with suppress(OSError):
            text = Path("/proc", name, "stat").read_text(encoding="utf-8", errors="replace")
            parents[name] = text.rpartition(")")[2].split()[1]
    return {_space(name): name for name in parents if _descends(name, parents)}


def _descends(name: str, parents: dict[str, str]) -> bool:
    while name in parents:
        name = parents[name]
        if name == str(os.getpid()):
            return True
    return False


def fingerprint(sheet: Sheet) -> dict[str, tuple[int, int]]:
    """Size and time of every file that an attack would like to change."""
    packages = [Path(sysconfig.get_path("purelib"), name) for name in ("torch", "numpy", "gapcheck", "grader")]
    folders = [sheet.course, *(package for package in packages if package.is_dir())]
    places = [place for folder in folders for place in folder.glob("**/*" if folder == sheet.course else "*")]
    places = [place for place in places if place.is_file() and "__pycache__" not in place.parts]
    return {str(place): (place.stat().st_size, place.stat().st_mtime_ns) for place in sorted(places)}
