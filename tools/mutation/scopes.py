"""What each node of a file stands in: its parent, and the names that could stand in its place."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field


@dataclass
class Scope:
    """Where a node stands.

    Attributes:
        parent: the node around it.
        names: the arguments and variables of the function around it, and the line from which on each has a value.
        attributes: what the class around it assigns to `self`.
        modules: the names that the file imports.
    """

    parent: ast.AST | None
    names: dict[str, int] = field(default_factory=dict)
    attributes: list[str] = field(default_factory=list)
    modules: frozenset[str] = frozenset()


def scopes_of(tree: ast.Module) -> dict[ast.AST, Scope]:
    """The scope of every node."""
    scopes: dict[ast.AST, Scope] = {}
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    modules = frozenset((alias.asname or alias.name).partition(".")[0] for node in imports for alias in node.names)

    def visit(node: ast.AST, scope: Scope) -> None:
        scopes[node] = scope
        names, attributes = scope.names, scope.attributes
        if isinstance(node, ast.FunctionDef):
            names = _names_of(node)
        if isinstance(node, ast.ClassDef):
            attributes = _attributes_of(node)
        for child in ast.iter_child_nodes(node):
            visit(child, Scope(node, names, attributes, modules))

    visit(tree, Scope(None, modules=modules))
    return scopes


def _names_of(function: ast.FunctionDef) -> dict[str, int]:
    arguments = [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    lines = dict.fromkeys(arguments, function.lineno)
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            lines[node.id] = min(node.lineno, lines.get(node.id, node.lineno))
    return {name: line for name, line in lines.items() if name not in ("self", "_")}


def _attributes_of(owner: ast.ClassDef) -> list[str]:
    stored = (node for node in ast.walk(owner) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
    return list(dict.fromkeys(node.attr for node in stored if ast.unparse(node.value) == "self"))
