"""The log of pushes to one branch, and the repositories of an organisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grader.github.client import Client, HostError


@dataclass(frozen=True)
class Repository:
    """A repository as the host knows it now.

    Attributes:
        full_name: `owner/name`; after a renaming not the name that was asked for.
    """

    full_name: str
    private: bool
    url: str


def find_repository(client: Client, full_name: str) -> Repository:
    """One repository; a renamed one is found under its new name. Raises `MissingError`."""
    return _parsed(client, client.get(f"/repos/{full_name}"))


def list_repositories(client: Client, organisation: str, prefix: str) -> Iterator[Repository]:
    """The repositories of an organisation whose names begin with the prefix, in lower or upper case."""
    for item in client.pages(f"/orgs/{organisation}/repos", type="all", sort="full_name"):
        repository = _parsed(client, item)
        if repository.full_name.partition("/")[2].lower().startswith(prefix.lower()):
            yield repository


def read_pushes(client: Client, full_name: str, branch: str) -> list[Any]:
    """The items of the log for one branch as the host gives them, the newest first (see `grader.pushes`)."""
    return [*client.pages(f"/repos/{full_name}/activity", ref=f"refs/heads/{branch}")]


def _parsed(client: Client, item: Any) -> Repository:
    try:
        full_name, private = item["full_name"], item["private"]
    except (KeyError, TypeError):
        raise HostError(f"{client.api_url} answered with no repository; check --api-url") from None
    return Repository(full_name, bool(private), f"{client.web_url}/{full_name}.git")
