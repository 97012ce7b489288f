"""Build a release in memory: what a sheet's students get, by path."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from gapcheck.cells import as_text, read_ipynb
from grader import GapgradeError
from grader.answers.key import FILE as ANSWERS
from grader.cells import SUFFIX, notebook_path
from grader.gaps import find_gaps, strip
from grader.lines import scan, why_not_python
from grader.notebooks import ANSWER
from grader.sheet import Sheet
from tools.answers import join_answers
from tools.exercise import NOT_FOR_STUDENTS, Exercise, requirements, with_required
from tools.notebook import is_notebook, read_source, release_notebook
from tools.pages import render_page
from tools.readme import render_readme

HERE = Path(__file__).parent
GAPGRADE = HERE.parent
BASE_REQUIREMENTS = ("numpy", "pycodestyle", "pytest", "safetensors", "scipy", "torch")
EXECUTABLE = frozenset({"collect_submission.sh", "runtests.sh"})
WITH_CRLF = (".bat",)

# What no file of a release may hold: traces of a solution that was not stripped.
_LEFT_OVER = re.compile(r"#+\s*((START|END|BEGIN) SOLUTION|SOLUTION$|SOLUTION NO PROMPT|STUDENT:|BEGIN HIDDEN TESTS)")


class ReleaseError(GapgradeError):
    """A release that cannot be built: where, and what to change."""


@dataclass(frozen=True)
class Release:
    """What a sheet's students get: the bytes of each file by its path, and how many gaps they fill."""

    sheet: Sheet
    files: dict[str, bytes]
    gaps: int


def build_release(sheet: Sheet) -> Release:
    """Put a sheet's exercises together; raises `GapgradeError`. Nothing is written."""
    exercises = with_required(sheet.exercises, sheet.course)
    merged = _Merged()
    _add_own_files(merged, HERE / "release_files")
    if sheet.submission:
        _add_own_files(merged, HERE / "collect_files")
    for exercise in exercises:
        _add_exercise(merged, exercise, sheet.course)
    _add_answers(merged, exercises, sheet.course)
    tests = _public_tests(sheet)
    for path, file in tests.items():
        merged.add(path, file.read_bytes(), file.relative_to(sheet.course).as_posix())
    text = _sheet_text(sheet)
    _add_figures(merged, sheet, exercises, text)
    modules = [Path(path).stem for path in tests if Path(path).name.startswith("test_")]
    notebooks = sorted(path for path in merged.files if path.endswith(SUFFIX))
    readme = render_readme(sheet, text, f"sheets/{sheet.name}/sheet.md", modules, notebooks)
    merged.add("README.md", readme.encode(), "the sheet's text")
    lines = requirements(exercises, _base_requirements())
    merged.add("requirements.txt", "".join(f"{line}\n" for line in lines).encode(), "the requirements")
    merged.add(".gapgrade/sheet.json", _public_sheet(sheet, tests, notebooks).encode(), "the sheet")
    files = dict(sorted(merged.files.items()))
    _refuse_unknown_cells(sheet, files)
    return Release(sheet, files, _verify(files))


def _refuse_unknown_cells(sheet: Sheet, files: dict[str, bytes]) -> None:
    """A task that is answered in a cell names one answer cell of one notebook."""
    cells = [cell for path in files if path.endswith(SUFFIX) for cell in read_ipynb(files[path], path)]
    ids = [cell.id for cell in cells if ANSWER in cell.tags]
    for task in sheet.tasks:
        if task.cell and ids.count(task.cell) != 1:
            where = f"{sheet.folder / 'sheet.toml'}: task {task.id}"
            known = f"answer cells are {', '.join(sorted(set(ids))) or 'none'}"
            raise ReleaseError(f"{where} names the cell {task.cell!r}, which {ids.count(task.cell)} cells are; {known}")


class _Merged:
    """Files from several sources; the same path twice is fine where the bytes are the same."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._first: dict[str, tuple[str, bytes]] = {}

    def add(self, path: str, data: bytes, source: str, released: bytes | None = None) -> None:
        """Add a file as its source has it; `released` are the bytes that students get, where they differ."""
        other, before = self._first.setdefault(path, (source, data))
        if before != data:
            raise ReleaseError(
                f"{path} comes from {other} and from {source} with different contents; rename one of them"
            )
        self.files[path] = data if released is None else released


def _add_own_files(merged: _Merged, folder: Path) -> None:
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder).as_posix()
        if file.is_file() and file.suffix != ".j2" and not _is_cache(file):
            data = file.read_bytes()
            lines = data.replace(b"\r\n", b"\n")  # a checkout may have either
            data = lines.replace(b"\n", b"\r\n") if file.suffix in WITH_CRLF else lines
            merged.add(path, data, "Gapgrade's own files")
    for file in sorted((GAPGRADE / "gapcheck").glob("*.py")):
        merged.add(f"gapcheck/{file.name}", file.read_bytes(), "gapcheck")


def _is_cache(file: Path) -> bool:
    return "__pycache__" in file.parts or file.suffix == ".pyc" or any(part.endswith("_cache") for part in file.parts)


def _add_exercise(merged: _Merged, exercise: Exercise, course: Path) -> None:
    for path, file in exercise.files().items():
        if path == ANSWERS:
            continue  # a release has one, of all exercises
        data = file.read_bytes()
        name = file.relative_to(course).as_posix()
        released = data
        if is_notebook(path):
            released = release_notebook(read_source(file, name), name)
        elif file.suffix == ".py":
            released = strip(_text(data, name), name).encode()
        merged.add(notebook_path(path), data, f"exercise {exercise.name!r}", released)
    for page in sorted((exercise.folder / "pages").glob("*.typ")):
        source = page.relative_to(course).as_posix()
        merged.add(f"pages/{page.stem}.pdf", render_page(page, exercise.folder), source)


def _add_answers(merged: _Merged, exercises: list[Exercise], course: Path) -> None:
    files = [file for exercise in exercises for path, file in exercise.files().items() if path == ANSWERS]
    if files:
        joined = join_answers({file.relative_to(course).as_posix(): file.read_bytes() for file in files})
        merged.add(ANSWERS, joined, "the exercises' answers")


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ReleaseError(f"{name}:{line}: the file is not UTF-8; save it as UTF-8") from None


def _public_tests(sheet: Sheet) -> dict[str, Path]:
    """The public suites' files by their path in the release."""
    tests: dict[str, Path] = {}
    for folder, visibility in sheet.test_folders().items():
        if visibility == "public":
            files = (file for file in sorted(folder.rglob("*")) if file.is_file() and not _is_cache(file))
            for file in files:
                path = f"tests/{file.relative_to(folder).as_posix()}"
                if tests.setdefault(path, file).read_bytes() != file.read_bytes():
                    both = " and from ".join(one.relative_to(sheet.course).as_posix() for one in (tests[path], file))
                    raise ReleaseError(f"{path} comes from {both} with different contents; rename one of them")
    return tests


def _sheet_text(sheet: Sheet) -> str:
    file = sheet.folder / "sheet.md"
    if not file.is_file():
        raise ReleaseError(f"{file} is missing; write the text that is handed out")
    return _text(file.read_bytes(), f"sheets/{sheet.name}/sheet.md")


def _add_figures(merged: _Merged, sheet: Sheet, exercises: list[Exercise], text: str) -> None:
    """The reference figures that the sheet's text shows as `figures/NAME.png`, and no others."""
    for row, line in enumerate(text.splitlines(), 1):
        for name in re.findall(r"\bfigures/([\w.-]+\.png)", line):
            places = [exercise.folder / "reference" / name for exercise in exercises]
            found = [place for place in places if place.is_file()]
            if not found:
                names = ", ".join(repr(exercise.name) for exercise in exercises)
                where = f"sheets/{sheet.name}/sheet.md:{row}"
                raise ReleaseError(f"{where}: no reference/{name} in the exercises {names}; make the figure or drop it")
            for place in found:
                merged.add(f"figures/{name}", place.read_bytes(), place.relative_to(sheet.course).as_posix())


def _base_requirements() -> list[str]:
    """What gapcheck and the test commands need, as Gapgrade itself pins it."""
    project = tomllib.loads((GAPGRADE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [line for line in project["dependencies"] if re.split(r"[^\w-]", line)[0] in BASE_REQUIREMENTS]


def _public_sheet(sheet: Sheet, tests: dict[str, Path], notebooks: list[str]) -> str:
    """What the advisory score needs to know: the tasks that public tests or the style check decide, and free pushes."""
    groups = {group for file in tests.values() if file.suffix == ".py" for group in _groups(file)}
    tasks = []
    for task in sheet.tasks:
        public = sorted(groups.intersection(task.tests))
        if public or task.kind == "style":
            about = {"id": task.id, "title": task.title, "kind": task.kind, "bonus": task.bonus}
            tasks.append({**about, "points": str(task.points), "tests": public})
    told: dict[str, object] = {"title": sheet.title, "tasks": tasks}
    if rule := sheet.rules.pushes:
        free = {"branch": rule.branch, "limit": rule.limit, "deduct": str(rule.deduct)}
        told["pushes"] = free | ({"at_most": str(rule.at_most)} if rule.at_most is not None else {})
    if notebooks:
        told["notebooks"] = notebooks
    if sheet.submission:
        words = {task.file: task.max_words for task in sheet.tasks if task.file and task.max_words}
        told["submission"] = {"archive": f"{sheet.name}.zip", "files": sheet.submission.files, "words": words}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _groups(file: Path) -> set[str]:
    """The groups that a test file names in `@task(GROUP, ...)`."""
    calls = (node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.Call) and node.args)
    named = (call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "task")
    return {name.value for name in named if isinstance(name, ast.Constant) and isinstance(name.value, str)}


def _verify(files: dict[str, bytes]) -> int:
    """Refuse a release that shows a part of a solution or does not compile; returns how many gaps there are."""
    gaps = 0
    for path, data in files.items():
        if NOT_FOR_STUDENTS.encode() in data or b"SOLUTION ONLY" in data:
            raise ReleaseError(f"{path} of the release still says SOLUTION ONLY; mark it in a way that the tool knows")
        if not path.endswith((".py", SUFFIX)):
            continue
        text = as_text(read_ipynb(data, path))[0] if path.endswith(SUFFIX) else _text(data, path)
        if broken := why_not_python(text, path):
            raise ReleaseError(f"{path}:{broken[0]} of the release does not compile: {broken[1]}")
        for comment in scan(text).comments:
            if _LEFT_OVER.match(comment.text):
                raise ReleaseError(f"{path}:{comment.line} of the release still has the marker {comment.text!r}")
        gaps += len(find_gaps(text, path))
    return gaps
