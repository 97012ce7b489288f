"""`@probe`: the part of a test that touches student code.

In a student's checkout a probe is a function call. Where Gapgrade grades, the grader sets a gate, and the call goes
through the wall: the probe's source and its arguments travel in, plain data travel out, and the test with its expected
values stays where no student code ever runs.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import symtable
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, Protocol, TypeVar

from gapcheck import codec

P = ParamSpec("P")
R = TypeVar("R")

# Modules that judge; they stay outside.
OUTSIDE = ("gapcheck", "pytest")


class ProbeFailure(AssertionError):
    """Student code did not return a value that a test can look at.

    Attributes:
        kind: `error` (it raised), `timeout`, `crashed`, or `refused` (what it returned is no plain data).
        message: one sentence.
        detail: the traceback inside the sandbox, or an empty string; for staff.
    """

    def __init__(self, kind: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.kind, self.message, self.detail = kind, message, detail


class Gate(Protocol):
    """Where the calls of probes go while a submission is graded."""

    def call(self, source: str, function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call `function` of `source` on the other side; raises `ProbeFailure`."""


_gate: Gate | None = None


@contextmanager
def through(gate: Gate) -> Iterator[None]:
    """Send the calls of all probes through `gate` while the context lasts."""
    global _gate  # noqa: PLW0603  tests call probes as plain functions, so there is no argument to carry the gate
    before, _gate = _gate, gate
    try:
        yield
    finally:
        _gate = before


def probe(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function of a test module as the one that touches student code.

    The function imports student code in its body, takes and returns plain data (numbers, strings, bytes, lists, tuples,
    dicts, numpy arrays, torch tensors), and uses nothing of its module but imports and other probes.
    """
    source: list[str] = []  # read at the first call: at decoration the module is not complete

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if _gate is None:
            try:
                value: R = codec.decode(codec.encode(function(*args, **kwargs)))
            except codec.Refused as refused:
                raise ProbeFailure("refused", str(refused)) from None
            return value
        if not source:
            source.append(shipped_source(function))
        answer: R = _gate.call(source[0], function.__name__, args, kwargs)
        return answer

    call.__gapcheck_probe__ = True  # type: ignore[attr-defined]  # found by check_module
    return call


class ProbeError(Exception):
    """A probe that cannot be shipped: a defect of the tests, not of a submission."""


def shipped_source(function: Callable[..., Any]) -> str:
    """The text that travels inside: the module's imports and all of its probes, without comments or decorators."""
    file = inspect.getsourcefile(function)
    module = inspect.getmodule(function)
    if file is None or module is None:
        raise ProbeError(f"the source of probe {function.__name__} cannot be read; define it in a file")
    return _shipped(inspect.getsource(module), file)


@functools.lru_cache
def _shipped(text: str, file: str) -> str:
    tree = ast.parse(text, file)
    kept: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any(_is_probe(mark) for mark in node.decorator_list):
            node.decorator_list = []
            kept.append(node)
        elif isinstance(node, ast.Import | ast.ImportFrom) and not _stays_outside(node):
            kept.append(node)
    shipped = ast.unparse(ast.Module(body=kept, type_ignores=[]))
    _refuse_unknown_names(shipped, file)
    return shipped


def _is_probe(mark: ast.expr) -> bool:
    return (isinstance(mark, ast.Name) and mark.id == "probe") or (
        isinstance(mark, ast.Attribute) and mark.attr == "probe"
    )


def _stays_outside(node: ast.Import | ast.ImportFrom) -> bool:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return all(name.partition(".")[0] in OUTSIDE for name in names)


def _refuse_unknown_names(shipped: str, file: str) -> None:
    """A probe that uses a constant or a helper of its module would fail inside with a NameError: say so now."""
    table = symtable.symtable(shipped, file, "exec")
    known = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    known |= {child.get_name() for child in table.get_children()} | set(dir(builtins))
    for function in table.get_children():
        for scope in _scopes(function):
            for symbol in scope.get_symbols():
                if symbol.is_global() and symbol.is_referenced() and symbol.get_name() not in known:
                    raise ProbeError(
                        f"{file}: probe {function.get_name()} uses {symbol.get_name()!r}, which stays outside the "
                        f"wall; pass it as an argument, or make it a probe"
                    )


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)
