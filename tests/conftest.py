"""A miniature course on disk, and walls that stay warm for a whole run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.wall.fresh import FreshWall
from grader.wall.nested import NestedWall
from grader.wall.plain import PlainWall
from tests.classes import make_course


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with one sheet, `sums`, of two tasks, and its release."""
    return make_course(tmp_path_factory.mktemp("mini") / "course")


@pytest.fixture
def submit(course: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes a submission of the sheet `sums`: a function body for each gap that is not left as it was handed out."""

    def write(add: str = "", noise: str = "", name: str = "team") -> Path:
        folder = tmp_path / name
        shutil.copytree(course / "student" / "sums", folder)
        for file, label, body in (("adding.py", "sums 1", add), ("noise.py", "sums 2", noise)):
            path = folder / "lib" / file
            text = path.read_text()
            empty = f'    raise NotImplementedError("TODO {label}")\n'
            assert empty in text
            filled = "".join(f"    {line}\n" for line in body.splitlines()) or empty
            path.write_text(text.replace(empty, filled))
        return folder

    return write


@pytest.fixture(scope="session")
def nested() -> Iterator[NestedWall]:
    wall = NestedWall()
    yield wall
    wall.close()


@pytest.fixture(scope="session", params=["nested", "fresh", "none"])
def any_wall(request: pytest.FixtureRequest, nested: NestedWall) -> NestedWall | FreshWall | PlainWall:
    """Every mode of this machine, one after the other."""
    return {"nested": lambda: nested, "fresh": FreshWall, "none": PlainWall}[request.param]()
