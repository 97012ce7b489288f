"""A miniature course on disk, and walls that stay warm for a whole run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.sheet import load_sheet
from grader.wall.fresh import FreshWall
from grader.wall.nested import NestedWall
from grader.wall.plain import PlainWall
from tools.make_release import make_release

COURSE = Path(__file__).parent / "course"


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with one sheet, `sums`, of two tasks, and its release."""
    folder = tmp_path_factory.mktemp("mini") / "course"
    shutil.copytree(COURSE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    make_release(load_sheet("sums", folder))
    return folder


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
