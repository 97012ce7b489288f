"""Collecting: what was pushed in time, from a GitHub of our own with real git behind it and faults on demand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from grader.collect import CollectError, Record, Wanted, collect, read_record
from grader.github.client import Client, HostError, web_url
from grader.github.clone import CloneError, Limits, copy_commit
from grader.github.source import GitHubSource
from grader.intake import take_in
from grader.pushes import count_pushes, read_activity
from grader.reflog import FolderSource
from tests.fake_github import Fault, Host, serve
from tests.fake_github.host import TOKEN, git

DUE = datetime.fromisoformat("2027-01-16T23:59:00+01:00")
BEFORE, AFTER = "2027-01-16T22:58:59Z", "2027-01-16T22:59:01Z"
LIMITS = Limits(bytes=20 * 1024**2, seconds=20)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with serve(tmp_path / "host") as running:
        yield running


@pytest.fixture
def naps() -> list[float]:
    """How long the client was told to wait; it does not."""
    return []


@pytest.fixture
def client(host: Host, naps: list[float]) -> Client:
    now = [0.0]

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        now[0] += seconds

    return Client(host.api_url, TOKEN, sleep=sleep, clock=lambda: now[0])


@pytest.fixture
def run(client: Client, naps: list[float], tmp_path: Path) -> Callable[..., Record]:
    def collect_them(*names: str, refresh: bool = False, limits: Limits = LIMITS) -> Record:
        wanted = [Wanted(name, f"course/vae-{name}", (name,), DUE, DUE) for name in names]
        source = GitHubSource(client, limits, sleep=naps.append)
        return collect(source, wanted, "main", tmp_path / "out", refresh=refresh)

    return collect_them


def one(record: Record) -> dict[str, object]:
    (submission,) = record.submissions
    return submission.model_dump()


def test_the_last_commit_that_was_pushed_in_time_is_fetched(
    host: Host, run: Callable[..., Record], tmp_path: Path
) -> None:
    repository = host.create("course/vae-ada")
    repository.push("2027-01-01T10:00:00Z", {"a.py": "x = 0\n"}, actor=None)
    in_time = repository.push(BEFORE, {"a.py": "x = 1\n"})
    repository.push(AFTER, {"a.py": "x = 2\n"})
    collected = one(run("ada"))
    assert (collected["commit"], collected["pushes"], collected["complete"]) == (in_time, 1, True)
    submission = take_in(tmp_path / "out" / "ada.git")
    assert (submission.name, submission.files, submission.commit) == ("ada", {"a.py": b"x = 1\n"}, in_time)
    assert git(tmp_path / "out" / "ada.git", "rev-list", "--count", "HEAD") == "1\n"
    saved = count_pushes(read_activity(tmp_path / "out" / "ada.activity.json"), "main", DUE)
    assert (saved.count, [push.after_due for push in saved.pushes]) == (1, [False, True])


def test_a_force_push_after_the_deadline_does_not_hide_what_was_handed_in(
    host: Host, run: Callable[..., Record]
) -> None:
    repository = host.create("course/vae-ada")
    handed_in = repository.push(BEFORE, {"a.py": "x = 1\n"})
    repository.push(AFTER, {"a.py": "better = True\n"}, kind="force_push")
    assert one(run("ada"))["commit"] == handed_in
    assert handed_in not in git(repository.path, "rev-list", "main")


def test_each_way_to_hand_in_nothing_has_its_own_word(host: Host, run: Callable[..., Record]) -> None:
    host.create("course/vae-empty")
    host.create("course/vae-late").push(AFTER, {"a.py": ""})
    deleted = host.create("course/vae-undone")
    tip = deleted.push("2027-01-02T00:00:00Z", {"a.py": ""})
    deleted.log(BEFORE, tip, "0" * 40, "branch_deletion")
    states = {item.name: item.state for item in run("empty", "late", "undone", "gone").submissions}
    assert states == {"empty": "empty", "late": "late", "undone": "late", "gone": "missing"}


def test_a_hole_in_the_log_is_told_and_an_empty_log_gives_the_tip(host: Host, run: Callable[..., Record]) -> None:
    holed = host.create("course/vae-holed")
    for day in (1, 2, 3):
        holed.push(f"2027-01-0{day}T00:00:00Z", {"a.py": f"{day}"})
    del holed.activity[1]
    old = host.create("course/vae-old")
    tip = old.push(BEFORE, {"a.py": ""})
    old.activity.clear()
    first, second = run("holed", "old").submissions
    assert (first.state, first.complete) == ("collected", False)
    assert "something is missing" in first.note
    assert (second.commit, second.complete) == (tip, False)
    assert "not known" in second.note


def test_a_renamed_repository_is_found_under_its_new_name(host: Host, run: Callable[..., Record]) -> None:
    host.create("course/vae-ada").push(BEFORE, {"a.py": ""})
    host.rename("course/vae-ada", "course/my-portfolio")
    collected = one(run("ada"))
    assert (collected["state"], collected["repository"]) == ("collected", "course/my-portfolio")


def test_a_repository_that_is_renamed_while_it_is_fetched_is_fetched_under_its_new_name(
    host: Host, run: Callable[..., Record], tmp_path: Path
) -> None:
    host.create("course/vae-ada").push(BEFORE, {"a.py": "x = 1\n"})

    def carried_out(method: str, path: str) -> None:
        if "/activity" in path:  # the host has answered for the old name
            host.rename("course/vae-ada", "course/my-portfolio")

    host.carried_out = carried_out
    assert one(run("ada"))["state"] == "collected"
    assert take_in(tmp_path / "out" / "ada.git").files == {"a.py": b"x = 1\n"}
    fetches = [path for _, path in host.requests if "info/refs" in path]
    assert [path.partition("/info")[0] for path in fetches] == ["/course/vae-ada.git", "/course/my-portfolio.git"]


def test_pushes_of_one_second_are_put_in_order_by_their_chain(host: Host, run: Callable[..., Record]) -> None:
    repository = host.create("course/vae-ada")
    for text in "abc":
        last = repository.push(BEFORE, {"a.py": text})
    repository.activity.reverse()
    for number, entry in enumerate(repository.activity):
        entry["id"] = number + 1
    assert one(run("ada"))["commit"] == last


def test_a_log_of_several_pages_is_read_to_its_end(host: Host, run: Callable[..., Record]) -> None:
    repository = host.create("course/vae-ada")
    for day in range(1, 8):
        repository.push(f"2027-01-0{day}T00:00:00Z", {"a.py": f"{day}"})
    host.page_size = 3
    collected = one(run("ada"))
    assert (collected["pushes"], collected["complete"]) == (6, True)
    assert host.count("GET .*/activity") == 3


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (Fault("/activity", 500, times=2), [1, 2]),
        (Fault("/activity", 502, body=b"<html>", times=1), [1]),
        (Fault("/activity", 403, {"Retry-After": "7"}), [8]),
        (Fault("/activity", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}), [1]),
        (Fault("/activity", 403, body=b'{"message": "You have exceeded a secondary rate limit"}', times=2), [61, 121]),
        (Fault("/activity", 429, body=b"{}"), [61]),
        (Fault("/activity", 200, cut=True), [1]),
        (Fault("/activity", 200, body=b'[{"id": 1, "no'), [1]),
        (Fault("git-upload-pack", 502, times=2), [1, 2]),
    ],
    ids=lambda value: f"{value.status}-{value.times}" if isinstance(value, Fault) else "",
)
def test_what_passes_is_waited_for_as_long_as_the_host_asks(
    fault: Fault, waits: list[int], host: Host, run: Callable[..., Record], naps: list[float]
) -> None:
    host.create("course/vae-ada").push(BEFORE, {"a.py": ""})
    host.faults.append(fault)
    assert one(run("ada"))["state"] == "collected"
    assert naps == waits


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("/activity", 403, times=99), "allowed to do"),
        (Fault("/activity", 401, times=99), "a token that is valid"),
        (Fault("/activity", 500, times=99), "the host answered 500"),
        (Fault("/activity", 403, {"Retry-After": "90000"}), "asks to wait 25 hours"),
        (Fault("git-upload-pack", 500, times=99), "git fetch failed"),
        (Fault("git-upload-pack", 200, cut=True, times=99), "git fetch failed"),
    ],
    ids=["forbidden", "bad-token", "down", "far-too-long", "git-down", "git-cut"],
)
def test_what_does_not_pass_fails_alone_and_the_next_run_goes_on(
    fault: Fault, reason: str, host: Host, run: Callable[..., Record], tmp_path: Path
) -> None:
    host.create("course/vae-ada").push(BEFORE, {"a.py": ""})
    host.create("course/vae-bob").push(BEFORE, {"a.py": ""})
    run("bob")
    host.faults.append(fault)
    ada, bob = run("ada", "bob").submissions
    assert (ada.state, bob.state) == ("failed", "collected")
    assert reason in ada.note
    assert TOKEN not in ada.note
    host.faults.clear()
    host.requests.clear()
    assert [item.state for item in run("ada", "bob").submissions] == ["collected", "collected"]
    assert host.count("vae-bob") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")) == []


def test_a_repository_beyond_the_byte_cap_leaves_nothing_behind(
    host: Host, run: Callable[..., Record], tmp_path: Path
) -> None:
    noise = "".join(f"{n * n * 7919 % 1_000_003:x}" for n in range(200_000))
    host.create("course/vae-ada").push(BEFORE, {"data.txt": noise})
    collected = one(run("ada", limits=Limits(bytes=100_000, seconds=20)))
    assert "MiB" in str(collected["note"])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["collect.json"]


def test_nothing_of_a_repository_runs_and_its_submodules_are_not_fetched(
    host: Host, run: Callable[..., Record], tmp_path: Path
) -> None:
    repository = host.create("course/vae-ada")
    modules = '[submodule "m"]\n\tpath = m\n\turl = ../course/vae-bob.git\n\tupdate = !touch ran\n'
    repository.push(BEFORE, {".gitmodules": modules, ".gitattributes": "* filter=lfs\n", ".lfsconfig": "[lfs]\n"})
    assert one(run("ada"))["state"] == "collected"
    clone = tmp_path / "out" / "ada.git"
    assert not (clone / "hooks").exists()
    assert "remote" not in (clone / "config").read_text()
    assert host.count("vae-bob") == 0


def test_a_later_deadline_is_fetched_anew(host: Host, client: Client, tmp_path: Path) -> None:
    repository = host.create("course/vae-ada")
    first, second = repository.push(BEFORE, {"a.py": "1"}), repository.push(AFTER, {"a.py": "2"})
    commits = []
    for due in (DUE, DUE.replace(day=20), DUE):
        wanted = [Wanted("ada", "course/vae-ada", (), due, due)]
        record = collect(GitHubSource(client, LIMITS), wanted, "main", tmp_path / "out")
        commits.append(record.submissions[0].commit)
    assert commits == [first, second, first]


def test_what_a_killed_run_was_fetching_is_removed_a_day_later(
    host: Host, run: Callable[..., Record], tmp_path: Path
) -> None:
    host.create("course/vae-ada").push(BEFORE, {"a.py": ""})
    old, new = tmp_path / "out" / ".fetching-old", tmp_path / "out" / ".fetching-new"
    for folder in (old, new):
        (folder / "ada.git").mkdir(parents=True)
    os.utime(old, (0, 0))
    run("ada")
    assert (old.exists(), new.exists()) == (False, True)


def test_what_lies_in_the_folder_is_what_is_recorded(
    host: Host, run: Callable[..., Record], client: Client, tmp_path: Path
) -> None:
    host.create("course/vae-ada").push(BEFORE, {"a.py": ""})
    host.create("course/vae-bob").push(BEFORE, {"a.py": ""})
    run("ada")
    run("bob")
    host.faults.append(Fault("git-upload-pack", 500, times=99))
    run("ada", refresh=True)
    record = {one.name: one.state for one in read_record(tmp_path / "out").submissions}
    assert record == {"ada": "failed", "bob": "collected"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "bob.activity.json",
        "bob.git",
        "collect.json",
    ]
    with pytest.raises(CollectError, match="pushed to main, not to dev"):
        collect(GitHubSource(client, LIMITS), [], "dev", tmp_path / "out")


def test_a_token_is_only_ever_sent_to_its_host_over_tls() -> None:
    assert web_url("https://api.github.com") == "https://github.com"
    assert web_url("https://git.example.org/api/v3") == "https://git.example.org"
    assert web_url("https://api.school.ghe.com") == "https://school.ghe.com"
    for address in ("http://git.example.org/api/v3", "ftp://x", "https://me:secret@git.example.org"):
        with pytest.raises(HostError) as error:
            web_url(address)
        assert "me:secret" not in str(error.value)


def test_the_next_page_of_another_host_is_not_asked_for(host: Host, client: Client) -> None:
    elsewhere = {"Link": '<http://127.0.0.1:9/steal>; rel="next"'}
    host.faults.append(Fault("/orgs/", 200, elsewhere, b"[]"))
    with pytest.raises(HostError, match="another host"):
        list(client.pages("/orgs/course/repos"))


def test_bare_repositories_on_this_machine_are_collected_by_their_reflogs(tmp_path: Path) -> None:
    server = Host(tmp_path / "host")
    repository = server.create("course/ada")
    repository.push(BEFORE, {"a.py": "1"})
    repository.push(BEFORE, {"a.py": "2"})
    log = repository.path / "logs" / "refs" / "heads" / "main"
    seconds = int(DUE.timestamp())
    lines = [
        re.sub(r"> \d+ ", f"> {at} ", line)
        for line, at in zip(log.read_text().splitlines(), (seconds - 5, seconds + 5), strict=True)
    ]
    log.write_text("".join(f"{line}\n" for line in lines))
    (repository.path / "config").write_text("[whoever reads this fails")
    source = FolderSource(tmp_path / "host" / "course", LIMITS)
    wanted = [Wanted("ada", "ada.git", (), DUE, DUE), Wanted("eve", "eve.git", (), DUE, DUE)]
    ada, eve = collect(source, wanted, "main", tmp_path / "out").submissions
    assert eve.state == "missing"
    assert (ada.state, ada.pushes, ada.complete) == ("collected", 0, True)
    assert take_in(tmp_path / "out" / "ada.git").files == {"a.py": b"1"}
    assert git(tmp_path / "out" / "ada.git", "rev-list", "--count", "main") == "1\n"
    with pytest.raises(CloneError, match="MiB"):
        copy_commit(repository.path, str(ada.commit), "main", tmp_path / "small.git", Limits(bytes=10, seconds=20))


def grader(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with nothing else of this process's environment."""
    command = [sys.executable, "-m", "grader", *arguments]
    clean = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[1]), **environment}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=clean, check=False)


def test_the_command_collects_a_roster_with_teams_and_extensions(host: Host, tmp_path: Path) -> None:
    for name in ("ada", "team-7", "mallory"):
        host.create(f"course/vae-{name}").push(AFTER if name == "ada" else BEFORE, {"a.py": name})
    roster = tmp_path / "roster.csv"
    roster.write_text("username,name,team,extension\nada,Ada,,1 day\nbob,Bob,Team 7,\neve,Eve,Team 7,\n,Una,,\n")
    options = ["--org", "course", "--assignment", "vae", "--roster", "roster.csv", "--due", DUE.isoformat()]
    done = grader(tmp_path, "collect", "out", *options, "--api-url", host.api_url, GITHUB_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    record = read_record(tmp_path / "out")
    assert {one.name: (one.state, one.people) for one in record.submissions} == {
        "ada": ("collected", ("ada",)),
        "team-7": ("collected", ("bob", "eve")),
    }
    assert "no account: Una" in done.stderr
    assert "not on the roster: course/vae-mallory" in done.stderr
    assert "2 collected" in done.stdout
    assert TOKEN not in done.stdout + done.stderr + json.dumps(host.requests)
    assert all(TOKEN not in path.read_text("latin-1") for path in (tmp_path / "out").rglob("*") if path.is_file())


def test_the_command_refuses_to_start_without_a_token(tmp_path: Path) -> None:
    done = grader(tmp_path, "collect", "out", "--org", "course", "--assignment", "vae")
    assert (done.returncode, done.stdout) == (2, "")
    assert "GITHUB_TOKEN is not set" in done.stderr
