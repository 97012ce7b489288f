"""Lines and comments of a Python file, byte exact: the ground that gaps stand on.

Comments come from `tokenize`, so that what looks like a comment inside a string is none. Only the standard library is
imported here: the module runs inside the sandbox, too.
"""

from __future__ import annotations

import functools
import io
import re
import tokenize
import warnings
from dataclasses import dataclass

from grader import GapgradeError

# Python ends a line at LF, CR LF and CR, and nowhere else (`str.splitlines` knows eight more ends).
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class GapError(GapgradeError):
    """A file's markers cannot be read.

    Attributes:
        file, line: where (the line counts from 1).
        sentence: what is wrong and what to do.
    """

    def __init__(self, file: str, line: int, sentence: str) -> None:
        super().__init__(f"{file}:{line}: {sentence}")
        self.file, self.line, self.sentence = file, line, sentence


@dataclass(frozen=True)
class Comment:
    """A comment token: `line` counts from 1, `text` starts with `#`, `alone` says that no code stands before it."""

    line: int
    text: str
    alone: bool


@dataclass(frozen=True)
class Scan:
    """What `tokenize` says of a file.

    Attributes:
        comments: in the order of the file.
        inside: the lines that begin inside a string or another token.
        read_to: the last line that was read; smaller than the file's length where its text is broken.
    """

    comments: tuple[Comment, ...]
    inside: frozenset[int]
    read_to: int


def split_lines(text: str) -> list[str]:
    """The lines with their ends; joined they are `text` again."""
    return _LINE.findall(text)


def without_end(line: str) -> str:
    return line.rstrip("\r\n")


def end_of(line: str) -> str:
    """How the line ends: LF, CR LF, CR, or nothing for a file's last line."""
    return line[len(without_end(line)) :]


def indent_of(line: str) -> str:
    content = without_end(line)
    return content[: len(content) - len(content.lstrip(" \t\f"))]


@functools.lru_cache(maxsize=32)  # a file is looked at for one thing after the other, and tokens are slow to read
def scan(text: str) -> Scan:
    """Read the tokens of a file as far as they can be read; never raises."""
    lines = [without_end(line) for line in split_lines(text)]
    source = io.StringIO("".join(f"{line}\n" for line in lines))
    comments: list[Comment] = []
    inside: set[int] = set()
    read_to = 0
    try:
        for kind, string, (row, column), (end, _), _ in tokenize.generate_tokens(source.readline):
            if kind == tokenize.COMMENT:
                comments.append(Comment(row, string.rstrip(), not lines[row - 1][:column].strip()))
            if end > row:
                inside.update(range(row + 1, end + 1))
            read_to = max(read_to, end)
    except (tokenize.TokenError, SyntaxError):
        return Scan(tuple(comments), frozenset(inside), read_to)
    return Scan(tuple(comments), frozenset(inside), len(lines))


def why_not_python(text: str, name: str) -> tuple[int, str] | None:
    """The line and the reason why a text does not compile, or None where it does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.lineno or 1, error.msg
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return 1, str(error) or type(error).__name__
    return None
