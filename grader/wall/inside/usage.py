"""What the processes of a probe use, as `/proc` tells it to the first process of their namespace."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()


@dataclass(frozen=True)
class Usage:
    """What all processes of this namespace but its first have used: seconds of CPU time, bytes of own memory."""

    cpu: float
    memory: int


def usage_of_all(inherited: int) -> Usage:
    """Add up `/proc`.

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
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _own_bytes(statm: str) -> int:
    _, resident, shared, *_ = statm.split()
    return (int(resident) - int(shared)) * PAGE


def _cpu_seconds(stat: str) -> float:
    fields = stat.rpartition(")")[2].split()  # a process chooses its own name, brackets and all
    return sum(int(field) for field in fields[11:15]) / TICKS  # user, system; the same of its ended children


def alone_in_one_thread(child: int) -> bool:
    """Whether the process is all that lives in this namespace beside its first."""
    try:
        if {name for name in os.listdir("/proc") if name.isdigit()} != {"1", str(child)}:
            return False
        fields = _read(f"/proc/{child}/stat").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[17] == "1"


def cpu_of(child: int) -> float:
    """The seconds of CPU time of a process and of its ended children."""
    return _cpu_seconds(_read(f"/proc/{child}/stat"))
