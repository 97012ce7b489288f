"""Control groups: found as the kernel describes them, limited, counted, removed. Plain folders play the kernel."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from grader.sheet import Limits
from grader.wall import WallError
from grader.wall import budget as budget_module
from grader.wall.budget import Budget, Budgets, Hierarchy, find_hierarchy
from grader.wall.nested import NestedWall

V1 = """\
30 25 0:26 / {0}/memory rw - cgroup cgroup rw,memory
31 25 0:27 / {0}/pids rw - cgroup cgroup rw,pids
"""
V2 = "30 25 0:26 / {0}/unified rw,nosuid - cgroup2 cgroup2 rw\n"


def version_two(folder: Path, controllers: str, divided: str) -> None:
    folder.mkdir(parents=True)
    (folder / "cgroup.controllers").write_text(controllers)
    (folder / "cgroup.subtree_control").write_text(divided)


def test_version_two_is_used_where_it_is_delegated(tmp_path: Path) -> None:
    own = tmp_path / "unified" / "user" / "scope"
    version_two(own, "cpu memory pids", "memory pids")
    assert find_hierarchy(V2.format(tmp_path), "0::/user/scope\n") == Hierarchy("v2", (own,))


def test_version_two_without_its_controllers_is_none(tmp_path: Path) -> None:
    version_two(tmp_path / "unified" / "user", "cpu", "")
    assert find_hierarchy(V2.format(tmp_path), "0::/user\n") == Hierarchy("none")


def test_version_one_needs_memory_and_processes(tmp_path: Path) -> None:
    for name in ("memory/own", "pids"):
        (tmp_path / name).mkdir(parents=True)
    own = "8:pids:/\n4:memory:/own\n0::/\n"
    assert find_hierarchy(V1.format(tmp_path), own) == Hierarchy("v1", (tmp_path / "memory/own", tmp_path / "pids"))
    assert find_hierarchy(V1.format(tmp_path).splitlines()[0], own) == Hierarchy("none")


def test_a_system_without_control_groups_has_none() -> None:
    assert find_hierarchy("", "") == Hierarchy("none")


def test_each_event_is_told_once(tmp_path: Path) -> None:
    events, processes = tmp_path / "memory.events", tmp_path / "pids.events"
    events.write_text("low 0\nmax 3\noom 0\noom_kill 0\n")
    processes.write_text("max 0\n")
    budget = Budget((tmp_path,))
    assert budget.reached() == ""
    events.write_text("low 0\nmax 9\noom 1\noom_kill 1\n")
    processes.write_text("max 4\n")
    assert budget.reached() == "memory"
    processes.write_text("max 5\n")
    assert budget.reached() == "processes"
    assert budget.reached() == ""


def test_what_a_killed_grading_left_is_removed_and_what_is_in_use_stays(tmp_path: Path) -> None:
    left, used, foreign = (tmp_path / name for name in ("gapgrade-1-1", "gapgrade-2-1", "system.slice"))
    for folder in (left, used, foreign):
        folder.mkdir()
    lock = os.open(used, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    Budgets(Hierarchy("v2", (tmp_path,)))
    os.close(lock)
    assert [folder.is_dir() for folder in (left, used, foreign)] == [False, True, True]


def test_a_cell_has_its_groups_for_as_long_as_it_is_open(tmp_path: Path) -> None:
    budgets = Budgets(Hierarchy("v1", (tmp_path,)))
    with budgets.open(Limits()) as budget:
        assert [group.parent for group in budget.groups] == [tmp_path]
        assert budget.groups[0].is_dir()
    budgets.close()
    assert not list(tmp_path.iterdir())


def test_a_group_that_another_process_removed_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget_module, "EMPTY_SECONDS", 60.0)
    budgets = Budgets(Hierarchy("v1", (tmp_path,)))
    with budgets.open(Limits()) as budget:
        (group,) = budget.groups
        group.rmdir()
    began = time.monotonic()
    budgets.close()
    assert time.monotonic() - began < 30


def test_a_group_that_cannot_be_made_is_the_graders_error(tmp_path: Path) -> None:
    with pytest.raises(WallError, match="grader doctor"), Budgets(Hierarchy("v1", (tmp_path / "gone",))).open(Limits()):
        pass


@pytest.mark.skipif(find_hierarchy().version == "none", reason="no control groups here")
def test_the_kernel_takes_what_is_written() -> None:
    budgets = Budgets()
    with budgets.open(Limits(memory_mb=512, disk_mb=64, processes=32)) as budget:
        limits = [
            group / name
            for group in budget.groups
            for name in ("memory.max", "memory.limit_in_bytes", "pids.max")
            if (group / name).exists()
        ]
        assert sorted(int(file.read_text()) for file in limits) == [40, (512 + 64 + 128) * 2**20]
        groups = budget.groups
    budgets.close()
    assert not any(group.exists() for group in groups)


@pytest.mark.skipif(find_hierarchy().version == "none", reason="no control groups here")
def test_a_cell_is_in_its_groups_before_it_is_told_anything(nested: NestedWall) -> None:
    parents = find_hierarchy().parents
    before = {group for parent in parents for group in parent.glob("gapgrade-*")}
    with nested.open(Limits()):
        own = {group for parent in parents for group in parent.glob(f"gapgrade-{os.getpid()}-*")} - before
        assert [len((group / "cgroup.procs").read_text().split()) for group in own] == [1] * len(parents)


def test_version_one_is_entered_through_doors(tmp_path: Path) -> None:
    with Budget((tmp_path,)).doors() as doors:
        assert doors == []
    (tmp_path / "tasks").touch()
    with Budget((tmp_path,)).doors() as doors:
        os.write(doors[0], b"0")
    assert (tmp_path / "tasks").read_text() == "0"


def test_a_door_that_cannot_be_opened_is_the_graders_error(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    with pytest.raises(WallError, match="grader doctor"), Budget((tmp_path,)).doors():
        pass
