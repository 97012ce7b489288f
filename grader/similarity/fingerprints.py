"""Fingerprints of a gap's content that renaming and other comments do not change.

Tokens come from `tokenize`; comments, line ends and indentation are left out. Words of Python, words that the file that
was handed out holds and names behind a dot (`torch.exp`) say what the code does and stay; every other name is the
author's own choice and becomes one and the same token, as each string does.

The fingerprints are chosen by winnowing (S. Schleimer, D. S. Wilkerson and A. Aiken, Winnowing: local algorithms for
document fingerprinting, SIGMOD 2003, sections 3 and 4): of each `WINDOW` successive hashes of `K` tokens the least one.
Then every run of `K + WINDOW - 1` tokens that two texts share leaves a fingerprint that they share, and no run shorter
than `K` does.
"""

from __future__ import annotations

import builtins
import hashlib
import io
import keyword
import textwrap
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

K = 10
"""Shared runs shorter than this say nothing: about one call with its arguments."""
WINDOW = 5

_SPACE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_KNOWN = frozenset(keyword.kwlist) | frozenset(dir(builtins)) | {"self"}
OWN = "name"


@dataclass(frozen=True)
class Token:
    """A token as it is compared, and its line, counted from 0."""

    text: str
    line: int


@dataclass(frozen=True)
class Prints:
    """A text's fingerprints: by hash, the lines that its runs cover."""

    lines: dict[int, frozenset[int]]


def words_in(text: str) -> frozenset[str]:
    """The names that a text holds."""
    return frozenset(token.string for token in _tokens(text) if token.type == tokenize.NAME)


def prints_of(text: str, given: frozenset[str] = frozenset()) -> Prints:
    """The fingerprints of a gap's content.

    Args:
        given: names that are not the author's own: those of the file that was handed out.
    """
    tokens = normalised(text, given)
    lines: dict[int, set[int]] = {}
    for start, number in winnowed(_hashes(tokens)):
        lines.setdefault(number, set()).update(token.line for token in tokens[start : start + K])
    return Prints({number: frozenset(found) for number, found in lines.items()})


def runs_in(text: str, given: frozenset[str]) -> frozenset[int]:
    """The hashes of all runs of `K` tokens of a text, chosen or not."""
    return frozenset(_hashes(normalised(text, given)))


def normalised(text: str, given: frozenset[str] = frozenset()) -> list[Token]:
    """The tokens as they are compared, as far as the text can be read."""
    found: list[Token] = []
    before = ""
    for token in _tokens(text):
        shown = token.string
        if token.type == tokenize.NAME:
            attribute = before == "." and len(found) > 1 and found[-2].text != "self"
            shown = shown if attribute or shown in _KNOWN or shown in given else OWN
        elif token.type not in (tokenize.OP, tokenize.NUMBER):
            shown = "text"
        found.append(Token(shown, token.start[0] - 1))
        before = token.string
    return found


def winnowed(hashes: Sequence[int]) -> Iterable[tuple[int, int]]:
    """The place and the value of each hash that is the least of a window; of equal ones the last (section 3)."""
    chosen = -1
    for end in range(min(WINDOW, len(hashes)) or 1, len(hashes) + 1):
        window = range(max(0, end - WINDOW), end)
        least = min(window, key=lambda place: (hashes[place], -place))
        if least != chosen:
            chosen = least
            yield least, hashes[least]


def _hashes(tokens: Sequence[Token]) -> list[int]:
    """A number for each run of `K` tokens, the same on every machine."""
    texts = [token.text for token in tokens]
    runs = ("\0".join(texts[start : start + K]) for start in range(len(texts) - K + 1))
    return [int.from_bytes(hashlib.blake2b(run.encode("utf-8", "replace"), digest_size=8).digest()) for run in runs]


def _tokens(text: str) -> Iterable[tokenize.TokenInfo]:
    """The tokens that say something, up to the first that cannot be read."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(textwrap.dedent(text)).readline):
            if token.type not in _SPACE:
                yield token
    except (tokenize.TokenError, SyntaxError):
        return
