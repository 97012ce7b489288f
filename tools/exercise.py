"""An exercise as `solutions/<exercise>/exercise.toml` describes it, and the exercises that it needs."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import GapgradeError

# What only instructors use: catalogues, pictures of results, sources of pages, and what runs and checks leave behind.
KEPT_BACK = ("mistakes", "variants", "equivalent_mutants.toml", "shown.toml", "reference", "pages", "data")
NOT_FOR_STUDENTS = "SOLUTION ONLY FILE"

_VERSION = r"(?:==|>=|<=|~=|!=|<|>)[\w.*+!]+"
_REQUIREMENT = re.compile(rf"(\w[\w.-]*)((?:{_VERSION}(?:,{_VERSION})*)?)", re.ASCII)


class ExerciseError(GapgradeError):
    """An exercise that cannot be released: file, line, and what to change."""


@dataclass(frozen=True)
class Exercise:
    """A reusable unit of content.

    Attributes:
        name, folder: the name is the folder's.
        title: for people.
        requires: the exercises whose files it needs.
        requirements: the lines of pip that its code needs.
    """

    name: str
    folder: Path
    title: str
    requires: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()

    def files(self) -> dict[str, Path]:
        """What students get, by the path in the release."""
        return {
            file.relative_to(self.folder).as_posix(): file
            for file in sorted(self.folder.rglob("*"))
            if file.is_file() and _is_for_students(file, file.relative_to(self.folder))
        }


def _is_for_students(file: Path, inside: Path) -> bool:
    if inside.as_posix() == "exercise.toml" or inside.parts[0] in KEPT_BACK or inside.parts[0].startswith("results"):
        return False
    if any(part.startswith(".") or part == "__pycache__" for part in inside.parts):
        return False
    with file.open("rb") as opened:
        return not any(NOT_FOR_STUDENTS.encode() in opened.readline(500) for _ in range(5))


def load_exercise(name: str, course: Path) -> Exercise:
    """Read `exercise.toml`; raises `ExerciseError` with file and line."""
    folder = course / "solutions" / name
    file = folder / "exercise.toml"
    if not file.is_file():
        known = sorted(path.parent.name for path in (course / "solutions").glob("*/exercise.toml"))
        raise ExerciseError(f"there is no exercise {name!r}: {file} is missing; {_advice(name, known)}")
    try:
        text = file.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExerciseError(f"{file}: {error}") from None
    _check_keys(file, text, data)
    return Exercise(name, folder, data["title"], tuple(data.get("requires", ())), tuple(data.get("requirements", ())))


def _check_keys(file: Path, text: str, data: dict[str, Any]) -> None:
    known = ["title", "requires", "requirements", "share_process"]  # the last is for `grader.suite`
    for key, value in data.items():
        rows = (row for row, line in enumerate(text.splitlines(), 1) if re.match(rf"\W*{re.escape(key)}\b", line))
        where = f"{file}:{next(rows, 1)}"
        if key not in known:
            raise ExerciseError(f"{where}: unknown key {key!r}; {_advice(key, known)}")
        if key == "title" and not isinstance(value, str):
            raise ExerciseError(f"{where}: 'title' must be a string")
        if key == "share_process" and not isinstance(value, bool):
            raise ExerciseError(f"{where}: 'share_process' must be true or false")
        if key in ("requires", "requirements") and not _is_list_of_strings(value):
            raise ExerciseError(f"{where}: {key!r} must be a list of strings")
    if "title" not in data:
        raise ExerciseError(f"{file}:1: the key 'title' is missing")


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _advice(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known) or 'none'}"


def with_required(names: Iterable[str], course: Path) -> list[Exercise]:
    """These exercises and all that they need, each once, the needed ones first."""
    found: dict[str, Exercise] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ExerciseError(f"the exercises {' -> '.join([*path, name])} require each other; cut one of the links")
        if name in found:
            return
        exercise = load_exercise(name, course)
        for required in exercise.requires:
            visit(required, (*path, name))
        found[name] = exercise

    for name in names:
        visit(name, ())
    return list(found.values())


def requirements(exercises: Iterable[Exercise], base: Iterable[str]) -> list[str]:
    """One line of pip a package: the base's and the exercises' lines together. Raises where two pins differ."""
    needs = [("Gapgrade", line) for line in base]
    needs += [(exercise.name, line) for exercise in exercises for line in exercise.requirements]
    packages: dict[str, dict[str, str]] = {}
    for source, line in needs:
        match = _REQUIREMENT.fullmatch(line.replace(" ", ""))
        if not match:
            raise ExerciseError(f"{source}: the requirement {line!r} is not of the form name==1.2 or name>=1.2,<2")
        package = re.sub(r"[-_.]+", "-", match[1]).lower()
        versions = packages.setdefault(package, {})
        for version in filter(None, match[2].split(",")):
            pins = [other for other in versions if other.startswith("==") and version.startswith("==")]
            if pins and pins != [version]:
                both = f"{versions[pins[0]]} needs {package}{pins[0]}, {source} needs {package}{version}"
                raise ExerciseError(f"{both}; agree on one version")
            versions.setdefault(version, source)
    return [f"{package}{','.join(sorted(versions))}" for package, versions in sorted(packages.items())]
