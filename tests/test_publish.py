"""Publishing: the right report in the right place, once, and nothing that a student may not see."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.collect import Collected, Record
from grader.github.client import Client
from grader.github.posting import Author, Target
from grader.publish import Options, Posted, make_post, publish
from grader.result import Evidence, RuleResult
from tests.fake_github import Fault, Host, Repository, serve
from tests.fake_github.api import APP, add_issue
from tests.fake_github.host import TOKEN
from tests.sample_result import result

BOT = Author("course-bot", APP)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with serve(tmp_path / "host") as running:
        yield running


@pytest.fixture
def repository(host: Host) -> Repository:
    made = host.create("course/vae-ada")
    made.push("2027-01-01T00:00:00Z", {"a.py": ""})
    add_issue(host, made, "Feedback", "", "github-classroom[bot]", is_pull=True)
    return made


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def post(host: Host, repository: Repository, naps: list[float]) -> Callable[..., Posted]:
    now = [0.0]

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        now[0] += seconds

    client = Client(host.api_url, TOKEN, sleep=sleep, clock=lambda: now[0])
    place = Collected(
        name="ada", asked="course/vae-ada", repository="course/vae-ada", state="collected", commit=repository.tip()
    )

    def run(target: Target = Target.comment, score: str = "12.35", *, send: bool = True, **more: Any) -> Posted:
        options = Options(target, send=send, public=more.pop("public", False))
        record = Record(branch="main", submissions=(place,))
        (posted,) = publish(client, [result(score=score, **more)], record, BOT, options)
        return posted

    return run


def standing(repository: Repository, target: Target) -> list[str]:
    """All texts of the report that stand in a place."""
    texts = {
        Target.comment: [one["body"] for one in repository.comments],
        Target.pull: [one["body"] for replies in repository.replies.values() for one in replies],
        Target.issue: [one["body"] for one in repository.issues],
        Target.check: [one["output"]["summary"] for one in repository.check_runs],
    }[target]
    return [text for text in texts if text and "gapgrade:report" in text]


@pytest.mark.parametrize("target", list(Target))
def test_a_report_is_posted_once_then_updated_and_never_twice(
    target: Target, post: Callable[..., Posted], repository: Repository, host: Host
) -> None:
    assert post(target, send=False).action == "new"
    assert standing(repository, target) == []
    assert post(target).action == "new"
    host.requests.clear()
    assert post(target).action == "same"
    assert host.count("POST|PATCH") == 0
    planned = post(target, "13.5", send=False)
    assert planned.action == "changed"
    assert "-# The VAE: 12.35 / 16 points\n+# The VAE: 13.5 / 16 points" in planned.diff
    assert post(target, "13.5").action == "changed"
    (text,) = standing(repository, target)
    assert "13.5 / 16" in text
    assert "A hint" in text
    assert "SECRET" not in text


def test_the_commits_status_says_the_score_and_leads_to_the_report(
    post: Callable[..., Posted], repository: Repository
) -> None:
    url = post().url
    (status,) = repository.statuses
    assert (status["state"], status["description"]) == ("success", "12.35 / 16 points")
    assert (status["target_url"], status["context"]) == (url, "gapgrade/vae")
    post(score="1", passed=False, pending=Decimal(3))
    assert [one["state"] for one in repository.statuses] == ["success", "pending"]


@pytest.mark.parametrize("target", [Target.comment, Target.pull, Target.issue])
def test_a_students_copy_of_our_marker_is_not_taken_for_ours(
    target: Target, post: Callable[..., Posted], repository: Repository, host: Host
) -> None:
    host.login = "ada"
    post(target, "16")
    forged = standing(repository, target)
    host.login = "course-bot"
    assert post(target, "3").action == "new"
    assert standing(repository, target)[: len(forged)] == forged
    assert len(standing(repository, target)) == 2


def test_a_check_run_points_at_lines_each_once(post: Callable[..., Posted], repository: Repository) -> None:
    def rule(*lines: int, cost: int = 0) -> RuleResult:
        evidence = (Evidence(text="the whole file"), *(Evidence(text="edited", file="lib/a.py", line=n) for n in lines))
        return RuleResult(id="gaps" if cost else "noted", deduction=Decimal(cost), message="m", evidence=evidence)

    (task,) = result().tasks
    style = task.model_copy(update={"evidence": (Evidence(text="E501", file="lib/a.py", line=9),)})
    post(Target.check, rules=(rule(3), rule(4, cost=1)), tasks=(style,))
    post(Target.check, "3", rules=(rule(4, cost=1), rule(3, 7)))
    (at_lines,) = repository.annotations.values()
    assert [(one["start_line"], one["annotation_level"], one["title"]) for one in at_lines] == [
        (4, "warning", "gaps"),
        (9, "warning", "1.1 The VAE"),
        (3, "notice", "noted"),
        (7, "notice", "noted"),
    ]
    post(Target.check, "2", rules=(rule(*range(1, 99)),))
    assert len(at_lines) == 4 + 50


def test_a_check_run_of_another_app_is_left_alone(post: Callable[..., Posted], repository: Repository) -> None:
    post(Target.check, "16")
    repository.check_runs[0]["app"]["id"] = APP + 1
    assert post(Target.check, "3").action == "new"
    assert len(repository.check_runs) == 2


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_lost_answer_is_looked_up_and_not_sent_again(
    carried_out: bool, post: Callable[..., Posted], repository: Repository, host: Host
) -> None:
    host.faults.append(Fault("POST .*/comments", 502, before=not carried_out))
    post()
    assert len(standing(repository, Target.comment)) == 1


def test_a_limit_is_waited_for_and_then_the_report_is_posted(
    post: Callable[..., Posted], naps: list[float], host: Host
) -> None:
    host.faults.append(Fault("POST .*/comments", 403, {"Retry-After": "30"}))
    assert post().action == "new"
    assert naps == [31]


def test_writes_keep_to_eighty_a_minute(host: Host, repository: Repository) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    client = Client(host.api_url, TOKEN, sleep=sleep, clock=lambda: now[0])
    path = f"/repos/course/vae-ada/issues/{repository.issues[0]['number']}/comments"
    times = []
    for _ in range(81):
        client.write("POST", path, {"body": "x"})
        times.append(now[0])
    assert (times[79], times[80]) == (0, 60)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"advisory": True}, "without a wall"), ({"submission": "mallory"}, "was not collected")],
)
def test_what_should_not_be_posted_is_not(
    changes: dict[str, Any], reason: str, post: Callable[..., Posted], host: Host
) -> None:
    posted = post(**changes)
    assert (posted.action, reason in posted.diff) == ("failed", True)
    assert host.count("POST|PATCH") == 0


def test_grades_are_not_posted_where_everyone_can_read_them(
    post: Callable[..., Posted], repository: Repository
) -> None:
    repository.private = False
    assert "can be read by everyone" in post().diff
    assert post(public=True).action == "new"


def test_a_repository_that_was_renamed_since_gets_its_report(host: Host, post: Callable[..., Posted]) -> None:
    host.rename("course/vae-ada", "course/portfolio")
    assert post().where.startswith("course/portfolio")


def test_a_long_report_is_cut_to_what_github_takes() -> None:
    evidence = tuple(Evidence(text="x" * 190) for _ in range(50))
    rules = tuple(RuleResult(id=f"r{n}", deduction=Decimal(0), message="m", evidence=evidence) for n in range(50))
    text = make_post(result(rules=rules), "course/vae-ada", "0" * 40).text
    assert len(text) < 65_000
    assert "left out" in text


def test_nothing_that_publish_shows_begins_as_a_command_to_the_runner(
    post: Callable[..., Posted], repository: Repository, host: Host, tmp_path: Path
) -> None:
    hostile = "::error::x\n  ::stop-commands::y\n##[add-mask]z"
    post(edits={"a.py": hostile})
    folder, file = tmp_path / "collected", tmp_path / "result.json"
    folder.mkdir()
    place = Collected(name="ada", asked="x", repository="course/vae-ada", state="collected", commit=repository.tip())
    (folder / "collect.json").write_text(Record(branch="main", submissions=(place,)).model_dump_json(by_alias=True))
    file.write_text(result(edits={"a.py": f"{hostile}\nmore"}).to_json())
    command = [sys.executable, "-m", "grader", "publish", str(file), "--collected", str(folder), "--api-url"]
    environment = {**os.environ, "GITHUB_TOKEN": TOKEN}
    done = subprocess.run([*command, host.api_url], capture_output=True, text=True, env=environment, check=True)
    assert "add-mask]z" in done.stdout  # the lines around a change are shown as they stand
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in done.stdout.splitlines())


def test_the_command_only_plans_unless_told_to_send(host: Host, repository: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "collected"
    folder.mkdir()
    place = Collected(
        name="ada", asked="course/vae-ada", repository="course/vae-ada", state="collected", commit=repository.tip()
    )
    (folder / "collect.json").write_text(Record(branch="main", submissions=(place,)).model_dump_json(by_alias=True))
    file = tmp_path / "result.json"
    file.write_text(result().to_json())
    command = [sys.executable, "-m", "grader", "publish", str(file), "--collected", str(folder)]
    environment = {**os.environ, "GITHUB_TOKEN": TOKEN}
    for options, said, posts in (([], "nothing was written; add --send", 0), (["--send"], "1 posted", 1)):
        done = subprocess.run(
            [*command, "--api-url", host.api_url, *options],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
        assert len(repository.comments) == posts
        assert TOKEN not in done.stdout + done.stderr
