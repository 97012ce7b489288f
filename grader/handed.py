"""What a student's file holds of each gap of its template; made for any text, the broken ones among them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from grader.gaps import Gap, find_gaps, lay, starts_of
from grader.lines import scan, split_lines, why_not_python

# A student's marker is known by its label, whatever became of the words behind it.
_START = re.compile(r"#\s*START TODO\b\s*(?:\((?P<label>[^()]*)\))?.*")
_END = re.compile(r"#\s*END TODO\b.*")


@dataclass(frozen=True)
class Handed:
    """What a student's file holds of one gap.

    Attributes:
        gap: the gap in the template.
        content: the text between the student's markers, or None where it cannot be read.
        start, end: the lines of the student's markers, counted from 1; 0 where there are none.
        problem: empty, `gap-missing` or `syntax`.
        line: the problem's line in the student's file; 0 where it has none.
        message: the problem in a sentence.
    """

    gap: Gap
    content: str | None = None
    start: int = 0
    end: int = 0
    problem: str = ""
    line: int = 0
    message: str = ""


@dataclass(frozen=True)
class _Mark:
    """A marker's line; `key` is a start marker's label, or its words where it has none, and None for an end."""

    line: int
    key: str | None


def student_gaps(template: str, student: str, name: str) -> list[Handed]:
    """The contents of a student's gaps, in the template's order, or why they cannot be read.

    Contents are good when they compile together in the pristine template and leave its markers where they are; where
    they do not, they are laid in one by one, and each is good that compiles together with the good ones before it.
    Raises `GapError` with the file's name, for the template alone.
    """
    gaps = find_gaps(template, name)
    keys = [mark.key for mark in _by_tokens(template)]
    lines = split_lines(student)
    readings = [_pair(gaps, keys, marks, lines) for marks in (_by_tokens(student), _by_lines(lines))]
    handed = max(readings, key=lambda reading: sum(one.content is not None for one in reading))
    if _all_good(template, gaps, [one.content for one in handed], keys):
        return handed
    laid: list[str | None] = [None] * len(gaps)
    for i, one in enumerate(handed):
        if one.content is None:
            continue
        laid[i] = one.content
        if trouble := _trouble(template, gaps, laid, i, keys):
            laid[i] = None
            handed[i] = _with_syntax_problem(one, *trouble)
    return handed


def _by_tokens(text: str) -> list[_Mark]:
    """The markers among the comments; behind the point where the text breaks, among the lines."""
    seen = scan(text)
    marks = [_mark(comment.line, comment.text) for comment in seen.comments if comment.alone]
    rest = [mark for mark in _by_lines(split_lines(text)) if mark.line > seen.read_to]
    return [mark for mark in marks if mark] + rest


def _by_lines(lines: list[str]) -> list[_Mark]:
    """The markers among the lines, those in strings included: an open quote swallows what follows it."""
    marks = (_mark(row, line.strip()) for row, line in enumerate(lines, 1))
    return [mark for mark in marks if mark]


def _mark(line: int, text: str) -> _Mark | None:
    if start := _START.fullmatch(text):
        return _Mark(line, (start["label"] or "").strip() or text)
    return _Mark(line, None) if _END.fullmatch(text) else None


def _pair(gaps: list[Gap], keys: list[str | None], marks: list[_Mark], lines: list[str]) -> list[Handed]:
    """Find each gap's markers among the student's; a start marker that the template does not know is a comment."""
    starts = [key for key in keys if key is not None]
    known = [mark for mark in marks if mark.key is None or mark.key in starts]
    handed = []
    for i, (gap, key) in enumerate(zip(gaps, starts, strict=True)):
        places = [at for at, mark in enumerate(known) if mark.key == key]
        if len(places) != starts.count(key):
            handed.append(_missing(gap, [known[at] for at in places]))
            continue
        at = places[starts[:i].count(key)]
        start, end = known[at].line, known[at + 1] if at + 1 < len(known) else None
        if end is None or end.key is not None:
            handed.append(replace(_missing(gap, []), line=start, message=f"# END TODO of {gap.todo} is gone or moved"))
        else:
            handed.append(Handed(gap, "".join(lines[start : end.line - 1]), start, end.line))
    return handed


def _missing(gap: Gap, found: list[_Mark]) -> Handed:
    if not found:
        return Handed(gap, problem="gap-missing", message=f"the marker # START {gap.todo} is gone")
    where = " and ".join(str(mark.line) for mark in found[:3]) + (" and more" if len(found) > 3 else "")
    message = f"# START {gap.todo} stands at line {where}, so it is not clear which one counts"
    return Handed(gap, problem="gap-missing", line=found[0].line, message=message)


def _all_good(template: str, gaps: list[Gap], contents: list[str | None], keys: list[str | None]) -> bool:
    text = lay(template, gaps, contents)
    return why_not_python(text, "template") is None and [mark.key for mark in _by_tokens(text)] == keys


def _trouble(
    template: str, gaps: list[Gap], laid: list[str | None], i: int, keys: list[str | None]
) -> tuple[int, int, str] | None:
    """What is wrong when gap `i` is laid into the template: the line, the line of the gap's marker, and a sentence."""
    text = lay(template, gaps, laid)
    marker = starts_of(gaps, laid)[i]
    if broken := why_not_python(text, gaps[i].todo):
        last = marker + len(split_lines(laid[i] or "")) + 1
        if broken[0] > last:  # an open quote or bracket breaks what follows; where it opens says more
            broken = why_not_python("".join(split_lines(text)[:last]), gaps[i].todo) or broken
        return broken[0], marker, broken[1]
    if [mark.key for mark in _by_tokens(text)] != keys:
        return marker, marker, "a quote is left open, or a marker stands inside the gap"
    return None


def _with_syntax_problem(one: Handed, line: int, marker: int, message: str) -> Handed:
    """The problem in the student's line numbers; what breaks behind the gap is told at the gap's last line."""
    shift = one.start - marker
    message = re.sub(r" \(detected at line \d+\)", "", message)
    message = re.sub(r"(?<=on line )\d+", lambda number: str(int(number[0]) + shift), message)
    return replace(one, problem="syntax", line=min(max(line + shift, one.start), one.end), message=message)
