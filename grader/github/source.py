"""GitHub as a source of submissions."""

from __future__ import annotations

from pathlib import Path

from grader.collect import Found
from grader.github.activity import find_repository, read_pushes
from grader.github.client import Client, MissingError
from grader.github.clone import Limits, fetch_commit, remote_tip


class GitHubSource:
    """Looks repositories up, reads their logs, and fetches commits by their recorded ids."""

    def __init__(self, client: Client, limits: Limits) -> None:
        self._client, self._limits = client, limits

    def find(self, repository: str, branch: str) -> Found:
        """A renamed repository is found under its new name. Raises `MissingError`."""
        name = find_repository(self._client, repository).full_name
        try:
            return Found(name, read_pushes(self._client, name, branch))
        except MissingError:  # a repository without any commit has no log
            return Found(name, [])

    def tip(self, repository: str, branch: str) -> str | None:
        return remote_tip(self._url(repository), self._client.token, branch, self._limits)

    def fetch(self, repository: str, commit: str, branch: str, target: Path) -> None:
        fetch_commit(self._url(repository), self._client.token, commit, branch, target, self._limits)

    def _url(self, repository: str) -> str:
        return f"{self._client.web_url}/{repository}.git"
