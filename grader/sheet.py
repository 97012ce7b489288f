"""A sheet: what is handed out, as `sheets/<sheet>/sheet.toml` says it."""

from __future__ import annotations

import ast
import difflib
import functools
import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from grader import GapgradeError
from grader.answers.key import KeyFileError, check_handed_out, load_key

Kind = Literal["code", "written", "quiz", "formula", "review", "style", "feedback"]
Points = Annotated[Decimal, Field(ge=0, max_digits=8, decimal_places=4)]


class SheetError(GapgradeError):
    """A sheet that cannot be used: file, line, and what to change."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RubricItem(_Model):
    """One line of a rubric: what earns the points."""

    text: str
    points: Points = Decimal(0)


def _as_items(value: Any) -> Any:
    return [{"text": item} if isinstance(item, str) else item for item in value] if isinstance(value, list) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Task(_Model):
    """An item of a sheet that earns points."""

    id: str
    title: str = ""
    points: Points
    kind: Kind = "code"
    tests: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    bonus: bool = False
    where: str = ""
    answers: str = ""  # the table of answers.toml that holds this task's answers, and of the hidden key
    cell: Annotated[str, Field(pattern=r"^[\w-]{0,64}$")] = ""  # a written task's answer cell in a notebook
    file: str = ""  # the text file that a written task is answered in, where it is not the PDF
    max_words: Annotated[int, Field(ge=1)] | None = None
    rubric: Annotated[tuple[RubricItem, ...], BeforeValidator(_as_items)] = ()


class Pushes(_Model):
    """Each push to `branch` beyond `limit` costs `deduct`, at most `at_most` in all."""

    branch: str = "main"
    limit: Annotated[int, Field(ge=0)]
    deduct: Points
    at_most: Points | None = None


class Gaps(_Model):
    """What happens to edits outside gaps: undone (`splice`) or graded as handed in (`keep`)."""

    mode: Literal["splice", "keep"] = "splice"
    deduct: Points = Decimal(0)


class Late(_Model):
    """Late work loses the share `per_day` of its points for each day begun; after `at_most_days` it counts nothing."""

    per_day: Annotated[Decimal, Field(ge=0, le=1)]
    at_most_days: Annotated[int, Field(ge=0)]


class Comments(_Model):
    """A gap without a comment of the student's own costs `deduct`, at most `at_most` in all."""

    deduct: Points = Decimal(0)
    at_most: Points | None = None


class SubmissionPdf(_Model):
    """A PDF that must be there, with matriculation numbers that match `matriculation` on its first page."""

    file: str = "submission.pdf"
    matriculation: str = r"\b\d{6,8}\b"
    deduct: Points = Decimal(0)


class RunAll(_Model):
    """A notebook that does not run from its first cell to its last costs `deduct`."""

    deduct: Points = Decimal(0)


class HandedIn(_Model):
    """What is handed in as one archive; one that lacks a file is refused with the list of what is missing."""

    files: Annotated[tuple[str, ...], Field(min_length=1)]


class Notebooks(_Model):
    """How notebooks are run as a whole.

    Attributes:
        run_all: whether each is run from its first cell to its last; a rule `run_all` says so, too.
        run_all_seconds: how long that may take.
        epochs: the most epochs of cells with the tag `training`, which are left out without it.
    """

    run_all: bool = False
    run_all_seconds: Annotated[float, Field(gt=0, le=3600)] = 120
    epochs: Annotated[int, Field(ge=1)] | None = None


class Rules(_Model):
    """What costs points or is only noted; a rule that is not named in the sheet does not apply."""

    pushes: Pushes | None = None
    gaps: Gaps = Gaps()
    late: Late | None = None
    comments: Comments | None = None
    submission_pdf: SubmissionPdf | None = None
    run_all: RunAll | None = None


class Limits(_Model):
    """What one probe, and one submission, may use behind the wall."""

    probe_seconds: Annotated[float, Field(gt=0, le=3600)] = 10
    submission_seconds: Annotated[float, Field(gt=0, le=24 * 3600)] = 300
    memory_mb: Annotated[int, Field(ge=128)] = 2048
    processes: Annotated[int, Field(ge=1, le=4096)] = 32
    open_files: Annotated[int, Field(ge=16, le=65536)] = 128
    disk_mb: Annotated[int, Field(ge=1)] = 64
    output_kb: Annotated[int, Field(ge=1, le=512)] = 64
    result_mb: Annotated[int, Field(ge=1, le=512)] = 32


class Sheet(_Model):
    """What is handed out: exercises put together with tasks, points, due date and rules."""

    name: str
    folder: Path
    title: str
    due: AwareDatetime | None = None
    exercises: tuple[str, ...]
    team_size: Annotated[int, Field(ge=1)] = 1
    pass_mark: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.5")
    granularity: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.01")
    task: tuple[Task, ...] = ()
    unused_tests: tuple[str, ...] = ()
    rules: Rules = Rules()
    limits: Limits = Limits()
    notebooks: Notebooks = Notebooks()
    submission: HandedIn | None = None

    @property
    def course(self) -> Path:
        """The folder that holds `sheets/`, `solutions/` and the tests."""
        return self.folder.parent.parent

    @property
    def runs_all(self) -> bool:
        """Whether notebooks are run from their first cell to their last."""
        return self.notebooks.run_all or self.rules.run_all is not None

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self.task

    @property
    def max_score(self) -> Decimal:
        """The points that make 100 %; bonus tasks come on top."""
        return sum((task.points for task in self.task if not task.bonus), Decimal(0))

    @property
    def max_bonus(self) -> Decimal:
        return sum((task.points for task in self.task if task.bonus), Decimal(0))

    def due_at(self, due: datetime | None) -> Sheet:
        """This sheet with another due date, told in its own time zone; itself where there is none."""
        if due is None:
            return self
        return self.model_copy(update={"due": due.astimezone(self.due.tzinfo) if self.due else due})

    def is_over(self, now: datetime) -> bool:
        """Whether nobody can hand in any more; without a due date that is never known."""
        late = timedelta(days=self.rules.late.at_most_days) if self.rules.late else timedelta(0)
        return self.due is not None and now > self.due + late

    def test_folders(self) -> dict[Path, Literal["public", "hidden"]]:
        """Where this sheet's suites lie, and who may see them."""
        folders: dict[Path, Literal["public", "hidden"]] = {}
        for exercise in self.exercises:
            folders[self.course / "tests_public" / exercise] = "public"
            folders[self.course / "tests_hidden" / exercise] = "hidden"
        return {folder: kind for folder, kind in folders.items() if folder.is_dir()}


def find_sheet(name_or_path: str, course: Path) -> Path:
    """The folder of a sheet that was given by name or by path."""
    as_path = Path(name_or_path)
    if as_path.name == "sheet.toml":
        as_path = as_path.parent
    for folder in (course / "sheets" / name_or_path, as_path):
        if (folder / "sheet.toml").is_file():
            return folder.resolve()
    known = sorted(file.parent.name for file in (course / "sheets").glob("*/sheet.toml"))
    near = difflib.get_close_matches(name_or_path, known, 1)
    here = f"known here: {', '.join(known)}" if known else "none is there; name your course's folder with --course"
    advice = f"did you mean {near[0]}?" if near else here
    raise SheetError(f"no sheet {name_or_path!r} in {course / 'sheets'}; {advice}")


def load_sheet(name_or_path: str, course: Path) -> Sheet:
    """Read and check a sheet; raises `SheetError` with file and line."""
    folder = find_sheet(name_or_path, course)
    file = folder / "sheet.toml"
    try:
        text = file.read_text(encoding="utf-8")
        data = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SheetError(f"{file}: {error}") from None
    try:
        sheet = Sheet(**{"name": folder.name, "folder": folder, **data})
    except ValidationError as error:
        # a misspelt key is unknown and missing: say the first, which names the cause
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        raise SheetError(f"{file}:{_line_of(text, first['loc'])}: {_in_words(first)}") from None
    _check_sums(sheet, file, text)
    return sheet


def _in_words(error: Any) -> str:
    *where, key = [str(part) for part in error["loc"]]
    place = " of " + " ".join(where) if where else ""
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, sorted(_all_keys()), 1)
        return f"unknown key {key!r}{place}" + (f"; did you mean {near[0]!r}?" if near else "")
    if error["type"] == "missing":
        return f"the key {key!r}{place} is missing"
    return f"{key!r}{place}: {error['msg']} (got {error['input']!r})"


def _all_keys() -> Iterator[str]:
    models: list[type[_Model]] = [Sheet, Task, RubricItem, Rules, Pushes, Gaps, Late, Comments, SubmissionPdf, Limits]
    models += [HandedIn, Notebooks, RunAll]
    for model in models:
        yield from model.model_fields


def _line_of(text: str, location: tuple[Any, ...]) -> int:
    """The line of a key; that of its table where the key itself is missing. tomllib keeps no lines."""
    lines = text.splitlines()
    start = 0
    names = [part for part in location if isinstance(part, str)]
    index = next((part for part in location if isinstance(part, int)), 0)
    headers = [i for i, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{re.escape(names[0])}\s*\]\]", line)]
    if headers:
        start = headers[min(index, len(headers) - 1)]
    for i, line in enumerate(lines):
        if len(names) > 1 and re.match(
            rf"\s*\[{re.escape('.'.join(names[:2]))}\]|\s*\[{re.escape(names[0])}\]\s*$", line
        ):
            start = i
    for i in range(start, len(lines)):
        if re.match(rf"\s*(\[\[?\s*)?{re.escape(names[-1])}\s*[=\]]", lines[i]):
            return i + 1
        if i > start and headers and lines[i].lstrip().startswith("["):
            break
    return start + 1


def _check_sums(sheet: Sheet, file: Path, text: str) -> None:
    """Refuse tasks without tests, tests that no task names, and exercises that do not exist."""

    def at(task: int | None, key: str, sentence: str) -> SheetError:
        where = ("task", task, key) if task is not None else (key,)
        return SheetError(f"{file}:{_line_of(text, where)}: {sentence}")

    for exercise in sheet.exercises:
        if not (sheet.course / "solutions" / exercise).is_dir():
            raise at(None, "exercises", f"there is no exercise {exercise!r} in {sheet.course / 'solutions'}")
    groups = groups_of(sheet)
    named: set[str] = set()
    seen: set[str] = set()
    for i, task in enumerate(sheet.tasks):
        if task.id in seen:
            raise at(i, "id", f"two tasks have the id {task.id!r}")
        seen.add(task.id)
        if task.kind == "code" and not task.tests:
            raise at(i, "id", f'task {task.id} has no tests; name its group with tests = "..."')
        for group in task.tests:
            if group not in groups:
                near = difflib.get_close_matches(group, sorted(groups), 1)
                advice = f"did you mean {near[0]!r}?" if near else f"groups here: {', '.join(sorted(groups)) or 'none'}"
                raise at(i, "tests", f"task {task.id} names tests {group!r}, and no test has that group; {advice}")
            if group in named:
                raise at(i, "tests", f"the tests {group!r} count for two tasks")
            named.add(group)
        _check_answers(sheet, task, functools.partial(at, i))
        rubric = sum((item.points for item in task.rubric), Decimal(0))
        if rubric and rubric != task.points:
            raise at(
                i, "rubric", f"the rubric of task {task.id} adds up to {rubric}, the task has {task.points} points"
            )
    for group in sorted(set(groups) - named - set(sheet.unused_tests)):
        raise at(
            None,
            "exercises",
            f"the tests {group!r} ({groups[group]}) belong to no task; name them in a task or in unused_tests",
        )
    if not sheet.max_score:
        raise at(None, "title", "the sheet has no points; give at least one task that is no bonus")


def _check_answers(sheet: Sheet, task: Task, at: Callable[[str, str], SheetError]) -> None:
    """Refuse a key that cannot be used, and one whose points are not the task's."""
    if task.kind not in ("formula", "quiz", "written", "review"):
        for name in ("answers", "cell", "file", "max_words"):
            if getattr(task, name):
                raise at(name, f"task {task.id} is of the kind {task.kind}, which has no {name}; leave it out")
    if task.kind in ("formula", "quiz") and task.answers:
        try:
            key = load_key(sheet.course, sheet.exercises, task.answers, task.kind)
            check_handed_out(sheet.course, sheet.exercises, task.answers, key)
        except KeyFileError as error:
            raise at("answers", f"task {task.id}: {error}") from None
        if key.points != task.points:
            raise at("points", f"the key of task {task.id} adds up to {key.points}, the task has {task.points} points")


def groups_of(sheet: Sheet) -> dict[str, str]:
    """The groups of a sheet's tests and where each first stands; read from their `@task(...)`, nothing is run."""
    groups: dict[str, str] = {}
    for folder in sheet.test_folders():
        for file in sorted(folder.glob("test_*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    group = _group(node)
                    if group is None:
                        raise SheetError(
                            f"{file}:{node.lineno}: {node.name} has no @task; name the group that it counts for"
                        )
                    groups.setdefault(group, f"{file.name}:{node.lineno}")
    return groups


def _group(test: ast.FunctionDef) -> str | None:
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "task" and mark.args:
            first = mark.args[0]
            return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    return None
