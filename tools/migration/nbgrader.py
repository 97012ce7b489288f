"""nbgrader: `source/<assignment>/*.ipynb`, with grade, points, solution and task in each cell's metadata.

https://nbgrader.readthedocs.io/en/stable/contributor_guide/metadata.html
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from gapcheck.cells import as_python
from tools.migration.assignment import (
    MADE_BY_PROGRAMS,
    Assignment,
    Check,
    Item,
    MigrationError,
    Names,
    Note,
    files_in,
    identifier,
    names_in,
    points,
    slug,
)
from tools.migration.cells import Ids, SourceCell, as_source, read_notebook, whole_gap

_HIDDEN = re.compile(r"^[ \t]*### BEGIN HIDDEN TESTS[ \t]*\n(.*?)^[ \t]*### END HIDDEN TESTS[ \t]*$\n?", re.S | re.M)
_SCHEME = re.compile(r"^[ \t]*### BEGIN MARK SCHEME[ \t]*\n(.*?)^[ \t]*### END MARK SCHEME[ \t]*$\n?", re.S | re.M)
_AUTOTEST = re.compile(r"^\s*### (?:HASHED )?AUTOTEST\b", re.MULTILINE)
_SOLUTION = re.compile(r"^\s*### BEGIN SOLUTION\s*$", re.MULTILINE)
_NAME = re.compile(r"^\s*NAME\s*=", re.MULTILINE)
_GRADES = "grades are not taken over; export them with nbgrader"
_LEFT = {
    **dict.fromkeys(("autograded", "feedback", "gradebook.db", "submitted"), _GRADES),
    "header.ipynb": "nbgrader puts it first into each notebook; copy what you need of it",
    "nbgrader_config.py": "its settings are not taken over; rules stand in sheet.toml",
    "release": "it is made anew, by make_release",
}


def recognises(source: Path) -> bool:
    """Whether a folder is a course or an assignment of nbgrader."""
    if (source / "nbgrader_config.py").is_file():
        return True
    files = [
        *sorted(source.glob("*.ipynb")),
        *sorted(source.glob("*/*.ipynb")),
        *sorted(source.glob("source/*/*.ipynb")),
    ]
    return any('"nbgrader"' in file.read_text(encoding="utf-8", errors="replace") for file in files[:20])


def read(source: Path) -> list[Assignment]:
    """The assignments of a course (its folder, or its `source/`), or the one whose folder it is."""
    top = source / "source" if (source / "source").is_dir() else source
    folders = [folder for folder in sorted(top.glob("*/")) if any(folder.glob("*.ipynb"))]
    assignments = [_assignment(folder) for folder in folders or [source] if any(folder.glob("*.ipynb"))]
    if not assignments:
        raise MigrationError(f"{source} holds no source/ASSIGNMENT/*.ipynb; give the folder of a course of nbgrader")
    return assignments


def left_behind(source: Path) -> list[Note]:
    """What of a course is no assignment."""
    top = source / "source" if (source / "source").is_dir() else source
    folders = [folder for folder in top.glob("*/") if any(folder.glob("*.ipynb"))]
    if not folders:
        return []  # the folder of one assignment, which is looked at as a whole
    others = [*source.iterdir(), *(top.iterdir() if top != source else ())]
    return [
        Note(
            entry.relative_to(source).as_posix(),
            _LEFT.get(entry.name, "it belongs to no assignment; copy what you need"),
        )
        for entry in sorted(others)
        if entry not in (top, *folders) and entry.name not in MADE_BY_PROGRAMS
    ]


def _assignment(folder: Path) -> Assignment:
    name = slug(folder.name)
    files: dict[str, bytes] = {}
    items: list[Item] = []
    checks: list[Check] = []
    notes: list[Note] = []
    ids, number = Ids(), 1
    for path, file in files_in(folder).items():
        if file.suffix != ".ipynb" or file.parent != folder:
            files[path] = file.read_bytes()
            if file.suffix == ".ipynb":
                notes.append(Note(path, "a notebook in a folder inside is copied as it is; its tests are not read"))
            continue
        notebook = _Notebook(file, name, ids)
        text, number = as_source(notebook.cells, path, name, number)
        files[f"{notebook.stem}.nb.py"] = text.encode()
        items += notebook.items
        checks += notebook.checks
        notes += notebook.notes
    return Assignment(name, folder.name, files, tuple(items), tuple(checks), tuple(notes))


class _Notebook:
    """One notebook: what becomes of its cells."""

    def __init__(self, file: Path, exercise: str, ids: Ids) -> None:
        self.stem = identifier(file.stem)
        self.cells: list[SourceCell] = []
        self.items: list[Item] = []
        self.checks: list[Check] = []
        self.notes: list[Note] = []
        self._file, self._exercise, self._ids, self._heading = file, exercise, ids, ""
        content = read_notebook(file).cells
        solutions = [cell.source for cell in content if cell.cell_type == "code" and not _is_test(_grading(cell))]
        self._names: Names = names_in(solutions, f"notebooks.{self.stem}")
        for row, cell in enumerate(content, 1):
            self._cell(cell, row)

    def _cell(self, cell: Any, row: int) -> None:
        about = _grading(cell)
        given = str(about.get("grade_id") or cell.metadata.get("id") or "")
        own = self._ids.new(given or _first_words(cell.source) or cell.cell_type)
        where = f"{self._file.name}, cell {row}" + (f" ({given})" if given else "")
        if cell.cell_type == "markdown":
            heading = re.search(r"^#+ (.*?)(?: *\([\d.]+ points?\))?\s*$", cell.source, re.MULTILINE)
            self._heading = heading[1] if heading else self._heading
        if cell.get("attachments"):
            self.notes.append(
                Note(where, "its attached pictures are left out; put them into files beside the notebook")
            )
        if about.get("schema_version", 3) < 3:
            self.notes.append(
                Note(where, "its metadata is older than schema 3; run `nbgrader update` and migrate again")
            )
        if cell.cell_type == "raw":
            self.notes.append(Note(where, "it is a raw cell, which is left out", cell.source))
        elif about.get("task"):
            self._task(cell, about, own, where)
        elif _is_test(about):
            self._test(cell, about, own, where)
        elif about.get("solution"):
            self._solution(cell, about, own, where)
        else:
            tags = ("names",) if cell.cell_type == "code" and _NAME.search(cell.source) else ()
            self.cells.append(SourceCell(cell.cell_type, cell.source, own, (*tags, *_tags(cell))))

    def _solution(self, cell: Any, about: dict[str, Any], own: str, where: str) -> None:
        """What students write: a gap, or an answer; graded by people where it has points."""
        rubric, source = _rubric(cell.source)
        if cell.cell_type == "markdown":
            tags = ("answer",) if about.get("grade") else ("names",)
            self.cells.append(SourceCell("markdown", source, own, tags))
        else:
            self.cells.append(SourceCell("code", source if _SOLUTION.search(source) else whole_gap(source), own))
        if about.get("grade"):
            cell_id = own if cell.cell_type == "markdown" else ""
            self._item(about, where, own, "written", rubric=rubric, cell=cell_id)
        if about.get("grade") and cell.cell_type == "code":
            self.notes.append(
                Note(where, "people grade this code: it is a gap that no test looks at, which check_release will say")
            )

    def _task(self, cell: Any, about: dict[str, Any], own: str, where: str) -> None:
        """A task for people to grade, below which students add cells of their own: they get an answer cell."""
        rubric, source = _rubric(cell.source)
        answer = self._ids.new(f"{own}-answer")
        self.cells.append(SourceCell("markdown", source, own))
        self.cells.append(SourceCell("markdown", "See the rubric.", answer, ("answer",)))
        self._item(about, where, own, "written", rubric=rubric, cell=answer)
        self.notes.append(Note(where, "students added cells of their own here; they get one answer cell below it"))

    def _test(self, cell: Any, about: dict[str, Any], own: str, where: str) -> None:
        """A test: what is shown becomes a public test, what is hidden a hidden one."""
        hidden = [match[1] for match in _HIDDEN.finditer(cell.source)]
        shown = _HIDDEN.sub("", cell.source).rstrip()
        self.cells.append(SourceCell("code", shown, own, ("check",)))
        group = f"{self._exercise}-{self.stem.replace('_', '-')}-{own}"
        self._item(about, where, own, "code", group=group, title=_docstring(shown))
        pieces = [(shown, False)] if _does_something(shown) or not hidden else []
        if hidden:
            pieces.append((_setup(shown) + "\n".join(_dedented(text) for text in hidden), True))
        share = points(about.get("points", 0), where) / len(pieces)
        for code, is_hidden in pieces:
            if _AUTOTEST.search(code):
                self.notes.append(
                    Note(
                        where,
                        "AUTOTEST lines become asserts only when nbgrader runs the solution; write the asserts",
                        code,
                    )
                )
                continue
            self.checks.append(
                Check(
                    group,
                    identifier(own),
                    self.stem,
                    code,
                    where,
                    self._names,
                    is_hidden,
                    share,
                    hint=_docstring(shown),
                )
            )
        if len(pieces) > 1:
            self.notes.append(
                Note(where, "its points are shared by a public and a hidden test; before, both had to pass")
            )

    def _item(
        self, about: dict[str, Any], where: str, own: str, kind: str, *,
        group: str = "", title: str = "", cell: str = "", rubric: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        worth = points(about.get("points", 0), where)
        place = f"`{self.stem}.ipynb`"
        self.items.append(Item(own, title or self._heading, worth, kind, group, cell, place, rubric))


def _grading(cell: Any) -> dict[str, Any]:
    found = cell.metadata.get("nbgrader")
    return dict(found) if isinstance(found, dict) else {}


def _tags(cell: Any) -> tuple[str, ...]:
    return tuple(tag for tag in cell.metadata.get("tags", ()) if tag not in ("answer", "names", "check"))


def _is_test(about: dict[str, Any]) -> bool:
    return bool(about.get("grade")) and not about.get("solution") and not about.get("task")


def _rubric(source: str) -> tuple[tuple[str, ...], str]:
    """The mark scheme as a rubric, and the cell without it."""
    schemes = tuple(match[1].strip() for match in _SCHEME.finditer(source))
    return schemes, _SCHEME.sub("", source).rstrip()


def _first_words(source: str) -> str:
    defined = re.search(r"^(?:class|def) (\w+)", source, re.MULTILINE)
    return (
        defined[1]
        if defined
        else next((line.strip("#-=* ") for line in source.splitlines() if line.strip("#-=* ")), "")
    )


def _parsed(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(as_python(source)).body
    except SyntaxError:
        return []


def _docstring(source: str) -> str:
    first = next(iter(_parsed(source)), None)
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return " ".join(first.value.value.split())
    return ""


def _does_something(source: str) -> bool:
    """Whether more stands there than text, imports and comments."""
    body = _parsed(source)
    return bool(_AUTOTEST.search(source)) or (not body and bool(source.strip())) or any(_acts(one) for one in body)


def _acts(statement: ast.stmt) -> bool:
    text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return not text and not isinstance(statement, ast.Import | ast.ImportFrom)


def _setup(source: str) -> str:
    """What of the shown code the hidden code may need: imports, definitions and assignments."""
    kept = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.FunctionDef)
    return "".join(f"{ast.unparse(one)}\n" for one in _parsed(source) if isinstance(one, kept))


def _dedented(text: str) -> str:
    lines = text.rstrip().splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines)
