"""Where a report can stand at GitHub: found again by a hidden marker and its author, created or updated.

A student may write anything into their own repository, our marker too: what others wrote is never taken for ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from grader.github.client import Client, HostError

FEEDBACK = "Feedback"  # the pull request that Classroom opened, and its successors open
CHECK = "Gapgrade"
MOST_CHARACTERS = 60_000  # GitHub takes 65,536 for a comment, 65,535 for a check run
MOST_DESCRIPTION = 140
MOST_ANNOTATIONS = 50  # of one request


class Target(StrEnum):
    """Where a report goes."""

    comment = "comment"
    pull = "pull"
    issue = "issue"
    check = "check"


@dataclass(frozen=True)
class Author:
    """Who posts: the account of the token, and the App's id where check runs are written."""

    login: str
    app_id: int | None = None


@dataclass(frozen=True)
class Note:
    """A sentence at one line of a file."""

    file: str
    line: int
    message: str
    title: str
    costs: bool


@dataclass(frozen=True)
class Post:
    """What is to stand in one place.

    Attributes:
        text: begins with the marker.
        short: the score in one phrase.
        passed: None where that waits for points that a person has to give.
        notes: what is said at lines of the commit's files, where the place has room for it.
    """

    repository: str
    commit: str
    title: str
    short: str
    text: str
    marker: str
    passed: bool | None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Spot:
    """A place: what stands there now, and how to write it.

    Attributes:
        before: the text that is there; None where it would be new.
        url: where it can be read, once it is there.
        body: the request's body for a text.
    """

    where: str
    before: str | None
    url: str
    method: str
    path: str
    body: Callable[[str], dict[str, Any]]


def who_am_i(client: Client, login: str, app_id: int | None) -> Author:
    """The account that posts. An App's token knows no account: its `NAME[bot]` must be given."""
    if login:
        return Author(login, app_id)
    try:
        return Author(str(client.get("/user")["login"]), app_id)
    except HostError as error:
        raise HostError(f"whose token this is cannot be told ({error}); give --login 'NAME[bot]' for an App") from None


def find_spot(client: Client, target: Target, post: Post, author: Author) -> Spot:
    """Where the report stands, or would stand. Raises `HostError` where there is no such place."""
    return _FINDERS[target](client, post, author)


def write_spot(client: Client, spot: Spot, text: str) -> str:
    """Create or update; returns the address to read it at."""
    made = client.write(spot.method, spot.path, spot.body(text))
    return str(made.get("html_url") or "")


def write_status(client: Client, post: Post, context: str, url: str, author: Author) -> None:
    """Set the commit's status where it is not set so already."""
    wanted = {
        "state": {True: "success", False: "failure", None: "pending"}[post.passed],
        "description": post.short[:MOST_DESCRIPTION],
        "context": context,
        "target_url": url or None,
    }
    statuses = client.pages(f"/repos/{post.repository}/commits/{post.commit}/statuses")
    latest = next((one for one in statuses if one["context"] == context), None)
    same = latest is not None and all(latest[key] == value for key, value in wanted.items())
    if not (same and latest is not None and _is_by(latest.get("creator"), author)):
        body = {key: value for key, value in wanted.items() if value is not None}
        client.write("POST", f"/repos/{post.repository}/statuses/{post.commit}", body)


def _commit_comment(client: Client, post: Post, author: Author) -> Spot:
    path = f"/repos/{post.repository}/commits/{post.commit}/comments"
    ours = _ours(client.pages(path), post.marker, author)
    update = f"/repos/{post.repository}/comments/{ours['id']}" if ours else ""
    return _spot(f"a comment on the commit {post.commit[:10]}", ours, path, update)


def _pull_comment(client: Client, post: Post, author: Author) -> Spot:
    pulls = client.pages(f"/repos/{post.repository}/pulls", state="all")
    number = next((one["number"] for one in pulls if one["title"].strip().lower() == FEEDBACK.lower()), None)
    if number is None:
        raise HostError(f"{post.repository} has no pull request titled {FEEDBACK!r}; post with --to comment or issue")
    path = f"/repos/{post.repository}/issues/{number}/comments"
    ours = _ours(client.pages(path), post.marker, author)
    update = f"/repos/{post.repository}/issues/comments/{ours['id']}" if ours else ""
    return _spot(f"a comment on the pull request #{number}", ours, path, update)


def _issue(client: Client, post: Post, author: Author) -> Spot:
    path = f"/repos/{post.repository}/issues"
    issues = (one for one in client.pages(path, state="all", creator=author.login) if "pull_request" not in one)
    ours = _ours(issues, post.marker, author)
    if ours is None:
        return Spot("an issue", None, "", "POST", path, lambda text: {"title": post.title, "body": text})
    update = f"{path}/{ours['number']}"
    where, there, url = f"the issue #{ours['number']}", ours["body"] or "", str(ours["html_url"])
    return Spot(where, there, url, "PATCH", update, lambda text: {"title": post.title, "body": text})


def _check_run(client: Client, post: Post, author: Author) -> Spot:
    if author.app_id is None:
        raise HostError("check runs are written by Apps alone; give --app-id and the App's token")
    path = f"/repos/{post.repository}/commits/{post.commit}/check-runs"
    runs = client.get(path, check_name=CHECK, filter="all", app_id=author.app_id, per_page=100)["check_runs"]
    ours = next((one for one in runs if one["external_id"] == post.marker and _has_app(one, author)), None)

    there = _annotated(client, f"/repos/{post.repository}/check-runs/{ours['id']}/annotations") if ours else set()
    new = [one for note in post.notes if _key(one := _annotation(note)) not in there]

    def body(text: str) -> dict[str, Any]:
        conclusion = {True: "success", False: "failure", None: "neutral"}[post.passed]
        output = {"title": post.title, "summary": text, "annotations": new[:MOST_ANNOTATIONS]}
        made = {"name": CHECK, "status": "completed", "conclusion": conclusion, "external_id": post.marker}
        return {**made, "output": output} | ({} if ours else {"head_sha": post.commit})

    where, path = f"a check run on the commit {post.commit[:10]}", f"/repos/{post.repository}/check-runs"
    if ours is None:
        return Spot(where, None, "", "POST", path, body)
    before, url = ours["output"]["summary"] or "", ours["html_url"] or ""
    return Spot(where, before, url, "PATCH", f"{path}/{ours['id']}", body)


def _annotated(client: Client, path: str) -> set[tuple[Any, ...]]:
    """What stands at lines already: an update adds to it, and nothing takes it away."""
    return {_key(one) for one in client.pages(path)}


def _annotation(note: Note) -> dict[str, Any]:
    place = {"path": note.file, "start_line": note.line, "end_line": note.line}
    level = "warning" if note.costs else "notice"
    return {**place, "annotation_level": level, "message": note.message, "title": note.title}


def _key(annotation: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(annotation[name] for name in ("path", "start_line", "message"))


_FINDERS: dict[Target, Callable[[Client, Post, Author], Spot]] = {
    Target.comment: _commit_comment,
    Target.pull: _pull_comment,
    Target.issue: _issue,
    Target.check: _check_run,
}


def _spot(where: str, ours: dict[str, Any] | None, create: str, update: str) -> Spot:
    if ours is None:
        return Spot(where, None, "", "POST", create, lambda text: {"body": text})
    return Spot(where, ours["body"] or "", str(ours["html_url"]), "PATCH", update, lambda text: {"body": text})


def _ours(items: Iterable[dict[str, Any]], marker: str, author: Author) -> dict[str, Any] | None:
    """The first item that begins with the marker and that we wrote."""
    found = (one for one in items if (one.get("body") or "").startswith(marker) and _is_by(one.get("user"), author))
    return next(found, None)


def _is_by(user: dict[str, Any] | None, author: Author) -> bool:
    return user is not None and str(user.get("login", "")).lower() == author.login.lower()


def _has_app(run: dict[str, Any], author: Author) -> bool:
    return run["app"] is not None and run["app"]["id"] == author.app_id
