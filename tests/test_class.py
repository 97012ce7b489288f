"""A class from its repositories to the grades, with every command killed in the middle; see `class_of_thirty`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.class_of_thirty import SPECIAL, THIRTY, show_class

SOME = ("uniform-noise", "four-pushes-to-the-second", "a-second-late", "extended", "forger", "renamed")


def test_nothing_of_a_class_is_lost_and_nothing_is_done_twice(tmp_path: Path) -> None:
    said: list[str] = []
    show_class([one for one in SPECIAL if one.name in SOME], tmp_path, said.append)
    assert len(said) == 5 + len(SOME)


def test_the_whole_class_is_thirty_repositories_of_every_kind() -> None:
    assert len({one.name for one in THIRTY}) == 30
    assert sum(one.pushes > 3 and one.last <= timedelta(0) for one in THIRTY) == 5
    assert sum(one.last > timedelta(0) for one in THIRTY) == 3
