"""Which submissions a folder holds, and which of them a shard grades."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import GapgradeError
from grader.intake.archive import SUFFIXES
from grader.intake.names import shown

ACTIVITY = ".activity.json"
MAX_NAME_BYTES = 200  # file systems allow 255


class BatchError(GapgradeError):
    """A batch that cannot be started, or has to stop: what happened, and what to do."""


@dataclass(frozen=True)
class Found:
    """A submission by its name: where it lies, and the activity log beside it."""

    name: str
    path: Path
    activity: Path | None = None


@dataclass(frozen=True)
class Shard:
    """The part of a class that one machine grades: the `number`-th of `count`, counted from 1.

    A submission's shard follows from its name alone, so that no submission falls between two machines that see
    different folders.
    """

    number: int = 1
    count: int = 1

    def holds(self, name: str) -> bool:
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1


def parse_shard(text: str) -> Shard:
    """`2/4` is the second of four. Raises `BatchError`."""
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise BatchError(f"--shard {text!r} names no shard; write I/N with I from 1 to N, for example 2/4")
    return Shard(int(match[1]), int(match[2]))


def find_submissions(folder: Path) -> tuple[list[Found], list[str]]:
    """The submissions in a folder in the order of their names, and the names of what is none.

    A submission is a folder, a bare repository (`NAME.git`), an archive or a notebook; `NAME.activity.json` beside it
    is its activity log. Raises `BatchError` where two have one name.
    """
    if not folder.is_dir():
        raise BatchError(f"{folder} is no folder; give the one that holds a folder or an archive for each submission")
    found: dict[str, Found] = {}
    others = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith(ACTIVITY):
            continue
        if not (path.is_dir() or path.is_symlink() or path.name.lower().endswith((*SUFFIXES, ".ipynb"))):
            others.append(shown(path.name))
            continue
        stem = _stem(path)
        name = shown(stem) or "submission"
        if len(name.encode()) > MAX_NAME_BYTES:
            raise BatchError(f"{folder / name[:40]}...: its name is too long for a report's folder; rename it")
        if name in found:
            raise BatchError(f"{path} and {found[name].path} are both called {name}; rename one of them")
        log = folder / f"{stem}{ACTIVITY}"
        found[name] = Found(name, path.absolute(), log.absolute() if log.is_file() else None)
    logs = {each.activity.name for each in found.values() if each.activity}
    others += [path.name for path in sorted(folder.glob(f"*{ACTIVITY}")) if path.name not in logs]
    if not found:
        raise BatchError(f"{folder} holds no submission; it needs a folder, an archive or a notebook for each")
    return list(found.values()), others


def longest_first(found: Sequence[Found], milliseconds: dict[str, int]) -> list[Found]:
    """Those that took longest last time first, so that none of them is waited for at the end; unknown ones before."""
    return sorted(found, key=lambda each: -milliseconds.get(each.name, 2**62))


def _stem(path: Path) -> str:
    endings = [".git"] if path.is_dir() else [*SUFFIXES, ".ipynb"]
    longest = max((len(ending) for ending in endings if path.name.lower().endswith(ending)), default=0)
    return path.name[: len(path.name) - longest]
