"""Bare repositories on this machine as a source of submissions; their reflogs are the log of pushes.

The server that received a push wrote the reflog with its own clock (`core.logAllRefUpdates` must be on, as
`git config --system core.logAllRefUpdates true` sets it). Only objects, refs and reflogs are read, as files.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.collect import CollectError, Found
from grader.github.clone import Limits, copy_commit, tip
from grader.intake import IntakeError
from grader.intake.folder import read_regular
from grader.intake.git import git_directory

MAX_REFLOG_BYTES = 8 * 1024**2
_LINE = re.compile(
    r"(?P<before>[0-9a-f]{40,64}) (?P<after>[0-9a-f]{40,64}) (?P<name>.*) <[^<>]*> (?P<at>\d+) [+-]\d{4}"
)


class FolderSource:
    """A folder of bare repositories, `NAME` or `NAME.git`."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits

    def find(self, repository: str, branch: str) -> Found:
        """Raises `LookupError` where there is no such repository."""
        log = self._path(repository) / "logs" / "refs" / "heads" / branch
        try:
            data = read_regular(str(log), MAX_REFLOG_BYTES)
        except OSError:
            return Found(repository, [])
        if len(data) > MAX_REFLOG_BYTES:
            raise CollectError(f"{log} is larger than {MAX_REFLOG_BYTES // 1024**2} MiB; look at it by hand")
        return Found(repository, read_reflog(data.decode("utf-8", "replace"), branch))

    def tip(self, repository: str, branch: str) -> str | None:
        try:
            return tip(self._path(repository), branch)
        except IntakeError:
            return None

    def fetch(self, repository: str, commit: str, branch: str, target: Path) -> None:
        copy_commit(self._path(repository), commit, branch, target, self._limits)

    def _path(self, repository: str) -> Path:
        for path in (self._folder / repository, self._folder / f"{repository}.git"):
            found = git_directory(path)
            if found is not None:
                return found
        raise LookupError(f"there is no repository {repository!r} in {self._folder}")


def read_reflog(text: str, branch: str) -> list[dict[str, Any]]:
    """A reflog's lines as items of an activity log; a line that is none is left out, which shows as a hole."""
    matches = [(number, _LINE.match(line)) for number, line in enumerate(text.splitlines(), 1)]
    return [_item(number, match, branch) for number, match in matches if match]


def _item(number: int, match: re.Match[str], branch: str) -> dict[str, Any]:
    before, after = match["before"], match["after"]
    kind = "branch_creation" if set(before) == {"0"} else "branch_deletion" if set(after) == {"0"} else "push"
    return {
        "id": number,
        "node_id": "",
        "before": before,
        "after": after,
        "ref": f"refs/heads/{branch}",
        "timestamp": datetime.fromtimestamp(int(match["at"]), UTC).isoformat(),
        "activity_type": kind,
        "actor": {"login": match["name"], "type": "User"} if match["name"] else None,
    }
