"""otter-grader: a notebook whose raw cells hold `# ASSIGNMENT CONFIG` and `# BEGIN QUESTION`, with YAML below.

https://otter-grader.readthedocs.io/en/latest/otter_assign/notebook_format.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from tools.migration.assignment import (
    Assignment,
    Check,
    Item,
    MigrationError,
    Note,
    files_in,
    identifier,
    names_in,
    points,
    slug,
)
from tools.migration.cells import Ids, SourceCell, as_source, read_notebook, whole_gap
from tools.migration.otter_tests import as_assertion, shares_of

_BOUNDARY = re.compile(r"#\s+(?P<edge>BEGIN|END)\s+(?P<what>QUESTION|PROMPT|SOLUTION|TESTS|PLUGIN)\b", re.IGNORECASE)
_CONFIG = re.compile(r"#\s+ASSIGNMENT\s+CONFIG\b", re.IGNORECASE)
_FENCE = re.compile(r"^```otter\n(.*?)\n```\s*?\n?", re.DOTALL | re.MULTILINE)
_TEST_CONFIG = re.compile(
    r"""(?:\w+\s*=\s*)?\"{3}\s*#\s*BEGIN TEST CONFIG\n(.*?)\n\"{3}\s*#\s*END TEST CONFIG\n?""", re.S | re.I
)
_IGNORED = re.compile(
    r"^[ \t]*# BEGIN IGNORE\n(?:[^\n]*\n)*?[ \t]*# END IGNORE\n?|^[^\n]*# IGNORE[ \t]*$\n?", re.MULTILINE
)
_INLINE = re.compile(r"#+ (?:BEGIN )?SOLUTION\b")
_TAKEN = ("name", "requirements", "files", "student_files", "tests", "show_question_points")


def recognises(source: Path) -> bool:
    """Whether a notebook, or one in a folder, is the master of an assignment."""
    return any(_is_master(file) for file in _notebooks(source))


def read(source: Path) -> list[Assignment]:
    """An assignment for each master notebook; raises `MigrationError`."""
    masters = [file for file in _notebooks(source) if _is_master(file)]
    if not masters:
        raise MigrationError(f"{source} holds no notebook with `# ASSIGNMENT CONFIG` or `# BEGIN QUESTION`")
    return [_Master(file).assignment() for file in masters]


def left_behind(source: Path) -> list[Note]:
    """What lies beside the masters and is named in none of them."""
    if not source.is_dir():
        return []
    masters = [file for file in _notebooks(source) if _is_master(file)]
    named = "".join(file.read_text(encoding="utf-8", errors="replace") for file in masters)
    others = [file for file in files_in(source).values() if file not in masters and file.name not in named]
    return [
        Note(
            file.relative_to(source).as_posix(),
            "R Markdown and Quarto are not read; turn it into a Python notebook first"
            if file.suffix in (".Rmd", ".qmd")
            else "no master names it among its files; copy it into an exercise if students need it",
        )
        for file in others
    ]


def _notebooks(source: Path) -> list[Path]:
    return sorted(source.glob("*.ipynb")) if source.is_dir() else [source] if source.suffix == ".ipynb" else []


def _is_master(file: Path) -> bool:
    text = file.read_text(encoding="utf-8", errors="replace")
    return bool(re.search(r"#\s+(ASSIGNMENT\s+CONFIG|BEGIN\s+QUESTION)", text, re.IGNORECASE))


@dataclass
class _Question:
    """A question as its cells are met; `cases` are hidden or not, points or None, code, hint and place."""

    config: dict[str, Any]
    where: str
    prompts: list[str] = field(default_factory=list)
    written: str = ""
    has_gap: bool = False
    cases: list[tuple[bool, Fraction | None, str, str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.config.get("name", "question"))


class _Master:
    """One master notebook: what becomes of its cells."""

    def __init__(self, file: Path) -> None:
        self._file, self._stem, self._name = file, identifier(file.stem), slug(file.stem)
        self._config: dict[str, Any] = {}
        self._cells: list[SourceCell] = []
        self._notes: list[Note] = []
        self._items: list[Item] = []
        self._checks: list[Check] = []
        self._ids = Ids()
        notebook = read_notebook(file)
        if (language := notebook.metadata.get("kernelspec", {}).get("language", "python").lower()) != "python":
            raise MigrationError(f"{file} is written in {language}; only Python is graded here")
        content = [part for cell in notebook.cells for part in _unfenced(cell)]
        self._names = names_in(_outside_tests(content), f"notebooks.{self._stem}")
        self._read(content)

    def assignment(self) -> Assignment:
        text, _ = as_source(self._cells, self._file.name, self._name, 1)
        files = {f"{self._stem}.nb.py": text.encode(), **self._named_files()}
        for key in self._config:
            if key not in _TAKEN:
                self._notes.append(Note("assignment config", f"the setting {key!r} has no counterpart and is left out"))
        title = str(self._config.get("name") or self._file.stem)
        return Assignment(
            self._name, title, files, tuple(self._items), tuple(self._checks), tuple(self._notes), self._requirements()
        )

    def _named_files(self) -> dict[str, bytes]:
        files = {}
        for path in [*self._config.get("files", ()), *self._config.get("student_files", ())]:
            file = self._file.parent / str(path)
            if file.is_file() and file.resolve().is_relative_to(self._file.parent.resolve()):
                files[str(path)] = file.read_bytes()
            else:
                self._notes.append(
                    Note("assignment config", f"the file {path!r} was not found; copy it into the exercise")
                )
        return files

    def _requirements(self) -> tuple[str, ...]:
        named = self._config.get("requirements") or ()
        if isinstance(named, str):
            file = self._file.parent / named
            named = file.read_text(encoding="utf-8").splitlines() if file.is_file() else ()
        return tuple(str(line).strip() for line in named if str(line).strip() and not str(line).startswith("#"))

    def _read(self, content: Sequence[Any]) -> None:
        question: _Question | None = None
        inside = ""
        for row, cell in enumerate(content, 1):
            where = f"{self._file.name}, cell {row}"
            edge = _BOUNDARY.match(cell.source) if cell.cell_type == "raw" else None
            if cell.cell_type == "raw" and _CONFIG.match(cell.source):
                self._config = _yaml(cell.source, where)
            elif edge and edge["what"].upper() == "QUESTION":
                if question:
                    self._finish(question)
                question = _Question(_yaml(cell.source, where), where) if edge["edge"].upper() == "BEGIN" else None
                inside = ""
            elif edge:
                inside = edge["what"].upper() if edge["edge"].upper() == "BEGIN" else ""
                if inside == "PLUGIN":
                    self._notes.append(Note(where, "plugins have no counterpart; it is left out", cell.source))
            elif inside != "PLUGIN":
                self._cell(cell, question, inside, where)
        if question:
            self._finish(question)

    def _cell(self, cell: Any, question: _Question | None, inside: str, where: str) -> None:
        if cell.cell_type == "raw":
            self._notes.append(Note(where, "it is a raw cell, which is left out", cell.source))
        elif question and inside == "TESTS":
            self._case(cell, question, where)
        elif question and inside == "PROMPT":
            question.prompts.append(cell.source)
            self._prompt(cell, question, where)
        elif question and inside == "SOLUTION" and "otter_include" not in cell.metadata.get("tags", ()):
            self._solution(cell, question, where)
        else:
            self._given(cell, question)

    def _given(self, cell: Any, question: _Question | None) -> None:
        words = f"{question.name}-text" if question else next(iter(cell.source.strip().splitlines()), cell.cell_type)
        self._cells.append(SourceCell(cell.cell_type, _IGNORED.sub("", cell.source).rstrip(), self._ids.new(words)))

    def _prompt(self, cell: Any, question: _Question, where: str) -> None:
        if cell.cell_type == "markdown":
            self._notes.append(
                Note(where, "an answer starts as `TODO: your answer here`; this prompt is left out", cell.source)
            )

    def _solution(self, cell: Any, question: _Question, where: str) -> None:
        if cell.cell_type == "markdown":
            if question.written:
                question.written += f"\n\n{cell.source}"
            elif question.config.get("manual"):
                question.written = cell.source
            else:
                self._notes.append(Note(where, "a solution's text outside a written question is left out", cell.source))
            return
        source = _IGNORED.sub("", cell.source).rstrip()
        own = self._ids.new(question.name)
        if question.prompts and not _INLINE.search(source):
            starter = "".join(f"# STUDENT: {line}\n" for line in "\n".join(question.prompts).splitlines())
            source = whole_gap(f"{starter}{source}")
        elif not _INLINE.search(source):
            self._notes.append(
                Note(where, "nothing in this solution is marked: students get all of it; mark a gap", source)
            )
        question.has_gap = question.has_gap or bool(_INLINE.search(source)) or source.startswith("# START TODO")
        self._cells.append(SourceCell("code", source, own))

    def _case(self, cell: Any, question: _Question, where: str) -> None:
        """One test: its settings, and its code as an assertion."""
        source = cell.source
        config: dict[str, Any] = {}
        if match := _TEST_CONFIG.match(source):
            config, source = _yaml(match[1], where), source[match.end() :]
        first = source.lstrip().partition("\n")[0]
        hidden = bool(config.get("hidden", first.startswith("#") and re.search(r"\bhidden\b", first, re.IGNORECASE)))
        worth = points(config["points"], where) if config.get("points") is not None else None
        code, why = as_assertion(source, cell.get("outputs", ()))
        hint = " ".join(str(config.get("failure_message") or "").split())
        if why:
            self._notes.append(Note(where, f"{why}; write the test of {question.name} by hand", source))
        question.cases.append((hidden, worth, "" if why else code, hint, where))
        if not hidden and not why:
            self._cells.append(SourceCell("code", code, self._ids.new(f"{question.name}-check"), ("check",)))

    def _finish(self, question: _Question) -> None:
        config = question.config
        manual = bool(config.get("manual"))
        if not config.get("manual") and not question.cases:
            self._notes.append(Note(question.where, f"{question.name} has no tests and no points; it is no task"))
            return
        shares, worth = shares_of(config.get("points"), [case[1] for case in question.cases], question.where)
        group = "" if manual else f"{self._name}-{slug(question.name)}"
        cell = ""
        if manual and (question.written or not question.has_gap):
            cell = self._ids.new(f"{question.name}-answer")
            self._cells.append(SourceCell("markdown", question.written or "See the rubric.", cell, ("answer",)))
        if manual and question.has_gap:
            self._notes.append(
                Note(
                    question.where,
                    f"people grade the code of {question.name}: no test looks at its gap, which check_release will say",
                )
            )
        if config.get("all_or_nothing") and len(question.cases) > 1:
            self._notes.append(
                Note(question.where, f"{question.name} was all or nothing; here each test earns its share")
            )
        place = f"`{self._stem}.ipynb`"
        kind = "written" if manual else "code"
        self._items.append(Item(question.name, "", worth, kind, group, cell, place))
        for number, ((hidden, _, code, hint, where), share) in enumerate(zip(question.cases, shares, strict=True), 1):
            if code and not manual and share:
                name = identifier(f"{question.name}_{number}")
                self._checks.append(Check(group, name, self._stem, code, where, self._names, hidden, share, hint))
            elif code:
                self._notes.append(
                    Note(
                        where,
                        "a test without points is left out"
                        if not manual
                        else "a test of a question that people grade is left out",
                        code,
                    )
                )


def _outside_tests(content: Sequence[Any]) -> Iterator[str]:
    """The code of a solved notebook, without its tests."""
    in_tests = False
    for cell in content:
        edge = _BOUNDARY.match(cell.source) if cell.cell_type == "raw" else None
        if edge and edge["what"].upper() == "TESTS":
            in_tests = edge["edge"].upper() == "BEGIN"
        elif cell.cell_type == "code" and not in_tests:
            yield cell.source


def _unfenced(cell: Any) -> Iterator[Any]:
    """The cell, or the raw and Markdown cells that a Markdown cell with fences of otter's stands for."""
    if cell.cell_type != "markdown" or not _FENCE.search(cell.source):
        yield cell
        return
    for i, text in enumerate(_FENCE.split(cell.source)):
        if text.strip():
            yield type(cell)({**cell, "cell_type": "raw" if i % 2 else "markdown", "source": text.strip()})


def _yaml(source: str, where: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(source)
    except yaml.YAMLError as error:
        raise MigrationError(f"{where}: its settings are no YAML ({str(error).splitlines()[0]}); mend them") from None
    if found is not None and not isinstance(found, Mapping):
        raise MigrationError(f"{where}: its settings are no `name: value` pairs; mend them")
    return dict(found or {})
