"""Read a commit's files out of a repository that a stranger filled.

Git runs in an empty repository of our own that only borrows the stranger's objects. So the stranger's configuration,
hooks, filters, attributes, index, replacements and grafts are never read, submodules and missing objects never
fetched. The commit's tree is listed and its files are read as they are stored.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from grader.intake.gather import LEAVE_OUT, MAX_SECONDS, Gathering, Submission, too_large
from grader.intake.names import is_ignored
from grader.intake.refs import check_objects, find_commit

MAX_LISTING_BYTES = 8 * 1024**2  # about 80,000 files, those that are ignored among them
MAX_ID_BYTES = 65  # SHA-256 and a line end
_NEVER = (
    "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.attributesFile=/dev/null", "protocol.allow=never",
    "safe.directory=*", "core.bigFileThreshold=1m", "core.packedGitWindowSize=16m", "core.packedGitLimit=256m",
    "core.commitGraph=false", "core.multiPackIndex=false",
)  # fmt: skip
_LINK, _SUBMODULE = "120000", "160000"


@dataclass(frozen=True)
class _Entry:
    """A file in a tree: its mode, object id, size (None where the object is missing) and path."""

    mode: str
    object_id: str
    size: int | None
    path: str


def git_directory(path: Path) -> Path | None:
    """The repository that a folder is or holds; None where it is neither."""
    for candidate in (path, path / ".git"):
        if all((candidate / part).is_dir() for part in ("objects", "refs")) and (candidate / "HEAD").is_file():
            return None if candidate.is_symlink() else candidate
    return None


def read_commit(repository: Path, ref: str, name: str) -> Submission:
    """The files of a commit; raises `IntakeError` where there is none or it cannot be used."""
    gathering = Gathering(name)
    check_objects(repository, gathering)
    found = find_commit(repository, ref, gathering)
    with tempfile.TemporaryDirectory(prefix="gapgrade-") as ours:
        _lay_empty_repository(Path(ours), sha256=len(found) == 64)
        git = _Git(Path(ours), repository / "objects", gathering)
        printed = git.output(MAX_ID_BYTES, "rev-parse", "--verify", "--end-of-options", found + "^{commit}")
        if printed is None:
            raise gathering.error(f"{ref!r} ({found}) is no commit of the repository; fetch it, or name another")
        commit = printed.decode("ascii").strip()
        _gather(gathering, git, commit)
    return gathering.finish(commit)


def _lay_empty_repository(folder: Path, *, sha256: bool) -> None:
    (folder / "refs").mkdir()
    (folder / "objects").mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    extension = "[extensions]\n\tobjectformat = sha256\n" if sha256 else ""
    version = 1 if sha256 else 0
    (folder / "config").write_text(f"[core]\n\trepositoryformatversion = {version}\n\tbare = true\n{extension}")


def _gather(gathering: Gathering, git: _Git, commit: str) -> None:
    wanted: list[tuple[_Entry, int]] = []
    for entry in git.tree(commit):
        if is_ignored(entry.path):
            continue
        if entry.mode == _LINK:
            gathering.refuse(entry.path, "it is a link")
        elif entry.mode == _SUBMODULE:
            gathering.refuse(entry.path, "it is a submodule; submodules are not fetched, commit the files themselves")
        elif (most := gathering.wants(entry.path)) is not None:
            if entry.size is None:
                gathering.refuse(entry.path, "its content is missing from the repository; fetch it in full")
            elif entry.size > most:
                gathering.refuse(entry.path, too_large(most))
            else:
                wanted.append((entry, most))
    with git.running("cat-file", "--batch") as (_, ask, answer):
        for entry, most in wanted:
            ask.write(entry.object_id.encode() + b"\n")
            ask.flush()
            gathering.keep(entry.path, _blob(answer, entry, gathering), most)


def _blob(answer: IO[bytes], entry: _Entry, gathering: Gathering) -> bytes:
    expected = f"{entry.object_id} blob {entry.size}\n".encode()
    head = answer.readline(len(expected) + 1)
    data = answer.read((entry.size or 0) + 1)
    if head != expected or data[-1:] != b"\n":
        gathering.in_time()
        raise gathering.error(f"the repository is broken at {entry.path!r}; clone it afresh")
    return data[:-1]


class _Git:
    """Runs git's plumbing in our empty repository on the stranger's objects, for a limited time."""

    def __init__(self, ours: Path, objects: Path, gathering: Gathering) -> None:
        settings = [word for setting in _NEVER for word in ("-c", setting)]
        self._command = ["git", "--no-pager", "--no-replace-objects", *settings, f"--git-dir={ours}"]
        self._gathering = gathering
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(ours),
            "LC_ALL": "C",
            "GIT_OBJECT_DIRECTORY": str(objects.resolve()),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def output(self, most: int, *arguments: str) -> bytes | None:
        """At most `most` + 1 bytes of what git prints; None where git fails."""
        with self.running(*arguments) as (process, _, answer):
            data = answer.read(most + 1)
            failed = len(data) <= most and process.wait() != 0  # the timer ends it where it does not end
        self._gathering.in_time()
        return None if failed else data

    def tree(self, commit: str) -> Iterator[_Entry]:
        """Every file of a commit's tree; the listing is bounded, since a few objects can make a tree of 10^10 files."""
        listing = self.output(MAX_LISTING_BYTES, "ls-tree", "-r", "-z", "-l", "--full-tree", commit)
        if listing is None:
            raise self._gathering.error("a folder of the commit is missing or broken; clone the repository afresh")
        if len(listing) > MAX_LISTING_BYTES:
            raise self._gathering.error(f"the commit holds too many files to list; {LEAVE_OUT}")
        for line in listing.split(b"\0")[:-1]:
            about, _, path = line.partition(b"\t")
            mode, _, object_id, size = about.decode("ascii").split()
            number = int(size) if size.isdigit() else None
            yield _Entry(mode, object_id, number, path.decode("utf-8", "surrogateescape"))

    @contextmanager
    def running(self, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]]:
        """A git process, to ask and to read from; it ends when the context is left, or after its time."""
        try:
            process = subprocess.Popen(
                [*self._command, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._environment,
                cwd=self._environment["HOME"],
            )
        except FileNotFoundError:
            raise self._gathering.error("git is not installed here; install it to grade repositories") from None
        timer = threading.Timer(MAX_SECONDS, process.kill)
        timer.start()
        ask, answer = process.stdin, process.stdout
        assert ask is not None
        assert answer is not None
        try:
            yield process, ask, answer
        except BrokenPipeError:
            self._gathering.in_time()
            raise self._gathering.error("git ended while the repository was read; clone it afresh") from None
        finally:
            timer.cancel()
            process.kill()
            process.wait()
            answer.close()
            with suppress(BrokenPipeError):
                ask.close()
