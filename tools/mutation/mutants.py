"""The mutants of a file's gaps: each is the file's text with one expression or statement in a gap changed."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from grader.gaps import Gap, find_gaps
from grader.lines import split_lines, why_not_python
from tools.mutation.changes import Change
from tools.mutation.expressions import expression_changes
from tools.mutation.scopes import Scope, scopes_of
from tools.mutation.statements import statement_changes


@dataclass(frozen=True)
class Mutant:
    """One wrong version of a file.

    Attributes:
        file, line, gap: where; `gap` is the gap's label.
        before, after: the lines that differ, without their indentation.
        text: the whole file.
    """

    file: str
    line: int
    gap: str
    before: str
    after: str
    text: str

    def diff(self, original: str) -> str:
        """What was changed, as a unified diff."""
        lines = difflib.unified_diff(
            original.splitlines(), self.text.splitlines(), self.file, f"{self.file} (mutant)", lineterm="", n=1
        )
        return "\n".join(lines)


def find_mutants(text: str, name: str) -> list[Mutant]:
    """All mutants of a solution's gaps, each text once, in the order of the file."""
    tree = ast.parse(text)
    scopes = scopes_of(tree)
    seen = {_normal(text)}
    mutants = []
    for gap in find_gaps(text, name):
        for change in sorted(set(_changes(tree, gap, scopes)), key=lambda one: (one.start, one.end, one.new)):
            changed = change.apply(text)
            if why_not_python(changed, name):
                continue
            normal = _normal(changed)
            if normal not in seen:
                seen.add(normal)
                mutants.append(_mutant(text, changed, name, gap.label))
    return mutants


def _normal(text: str) -> str:
    """The same for texts that mean the same."""
    return ast.dump(ast.parse(text))


def _changes(tree: ast.Module, gap: Gap, scopes: dict[ast.AST, Scope]) -> Iterator[Change]:
    for node, scope in scopes.items():
        inside = gap.start < getattr(node, "lineno", 0) and (getattr(node, "end_lineno", 0) or 0) < gap.end
        if not inside:
            continue
        if isinstance(node, ast.stmt):
            yield from statement_changes(node, scope)
        elif isinstance(node, ast.expr):
            yield from expression_changes(node, scope)


def _mutant(text: str, changed: str, name: str, label: str) -> Mutant:
    old, new = ([line.strip() for line in split_lines(one)] for one in (text, changed))
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    rest = min(len(old), len(new)) - same
    tail = next((i for i in range(rest) if old[-1 - i] != new[-1 - i]), rest)
    before, after = ("\n".join(one[same : len(one) - tail]) for one in (old, new))
    return Mutant(name, same + 1, label, before, after, changed)
