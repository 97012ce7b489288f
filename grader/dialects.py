"""Solutions that were written for nbgrader or otter, read as if they were marked with `START TODO`.

nbgrader: `### BEGIN SOLUTION` to `### END SOLUTION` is a gap; `### BEGIN HIDDEN TESTS` to `### END HIDDEN TESTS`
leaves no trace. otter: `# BEGIN SOLUTION` to `# END SOLUTION` is a gap; a line that ends in `# SOLUTION` is a gap
that starts with the line's left side and `...`; one that ends in `# SOLUTION NO PROMPT` or `# SEED` leaves no trace;
a string with `# BEGIN PROMPT` and `# END PROMPT` behind its quotes holds the starter code of the solution beside it.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass

from grader.lines import GapError, end_of, indent_of, scan, split_lines, without_end

_BEGIN = re.compile(r"#+ BEGIN (?P<what>SOLUTION NO PROMPT|SOLUTION|HIDDEN TESTS)")
_END = re.compile(r"#+ END (?P<what>SOLUTION|HIDDEN TESTS)")
_BEGIN_PROMPT = re.compile(r"""\s*(?:\"{3}|'{3})\s*# BEGIN PROMPT\s*""")
_SUFFIX = re.compile(r"#+ (?P<what>SOLUTION NO PROMPT|SOLUTION|SEED)")


@dataclass(frozen=True)
class _Piece:
    """Lines that another dialect marks: what the solution has there, and what the student gets."""

    first: int
    last: int
    solution: list[str]
    starter: list[str]
    is_gap: bool


def translate(text: str, name: str) -> str:
    """A solution in our own markers; the same text where it holds no others. Raises `GapError`."""
    lines = split_lines(text)
    pieces = _pieces(lines, {comment.line: comment.text for comment in scan(text).comments}, name)
    for group in reversed(_neighbours(lines, pieces)):
        lines[group[0].first - 1 : group[-1].last] = _in_our_markers(lines, group, name)
    return "".join(lines)


def _pieces(lines: list[str], comments: dict[int, str], name: str) -> list[_Piece]:
    pieces = []
    opened: tuple[int, str] | None = None
    for row, comment in comments.items():
        if begin := _BEGIN.fullmatch(comment):
            if opened:
                raise GapError(
                    name, row, f"BEGIN {begin['what']} inside what was begun at line {opened[0]}; end that first"
                )
            opened = row, begin["what"]
        elif comment == "# END PROMPT" and opened is None:
            pieces.append(_prompt(lines, row, name))
        elif end := _END.fullmatch(comment):
            if opened is None or opened[1].removesuffix(" NO PROMPT") != end["what"]:
                raise GapError(name, row, f"END {end['what']} without a BEGIN {end['what']} before it")
            pieces.append(_block(lines, opened[0], row, opened[1]))
            opened = None
        elif opened is None and (suffix := _SUFFIX.fullmatch(comment)):
            pieces.append(_one_line(lines[row - 1], row, comment, suffix["what"]))
    if opened:
        raise GapError(name, opened[0], f"BEGIN {opened[1]} is never ended")
    return pieces


def _block(lines: list[str], first: int, last: int, what: str) -> _Piece:
    return _Piece(first, last, lines[first : last - 1], [], is_gap=what == "SOLUTION")


def _prompt(lines: list[str], last: int, name: str) -> _Piece:
    """The string that ends at line `last`; its first line is no comment but the string's first words."""
    for first in range(last - 1, 0, -1):
        if _BEGIN_PROMPT.fullmatch(lines[first - 1]):
            return _Piece(first, last, [], lines[first : last - 1], is_gap=False)
    raise GapError(name, last, "END PROMPT without a BEGIN PROMPT before it")


def _one_line(line: str, row: int, comment: str, what: str) -> _Piece:
    code = without_end(line).removesuffix(comment).rstrip()
    solution = [f"{code.rstrip()}{end_of(line)}"]
    if what != "SOLUTION":
        return _Piece(row, row, solution, [], is_gap=False)
    return _Piece(row, row, solution, [f"{_left_side(code)}...{end_of(line)}"], is_gap=True)


def _left_side(code: str) -> str:
    """What stays of a line: its indentation, and the left side of its first assignment."""
    depth = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(code.lstrip()).readline):
            depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}"))
            if token.type == tokenize.OP and token.string == "=" and not depth:
                return f"{indent_of(code)}{code.lstrip()[: token.end[1]]} "
    except (tokenize.TokenError, SyntaxError):
        pass  # the line is part of a longer statement
    return indent_of(code)


def _neighbours(lines: list[str], pieces: list[_Piece]) -> list[list[_Piece]]:
    """Pieces of one block with no other line between them belong together."""
    groups: list[list[_Piece]] = []
    for piece in pieces:
        last = groups[-1] if groups else []
        block = indent_of(lines[last[0].first - 1]) if last else ""
        if last and last[-1].last + 1 == piece.first and indent_of(lines[piece.first - 1]).startswith(block):
            last.append(piece)
        else:
            groups.append([piece])
    return groups


def _in_our_markers(lines: list[str], group: list[_Piece], name: str) -> list[str]:
    first = lines[group[0].first - 1]
    indent, newline = indent_of(first), end_of(first) or "\n"
    solution = [line for piece in group for line in piece.solution]
    starter = [line for piece in group for line in piece.starter]
    if not solution:
        raise GapError(name, group[0].first, "a PROMPT without a solution beside it; put them next to each other")
    if not any(piece.is_gap for piece in group) and not starter:
        return [f"{indent}# START SOLUTION ONLY{newline}", *solution, f"{indent}# END SOLUTION ONLY{newline}"]
    student = [f"{indent}# STUDENT: {line.removeprefix(indent)}" for line in starter]
    return [f"{indent}# START TODO{newline}", *student, *solution, f"{indent}# END TODO{newline}"]
