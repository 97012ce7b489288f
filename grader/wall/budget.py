"""What all processes of one submission may use together: a control group of the kernel for each, where there is one.

Control groups come in two versions. Version 2 has to be delegated to this process (`systemd-run --user --scope -p
Delegate=yes`, or root); version 1 has to be writable, which it is for root. Without either, memory is what each process
may map at most, and the sum over all processes is looked at every twentieth of a second from inside
(`grader/wall/inside/watch.py`), which a burst can exceed for as long; the doctor says so.

A group is locked (`flock`) for as long as its grading runs, so what a killed grading left is known and removed.
"""

from __future__ import annotations

import errno
import itertools
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from grader.sheet import Limits
from grader.wall import WallError

if sys.platform != "win32":  # control groups are Linux's; there is no lock where they are never made
    import fcntl

Version = Literal["v2", "v1", "none"]
PREFIX = "gapgrade-"
OWN_MB = 128  # for the server's own pages and the kernel's, beyond what the limit allows the student
OWN_PROCESSES = 8
EMPTY_SECONDS = 2.0
NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Hierarchy:
    """Where groups can be made.

    Attributes:
        parents: the folder of each hierarchy that a cell's group is made in; one for version 2, two for version 1.
    """

    version: Version
    parents: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Events:
    """How often the kernel refused memory, and a process."""

    memory: int = 0
    processes: int = 0


@dataclass
class Budget:
    """One cell's groups; without any, it knows of no events."""

    groups: tuple[Path, ...] = ()
    _seen: Events = field(default_factory=Events)

    @contextmanager
    def doors(self) -> Iterator[list[int]]:
        """Descriptors that a process without threads enters the groups by: it writes `0` to each.

        Only version 1 has such; there a process that moves itself moves at once, while one that is moved waits until
        no process of the machine is just being started or ended, some 10 to 30 ms.
        """
        doors: list[int] = []
        try:
            doors += [_opened(group / "tasks") for group in self.groups if (group / "tasks").exists()]
            yield doors
        finally:
            for door in doors:
                os.close(door)

    def join(self, pid: int) -> None:
        """Put the cell's first process into the groups; what it starts from now on belongs to them."""
        for group in self.groups:
            _write(group / "cgroup.procs", str(pid))

    def reached(self) -> Literal["memory", "processes", ""]:
        """Which limit was reached since the last time that this was asked."""
        before, self._seen = self._seen, _events(self.groups)
        if self._seen.memory > before.memory:
            return "memory"
        return "processes" if self._seen.processes > before.processes else ""


class Budgets:
    """Makes the groups of one grader's cells."""

    def __init__(self, hierarchy: Hierarchy | None = None) -> None:
        self._hierarchy = find_hierarchy() if hierarchy is None else hierarchy
        self._used: dict[Path, int] = {}  # groups whose last process may be ending still, and their locks
        for parent in self._hierarchy.parents:
            remove_leftovers(parent)

    @contextmanager
    def open(self, limits: Limits) -> Iterator[Budget]:
        """Groups for one cell; its processes have to end, or be ending, before the context is left."""
        name = f"{PREFIX}{os.getpid()}-{next(NUMBERS)}"
        groups = tuple(parent / name for parent in self._hierarchy.parents)
        locks: dict[Path, int] = {}
        try:
            for group in groups:
                locks[group] = _make(group)
                _limit(group, limits)
            yield Budget(groups)
        finally:
            self._used.update(locks)
            self._remove_used()

    def close(self) -> None:
        """Remove what is left; a moment after the last cell was closed, its processes have ended."""
        deadline = time.monotonic() + EMPTY_SECONDS
        while self._used and time.monotonic() < deadline:
            self._remove_used()
            time.sleep(0.002)

    def _remove_used(self) -> None:
        for group, lock in list(self._used.items()):
            with suppress(OSError):
                with suppress(FileNotFoundError):  # a fork of this process has removed it
                    group.rmdir()
                os.close(lock)
                del self._used[group]


def find_hierarchy(mounts: str | None = None, own: str | None = None) -> Hierarchy:
    """Version 2 where memory and processes can be bounded there, else version 1, else none.

    Args:
        mounts, own: the texts of `/proc/self/mountinfo` and `/proc/self/cgroup`.
    """
    try:
        mounts = Path("/proc/self/mountinfo").read_text() if mounts is None else mounts
        own = Path("/proc/self/cgroup").read_text() if own is None else own
    except OSError:  # no Linux
        return Hierarchy("none")
    places = _places(mounts, own)
    if "" in places and (parent := _delegated(places[""])) is not None:
        return Hierarchy("v2", (parent,))
    if {"memory", "pids"} <= places.keys():
        parents = tuple(dict.fromkeys(_first_writable(places[name]) for name in ("memory", "pids")))
        if all(parents):
            return Hierarchy("v1", tuple(parent for parent in parents if parent))
    return Hierarchy("none")


def _places(mounts: str, own: str) -> dict[str, list[Path]]:
    """By controller (version 2: the empty name), the folders of this process's own group and of the topmost one."""
    roots: dict[str, Path] = {}
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2":
            roots[""] = Path(before.split()[4])
        elif kind == "cgroup":
            roots.update(dict.fromkeys(options.split(","), Path(before.split()[4])))
    places = {}
    for line in own.splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            if name in roots:
                places[name] = [roots[name] / path.lstrip("/"), roots[name]]
    return places


def _first_writable(folders: list[Path]) -> Path | None:
    return next((folder for folder in folders if folder.is_dir() and os.access(folder, os.W_OK)), None)


def _delegated(folders: list[Path]) -> Path | None:
    """A folder of version 2 whose children can have limits; this process may move to a leaf of its own for that."""
    for folder in folders:
        with suppress(OSError):
            offered = (folder / "cgroup.controllers").read_text().split()
            if not {"memory", "pids"} <= set(offered) or not os.access(folder, os.W_OK):
                continue
            if not {"memory", "pids"} <= set((folder / "cgroup.subtree_control").read_text().split()):
                _divide(folder)
            return folder
    return None


def _divide(folder: Path) -> None:
    """Version 2 divides what a group has only among groups: a process in the middle moves into a leaf first."""
    try:
        (folder / "cgroup.subtree_control").write_text("+memory +pids")
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        leaf = folder / "gapgrade"
        leaf.mkdir(exist_ok=True)
        (leaf / "cgroup.procs").write_text(str(os.getpid()))
        (folder / "cgroup.subtree_control").write_text("+memory +pids")


def _make(group: Path) -> int:
    try:
        group.mkdir()
        lock = os.open(group, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError as error:
        raise WallError(f"no control group for the submission ({error}); run: python -m grader doctor") from None
    return lock


def _limit(group: Path, limits: Limits) -> None:
    memory = str((limits.memory_mb + limits.disk_mb + OWN_MB) * 2**20)
    processes = str(limits.processes + OWN_PROCESSES)
    for name, amount in (("memory.max", memory), ("memory.limit_in_bytes", memory), ("pids.max", processes)):
        if (group / name).exists():
            _write(group / name, amount)
    for name, amount in (("memory.swap.max", "0"), ("memory.memsw.limit_in_bytes", memory)):
        if (group / name).exists():  # not where the kernel counts no swap
            _write(group / name, amount)


def _opened(file: Path) -> int:
    try:
        return os.open(file, os.O_WRONLY)
    except OSError as error:
        raise WallError(f"{file}: {error.strerror}; run: python -m grader doctor") from None


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text)
    except OSError as error:
        raise WallError(f"{file}: {error.strerror}; run: python -m grader doctor") from None


def _events(groups: tuple[Path, ...]) -> Events:
    memory = processes = 0
    for group in groups:
        for name, key in (("memory.events", "oom_kill"), ("memory.oom_control", "oom_kill")):
            memory += _count(group / name, key)
        processes += _count(group / "pids.events", "max")
    return Events(memory, processes)


def _count(file: Path, key: str) -> int:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.split()[:1] == [key])


def remove_leftovers(parent: Path) -> None:
    """Remove the groups of gradings that were killed: nobody holds their lock any more."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                folder.rmdir()
            finally:
                os.close(lock)
