"""What a submission becomes: a clean file tree in memory, with what was refused and why."""

from __future__ import annotations

import time
from dataclasses import dataclass

from grader import GapgradeError
from grader.intake.names import collision_key, is_ignored, most_bytes, shown, why_unsafe

MAX_TOTAL_BYTES = 100 * 1024**2
MAX_FILES = 2_000
MAX_ENTRIES = 20_000  # files of every kind, the skipped and refused ones among them
MAX_SECONDS = 60.0

LEAVE_OUT = "leave out data, results and virtual environments, and hand it in again"
LFS_POINTER = b"version https://git-lfs.github.com/spec/"


class IntakeError(GapgradeError):
    """A submission that cannot be used as a whole: what, where, and what to do."""


@dataclass(frozen=True)
class Refused:
    """A file that was not read, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Submission:
    """What was handed in, in memory; nothing of it was written to disk, followed or executed.

    Attributes:
        files: the bytes of each file by its relative POSIX path, sorted.
        refused: files that could not be read, each with its reason, sorted.
        skipped: files of a kind that is never read (images, weights, ...), sorted.
        commit: the commit whose tree this is; None where the files lay in a folder or an archive.
    """

    name: str
    files: dict[str, bytes]
    refused: tuple[Refused, ...] = ()
    skipped: tuple[str, ...] = ()
    commit: str | None = None


def too_large(most: int) -> str:
    """The reason of a file that is longer than its kind may be."""
    return f"it is larger than {most // 1024**2} MiB"


class Gathering:
    """A submission while it is read: each reader asks it what to read and hands over what it read.

    Raises `IntakeError` as soon as the submission goes beyond a limit, so that a reader never reads on.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._files: dict[str, bytes] = {}
        self._refused: dict[str, str] = {}
        self._skipped: list[str] = []
        self._by_key: dict[str, str] = {}
        self._seen: set[str] = set()
        self._entries = 0
        self._bytes = 0
        self._end = time.monotonic() + MAX_SECONDS

    def in_time(self) -> None:
        """Raises `IntakeError` once reading the submission has taken longer than it may."""
        if time.monotonic() > self._end:
            raise self.error(f"reading it takes longer than {MAX_SECONDS:.0f} s; {LEAVE_OUT}")

    def error(self, sentence: str) -> IntakeError:
        return IntakeError(f"{self.name}: {sentence}")

    def refuse(self, path: str, reason: str) -> None:
        """Note why a file is not read; whatever else has its name does not count either."""
        self._count()
        self._refused.setdefault(path, reason)
        self._bytes -= len(self._files.pop(path, b""))

    def wants(self, path: str) -> int | None:
        """How many bytes to read of a regular file at most; None where it is ignored, skipped or refused."""
        if is_ignored(path):
            return None
        if reason := why_unsafe(path):
            self.refuse(path, reason)
            return None
        most = most_bytes(path)
        if most is None:
            self._count()
            self._skipped.append(path)
        return most

    def keep(self, path: str, data: bytes, most: int) -> None:
        """Take a file's bytes, of which the reader read `most` and, where there were more, one byte beyond."""
        if (other := self._by_key.setdefault(collision_key(path), path)) != path or path in self._seen:
            self._refuse_both(path, other)
            return
        self._seen.add(path)
        if path in self._refused:
            return
        if len(data) > most:
            self.refuse(path, too_large(most))
            return
        if data.startswith(LFS_POINTER):
            self.refuse(path, "it is a Git LFS pointer, not the file; commit the file itself")
            return
        self._count()
        self._files[path] = data
        self._bytes += len(data)
        if len(self._files) > MAX_FILES:
            raise self.error(f"it holds more than {MAX_FILES:,} files; {LEAVE_OUT}")
        if self._bytes > MAX_TOTAL_BYTES:
            raise self.error(f"it holds more than {MAX_TOTAL_BYTES // 1024**2} MiB; {LEAVE_OUT}")

    def finish(self, commit: str | None = None) -> Submission:
        """The submission; raises `IntakeError` where no file is left."""
        self._refuse_files_that_are_folders()
        refused = tuple(Refused(shown(path), reason) for path, reason in sorted(self._refused.items()))
        if not self._files:
            first = f" ({refused[0].file} was refused: {refused[0].reason})" if refused else ""
            raise self.error(f"there is no file in it that can be graded{first}; hand in the whole repository")
        files = dict(sorted(self._files.items()))
        return Submission(self.name, files, refused, tuple(sorted(set(self._skipped))), commit)

    def _refuse_both(self, path: str, other: str) -> None:
        """Which of two files counts must not depend on who reads them."""
        if path == other:
            self.refuse(path, "its name stands twice")
        else:
            self.refuse(path, f"its name differs from {shown(other)} in case or accents only")
            self.refuse(other, f"its name differs from {shown(path)} in case or accents only")

    def _refuse_files_that_are_folders(self) -> None:
        """An archive may hold both `lib` and `lib/model.py`; no disk can."""
        folders = {
            "/".join(parts[:depth])
            for parts in (collision_key(path).split("/") for path in self._files)
            for depth in range(1, len(parts))
        }
        for path in [path for path in self._files if collision_key(path) in folders]:
            self.refuse(path, "it is a file and a folder at once")

    def _count(self) -> None:
        self.in_time()
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise self.error(f"it holds more than {MAX_ENTRIES:,} files; {LEAVE_OUT}")
