"""Read `answers.toml`: plain data by the path of each key.

Called inside the sandbox, as `grader.reading` is: plain data in, plain data out, whatever the student's bytes are.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

MAX_BYTES = 64 * 1024
MAX_DOTS = 2_000  # the parser's time grows with the square of the dots in a key
MAX_VALUES = 1_000
MAX_DEPTH = 4
MAX_LIST = 100
MAX_DIGITS = 100

_QUOTES = "each answer is one line, between quotes"
_PLACE = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)", re.DOTALL)


def read_answers(data: bytes) -> dict[str, Any]:
    """The values of an answers file; never raises.

    Returns:
        `values`: by path (`diffusion.mean_x_3`) a string, a bool, or a list of strings; numbers are the text that was
        typed. `wrong`: by path, what stands there that is no answer (`a date`). `lines`: by path, the line of a key.
        `error` and `line`: why the file cannot be read, or an empty text.
    """
    found: dict[str, Any] = {"values": {}, "wrong": {}, "lines": {}, "error": "", "line": 0}
    try:
        text = _text(data)
        tables = tomllib.loads(text, parse_float=str)
    except _Unreadable as error:
        return {**found, "error": error.sentence, "line": error.line}
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.fullmatch(str(error))
        line = int(place["line"] or data.count(b"\n") + 1) if place else 1
        what = place["what"] if place else str(error)
        return {**found, "error": f"it is no TOML: {what[:200]}; {_QUOTES}", "line": line}
    except (ValueError, RecursionError, MemoryError):  # a number of 5,000 digits, brackets in brackets in brackets
        return {**found, "error": "it holds a number or brackets beyond all measure", "line": 1}
    for path, value in _leaves(tables, ()):
        if len(found["values"]) + len(found["wrong"]) == MAX_VALUES:
            return {**found, "error": f"it has more than {MAX_VALUES:,} values", "line": 1}
        plain = _plain(value)
        if plain is None:
            found["wrong"][path] = _KINDS.get(type(value), "a date or a time")
        else:
            found["values"][path] = plain
    lines = _lines(text)
    known = found["values"].keys() | found["wrong"].keys()
    found["lines"] = {path: line for path, line in lines.items() if path in known}
    return found


_KINDS: dict[type, str] = {
    dict: "a table",
    list: "a list that holds other things than texts, or very many",
    int: "a number of many digits",
}


class _Unreadable(Exception):
    """A file that is not handed to the parser at all."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line, self.sentence = line, sentence


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _Unreadable(1, f"it has more than the {MAX_BYTES:,} bytes that are read")
    if data.count(b".") > MAX_DOTS:
        raise _Unreadable(1, f"it has more than {MAX_DOTS:,} dots")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Unreadable(line, "it is not UTF-8; save it as UTF-8") from None


def _leaves(table: dict[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        path = (*above, key)
        if isinstance(value, dict) and len(path) < MAX_DEPTH:
            yield from _leaves(value, path)
        else:
            yield ".".join(path), value


def _plain(value: Any) -> str | bool | list[str] | None:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return str(value) if abs(value) < 10**MAX_DIGITS else None
    if isinstance(value, list) and len(value) <= MAX_LIST and all(isinstance(item, str) for item in value):
        return value
    return None


def _lines(text: str) -> dict[str, int]:
    """The line of each key, by its path. Only for messages: a line inside a longer text may look like a key, too."""
    lines: dict[str, int] = {}
    table = ""
    for row, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        key, equals, _ = stripped.partition("=")
        if stripped.startswith("["):
            table = _bare(stripped.strip("[").partition("]")[0]) + "."
        elif equals:
            lines.setdefault(table + _bare(key), row)
    return lines


def _bare(key: str) -> str:
    """A dotted key without quotes and spaces."""
    return ".".join(part.strip(" \t\"'") for part in key.split("."))
