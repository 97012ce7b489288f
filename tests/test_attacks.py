"""The attack suite, in every sandbox mode of this machine; `python -m tests.attacks` prints its table."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import UnsafeError
from grader.wall.choose import STRONGEST_FIRST
from tests.attacks.kinds import LETTERS, NotHere
from tests.attacks.run import Seen, attacks, behind, outside

FORBIDDEN, ALLOWED = 120, 40


def unexpected(seen: list[Seen]) -> list[str]:
    assert seen
    return [f"{one.name} ({one.mode}): not {one.expected}: {one.wrong}" for one in seen if one.wrong]


def test_the_suite_is_as_large_as_it_is_said_to_be() -> None:
    working = [attack for _, attack in attacks() if not isinstance(attack, NotHere)]
    assert sum(attack.outcome != "ok" for attack in working) >= FORBIDDEN
    assert sum(attack.outcome == "ok" for attack in working) >= ALLOWED
    assert {attack.outcome for attack in working} == set(LETTERS)


def test_what_is_handed_in_and_what_is_reported_harms_nobody(tmp_path: Path) -> None:
    assert not unexpected(list(outside(tmp_path)))


@pytest.mark.parametrize("mode", STRONGEST_FIRST)
def test_every_attack_on_the_wall_ends_as_it_must(mode: str) -> None:
    try:
        seen = list(behind(mode, quick=True))
    except UnsafeError as error:
        pytest.skip(f"{mode} does not work here: {error}")
    assert not unexpected(seen)


def test_an_attack_that_succeeds_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.attacks.scene.EMPTY", {"processes": 1, "files": {}})
    (mode, *_) = STRONGEST_FIRST
    try:
        seen = list(behind(mode, "exhaust/segfault"))
    except UnsafeError as error:
        pytest.skip(f"{mode} does not work here: {error}")
    assert "the next call found" in unexpected(seen)[0]
