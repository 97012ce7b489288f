"""Lay what students wrote into pristine template files, so that nothing outside a gap is ever run.

`read_submission` is called inside the sandbox: plain data in, plain data out, whatever the student's bytes are.
"""

from __future__ import annotations

import codecs
import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grader.cells import in_cells
from grader.gaps import find_gaps, lay
from grader.handed import Handed, student_gaps
from grader.lines import end_of, split_lines, without_end

MAX_FILE_BYTES = 256 * 1024
MAX_FILE_LINES = 5_000
MAX_LINE_CHARACTERS = 1_000  # the time to read tokens grows with the square of a line's length
MAX_DIFF_LINES = 200
MAX_DIFF_CHARACTERS = 20_000
MAX_EXTRA_FILES = 20


def splice(template: str, contents: Iterable[str | None], name: str = "template") -> str:
    """The template with these contents in its gaps, in the order of the file; None keeps the template's own.

    `splice(strip(solution), [gap.content for gap in find_gaps(solution)])` is the solution again, byte for byte.
    """
    return lay(template, find_gaps(template, name), contents)


def read_submission(
    templates: Mapping[str, str],
    handed_in: Mapping[str, bytes],
    starts: Mapping[str, Sequence[tuple[int, str]]] | None = None,
) -> dict[str, Any]:
    """Read what a student handed in against the files that were handed out.

    Args:
        templates: the text of each Python file of the release that counts, by its path.
        handed_in: the bytes of each file of the submission, by its path.
        starts: of each file that is a notebook's text its cells, as `grader.notebooks` returns them.

    Returns:
        plain data: `files` (path -> the text to run, one for each template), `gaps` (a list of `file`, `label`,
        `state` (`filled`, `untouched`, `missing`, `syntax`), `line` and `content` of each gap), `findings` (a list
        of `kind`, `file`, `line` (0: the whole file) and `message`), `diffs` (path -> unified diff of the edits
        outside gaps, which are undone). A finding's kind is one of `syntax`, `gap-missing`, `edited-outside`,
        `not-utf8`, `missing-file`, `too-long`, `extra-file`.
    """
    read: dict[str, Any] = {"files": {}, "gaps": [], "findings": [], "diffs": {}}
    for path, template in sorted(templates.items()):
        read["files"][path] = template
        if path not in handed_in:
            _find(read, "missing-file", path, 0, f"{path} is missing; the file that was handed out takes its place")
            _record(read, path, [Handed(gap, problem="gap-missing") for gap in find_gaps(template, path)])
        else:
            _read_file(read, path, template, handed_in[path], (starts or {}).get(path, ()))
    extra = sorted(path for path in handed_in if path.endswith(".py") and path not in templates)
    extra = [path for path in extra if not path.startswith(("tests/", "gapcheck/"))]
    for path in extra[:MAX_EXTRA_FILES]:
        _find(read, "extra-file", path, 0, f"{path} was not handed out and is not used")
    if len(extra) > MAX_EXTRA_FILES:
        more = f"{len(extra) - MAX_EXTRA_FILES} more Python files were not handed out and are not used"
        _find(read, "extra-file", extra[MAX_EXTRA_FILES], 0, more)
    return read


def decode(data: bytes) -> tuple[str, int]:
    """The text of a file with LF ends, and the first line that is not UTF-8 (0 where all is well).

    Bytes that cannot be read become U+FFFD: in a comment they do no harm, and the rest can still be graded.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text, bad = data.decode("utf-16", errors="replace"), 1
    else:
        data = data.removeprefix(codecs.BOM_UTF8)
        text, bad = data.decode("utf-8", errors="replace"), 0
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            bad = len(split_lines(data[: error.start].decode("utf-8") + "?"))
    if "\0" in text:
        bad = bad or len(split_lines(text[: text.index("\0")] + "?"))
        text = text.replace("\0", "\ufffd")
    return _with_ends(text, "\n"), bad


def too_long(data: bytes, text: str) -> str:
    """Why a file is too long to be read, or nothing."""
    lines = split_lines(text)
    if len(data) > MAX_FILE_BYTES:
        return f"is larger than {MAX_FILE_BYTES // 1024} KiB"
    if len(lines) > MAX_FILE_LINES:
        return f"has more than {MAX_FILE_LINES:,} lines"
    if max(map(len, lines), default=0) > MAX_LINE_CHARACTERS:
        return f"has a line of more than {MAX_LINE_CHARACTERS:,} characters"
    return ""


def _with_ends(text: str, newline: str) -> str:
    return "".join(without_end(line) + (newline if end_of(line) else "") for line in split_lines(text))


def _find(read: dict[str, Any], kind: str, file: str, line: int, message: str) -> None:
    read["findings"].append({"kind": kind, "file": file, "line": line, "message": message})


def _read_file(read: dict[str, Any], path: str, template: str, data: bytes, starts: Sequence[tuple[int, str]]) -> None:
    student, bad_line = decode(data[:MAX_FILE_BYTES])
    if reason := too_long(data, student):
        _find(read, "too-long", path, 0, f"{path} {reason}; it was not read")
        _record(read, path, [Handed(gap, problem="gap-missing") for gap in find_gaps(template, path)])
        return
    if bad_line:
        sentence = f"{path} is not UTF-8 (line {bad_line}); save it as UTF-8, the unreadable characters were replaced"
        _find(read, "not-utf8", path, bad_line, sentence)
    lf_template = _with_ends(template, "\n")
    handed = student_gaps(lf_template, student, path)
    for one in handed:
        if one.problem == "gap-missing":
            _find(read, "gap-missing", path, one.line, f"{one.message}; the gap counts as not filled")
        elif one.problem:
            _find(read, "syntax", path, one.line, f"{one.gap.todo}: line {one.line}: {one.message}")
    _record(read, path, handed)
    newline = end_of(split_lines(template)[0]) if template else ""
    contents = [None if one.content is None else _with_ends(_to_run(one, starts), newline) for one in handed]
    read["files"][path] = splice(template, contents, path)
    _note_edits_outside(read, path, lf_template, student, handed)


def _to_run(one: Handed, starts: Sequence[tuple[int, str]]) -> str:
    """A content, or, where it does not compile, the error that its own task meets."""
    if not one.problem:
        return one.content or ""
    message = in_cells(f"{one.gap.todo}: line {one.line}: {one.message}", starts)
    return f"{one.gap.indent}raise SyntaxError({message!r})\n"


def _record(read: dict[str, Any], path: str, handed: list[Handed]) -> None:
    for one in handed:
        untouched = one.content == one.gap.content
        state = {"gap-missing": "missing", "syntax": "syntax"}.get(one.problem, "untouched" if untouched else "filled")
        gap = {"file": path, "label": one.gap.label, "state": state, "line": one.start, "content": one.content or ""}
        read["gaps"].append(gap)


def _note_edits_outside(read: dict[str, Any], path: str, template: str, student: str, handed: list[Handed]) -> None:
    """Compare the student's file with the template that holds the student's contents; line ends do not count."""
    as_given = lay(template, [one.gap for one in handed], [one.content for one in handed])
    before, after = ([line.rstrip() for line in split_lines(text.rstrip())] for text in (as_given, student))
    if before == after:
        return
    pairs = enumerate(zip(before, after, strict=False), 1)
    first = next((row for row, (old, new) in pairs if old != new), min(len(before), len(after)) + 1)
    message = f"{path} was edited outside its gaps, first at line {first}; these edits are undone"
    _find(read, "edited-outside", path, first, message)
    diff = list(difflib.unified_diff(before, after, f"{path} (handed out)", path, lineterm=""))
    text = "\n".join(diff[:MAX_DIFF_LINES])
    cut = len(diff) > MAX_DIFF_LINES or len(text) > MAX_DIFF_CHARACTERS
    read["diffs"][path] = text[:MAX_DIFF_CHARACTERS] + ("\n... (cut)\n" if cut else "\n")
