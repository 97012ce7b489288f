"""What a reader of student code notes: gaps without a comment, loops over tensors, and style.

Called inside the sandbox, as `grader.splice` is: plain data in, plain data out, whatever the student's bytes are.
"""

from __future__ import annotations

import ast
import functools
import warnings
from collections.abc import Mapping
from typing import Any

import pycodestyle

from grader.cells import TEXT_SUFFIX
from grader.gaps import Gap, find_gaps
from grader.lines import scan, split_lines
from grader.splice import MAX_FILE_BYTES, decode, too_long

MAX_LINE_LENGTH = 120
MAX_STYLE_FINDINGS = 100
NOT_THE_STUDENTS = ("tests/", "gapcheck/")
# a cell may import what it needs, and a semicolon behind a figure keeps its text away
NO_MATTER_IN_NOTEBOOKS = ("E402", "E703")


def note_gaps(templates: Mapping[str, str], gaps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Findings on the filled gaps among those that `read_submission` returned under `gaps`.

    Kinds: `no-comment` (the gap holds no comment beyond its instructions) and `loop` (a `for` over a range or over a
    name that is no loader's, where a vectorised form may exist; only a note).
    """
    findings = []
    for path, template in sorted(templates.items()):
        of_file = [gap for gap in gaps if gap["file"] == path]
        for given, gap in zip(find_gaps(template, path), of_file, strict=True):
            if gap["state"] == "filled":
                findings += [{"file": path, **note} for note in _notes(given, gap["content"], gap["line"])]
    return findings


def _notes(given: Gap, content: str, marker: int) -> list[dict[str, Any]]:
    notes: list[dict[str, Any]] = []
    if not _comments(content) - _comments(given.content):
        message = f"{given.todo} holds no comment of your own; say in a line what the code does"
        notes.append({"kind": "no-comment", "line": marker, "message": message})
    given_loops = set(_loops(given.content).values())
    for row, loop in _loops(content).items():
        if loop not in given_loops:
            message = (
                f"{given.todo}: `{loop}` runs step by step; where a vectorised form exists, it is faster and shorter"
            )
            notes.append({"kind": "loop", "line": marker + row, "message": message})
    return notes


def _comments(content: str) -> set[str]:
    return {comment.text for comment in scan(content).comments if comment.text.strip("# ")}


def _loops(content: str) -> dict[int, str]:
    """The head of each `for` over a range or a name, by its line in the content, counted from 1."""
    if "for" not in content:
        return {}  # most gaps have none, and a syntax tree takes longer than all else that is noted
    opened = "if True:\n" if content.lstrip("\n")[:1].isspace() else "\n"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(opened + content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}  # it compiles in its file, so it is a fragment of a larger statement: nothing to note
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For) and _steps(node.iter)]
    return {node.lineno - 1: f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}"[:80] for node in loops}


def _steps(iterated: ast.expr) -> bool:
    if isinstance(iterated, ast.Call):
        return isinstance(iterated.func, ast.Name) and iterated.func.id == "range"
    return isinstance(iterated, ast.Name) and not iterated.id.endswith(("loader", "dataset", "batches"))


def check_style(handed_in: Mapping[str, bytes]) -> dict[str, Any]:
    """Run pycodestyle with its defaults and lines up to 120 over the Python files of a submission.

    Returns:
        `total`, and `findings`: the first hundred, each with `file`, `line`, `column`, `code` and `text`.
    """
    findings: list[dict[str, Any]] = []
    total = 0
    for path in sorted(handed_in):
        if path.endswith(".py") and not path.startswith(NOT_THE_STUDENTS):
            found = _style_of(path, handed_in[path])
            total += len(found)
            findings += found[: MAX_STYLE_FINDINGS - len(findings)]
    return {"total": total, "findings": findings}


class _Collect(pycodestyle.BaseReport):  # type: ignore[misc]  # pycodestyle has no types
    """Keeps what pycodestyle would print."""

    def init_file(self, filename: str, lines: list[str], expected: object, line_offset: int) -> None:
        super().init_file(filename, lines, expected, line_offset)
        self.found: list[dict[str, Any]] = []

    def error(self, line_number: int, offset: int, text: str, check: object) -> str | None:
        code: str | None = super().error(line_number, offset, text, check)
        if code:
            place = {"file": self.filename, "line": line_number, "column": offset + 1}
            self.found.append({**place, "code": code, "text": text[5:]})
        return code


@functools.cache
def _style_options(*, notebook: bool) -> Any:
    style = pycodestyle.StyleGuide(parse_argv=False, config_file=False, max_line_length=MAX_LINE_LENGTH)
    if notebook:
        style.options.ignore += NO_MATTER_IN_NOTEBOOKS
    return style.options


def _style_of(path: str, data: bytes) -> list[dict[str, Any]]:
    text, _ = decode(data[:MAX_FILE_BYTES])
    if reason := too_long(data, text):
        return [{"file": path, "line": 1, "column": 1, "code": "E902", "text": f"{path} {reason}; it was not read"}]
    options = _style_options(notebook=path.endswith(TEXT_SUFFIX))
    checker = pycodestyle.Checker(path, lines=split_lines(text), options=options, report=_Collect(options))
    try:
        checker.check_all()
    except (SyntaxError, ValueError, RecursionError, IndexError) as error:
        return [
            {"file": path, "line": 1, "column": 1, "code": "E902", "text": f"cannot be read: {type(error).__name__}"}
        ]
    return sorted(checker.report.found, key=lambda one: (one["line"], one["column"], one["code"]))
