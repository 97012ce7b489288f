"""Test code that ran beside student code, parted in two: probes that touch it, and a test that judges outside.

    assert squares(2) == [1, 4]

becomes

    @probe
    def squares_1(first: object) -> object:
        from notebooks.problem1 import squares

        return squares(first)

    assert squares_1(2) == [1, 4]

What starts at a student's name (`squares(2)`, `model.score(x)`) goes into a probe as a whole; the test's own
variables in it become arguments, and so do literals, so that one probe serves many. What cannot be parted so that it
means the same raises `NotTurned`.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tools.migration.assignment import Check, MigrationError, imports_of, is_shipped

_OUTSIDE = ("shape", "dtype", "ndim")  # of a returned array: looked at where it cannot be forged
_MAKES_PLAIN = ("list", "tuple", "dict")
_PARAMETERS = ("first", "second", "third", "fourth")
_NOT_PARTED = (ast.ClassDef, ast.Delete, ast.Global, ast.Nonlocal, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)


class NotTurned(MigrationError):
    """Test code that a person has to turn: why."""


@dataclass(frozen=True)
class Turned:
    """A test: the imports and probes above it, and its body."""

    imports: tuple[str, ...]
    probes: tuple[str, ...]
    body: str


def turn(check: Check) -> Turned:
    """Part test code into probes and a test; raises `NotTurned`."""
    try:
        tree = ast.parse(check.code)
    except SyntaxError as error:
        raise NotTurned(f"it is no Python ({error.msg})") from None
    if check.probes:
        return Turned((), check.probes, check.code)
    parting = _Parting(check, tree)
    for statement in tree.body:
        parting.visit(statement)
    if not parting.probes:
        raise NotTurned("it looks at nothing that students write")
    return Turned(tuple(sorted(parting.imports)), tuple(parting.probes.values()), parting.test())


class _Parting(ast.NodeVisitor):
    """Goes through the statements of one check; what it replaces are pieces of the text."""

    def __init__(self, check: Check, tree: ast.Module) -> None:
        self._check = check
        self._pieces: list[tuple[ast.AST, str]] = []
        self._imported = dict(_imports(tree))
        self._own = _stored(tree) - set(self._imported)
        self._functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        self._has_tables = any("pandas" in line for line in check.names.made.values())
        self.probes: dict[str, str] = {}
        self.imports: set[str] = set()
        if taken := sorted(self._own & set(check.names.made)):
            raise NotTurned(f"it gives {taken[0]!r} another meaning")

    def test(self) -> str:
        """The text with its pieces replaced, from the last to the first."""
        lines = [line.encode() for line in self._check.code.splitlines()]
        for node, text in sorted(self._pieces, key=lambda piece: _start(piece[0]), reverse=True):
            (first, left), (last, right) = _start(node), (node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
            lines[first - 1 : last] = [lines[first - 1][:left] + text.encode() + lines[last - 1][right:]]
        return "\n".join(line.decode().rstrip() for line in lines)

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._pieces.append((node, "pass  # imported above"))
            return
        if isinstance(node, _NOT_PARTED) and (isinstance(node, ast.ClassDef | ast.Delete) or self._theirs(node)):
            raise NotTurned(f"line {node.lineno}: this kind of statement cannot be parted")
        if isinstance(node, ast.Expr) and self._starts_at_theirs(node.value):
            raise NotTurned(f"line {node.lineno}: what it changes would be lost, since each probe runs for itself")
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("seed"):
            raise NotTurned(f"line {node.lineno}: a seed outside does not reach student code")
        if isinstance(node, ast.expr) and self._starts_at_theirs(node):
            self._into_probe(node)
        elif isinstance(node, ast.Lambda | ast.JoinedStr | ast.Try | ast.With) and self._theirs(node):
            self._special(node)
        elif isinstance(node, ast.Assert) and node.msg is not None and self._theirs(node.msg):
            raise NotTurned(f"line {node.lineno}: its message looks at student code")
        else:
            self._note_imports(node)
            self.generic_visit(node)

    def _special(self, node: ast.Lambda | ast.JoinedStr | ast.Try | ast.With) -> None:
        expected = _expected_error(node)
        if expected is None:
            raise NotTurned(f"line {node.lineno}: student code in a {type(node).__name__.lower()} cannot be parted")
        call, error = expected
        name = self._probe(call, raises=True)
        self._pieces.append((node, f'assert "{error}" in {name}'))

    def _theirs(self, node: ast.AST) -> bool:
        return any(isinstance(one, ast.Name) and one.id in self._check.names.made for one in ast.walk(node))

    def _starts_at_theirs(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MAKES_PLAIN:
            return len(node.args) == 1 and not node.keywords and self._starts_at_theirs(node.args[0])
        while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
            node = node.func if isinstance(node, ast.Call) else node.value
        return isinstance(node, ast.Name) and node.id in self._check.names.made

    def _into_probe(self, node: ast.expr) -> None:
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            raise NotTurned(f"line {node.lineno}: it changes what students made")
        while isinstance(node, ast.Attribute) and node.attr in _OUTSIDE and not self._has_tables:
            node = node.value
        names = self._check.names
        if isinstance(node, ast.Name) and node.id in names.called:
            raise NotTurned(f"line {node.lineno}: it needs {node.id!r} itself, which cannot leave the sandbox")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names.classes:
            raise NotTurned(
                f"line {node.lineno}: it needs an object of {node.func.id!r}, which cannot leave the sandbox"
            )
        self._pieces.append((node, self._probe(node)))

    def _probe(self, node: ast.expr, *, raises: bool = False) -> str:
        """Make a probe of an expression, once for each; how the test calls it."""
        node, values = _without_literals(node)
        expression = ast.unparse(node)
        free = [name for name in dict.fromkeys(_free_names(node)) if name not in values]
        arguments = [name for name in free if name in self._own]
        if unsent := [name for name in arguments if name in self._functions]:
            raise NotTurned(f"line {node.lineno}: the function {unsent[0]!r} cannot be passed into the sandbox")
        made = [self._check.names.made[name] for name in free if name in self._check.names.made]
        for name in free:
            self._note_name(name, node.lineno)
        key = f"{raises}{expression}"
        name = f"{self._check.name}_{len(self.probes) + 1}" if key not in self.probes else _name_of(self.probes[key])
        self.probes.setdefault(key, _definition(name, [*values, *arguments], made, expression, raises))
        return f"{name}({', '.join([*values.values(), *arguments])})"

    def _note_imports(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            self._note_name(node.id, node.lineno)

    def _note_name(self, name: str, line: int) -> None:
        known = self._imported.get(name) or self._check.names.shipped.get(name)
        if name in self._check.names.made or name in self._own:
            return
        if known is not None and not is_shipped(known):
            raise NotTurned(f"line {line}: {known!r} is needed outside the sandbox")
        if known is not None:
            self.imports.add(known)
        elif not hasattr(builtins, name):
            raise NotTurned(f"line {line}: the name {name!r} is made nowhere")


def _start(node: ast.AST) -> tuple[int, int]:
    return node.lineno, node.col_offset  # type: ignore[attr-defined]


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports_of(node)


def _stored(tree: ast.AST) -> set[str]:
    """The names that code binds itself, those of its functions and their arguments among them."""
    stored = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            stored.add(node.id)
        elif isinstance(node, ast.arg):
            stored.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ExceptHandler) and node.name:
            stored.add(node.name)
    return stored


def _free_names(node: ast.expr) -> Iterator[str]:
    """The names that an expression needs from around it."""
    bound = _stored(node)
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and one.id not in bound:
            yield one.id


def _without_literals(node: ast.expr) -> tuple[ast.expr, dict[str, str]]:
    """A call with parameters in place of its literal arguments, so that one probe serves many; and their values."""
    if not isinstance(node, ast.Call) or set(_free_names(node)) & set(_PARAMETERS):
        return node, {}
    values, arguments = {}, []
    for argument, parameter in zip(node.args, _PARAMETERS, strict=False):
        if _is_literal(argument):
            values[parameter] = ast.unparse(argument)
        arguments.append(ast.Name(parameter, ast.Load()) if _is_literal(argument) else argument)
    called = ast.Call(node.func, [*arguments, *node.args[len(_PARAMETERS) :]], node.keywords)
    return ast.copy_location(called, node), values


def _is_literal(node: ast.expr) -> bool:
    try:
        return not isinstance(ast.literal_eval(node), set)
    except ValueError:
        return False


def _expected_error(node: ast.AST) -> tuple[ast.expr, str] | None:
    """The call that must raise, and the error's name, of `try: call ... else: raise` or `with pytest.raises`."""
    if isinstance(node, ast.With) and len(node.items) == len(node.body) == 1 and not node.items[0].optional_vars:
        match node.items[0].context_expr:
            case ast.Call(func, [ast.Name(error)], []) if ast.unparse(func) in ("pytest.raises", "raises"):
                return _called(node.body[0], error)
    if isinstance(node, ast.Try) and len(node.handlers) == 1 and not node.finalbody and node.body:
        handler, (first, *rest) = node.handlers[0], node.body
        passes = len(handler.body) == 1 and isinstance(handler.body[0], ast.Pass)
        fails = [*rest, *node.orelse]
        if passes and isinstance(handler.type, ast.Name) and len(fails) == 1 and _says_failed(fails[0]):
            return _called(first, handler.type.id)
    return None


def _called(statement: ast.stmt, error: str) -> tuple[ast.expr, str] | None:
    known = isinstance(getattr(builtins, error, None), type)
    return (statement.value, error) if known and isinstance(statement, ast.Expr | ast.Assign) else None


def _says_failed(statement: ast.stmt) -> bool:
    """`raise AssertionError(...)` or `assert False`."""
    words = ast.unparse(statement)
    return words.startswith(("raise AssertionError", "assert False"))


def _definition(name: str, arguments: Iterable[str], made: Iterable[str], expression: str, raises: bool) -> str:
    parameters = ", ".join(f"{argument}: object" for argument in arguments)
    returned = [f"return {expression}"]
    if raises:
        returned = [
            "try:",
            f"    {expression}",
            "except Exception as error:",
            "    return [kind.__name__ for kind in type(error).__mro__]",
            "return []",
        ]
    kind = "list[str]" if raises else "object"
    lines = [f"def {name}({parameters}) -> {kind}:", *(f"    {line}" for line in sorted(set(made))), ""]
    return "\n".join([*lines, *(f"    {line}" for line in returned)])


def _name_of(definition: str) -> str:
    return definition.removeprefix("def ").partition("(")[0]
