"""Tests of otter-grader: their code as assertions, and the points of each."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tools.migration.assignment import MigrationError, points


def as_assertion(source: str, outputs: Sequence[Any]) -> tuple[str, str]:
    """A test's code with its last value compared with what was saved below it, or why that cannot be done."""
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        return "", f"it is no Python ({error.msg})"
    if any(output.get("output_type") == "stream" for output in outputs):
        return "", "it compares what is printed"
    shown = "".join("".join(output.get("data", {}).get("text/plain", "")) for output in outputs)
    if body and isinstance(body[0], ast.FunctionDef) and body[0].name.startswith("test") and len(body) <= 2:
        return _of_function(source, body[0]), ""
    if not body or not isinstance(body[-1], ast.Expr):
        return source.strip(), ""
    if not shown:
        return ("", "its value was not saved with the notebook") if _has_value(body[-1].value) else (source.strip(), "")
    try:
        expected = ast.literal_eval(shown)
    except (ValueError, SyntaxError):
        return "", "its saved value is no plain one"
    above = source.splitlines()[: body[-1].lineno - 1]
    value = ast.unparse(body[-1].value)
    is_comparison = isinstance(expected, bool)
    claim = (value if expected else f"not ({value})") if is_comparison else f"{value} == {expected!r}"
    return "\n".join([*above, f"assert {claim}"]).strip(), ""


def _has_value(node: ast.expr) -> bool:
    """Whether something would be shown; calls of `np.testing` and the like return None."""
    return not isinstance(node, ast.Call) or not re.search(r"\bassert", ast.unparse(node.func))


def _of_function(source: str, function: ast.FunctionDef) -> str:
    """The body of `def test_x(env): ...`, with the names themselves for `env["name"]`."""
    lines = source.splitlines()[function.body[0].lineno - 1 : function.end_lineno]
    margin = function.body[0].col_offset
    return re.sub(r"""\benv\[["'](\w+)["']\]""", r"\1", "\n".join(line[margin:] for line in lines))


def shares_of(worth: Any, given: Sequence[Fraction | None], where: str) -> tuple[list[Fraction], Fraction]:
    """The points of each test and of the question, as otter resolves them."""
    if isinstance(worth, list):
        if len(worth) != len(given):
            raise MigrationError(f"{where}: it has {len(worth)} points for {len(given)} tests; mend it in the notebook")
        shares = [points(one, where) for one in worth]
    elif isinstance(worth, Mapping):
        shares = [points(worth.get("each", 1), where)] * len(given)
    else:
        total = None if worth is None else points(worth, where)
        fixed, free = sum((one for one in given if one), Fraction(0)), sum(one is None for one in given)
        rest = Fraction(0) if total is None and fixed else (Fraction(1) if total is None else total) - fixed
        shares = [rest / free if one is None else one for one in given]
        if total is not None or not given:
            return shares, Fraction(1) if total is None else total
    return shares, sum(shares, Fraction(0))
