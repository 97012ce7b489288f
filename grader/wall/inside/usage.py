"""What the processes of a probe use, as `/proc` tells it to the first process of their namespace."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()


@dataclass(frozen=True)
class Usage:
    """What processes have used: seconds of CPU time, bytes of memory."""

    cpu: float
    memory: int


def usage_of_all(inherited: int) -> Usage:
    """Of all processes of this namespace but its first, from `/proc`.

    Args:
        inherited: the bytes that a fork of this process shares with it; counted for none.
    """
    cpu, memory = cpu_of_ended(), 0
    for name in os.listdir("/proc"):
        if name.isdigit() and name != "1":
            try:
                cpu += _cpu_seconds(_read(f"/proc/{name}/stat"))
                memory += max(0, _own_bytes(_read(f"/proc/{name}/statm")) - inherited)
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
    return Usage(cpu, memory)


def cpu_of_ended() -> float:
    """Of processes that ended and were waited for by this one: the probe's, and what it left behind."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def own_bytes() -> int:
    """This process's memory that belongs to no file: what its forks share with it."""
    try:
        return _own_bytes(_read("/proc/self/statm"))
    except FileNotFoundError:  # no Linux
        return 0


def _read(path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY)  # a file object costs more than the kernel's answer
    try:
        return os.read(descriptor, 4096).decode(errors="replace")
    finally:
        os.close(descriptor)


def _own_bytes(statm: str) -> int:
    _, resident, shared, *_ = statm.split()
    return (int(resident) - int(shared)) * PAGE


def _cpu_seconds(stat: str) -> float:
    fields = stat.rpartition(")")[2].split()  # a process chooses its own name, brackets and all
    return sum(int(field) for field in fields[11:15]) / TICKS  # user, system; the same of its ended children


def cpu_if_alone(child: int) -> float | None:
    """The CPU seconds of a process and its ended children; None where it is not all that runs here beside the first."""
    try:
        if {name for name in os.listdir("/proc") if name.isdigit()} != {"1", str(child)}:
            return None
        stat = _read(f"/proc/{child}/stat")
    except (FileNotFoundError, ProcessLookupError):
        return None
    threads = stat.rpartition(")")[2].split()[17]
    return _cpu_seconds(stat) if threads == "1" else None
