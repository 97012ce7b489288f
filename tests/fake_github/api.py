"""The operations of the REST API that the fake knows; the official schema makes and checks questions and answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fake_github.host import Host, Repository
from tests.fake_github.schema import answer, check

APP = 7
"""The id of the App that creates check runs here."""


@dataclass
class Answer:
    """Status, body and headers of one answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Any, status: int = 200) -> Answer:
        return cls(status, json.dumps(data).encode(), {"Content-Type": "application/json; charset=utf-8"})


@dataclass(frozen=True)
class Call:
    """One request: where, the parts of its path, its query, its body."""

    host: Host
    repository: Repository
    part: str
    query: dict[str, str]
    given: dict[str, Any]


def answer_to(host: Host, method: str, path: str, query: dict[str, str], given: dict[str, Any]) -> Answer:
    """What GitHub would answer; 404 for what the fake does not know."""
    if path == "/user":
        return Answer.of(answer("private-user", login=host.login))
    if found := re.fullmatch(r"/orgs/([^/]+)/repos", path):
        mine = [one for one in host.repositories.values() if one.full_name.startswith(f"{found[1]}/")]
        return Answer.of([_repository(one, "minimal-repository") for one in mine])
    found = re.fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", path)
    if found is None:
        return _missing()
    rest = found[2] or ""
    if new := host.renamed.get(found[1].lower()):
        return Answer(301, b'{"message": "Moved Permanently"}', {"Location": f"{host.api_url}/repos/{new}{rest}"})
    repository = host.repositories.get(found[1].lower())
    for (verb, pattern), operation in _OPERATIONS.items():
        matched = re.fullmatch(pattern, rest)
        if verb == method and matched and repository is not None:
            return operation(Call(host, repository, "".join(matched.groups()), query, given))
    return _missing()


def user(login: str) -> dict[str, Any]:
    """An account; its name tells whether it is a bot's."""
    return answer("simple-user", login=login, type="Bot" if login.endswith("[bot]") else "User")


def add_issue(
    host: Host, repository: Repository, title: str, body: str, login: str, *, is_pull: bool = False
) -> dict[str, Any]:
    """An issue or a pull request, by anyone."""
    number = next(host.numbers)
    url = f"{host.url}/{repository.full_name}/issues/{number}"
    pull = {"pull_request": {"diff_url": None, "html_url": None, "patch_url": None, "url": None}} if is_pull else {}
    made = answer("issue", number=number, title=title, body=body, user=user(login), html_url=url, **pull)
    repository.issues.append(made)
    repository.replies[number] = []
    return made


def _missing() -> Answer:
    return Answer.of(answer("basic-error", message="Not Found"), 404)


def _repository(repository: Repository, schema: str) -> dict[str, Any]:
    owner, name = repository.full_name.split("/")
    return answer(schema, full_name=repository.full_name, name=name, owner=user(owner), private=repository.private)


def _show(call: Call) -> Answer:
    return Answer.of(_repository(call.repository, "full-repository"))


def _activity(call: Call) -> Answer:
    ref = call.query.get("ref", "")
    wanted = [one for one in call.repository.activity if one["ref"] in (ref, f"refs/heads/{ref}")]
    newest_first = sorted(wanted, key=lambda one: (one["timestamp"], one["id"]), reverse=True)
    return Answer.of(
        [answer("activity", **{**one, "actor": one["actor"] and user(one["actor"])}) for one in newest_first]
    )


def _commit_comments(call: Call) -> Answer:
    return Answer.of([one for one in call.repository.comments if one["commit_id"] == call.part])


def _create_commit_comment(call: Call) -> Answer:
    check("create-commit-comment", call.given)
    number = next(call.host.numbers)
    url = f"{call.host.url}/{call.repository.full_name}/commit/{call.part}#commitcomment-{number}"
    who, body = user(call.host.login), call.given["body"]
    made = answer("commit-comment", id=number, html_url=url, commit_id=call.part, body=body, user=who)
    call.repository.comments.append(made)
    return Answer.of(made, 201)


def _update_commit_comment(call: Call) -> Answer:
    check("create-commit-comment", call.given)
    return _updated(call.repository.comments, call)


def _statuses(call: Call) -> Answer:
    return Answer.of(call.repository.statuses[::-1])


def _create_status(call: Call) -> Answer:
    check("create-status", call.given)
    if len(call.given["description"]) > 140:
        return Answer.of({"message": "Validation Failed"}, 422)
    made = answer("status", id=next(call.host.numbers), creator=user(call.host.login), **call.given)
    call.repository.statuses.append(made)
    return Answer.of(made, 201)


def _pulls(call: Call) -> Answer:
    pulls = [one for one in call.repository.issues if "pull_request" in one]
    keys = ("number", "title", "user", "body", "html_url")
    return Answer.of([answer("pull-request-simple", **{key: one[key] for key in keys}) for one in pulls])


def _issues(call: Call) -> Answer:
    return Answer.of(call.repository.issues)


def _create_issue(call: Call) -> Answer:
    check("create-issue", call.given)
    made = add_issue(call.host, call.repository, call.given["title"], call.given["body"], call.host.login)
    return Answer.of(made, 201)


def _update_issue(call: Call) -> Answer:
    check("update-issue", call.given)
    (issue,) = [one for one in call.repository.issues if one["number"] == int(call.part)]
    issue.update(call.given)
    return Answer.of(issue)


def _issue_comments(call: Call) -> Answer:
    return Answer.of(call.repository.replies[int(call.part)])


def _create_issue_comment(call: Call) -> Answer:
    check("create-issue-comment", call.given)
    number = next(call.host.numbers)
    url = f"{call.host.url}/{call.repository.full_name}/issues/{call.part}#issuecomment-{number}"
    made = answer("issue-comment", id=number, html_url=url, user=user(call.host.login), **call.given)
    call.repository.replies[int(call.part)].append(made)
    return Answer.of(made, 201)


def _update_issue_comment(call: Call) -> Answer:
    check("update-issue-comment", call.given)
    return _updated([one for replies in call.repository.replies.values() for one in replies], call)


def _check_runs(call: Call) -> Answer:
    runs = [one for one in call.repository.check_runs if one["head_sha"] == call.part]
    runs = [one for one in runs if one["name"] == call.query.get("check_name", one["name"])]
    return Answer.of({"total_count": len(runs), "check_runs": runs})


def _create_check_run(call: Call) -> Answer:
    check("create-check-run", call.given)
    number = next(call.host.numbers)
    app, output = answer("nullable-integration", id=APP), _output(call, number)
    made = answer("check-run", **{**call.given, "id": number, "app": app, "output": output})
    call.repository.check_runs.append(made)
    return Answer.of(made, 201)


def _update_check_run(call: Call) -> Answer:
    check("update-check-run", call.given)
    call.given["output"] = _output(call, int(call.part))
    return _updated(call.repository.check_runs, call)


def _annotations(call: Call) -> Answer:
    return Answer.of(call.repository.annotations[int(call.part)])


def _output(call: Call, number: int) -> dict[str, Any]:
    """The output of a check run; annotations are added to those that it has."""
    given = dict(call.given["output"])
    there = call.repository.annotations.setdefault(number, [])
    there += [answer("check-annotation", **one) for one in given.pop("annotations", [])]
    return {**answer("check-run")["output"], **given, "annotations_count": len(there)}


def _updated(items: list[dict[str, Any]], call: Call) -> Answer:
    (item,) = [one for one in items if one["id"] == int(call.part)]
    item.update(call.given)
    return Answer.of(item)


_OPERATIONS: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("GET", ""): _show,
    ("GET", "/activity"): _activity,
    ("GET", r"/commits/(\w+)/comments"): _commit_comments,
    ("POST", r"/commits/(\w+)/comments"): _create_commit_comment,
    ("PATCH", r"/comments/(\d+)"): _update_commit_comment,
    ("GET", r"/commits/(\w+)/statuses"): _statuses,
    ("POST", r"/statuses/(\w+)"): _create_status,
    ("GET", "/pulls"): _pulls,
    ("GET", "/issues"): _issues,
    ("POST", "/issues"): _create_issue,
    ("PATCH", r"/issues/(\d+)"): _update_issue,
    ("GET", r"/issues/(\d+)/comments"): _issue_comments,
    ("POST", r"/issues/(\d+)/comments"): _create_issue_comment,
    ("PATCH", r"/issues/comments/(\d+)"): _update_issue_comment,
    ("GET", r"/commits/(\w+)/check-runs"): _check_runs,
    ("POST", "/check-runs"): _create_check_run,
    ("PATCH", r"/check-runs/(\d+)"): _update_check_run,
    ("GET", r"/check-runs/(\d+)/annotations"): _annotations,
}
