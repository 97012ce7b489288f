"""Run every attack in every sandbox mode that this machine has."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from grader import UnsafeError
from grader.grade import with_bench
from grader.wall import Wall, WallError
from grader.wall.choose import STRONGEST_FIRST, working_wall
from tests.attacks import allowed, archives, between, codec, escape, exhaust, forge, git, notebooks, read, reports
from tests.attacks.kinds import Attack, Gap, NotHere, Outside, Probe, Steps
from tests.attacks.scene import TOKEN, OneCell, Scene, Watched, fingerprint, lay_course

MODULES: tuple[ModuleType, ...] = (
    forge,
    read,
    exhaust,
    escape,
    between,
    codec,
    reports,
    archives,
    git,
    notebooks,
    allowed,
)
KEEPS_CELLS = ("fresh", "container")  # modes that take seconds to open a cell
SAMPLE = 5
OUTSIDE = "outside"


@dataclass(frozen=True)
class Seen:
    """What came of an attack in a mode; `wrong` is empty where it is what must come of it."""

    name: str
    mode: str
    expected: str
    wrong: str = ""
    not_here: str = ""


def attacks(only: str = "") -> list[tuple[str, Attack]]:
    """All attacks by name, in the order of the list."""
    named = [
        (f"{module.__name__.rpartition('.')[2]}/{attack.id}", attack) for module in MODULES for attack in module.ATTACKS
    ]
    names = [name for name, _ in named]
    assert len(set(names)) == len(names), f"names that stand twice: {sorted({n for n in names if names.count(n) > 1})}"
    return [(name, attack) for name, attack in named if only in name]


def run_all(only: str = "", *, quick: bool = False) -> Iterator[Seen]:
    """Everything: what acts outside once, the rest in each mode.

    Args:
        only: a part of the names of the attacks to run.
        quick: in the modes that open cells slowly, run every fifth attack only.
    """
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        yield from outside(Path(folder), only)
    for mode in STRONGEST_FIRST:
        try:
            yield from behind(mode, only, quick=quick and mode in KEEPS_CELLS)
        except UnsafeError as error:
            yield Seen("all", mode, "-", not_here=str(error))


def outside(folder: Path, only: str = "") -> Iterator[Seen]:
    """The attacks that never reach a wall."""
    for number, (name, attack) in enumerate(attacks(only)):
        if isinstance(attack, NotHere):
            yield Seen(name, OUTSIDE, attack.outcome, not_here=attack.reason)
        elif isinstance(attack, Outside):
            own = folder / str(number)
            own.mkdir()
            reason = attack.here()
            yield Seen(name, OUTSIDE, attack.outcome, "" if reason else attack.check(own), reason)


def behind(mode: str, only: str = "", *, quick: bool = False) -> Iterator[Seen]:
    """The attacks on one mode's wall; raises `UnsafeError` where the mode does not work here."""
    chosen = [(name, one) for name, one in attacks(only) if isinstance(one, Gap | Probe | Steps)]
    os.environ["GITHUB_TOKEN"] = TOKEN
    real = Watched(working_wall(mode))
    walls: list[Wall] = [OneCell(real), OneCell(real)] if mode in KEEPS_CELLS else [real, real]
    try:
        with tempfile.TemporaryDirectory(prefix="course-") as folder:
            sheet = lay_course(Path(folder) / "course-of-the-attacks")
            before = fingerprint(sheet)
            yield from with_bench(
                sheet, walls[0], lambda bench: _all(Scene(sheet, bench, *walls, real), chosen, mode, quick)
            )
            changed = {path for path, state in fingerprint(sheet).items() if before.get(path) != state}
            yield Seen("no file outside was changed", mode, "N", ", ".join(sorted(changed)))
    finally:
        for wall in (*walls, real):
            wall.close()
        del os.environ["GITHUB_TOKEN"]
    yield Seen("nothing runs once the wall is closed", mode, "N", real.survivors())


def _all(scene: Scene, chosen: list[tuple[str, Gap | Probe | Steps]], mode: str, quick: bool) -> list[Seen]:
    left_out = "not in the quick run of this mode: make attacks runs it"
    return [
        Seen(name, mode, attack.outcome, not_here=left_out)
        if quick and number % SAMPLE
        else _one(scene, name, attack, mode)
        for number, (name, attack) in enumerate(chosen)
    ]


def _one(scene: Scene, name: str, attack: Gap | Probe | Steps, mode: str) -> Seen:
    if reason := attack.here():
        return Seen(name, mode, attack.outcome, not_here=reason)
    try:
        wrong = _try(scene, attack)
    except WallError as error:
        wrong = f"the wall itself failed: {error}"
    return Seen(name, mode, attack.outcome, wrong)


def _try(scene: Scene, attack: Gap | Probe | Steps) -> str:
    if isinstance(attack, Gap):
        return scene.gap(attack)
    return scene.probe(attack) if isinstance(attack, Probe) else scene.steps(attack)
