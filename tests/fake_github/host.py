"""What the fake GitHub holds: repositories with real git behind them, their log, what was posted, faults to come."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

TOKEN = "ghs_a-token-that-must-not-be-seen"
NOWHERE = "0" * 40


@dataclass
class Fault:
    """What happens to the next `times` requests whose method and path match, instead of the right answer.

    Attributes:
        cut: send the right status and length, and half of the body.
        before: whether the request is not carried out at all.
    """

    match: str
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"message": "broken on purpose"}'
    times: int = 1
    cut: bool = False
    before: bool = True


class Repository:
    """A bare repository, and the host's log of what was pushed to it."""

    def __init__(self, path: Path, full_name: str, numbers: itertools.count[int]) -> None:
        self.path, self.full_name, self.private = path, full_name, True
        self.activity: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.replies: dict[int, list[dict[str, Any]]] = {}
        self.check_runs: list[dict[str, Any]] = []
        self.annotations: dict[int, list[dict[str, Any]]] = {}
        self._numbers = numbers
        git(path.parent, "init", "--quiet", "--bare", "--initial-branch=main", str(path))
        for setting in ("uploadpack.allowAnySHA1InWant", "core.logAllRefUpdates"):
            git(path, "config", setting, "true")

    def push(
        self, at: str, files: dict[str, str], *, kind: str = "", actor: str | None = "ada", branch: str = "main"
    ) -> str:
        """Commit files and push them at a moment of the server's clock; the commit's own date is always forged."""
        before = self.tip(branch)
        kind = kind or ("branch_creation" if before == NOWHERE else "push")
        after = self._commit(files, branch, new_history=kind == "force_push" or before == NOWHERE)
        self.log(at, before, after, kind, actor, branch)
        return after

    def log(self, at: str, before: str, after: str, kind: str, actor: str | None = "ada", branch: str = "main") -> None:
        """An entry of the host's log."""
        entry = {"id": next(self._numbers), "before": before, "after": after, "timestamp": at, "activity_type": kind}
        self.activity.append({**entry, "ref": f"refs/heads/{branch}", "actor": actor})

    def tip(self, branch: str = "main") -> str:
        shown = git(self.path, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        return shown.strip() or NOWHERE

    def _commit(self, files: dict[str, str], branch: str, *, new_history: bool) -> str:
        forged = int(datetime.fromisoformat("2001-01-01T00:00:00+00:00").timestamp()) + next(self._numbers)
        lines = [f"commit refs/heads/{branch}", f"committer Ada <ada@example.org> {forged} +0000", "data 4", "work"]
        lines += [] if new_history else [f"from refs/heads/{branch}^0"]
        for path, text in files.items():
            lines += [f"M 100644 inline {path}", f"data {len(text.encode())}", text]
        git(self.path, "fast-import", "--quiet", "--force", given="\n".join([*lines, ""]))
        return self.tip(branch)


class Host:
    """Everything the server answers from. `url` is set once it serves.

    `carried_out` hears of each request when it is done and its answer is not yet on its way.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, ""
        self.repositories: dict[str, Repository] = {}
        self.renamed: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.carried_out: Callable[[str, str], None] = lambda method, path: None
        self.complaints: list[str] = []
        self.page_size = 100
        self.login = "course-bot"
        self.numbers = itertools.count(1)

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/v3"

    def create(self, full_name: str) -> Repository:
        path = self.folder / f"{full_name}.git"
        path.parent.mkdir(parents=True, exist_ok=True)
        made = self.repositories[full_name.lower()] = Repository(path, full_name, self.numbers)
        return made

    def rename(self, old: str, new: str) -> None:
        """The old name leads to the new one from now on, in the API and for git."""
        repository = self.repositories.pop(old.lower())
        path = self.folder / f"{new}.git"
        repository.path.rename(path)
        repository.path, repository.full_name = path, new
        self.repositories[new.lower()] = repository
        self.renamed[old.lower()] = new

    def fault(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets; used up."""
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.match, f"{method} {path}"):
                fault.times -= 1
                return fault
        return None

    def count(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, " ".join(request))) for request in self.requests)


def git(folder: Path, *arguments: str, given: str = "") -> str:
    """Run git on a repository of a test; returns what it prints."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
