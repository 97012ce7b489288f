"""The gap language: where a solution's gaps lie, and what a student's file holds in their place.

    # START TODO (vae 1): draw z ~ N(mean, exp(logvar)) so that gradients reach mean and logvar.
    # Hint: comment lines that directly follow are instructions, too.
    std = torch.exp(0.5 * logvar)
    # END TODO

Markers are comments that stand alone on their line. `# STUDENT: code` inside a gap becomes starter code of the
template; `# START SOLUTION ONLY` to `# END SOLUTION ONLY` leaves no trace there. Only the standard library is
imported: student files are read inside the sandbox.
"""

from __future__ import annotations

import difflib
import functools
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.dialects import translate
from grader.lines import GapError, Scan, end_of, indent_of, scan, split_lines, why_not_python

__all__ = ["Gap", "GapError", "find_gaps", "lay", "starts_of", "strip", "without_solution_only"]

_START = re.compile(r"# START TODO(?: \((?P<label>[^()\"'\\]+)\))?(?:: (?P<text>.*))?")
_WORDS = {"# END TODO": "end", "# START SOLUTION ONLY": "start-only", "# END SOLUTION ONLY": "end-only"}
_STUDENT = re.compile(r"# STUDENT:(?: (?P<code>.*))?")


@dataclass(frozen=True)
class Gap:
    """The lines between `START TODO` and `END TODO`.

    Attributes:
        label: what stands in brackets behind `START TODO`, for example `vae 1`; empty if nothing does.
        instruction: the words of the start line and of the instruction lines.
        start, end: the lines of the two markers, counted from 1.
        indent: what stands before the start marker.
        content: the text between the markers, byte exact; `head` are its instruction lines, `body` is the rest.
    """

    label: str
    instruction: str
    start: int
    end: int
    indent: str
    content: str
    head: str
    body: str

    @property
    def todo(self) -> str:
        """How a message names the gap: `TODO vae 1`."""
        return f"TODO {self.label}".rstrip()


@dataclass(frozen=True)
class _Marker:
    line: int
    kind: str
    label: str = ""
    text: str = ""


def find_gaps(text: str, name: str) -> list[Gap]:
    """The gaps of a solution or template in the order of the file; raises `GapError` with file and line."""
    return list(_gaps(text, name))


@functools.lru_cache(maxsize=32)  # who reads a submission asks for its template's gaps several times
def _gaps(text: str, name: str) -> tuple[Gap, ...]:
    lines, seen = split_lines(text), scan(text)
    gaps = [_gap(lines, seen, *pair) for pair in _pairs(_markers(seen, name), name) if pair[0].kind == "start"]
    first: dict[str, int] = {}
    for gap in gaps:
        _refuse_mixed_indent(lines, seen, gap, name)
        if gap.label and first.setdefault(gap.label, gap.start) != gap.start:
            sentence = f"the label ({gap.label}) stands at line {first[gap.label]}, too; give each gap its own"
            raise GapError(name, gap.start, sentence)
    return tuple(gaps)


def lay(text: str, gaps: Sequence[Gap], contents: Iterable[str | None]) -> str:
    """`text` with other contents in its gaps; None leaves a gap as it is."""
    lines = split_lines(text)
    pieces: list[str] = []
    after = 0
    for gap, content in zip(gaps, contents, strict=True):
        if content is not None:
            pieces += [*lines[after : gap.start], content]
            after = gap.end - 1
    return "".join([*pieces, *lines[after:]])


def starts_of(gaps: Sequence[Gap], contents: Sequence[str | None]) -> list[int]:
    """The lines of the start markers after `lay` with these contents."""
    starts, shift = [], 0
    for gap, content in zip(gaps, contents, strict=True):
        starts.append(gap.start + shift)
        if content is not None:
            shift += len(split_lines(content)) - (gap.end - gap.start - 1)
    return starts


def without_solution_only(text: str, name: str) -> str:
    """`text` without its solution-only regions, and without the blank lines that their going would double."""
    lines = split_lines(text)
    regions = [pair for pair in _pairs(_markers(scan(text), name), name) if pair[0].kind == "start-only"]
    for start, end in reversed(regions):
        before, after = lines[: start.line - 1], lines[end.line :]
        above, below = _blank_lines(reversed(before)), _blank_lines(after)
        if above == len(before):
            after = after[below:]
        elif below == len(after):
            before = before[: len(before) - above]
        else:
            after = after[min(above, below) :]
        lines = before + after
    return "".join(lines)


def strip(text: str, name: str) -> str:
    """The template of a solution: each gap keeps its instructions and loses its code.

    The dialects of nbgrader and otter are read, too (`grader.dialects`). Raises `GapError` where a marker cannot be
    read or the template would not compile.
    """
    if broken := why_not_python(text, name):
        raise GapError(name, broken[0], f"the solution does not compile: {broken[1]}")
    marked = translate(text, name)
    solution_gaps = find_gaps(marked, name)
    _refuse_loose_starter_code(marked, solution_gaps, name)
    for gap in solution_gaps:
        if all(not line.strip() or line.lstrip().startswith("#") for line in split_lines(gap.body)):
            raise GapError(name, gap.start, "the gap is empty; put the solution's lines between its markers")
    solution = without_solution_only(marked, name)
    gaps = find_gaps(solution, name)
    contents = [gap.head + _opening(solution, gap) for gap in gaps]
    template, starts = lay(solution, gaps, contents), starts_of(gaps, contents)
    if broken := why_not_python(template, name):
        line, reason = broken
        where = max((gap.start for gap, start in zip(solution_gaps, starts, strict=True) if start <= line), default=1)
        sentence = f"without the solution's lines the template does not compile (its line {line}: {reason})"
        raise GapError(name, where, sentence)
    if [gap.start for gap in find_gaps(template, name)] != starts:
        raise GapError(
            name, gaps[0].start, "a quote that is open in starter code hides the template's markers; close it"
        )
    return template


def _markers(seen: Scan, name: str) -> list[_Marker]:
    markers = []
    for comment in seen.comments:
        start = _START.fullmatch(comment.text)
        kind = "start" if start else _WORDS.get(comment.text)
        if kind is None:
            if meant := _meant(comment.text):
                raise GapError(name, comment.line, f"unknown marker {comment.text!r}; write {meant}")
            continue
        if not comment.alone:
            sentence = f"code stands on the line of {comment.text!r}; give the marker a line of its own"
            raise GapError(name, comment.line, sentence)
        label, words = (start["label"] or "", start["text"] or "") if start else ("", "")
        markers.append(_Marker(comment.line, kind, label.strip(), words.strip()))
    return markers


def _meant(comment: str) -> str | None:
    """The marker that a comment looks like without being it: `# START TOD0`, `# End todo`, `#END-TODO`."""
    if re.match(r"#\s*student\s*:", comment, re.IGNORECASE) and not _STUDENT.fullmatch(comment):
        return "'# STUDENT: code'"
    if re.fullmatch(r"#+ (BEGIN|END) SOLUTION( NO PROMPT)?", comment):
        return None
    words = re.split(r"[\s_-]+", re.split(r"[(:]", comment.strip("# "))[0].strip().upper().replace("0", "O"))
    if len(words) == 1:
        words = [words[0].removesuffix("TODO"), "TODO"] if words[0].endswith("TODO") else [words[0], ""]
    verb = difflib.get_close_matches(words[0], ["START", "BEGIN", "END"], 1, cutoff=0.7)
    if not verb:
        return None
    if words[1] not in ("TO", "TOO") and difflib.get_close_matches(words[1], ["TODO"], cutoff=0.7):
        return "'# END TODO'" if verb == ["END"] else "'# START TODO (label): instruction'"
    if difflib.get_close_matches(" ".join(words[1:]), ["SOLUTION", "SOLUTION ONLY"], cutoff=0.8):
        return f"'# {'END' if verb == ['END'] else 'START'} SOLUTION ONLY'"
    return None


def _pairs(markers: list[_Marker], name: str) -> list[tuple[_Marker, _Marker]]:
    """Each start marker with its end marker."""
    words = {"start": "START TODO", **{kind: text.removeprefix("# ") for text, kind in _WORDS.items()}}
    pairs: list[tuple[_Marker, _Marker]] = []
    opened: _Marker | None = None
    for marker in markers:
        if opened is None:
            if marker.kind.startswith("end"):
                raise GapError(name, marker.line, f"{words[marker.kind]} without a start before it")
            opened = marker
        elif marker.kind.startswith("start"):
            sentence = (
                f"{words[marker.kind]} inside what {words[opened.kind]} opened at line {opened.line}; close that first"
            )
            raise GapError(name, marker.line, sentence)
        elif marker.kind != opened.kind.replace("start", "end"):
            sentence = f"{words[marker.kind]} cannot close {words[opened.kind]} of line {opened.line}"
            raise GapError(name, marker.line, sentence)
        else:
            pairs.append((opened, marker))
            opened = None
    if opened is not None:
        closing = words[opened.kind.replace("start", "end")]
        raise GapError(name, opened.line, f"{words[opened.kind]} is never closed; put # {closing} behind its last line")
    return pairs


def _gap(lines: list[str], seen: Scan, start: _Marker, end: _Marker) -> Gap:
    alone = {comment.line: comment.text for comment in seen.comments if comment.alone}
    first = start.line + 1
    while first < end.line and first in alone and not _STUDENT.fullmatch(alone[first]):
        first += 1
    head = [alone[row].lstrip("# ") for row in range(start.line + 1, first)]
    return Gap(
        label=start.label,
        instruction=" ".join(part for part in (start.text, *head) if part),
        start=start.line,
        end=end.line,
        indent=indent_of(lines[start.line - 1]),
        content="".join(lines[start.line : end.line - 1]),
        head="".join(lines[start.line : first - 1]),
        body="".join(lines[first - 1 : end.line - 1]),
    )


def _opening(solution: str, gap: Gap) -> str:
    """What stands in a gap of the template: the starter code, or the line that says that something is to do."""
    lines = split_lines(solution)
    newline = end_of(lines[gap.start - 1])
    starter = [indent_of(lines[row - 1]) + code for row, code in _starter_code(solution) if gap.start < row < gap.end]
    return "".join(
        line.rstrip() + newline for line in starter or [f'{gap.indent}raise NotImplementedError("{gap.todo}")']
    )


def _starter_code(text: str) -> list[tuple[int, str]]:
    """The line and the code of each `# STUDENT: code`."""
    found = [(c.line, _STUDENT.fullmatch(c.text)) for c in scan(text).comments if c.alone]
    return [(line, match["code"] or "") for line, match in found if match]


def _refuse_loose_starter_code(text: str, gaps: list[Gap], name: str) -> None:
    for line, _ in _starter_code(text):
        if not any(gap.start < line < gap.end for gap in gaps):
            raise GapError(name, line, "# STUDENT: stands outside a gap; move it between START TODO and END TODO")


def _refuse_mixed_indent(lines: list[str], seen: Scan, gap: Gap, name: str) -> None:
    used = ""
    for row in range(gap.start, gap.end + 1):
        if row in seen.inside or not lines[row - 1].strip():
            continue
        used += indent_of(lines[row - 1])
        if " " in used and "\t" in used:
            raise GapError(name, row, f"tabs and spaces are mixed in the gap of line {gap.start}; indent with spaces")


def _blank_lines(lines: Iterable[str]) -> int:
    """How many blank lines come first."""
    return sum(1 for _ in itertools.takewhile(lambda line: not line.strip(), lines))
