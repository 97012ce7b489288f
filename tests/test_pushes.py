"""Counting pushes from the host's activity log. Items have the fields that GitHub's schema `activity` requires."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from grader.pushes import PushCount, PushesError, count_pushes, last_push, parse_activity, read_activity

START = datetime(2027, 1, 10, 12, tzinfo=UTC)
DUE = START + timedelta(days=5)
NEVER = "0" * 40


def commit(number: int) -> str:
    return f"{number:040x}"


def account(login: str, kind: str = "User") -> dict[str, Any]:
    """GitHub's schema `simple-user`."""
    pages = "avatar followers following gists starred subscriptions organizations repos events received_events html"
    urls = {f"{page}_url": f"https://example.org/{login}/{page}" for page in pages.split()}
    return {
        "login": login,
        "id": 1,
        "node_id": "U1",
        "gravatar_id": "",
        "url": "",
        "type": kind,
        "site_admin": False,
        **urls,
    }


def item(number: int, before: str, after: str, at: datetime, kind: str = "push", **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "node_id": f"node{number}",
        "before": before,
        "after": after,
        "ref": "refs/heads/main",
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "activity_type": kind,
        "actor": account("mona"),
        **more,
    }


def log(pushes: int, step: timedelta = timedelta(days=1)) -> list[dict[str, Any]]:
    """The branch's creation and so many pushes, newest first."""
    items = [item(1000, NEVER, commit(1), START, "branch_creation")]
    items += [item(1001 + i, commit(i + 1), commit(i + 2), START + (i + 1) * step) for i in range(pushes)]
    return items[::-1]


def count(items: list[dict[str, Any]], due: datetime | None = DUE) -> PushCount:
    return count_pushes(parse_activity(items, "log.json"), "main", due)


def test_pushes_are_counted_and_creating_the_branch_is_none() -> None:
    counted = count(log(3))
    assert (counted.count, counted.complete, counted.hole) == (3, True, "")
    assert [push.at for push in counted.pushes] == [START + timedelta(days=day) for day in (1, 2, 3)]


@pytest.mark.parametrize("kind", ["push", "force_push", "pr_merge", "merge_queue_merge"])
def test_every_way_to_move_a_branch_counts(kind: str) -> None:
    items = log(1)
    items[0]["activity_type"] = kind
    assert count(items).count == 1


def test_other_branches_and_bots_do_not_count() -> None:
    items = log(4)
    items[0]["ref"] = "refs/heads/dev"
    items[1]["actor"] = account("github-classroom[bot]")
    items[2]["actor"] = account("renovate", "Bot")
    counted = count(items)
    assert (counted.count, counted.by_bots, counted.complete) == (1, 2, True)


def test_a_push_after_the_due_date_is_late_and_not_one_too_many() -> None:
    counted = count(log(7))
    assert counted.count == 5  # the fifth comes with the due date's last second
    assert [push.after_due for push in counted.pushes] == [False] * 5 + [True] * 2
    assert count(log(7), None).count == 7


def test_a_due_date_without_a_time_zone_is_refused() -> None:
    with pytest.raises(PushesError, match="has no time zone; write it like"):
        count(log(1), DUE.replace(tzinfo=None))


def test_a_hole_in_the_log_is_told() -> None:
    items = log(4)
    del items[1]
    counted = count(items)
    assert not counted.complete
    assert counted.hole == "between 2027-01-12 12:00 and 2027-01-14 12:00 something is missing in the log"


def test_a_log_that_does_not_reach_back_to_the_branchs_creation_has_a_hole() -> None:
    counted = count(log(4)[:-1])
    assert not counted.complete
    assert "begins at 2027-01-11 12:00" in counted.hole


def test_a_branch_that_is_deleted_and_made_anew_counts_as_a_push() -> None:
    items = [
        item(3, NEVER, commit(9), START + timedelta(hours=3), "branch_creation"),
        item(2, commit(1), NEVER, START + timedelta(hours=2), "branch_deletion"),
        item(1, NEVER, commit(1), START, "branch_creation"),
    ]
    counted = count(items)
    assert (counted.count, counted.complete) == (1, True)


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(0)], ids=["apart", "all in one second"])
def test_the_order_of_the_file_does_not_matter(step: timedelta) -> None:
    items = log(6, step)
    for one, number in zip(items, random.Random(1).sample(range(100), len(items)), strict=True):
        one["id"] = number
    for seed in range(20):
        random.Random(seed).shuffle(items)
        assert count(items, None) == count(log(6, step), None)
        assert count(items, None).complete


def test_an_item_that_two_pages_hold_counts_once() -> None:
    assert count(log(3) + log(3)[:2]).count == 3


def test_an_account_that_is_gone_still_pushed() -> None:
    items = log(2)
    items[0]["actor"] = None
    counted = count(items)
    assert (counted.count, counted.pushes[-1].actor) == (2, "")


def test_work_is_handed_in_when_the_server_first_saw_its_commit() -> None:
    items = log(3)
    items[0]["actor"] = account("helper[bot]", "Bot")
    activity = parse_activity(items, "log.json")
    assert last_push(activity, "main") == START + timedelta(days=2)
    assert last_push(activity, "main", commit(4)) == START + timedelta(days=3)  # a bot's push is late, too
    assert last_push(activity, "main", commit(2)) == START + timedelta(days=1)
    assert last_push(activity, "dev") is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"id": "1"}, "'id' is '1', expected a whole number"),
        ({"id": True}, "'id' is True, expected a whole number"),
        ({"before": "main"}, "'before' is 'main', expected a commit's full id"),
        ({"after": None}, "'after' is None, expected a text"),
        ({"ref": 5}, "'ref' is 5, expected a text"),
        ({"timestamp": "yesterday"}, "'timestamp' is 'yesterday', expected a time like"),
        ({"timestamp": "2027-01-10T12:00:00"}, "expected a time like"),
        ({"activity_type": "pushed"}, "the activity_type 'pushed' is unknown; known are push, force_push"),
        ({"actor": "mona"}, "'actor' has no login"),
    ],
)
def test_a_wrong_field_is_named_with_file_and_item(change: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    items = log(2)
    items[1].update(change)
    (tmp_path / "log.json").write_text(json.dumps(items))
    with pytest.raises(PushesError) as error:
        read_activity(tmp_path / "log.json")
    assert str(error.value).startswith(f"{tmp_path / 'log.json'}: item 2: ")
    assert sentence in str(error.value)


@pytest.mark.parametrize("field", ["id", "before", "after", "ref", "timestamp", "activity_type", "actor"])
def test_a_missing_field_is_named(field: str) -> None:
    items = log(1)
    del items[0][field]
    with pytest.raises(PushesError, match=f"log.json: item 1: '{field}' is missing"):
        parse_activity(items, "log.json")


@pytest.mark.parametrize("text", ["", "[", '{"message": "Not Found"}', "[1]", "[" * 100_000, "\udcff"])
def test_what_is_no_log_is_one_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "log.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(PushesError, match=r"log.json: .*; save the host's answer as it came"):
        read_activity(tmp_path / "log.json")


def test_a_file_that_is_missing_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(PushesError, match="it cannot be opened"):
        read_activity(tmp_path / "log.json")
