"""One change of a source text, made where a node of its syntax tree stands."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from grader.lines import split_lines


@dataclass(frozen=True)
class Change:
    """New text between two places (line from 1, column in bytes), as `ast` counts them."""

    start: tuple[int, int]
    end: tuple[int, int]
    new: str

    def apply(self, text: str) -> str:
        lines = [line.encode() for line in split_lines(text)]
        (first, left), (last, right) = self.start, self.end
        changed = lines[first - 1][:left] + self.new.encode() + lines[last - 1][right:]
        return b"".join([*lines[: first - 1], changed, *lines[last:]]).decode()


def replaced(node: ast.expr | ast.stmt, new: str) -> Change:
    """The change that puts `new` where a node stands."""
    end = (node.end_lineno or node.lineno, node.end_col_offset or 0)  # a parsed node has both
    return Change((node.lineno, node.col_offset), end, new)


def text_of(node: ast.expr) -> str:
    """The expression as a part of another one: in brackets where it could be torn apart."""
    text = ast.unparse(node)
    whole = (ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.Constant, ast.List, ast.Tuple, ast.Dict)
    return text if isinstance(node, whole) else f"({text})"
