"""What is changed in statements: one is left out, returns less, or runs under other conditions."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.mutation.changes import Change, replaced, text_of
from tools.mutation.scopes import Scope


def statement_changes(node: ast.stmt, scope: Scope) -> Iterator[Change]:
    """The changes of one statement as a whole; the statements and expressions in it have their own."""
    if isinstance(node, ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign):
        yield replaced(node, "pass")
    if isinstance(node, ast.Return) and node.value is not None:
        yield replaced(node, "pass")
    if isinstance(node, ast.AugAssign):
        yield from _plain(node)
    if isinstance(node, ast.If | ast.While):
        yield from _conditions(node)
    if isinstance(node, ast.For):
        yield replaced(node.iter, f"list({ast.unparse(node.iter)})[:-1]")
        yield replaced(node.iter, f"list({ast.unparse(node.iter)})[1:]")
        yield replaced(node.iter, f"list({ast.unparse(node.iter)})[::-1]")
    if isinstance(node, ast.With):
        for item in node.items:
            yield replaced(item.context_expr, "__import__('contextlib').nullcontext()")


def _plain(node: ast.AugAssign) -> Iterator[Change]:
    target, value = ast.unparse(node.target), text_of(node.value)
    yield replaced(node, f"{target} = {value}")
    other = "-=" if isinstance(node.op, ast.Add) else "+="
    yield replaced(node, f"{target} {other} {value}")


def _conditions(node: ast.If | ast.While) -> Iterator[Change]:
    test = ast.unparse(node.test)
    yield replaced(node.test, f"not ({test})")
    yield replaced(node.test, "False")
    if isinstance(node, ast.If):
        yield replaced(node.test, "True")
