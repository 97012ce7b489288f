"""GitHub Classroom: a repository with `.github/classroom/autograding.json`, or with a workflow of its graders.

https://github.com/classroom-resources holds the graders: `autograding-io-grader`, `-command-grader`, `-python-grader`.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from tools.migration.assignment import (
    Assignment,
    Check,
    Item,
    MigrationError,
    Names,
    Note,
    files_in,
    identifier,
    imports_of,
    is_shipped,
    names_in,
    points,
    slug,
)

_AUTOGRADING = ".github/classroom/autograding.json"
_ACTION = re.compile(r"[\w.-]+/autograding-(?P<kind>io|command|python)-grader(?:@.*)?")
_PYTEST = re.compile(r"(?:sudo (?:-H )?)?(?:python3? -m )?pytest\b(?P<options>.*)")
_ROSTER = {"identifier", "github_username", "github_id", "name"}
_PRINTED = """\
def {name}(typed: str) -> str:
    import contextlib
    import io
    import runpy
    import sys
    from unittest import mock

    printed = io.StringIO()
    with mock.patch.object(sys, "argv", {argv!r}), mock.patch.object(sys, "stdin", io.StringIO(typed)):
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            runpy.run_path({script!r}, run_name="__main__")
    return printed.getvalue()"""


@dataclass(frozen=True)
class _Test:
    """A test of either format; `comparison`: `included`, `exact`, `regex`, or empty where only the status counts."""

    name: str
    run: str
    where: str
    points: Fraction
    setup: str = ""
    typed: str = ""
    expected: str = ""
    comparison: str = ""


def recognises(source: Path) -> bool:
    """Whether a repository is an assignment of GitHub Classroom."""
    return (source / _AUTOGRADING).is_file() or any(True for _ in _steps(source))


def read(source: Path) -> list[Assignment]:
    """The one assignment of a repository; raises `MigrationError`."""
    tests = [*_of_json(source), *_of_workflows(source)]
    if not tests:
        raise MigrationError(f"{source} has neither {_AUTOGRADING} nor a workflow with Classroom's graders")
    return [_Repository(source, tests).assignment()]


def left_behind(source: Path) -> list[Note]:
    """Workflows are not taken over; a release brings its own."""
    files = sorted((source / ".github" / "workflows").glob("*.y*ml"))
    return [
        Note(f".github/workflows/{file.name}", "it is left out: a release brings a workflow of its own")
        for file in files
    ]


def rosters(source: Path) -> Iterator[Path]:
    """Files that Classroom exported its roster into."""
    for file in sorted(source.glob("*.csv")):
        first = file.read_text(encoding="utf-8-sig", errors="replace").partition("\n")[0]
        if set(first.replace('"', "").strip().split(",")) >= _ROSTER:
            yield file


def _of_json(source: Path) -> Iterator[_Test]:
    file = source / _AUTOGRADING
    if not file.is_file():
        return
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))["tests"]
    except (ValueError, KeyError, TypeError) as error:
        raise MigrationError(f"{file} holds no list of tests ({type(error).__name__}); export it again") from None
    for number, test in enumerate(listed, 1):
        where = f"{_AUTOGRADING}, test {number}"
        compared = bool(test.get("input") or test.get("output"))
        yield _Test(
            str(test.get("name") or f"test {number}"), str(test.get("run", "")), where,
            points(test.get("points") or 0, where), str(test.get("setup") or ""), str(test.get("input") or ""),
            str(test.get("output") or ""), str(test.get("comparison") or "included") if compared else "",
        )  # fmt: skip


def _steps(source: Path) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Where each grading step of a workflow stands, its grader's kind, and what it is given."""
    for file in sorted((source / ".github" / "workflows").glob("*.y*ml")):
        try:
            jobs = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("jobs", {})
            steps = [step for job in jobs.values() for step in job.get("steps", ())]
        except (yaml.YAMLError, UnicodeDecodeError, AttributeError):
            continue
        for number, step in enumerate(steps, 1):
            if match := _ACTION.fullmatch(str(step.get("uses", ""))):
                yield f".github/workflows/{file.name}, step {number}", match["kind"], step.get("with") or {}


def _of_workflows(source: Path) -> Iterator[_Test]:
    for where, kind, given in _steps(source):
        run = str(given.get("command") or ("pytest" if kind == "python" else ""))
        yield _Test(
            str(given.get("test-name") or where), run, where, points(given.get("max-score") or 0, where),
            str(given.get("setup-command") or ""), str(given.get("input") or ""),
            str(given.get("expected-output") or ""),
            str(given.get("comparison-method") or "included") if kind == "io" else "",
        )  # fmt: skip


class _Repository:
    """A repository: its files, and what becomes of its tests."""

    def __init__(self, source: Path, tests: list[_Test]) -> None:
        self._name, self._tests, self._source = slug(source.resolve().name), tests, source
        self._notes: list[Note] = []
        self._items: list[Item] = []
        self._checks: list[Check] = []
        self._taken: set[str] = set()  # test files that became probes
        self._files = files_in(source)
        self._modules = {_module(path) for path in self._files if path.endswith(".py")}

    def assignment(self) -> Assignment:
        for test in self._tests:
            self._test(test)
        for file in rosters(self._source):
            self._files.pop(file.name, None)
        text = self._files.pop("README.md", None)
        needed = self._files.pop("requirements.txt", None)
        lines = needed.read_text(encoding="utf-8").splitlines() if needed else []
        for path in sorted(self._taken):
            self._files.pop(path, None)
        if not any("START TODO" in _text(file) for path, file in self._files.items() if path.endswith(".py")):
            self._notes.append(
                Note(self._name, "Classroom knows no solution: put the solution into these files, and mark its gaps")
            )
        return Assignment(
            self._name, self._name.replace("-", " "), {path: file.read_bytes() for path, file in self._files.items()},
            tuple(self._items), tuple(self._checks), tuple(self._notes),
            tuple(line.strip() for line in lines if line.strip() and not line.startswith("#")),
            _text(text) if text else "",
        )  # fmt: skip

    def _test(self, test: _Test) -> None:
        known = {item.id for item in self._items}
        own = next(
            name for name in (slug(test.name), *(f"{slug(test.name)}-{i}" for i in range(2, 1000))) if name not in known
        )
        group = f"{self._name}-{own}"
        self._items.append(Item(own, test.name, test.points, "code", group))
        if test.setup and not re.fullmatch(
            r"(sudo (-H )?)?(python3? -m )?pip3? install (pytest|-r requirements\.txt)", test.setup
        ):
            self._notes.append(Note(test.where, "name what it installs in exercise.toml's `requirements`", test.setup))
        found = len(self._checks)
        if test.comparison:
            self._printed(test, group, own)
        elif match := _PYTEST.fullmatch(test.run.strip()):
            self._pytest(test, group, match["options"])
        if len(self._checks) == found:
            about = f"{test.run}\ninput: {test.typed!r}\noutput ({test.comparison}): {test.expected!r}"
            self._notes.append(
                Note(test.where, f"{test.name!r} is no test that can be turned; write it by hand", about)
            )

    def _printed(self, test: _Test, group: str, own: str) -> None:
        """A script that reads and prints."""
        words = shlex.split(test.run)
        if len(words) < 2 or words[0] not in ("python", "python3") or words[1] not in self._files:
            return
        name = identifier(own)
        definition = _PRINTED.format(name=f"printed_by_{name}", argv=words[1:], script=words[1])
        expected = test.expected.replace("\r\n", "\n").strip()
        claim = {
            "exact": f"assert printed == {expected!r}",
            "regex": f"assert re.search({expected!r}, printed)",
        }.get(test.comparison, f"assert {expected!r} in printed")
        code = f'printed = printed_by_{name}({test.typed!r}).replace("\\r\\n", "\\n").strip()\n{claim}'
        self._checks.append(
            Check(group, name, "programs", code, test.where, Names(), points=test.points, probes=(definition,))
        )

    def _pytest(self, test: _Test, group: str, options: str) -> None:
        """The functions that a call of pytest chooses."""
        chosen = [(path, one) for path, one in self._functions(options)]
        for path, function in chosen:
            self._taken.add(path)
            where = f"{path}:{function.lineno}"
            code, names = _body(_text(self._files[path]), function), self._names(path)
            if function.args.args or function.decorator_list:
                self._notes.append(
                    Note(where, "fixtures and decorators cannot be parted; write this test by hand", code)
                )
            else:
                name = identifier(function.name.removeprefix("test_"))
                share = test.points / len(chosen)
                self._checks.append(
                    Check(group, name, identifier(PurePosixPath(path).stem), code, where, names, points=share)
                )

    def _functions(self, options: str) -> Iterator[tuple[str, ast.FunctionDef]]:
        words = shlex.split(options)
        wanted = words[words.index("-k") + 1] if "-k" in words[:-1] else ""
        places = [
            word for word in words if word.endswith(".py") or ".py::" in word or word.rstrip("/") in self._folders()
        ]
        for path in self._files:
            named = re.fullmatch(r"(?:.*/)?(?:test_\w+|\w+_test)\.py", path)
            meant = [one for one in places if path == one.partition("::")[0] or path.startswith(f"{one.rstrip('/')}/")]
            if not (meant if places else named):
                continue
            for node in ast.walk(ast.parse(_text(self._files[path]))):
                if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                    self._notes.append(
                        Note(f"{path}:{node.lineno}", "tests in classes cannot be parted; write them by hand")
                    )
            for node in ast.parse(_text(self._files[path])).body:
                names = [one.partition("::")[2] for one in meant]
                fits = wanted in getattr(node, "name", "") and (not any(names) or getattr(node, "name", "") in names)
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test") and fits:
                    yield path, node

    def _folders(self) -> set[str]:
        return {parent.as_posix() for path in self._files for parent in PurePosixPath(path).parents} - {"."}

    def _names(self, path: str) -> Names:
        """What the imports of a test file mean: modules of the repository are students' code."""
        made: dict[str, str] = {}
        shipped: dict[str, str] = {}
        called: set[str] = set()
        for node in ast.parse(_text(self._files[path])).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, line in imports_of(node):
                    ours = re.split(r"[ ]", line)[1].lstrip(".") in self._modules
                    (shipped if is_shipped(line) and not ours else made)[name] = line
                    called.add(name)
        made.pop("pytest", None)
        plain = {name for name in called if name in made and self._is_value(made[name])}
        return Names(made, frozenset(called - plain), frozenset(name for name in made if name[:1].isupper()), shipped)

    def _is_value(self, line: str) -> bool:
        """Whether an import gives a variable, and no function, class or module."""
        match = re.fullmatch(r"from ([\w.]+) import (\w+)(?: as \w+)?", line)
        path = match and next((path for path in self._files if _module(path) == match[1]), None)
        if not match or not path:
            return False
        found = names_in([_text(self._files[path])], match[1])
        return match[2] in found.made and match[2] not in found.called


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _body(text: str, function: ast.FunctionDef) -> str:
    lines = text.splitlines()[function.body[0].lineno - 1 : function.end_lineno]
    margin = function.body[0].col_offset
    return "\n".join(line[margin:] for line in lines)
