"""GitHub as a source of submissions."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from grader.collect import Found
from grader.github.activity import find_repository, read_pushes
from grader.github.client import Client, MissingError
from grader.github.clone import CloneError, Limits, TooLargeError, fetch_commit, remote_tip

T = TypeVar("T")

TRIES = 3


class GitHubSource:
    """Looks repositories up, reads their logs, and fetches commits by their recorded ids."""

    def __init__(self, client: Client, limits: Limits, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client, self._limits, self._sleep = client, limits, sleep

    def find(self, repository: str, branch: str) -> Found:
        """A renamed repository is found under its new name. Raises `MissingError`."""
        name = find_repository(self._client, repository).full_name
        try:
            return Found(name, read_pushes(self._client, name, branch))
        except MissingError:  # a repository without any commit has no log
            return Found(name, [])

    def tip(self, repository: str, branch: str) -> str | None:
        return self._tried(repository, lambda url: remote_tip(url, self._client.token, branch, self._limits))

    def fetch(self, repository: str, commit: str, branch: str, target: Path) -> None:
        token = self._client.token
        self._tried(repository, lambda url: fetch_commit(url, token, commit, branch, target, self._limits))

    def _tried(self, repository: str, ask: Callable[[str], T]) -> T:
        """What git says, asked again where it fails: the host may be busy, or the repository renamed a moment ago.

        Git follows no redirection, which could lead the token elsewhere; the host's API tells the new name.
        """
        for count in range(TRIES - 1):
            try:
                return ask(self._url(repository))
            except TooLargeError:
                raise
            except CloneError:
                self._sleep(2.0**count)
                repository = find_repository(self._client, repository).full_name
        return ask(self._url(repository))

    def _url(self, repository: str) -> str:
        return f"{self._client.web_url}/{repository}.git"
