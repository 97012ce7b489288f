"""An assignment as the files of a course: exercise, sheet, tests, and a list of what a person has to do."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from tools.exercise import KEPT_BACK
from tools.migration.assignment import Assignment, Check, Item, Note, identifier
from tools.migration.probes import NotTurned, Turned, turn

_REQUIREMENT = re.compile(
    r"\w[\w.-]*(?:(?:==|>=|<=|~=|!=|<|>)[\w.*+!]+)?(?:,(?:==|>=|<=|~=|!=|<|>)[\w.*+!]+)*", re.ASCII
)
_HINT_LENGTH = 90


@dataclass(frozen=True)
class Written:
    """What one assignment became.

    Attributes:
        files: the course's files by path.
        turned: how many tests were turned.
        notes: what a person has to look at.
    """

    files: dict[str, bytes]
    items: tuple[Item, ...]
    turned: int
    notes: tuple[Note, ...]


def as_course(assignment: Assignment, tool: str) -> Written:
    """All files of an assignment; `tool` is where it comes from, for the files' first lines."""
    name = assignment.name
    tests, notes, turned = _tests(assignment.checks)
    groups = {check.group for check, _ in turned}
    items = [_with_what_is_there(item, groups) for item in assignment.items]
    notes = [*assignment.notes, *notes, *_unread(assignment), *_pointless(items)]
    files: dict[str, bytes] = {f"solutions/{name}/{path}": data for path, data in assignment.files.items()}
    requirements = [line for line in assignment.requirements if _REQUIREMENT.fullmatch(line.replace(" ", ""))]
    for line in assignment.requirements:
        if line not in requirements:
            notes.append(Note("requirements", f"{line!r} is no plain requirement; write it in exercise.toml"))
    files[f"solutions/{name}/exercise.toml"] = _exercise(assignment.title, requirements).encode()
    files[f"sheets/{name}/sheet.toml"] = _sheet(assignment.title, name, items).encode()
    files[f"sheets/{name}/sheet.md"] = _text(assignment).encode()
    for (folder, stem), parts in tests.items():
        end = "_hidden" if folder == "tests_hidden" else ""
        path = f"{folder}/{name}/test_{identifier(name)}_{stem}{end}.py"
        files[path] = _test_file(parts, tool, public=not end).encode()
    unfinished = [note for note in notes if note.text]
    if unfinished:
        files[f"tests_hidden/{name}/TODO.md"] = _todo(unfinished).encode()
    return Written(files, tuple(items), len(turned), tuple(notes))


def _tests(
    checks: Iterable[Check],
) -> tuple[dict[tuple[str, str], list[tuple[Check, Turned, int]]], list[Note], list[tuple[Check, Turned]]]:
    """The tests by folder and file with their weights, what could not be turned, and what could."""
    notes, turned = [], []
    for check in checks:
        try:
            turned.append((check, turn(check)))
        except NotTurned as error:
            notes.append(Note(check.where, f"the test was not turned: {error}", check.code))
    files: dict[tuple[str, str], list[tuple[Check, Turned, int]]] = defaultdict(list)
    for check, test in turned:
        shares = [one.points for one, _ in turned if one.group == check.group and one.points]
        scale = math.lcm(*(share.denominator for share in shares)) if shares else 1
        divisor = math.gcd(*(int(share * scale) for share in shares)) if shares else 1
        weight = max(1, int(check.points * scale) // divisor)
        files["tests_hidden" if check.hidden else "tests_public", check.file].append((check, test, weight))
    return files, notes, turned


def _with_what_is_there(item: Item, groups: set[str]) -> Item:
    """A task without a single test is for people to grade until it has one."""
    if item.kind != "code" or item.group in groups:
        return item
    return replace(
        item, kind="written", group="", rubric=("TODO for the instructor: write its test; see MIGRATION.md.",)
    )


def _unread(assignment: Assignment) -> Iterator[Note]:
    for path in assignment.files:
        if path.split("/")[0] in KEPT_BACK:
            yield Note(path, f"a release never holds the folder {path.split('/')[0]}/ of an exercise; rename it")
        elif any(part.startswith(".") for part in path.split("/")):
            yield Note(path, "a release holds no hidden file of an exercise; give it another name if students need it")


def _pointless(items: Sequence[Item]) -> Iterator[Note]:
    if not any(item.points for item in items):
        yield Note("sheet.toml", "nothing has points; a sheet needs at least one task that does")


def _exercise(title: str, requirements: Sequence[str]) -> str:
    listed = ", ".join(_quoted(line) for line in requirements)
    return f"title = {_quoted(title)}\n" + (f"requirements = [{listed}]\n" if listed else "")


def _sheet(title: str, name: str, items: Iterable[Item]) -> str:
    lines = [f"title = {_quoted(title)}", f"exercises = [{_quoted(name)}]"]
    for item in items:
        lines += ["", "[[task]]", f"id = {_quoted(item.id)}"]
        lines += [f"title = {_quoted(item.title)}"] if item.title else []
        lines += [f"points = {_decimal(item.points)}"]
        lines += [f"kind = {_quoted(item.kind)}"] if item.kind != "code" else []
        for key, value in (("tests", item.group), ("cell", item.cell), ("where", item.where)):
            lines += [f"{key} = {_quoted(value)}"] if value else []
        if item.rubric:
            lines.append(f"rubric = [{', '.join(_quoted(' '.join(line.split())) for line in item.rubric)}]")
    return "\n".join(lines) + "\n"


def _text(assignment: Assignment) -> str:
    about = "\n".join(line for line in assignment.text.splitlines() if not line.startswith("# ")).strip()
    return "\n\n".join(part for part in ("# {{ sheet.title }}", "{{ task_table }}", about) if part) + "\n"


def _test_file(parts: Sequence[tuple[Check, Turned, int]], tool: str, *, public: bool) -> str:
    """A module of tests: its imports, and each test below its probes."""
    imports = sorted({line for _, test, _ in parts for line in test.imports})
    if any("re.search(" in test.body for _, test, _ in parts):
        imports = sorted({*imports, "import re"})
    ours = "from gapcheck import probe, run_alone, task" if public else "from gapcheck import probe, task"
    pieces = [
        f'"""Tests that were written for {tool}."""\n\n'
        + "".join(f"{line}\n" for line in [*imports, *([""] if imports else []), ours])
    ]
    for check, test, weight in parts:
        pieces += [f"@probe\n{definition}\n" for definition in test.probes]
        end = "_hidden" if check.hidden else ""
        hint = textwrap.shorten(check.hint or "Read the task's text again.", _HINT_LENGTH, placeholder=" ...")
        more = f"    weight={weight},\n" if weight > 1 else ""
        body = textwrap.indent(test.body, "    ")
        pieces.append(
            f"@task(\n    {_quoted(check.group)},\n    hint={_quoted(hint)},\n{more})\n"
            f"def test_{check.name}{end}() -> None:\n{body}\n"
        )
    if public:
        pieces.append('if __name__ == "__main__":\n    raise SystemExit(run_alone(__file__))\n')
    return "\n\n".join(pieces)


def _todo(notes: Iterable[Note]) -> str:
    parts = ["# TODO for the instructor\n\nWhat was not turned, as it was found. MIGRATION.md says what is missing.\n"]
    for note in notes:
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", note.text)), 3)
        parts.append(f"## {note.where}\n\n{note.what}\n\n{fence}\n{note.text.rstrip()}\n{fence}\n")
    return "\n".join(parts)


def report(written: Mapping[str, Written], general: Sequence[Note], tool: str) -> str:
    """The page that lists what became of each assignment."""
    lines = [f"# From {tool}", ""]
    for name, one in written.items():
        lines += [f"## {name}", "", "| task | points | graded by |", "| --- | --- | --- |"]
        for item in one.items:
            by = f"the tests `{item.group}`" if item.kind == "code" else "people"
            lines.append(f"| {item.id}{f': {item.title}' if item.title else ''} | {_decimal(item.points)} | {by} |")
        lines += ["", f"{one.turned} tests were turned.", ""]
        lines += _listed(one.notes, f"tests_hidden/{name}/TODO.md")
    lines += ["## The rest", "", *_listed(general, "")] if general else []
    return "\n".join(lines).rstrip() + "\n"


def _listed(notes: Sequence[Note], todo: str) -> Iterator[str]:
    if notes:
        yield from ("For you to look at:", "")
        for note in notes:
            kept = f" (kept in `{todo}`)" if note.text and todo else ""
            yield f"- **{note.where}**: {note.what}{kept}"
        yield ""


def _quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)


def _decimal(value: Fraction) -> str:
    """Points as a decimal number of at most four digits behind the point, as sheet.toml takes them."""
    return f"{float(round(value, 4)):.4f}".rstrip("0").rstrip(".")
