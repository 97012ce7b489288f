"""Fetch one commit of a repository and nothing else: bare, depth 1, within bytes and seconds; nothing of it is run.

Git runs in an empty repository of our own with settings of our own. There is no checkout, so no hook, filter or LFS
download ever starts; submodules are not followed. The token reaches git through its environment, for one host only.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from grader import GapgradeError
from grader.collect import FETCHING
from grader.intake.gather import Gathering
from grader.intake.git import git_directory
from grader.intake.refs import check_objects, find_commit

MAX_BYTES = 500 * 1024**2
MAX_SECONDS = 300.0
_LOOK_EVERY = 0.05
_ONE_COMMIT = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
_PASSED = ("PATH", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "GIT_SSL_CAINFO")
_SETTINGS = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.attributesFile": os.devnull,
    "core.bigFileThreshold": "1m",
    "credential.helper": "",
    "fetch.unpackLimit": "1",  # one pack whatever its size: few files, and a size to look at
    "gc.auto": "0",
    "http.followRedirects": "false",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
}


class CloneError(GapgradeError):
    """A repository that could not be fetched: which one, and why."""


class TooLargeError(CloneError):
    """A repository that goes beyond a limit; it will the next time, too."""


@dataclass(frozen=True)
class Limits:
    """What one repository may take."""

    bytes: int = MAX_BYTES
    seconds: float = MAX_SECONDS


def fetch_commit(url: str, token: str, commit: str, branch: str, target: Path, limits: Limits) -> None:
    """Make `target` a bare repository that holds one commit, at HEAD and at `branch`; what was there is replaced."""
    with _new_repository(target, commit, branch) as folder:
        refs = f"{commit}:refs/heads/{branch}"
        _run(["git", "fetch", *_ONE_COMMIT, "--", url, refs], folder, _environment(folder, url, token), limits)


def copy_commit(source: Path, commit: str, branch: str, target: Path, limits: Limits) -> None:
    """The same from a repository on this machine, of which only the objects are read."""
    repository = git_directory(source)
    if repository is None:
        raise CloneError(f"{source} is no repository; give a folder of bare repositories")
    check_objects(repository, Gathering(source.name))
    with _new_repository(target, commit, branch) as folder:
        theirs = {**_environment(folder, "", ""), "GIT_OBJECT_DIRECTORY": str((repository / "objects").resolve())}
        names, pack = folder / "names", folder / "pack"
        _run(["git", "rev-list", "--objects", "--no-walk", commit], folder, theirs, limits, output=names)
        _run(["git", "pack-objects", "-q", "--stdout"], folder, theirs, limits, given=names, output=pack)
        ours = _environment(folder, "", "")
        _run(["git", "index-pack", "--stdin", f"--max-input-size={limits.bytes}"], folder, ours, limits, given=pack)
        names.unlink()
        pack.unlink()
        (folder / "shallow").write_text(f"{commit}\n")
        _run(["git", "update-ref", f"refs/heads/{branch}", commit], folder, ours, limits)


def tip(source: Path, branch: str) -> str:
    """The commit that a branch of a repository on this machine is at; raises `IntakeError`."""
    return find_commit(git_directory(source) or source, branch, Gathering(source.name))


def remote_tip(url: str, token: str, branch: str, limits: Limits) -> str | None:
    """The commit that a branch is at now; None where the repository has no such branch."""
    with tempfile.TemporaryDirectory(prefix="gapgrade-") as name:
        folder = Path(name)
        listing = folder / "listing"
        command = ["git", "ls-remote", "--quiet", "--", url, f"refs/heads/{branch}"]
        _run(command, folder, _environment(folder, url, token), limits, output=listing)
        return listing.read_text(encoding="ascii").partition("\t")[0] or None


@contextmanager
def _new_repository(target: Path, commit: str, branch: str) -> Iterator[Path]:
    """An empty repository beside `target` that takes its place when the body went well."""
    with tempfile.TemporaryDirectory(prefix=FETCHING, dir=target.parent) as name:
        folder = Path(name).resolve() / target.name  # git starts in another folder
        for part in ("objects", "refs/heads"):
            (folder / part).mkdir(parents=True)
        (folder / "HEAD").write_text(f"ref: refs/heads/{branch}\n")
        sha256 = len(commit) == 64
        extension = "[extensions]\n\tobjectformat = sha256\n" if sha256 else ""
        (folder / "config").write_text(f"[core]\n\trepositoryformatversion = {int(sha256)}\n\tbare = true\n{extension}")
        yield folder
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)


def _environment(folder: Path, url: str, token: str) -> dict[str, str]:
    """All that git gets to know: nothing of this machine's configuration, and the token for one host."""
    parts = urlsplit(url)
    settings = dict(_SETTINGS)
    if token:
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        settings[f"http.{parts.scheme}://{parts.netloc}/.extraHeader"] = f"Authorization: Basic {basic}"
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    numbered = {
        name: text
        for number, (key, value) in enumerate(settings.items())
        for name, text in ((f"GIT_CONFIG_KEY_{number}", key), (f"GIT_CONFIG_VALUE_{number}", value))
    }
    return {
        **passed,
        "HOME": str(folder),
        "LC_ALL": "C",
        "GIT_DIR": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": parts.scheme or "none",
        "GIT_ASKPASS": "true",  # answers every question with nothing
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_CONFIG_COUNT": str(len(settings)),
        **numbered,
    }


def _run(
    command: list[str],
    folder: Path,
    environment: Mapping[str, str],
    limits: Limits,
    *,
    given: Path | None = None,
    output: Path | None = None,
) -> None:
    """Run git to its end, or end it with all its children when it goes over a limit."""
    with (
        open(given or os.devnull, "rb") as stdin,
        open(output or os.devnull, "wb") as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        try:
            process = subprocess.Popen(
                command, cwd=folder, env=dict(environment), stdin=stdin, stdout=stdout, stderr=stderr,
                start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError:
            raise CloneError("git is not installed here; install it to collect repositories") from None
        try:
            too_much = _watch(process, folder, limits)
        finally:
            _end(process)
        if too_much:
            raise TooLargeError(f"{too_much}; ask for a repository without data and results")
        if process.returncode:
            stderr.seek(0)
            raise CloneError(f"git {command[1]} failed: {_last_line(stderr.read(10_000))}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of it goes on, its children included where the system has groups of processes."""
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses to end what has ended
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _watch(process: subprocess.Popen[bytes], folder: Path, limits: Limits) -> str:
    """Which limit the process went over; empty where it ended within both."""
    end = time.monotonic() + limits.seconds
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_LOOK_EVERY)
            break
        if time.monotonic() > end:
            return f"the repository took more than {limits.seconds:.0f} s to fetch"
        if _size(folder) > limits.bytes:
            break
    return f"the repository has more than {limits.bytes // 1024**2} MiB" if _size(folder) > limits.bytes else ""


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # git renames while we look
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


def _last_line(text: bytes) -> str:
    lines = [line for line in text.decode("utf-8", "replace").splitlines() if line.strip()]
    shown = "".join(character if character.isprintable() else "?" for character in (lines or ["no reason given"])[-1])
    return shown[:200]
