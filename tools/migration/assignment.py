"""What is read from another grader's assignment, in words that the writer of a course understands."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from gapcheck.cells import as_python
from grader import GapgradeError

MADE_BY_PROGRAMS = frozenset(
    (".DS_Store", ".OTTER_LOG", ".git", ".github", ".ipynb_checkpoints", ".pytest_cache", ".venv", "__pycache__")
)
SHIPPED = ("numpy", "scipy", "torch", "torchvision")  # with the standard library, what tests import at their top


class MigrationError(GapgradeError):
    """A course that cannot be read: file, and what to do."""


@dataclass(frozen=True)
class Names:
    """What the names in test code mean.

    Attributes:
        made: names of student code, each with the import that a probe gets it by.
        called: those of them that are functions, classes or modules, which no probe can return.
        classes: those that are classes; their objects cannot be returned either.
        shipped: names that the code around imports from packages that tests may import, with that import.
    """

    made: Mapping[str, str] = field(default_factory=dict)
    called: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    shipped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """Test code as it was found.

    Attributes:
        group: the task's group of tests.
        name: what the test is called, without `test_`.
        file: the stem of the test file that it goes to.
        where: file and cell, for people.
        points: its share of the task's points.
        probes: definitions that come with the code, where it was made from a command and not found as Python.
    """

    group: str
    name: str
    file: str
    code: str
    where: str
    names: Names
    hidden: bool = False
    points: Fraction = Fraction(1)
    hint: str = ""
    probes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """A task of the sheet; one of the kind `code` without a test that could be turned is left to people."""

    id: str
    title: str
    points: Fraction
    kind: str = "code"
    group: str = ""
    cell: str = ""
    where: str = ""
    rubric: tuple[str, ...] = ()


@dataclass(frozen=True)
class Note:
    """Something that a person has to look at: where it stands, what became of it, and the text that it is about."""

    where: str
    what: str
    text: str = ""


@dataclass(frozen=True)
class Assignment:
    """One assignment: the exercise and the sheet of one name.

    Attributes:
        files: what lies in the exercise's folder, by path.
        text: what students read beside the tasks.
    """

    name: str
    title: str
    files: Mapping[str, bytes]
    items: tuple[Item, ...]
    checks: tuple[Check, ...]
    notes: tuple[Note, ...]
    requirements: tuple[str, ...] = ()
    text: str = ""


def files_in(folder: Path) -> dict[str, Path]:
    """The files of a folder by their path in it, without what programs leave there."""
    files = {file.relative_to(folder): file for file in sorted(folder.rglob("*")) if file.is_file()}
    return {path.as_posix(): file for path, file in files.items() if not MADE_BY_PROGRAMS.intersection(path.parts)}


def slug(words: str, glue: str = "-") -> str:
    """A short name of letters, digits and `glue`."""
    return re.sub(r"[\W_]+", glue, words, flags=re.ASCII).strip(glue).lower()[:48].strip(glue) or "task"


def identifier(words: str) -> str:
    """A name for functions and modules."""
    name = slug(words, "_")
    return name if name.isidentifier() else f"n{name}"


def points(value: object, where: str) -> Fraction:
    """Points as other graders write them; raises `MigrationError`."""
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise MigrationError(f"{where}: {value!r} are no points; write a number") from None


def names_in(sources: Iterable[str], module: str) -> Names:
    """What code at the top level of a notebook or module makes, for probes that import it.

    Args:
        sources: its cells, or its whole text; what is no Python is left out.
        module: by which probes import it, such as `notebooks.problem1`.
    """
    made: dict[str, str] = {}
    shipped: dict[str, str] = {}
    called: set[str] = set()
    classes: set[str] = set()
    for source in sources:
        for node in _top_level(source):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, line in imports_of(node):
                    (shipped if is_shipped(line) else made)[name] = line
                    called.add(name)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                made[node.name] = f"from {module} import {node.name}"
                called.add(node.name)
                classes.update([node.name] if isinstance(node, ast.ClassDef) else [])
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                made[node.id] = f"from {module} import {node.id}"
    return Names(made, frozenset(called), frozenset(classes), shipped)


def _top_level(source: str) -> Iterator[ast.AST]:
    """The statements and names outside functions and classes."""
    try:
        waiting: list[ast.AST] = [*ast.parse(as_python(source)).body]
    except (SyntaxError, ValueError):
        return
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def imports_of(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """Each name that an import makes, and the import of that name alone."""
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        words = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
        if isinstance(node, ast.Import):
            yield name, f"import {words}"
        else:
            yield name, f"from {'.' * node.level}{node.module or ''} import {words}"


def is_shipped(line: str) -> bool:
    """Whether an import is one that tests may have at their top: the standard library and a few packages."""
    package = re.split(r"[ .]", line)[1]
    return package in sys.stdlib_module_names or package in SHIPPED
