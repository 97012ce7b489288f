"""The pages say what is so: commands exist and take their options, blocks run, links lead somewhere."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from grader import sheet as sheets
from grader.__main__ import COMMANDS
from tools import gapgrade

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TOOLS = (*gapgrade.TOOLS, "demo")
# What students run in their repository: the release brings it, or pip does.
STUDENTS = ("venv", "pip", "pytest", "pycodestyle", "tests.test_")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and what stands above it: the name of a file, or whether it `runs`."""

    page: Path
    language: str
    text: str
    file: str
    runs: bool


def blocks(page: Path) -> Iterator[Block]:
    fences = re.finditer(
        r"(?:^`([^`\n]+)`:\n\n|^(<!-- runs -->)\n)?^```(\w*)\n(.*?)^```$",
        page.read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    for fence in fences:
        yield Block(page, fence[3], fence[4], fence[1] or "", fence[2] is not None)


def commands(page: Path) -> Iterator[str]:
    """The lines of the page's shell blocks, and the commands in its sentences."""
    text = page.read_text(encoding="utf-8")
    for block in blocks(page):
        if block.language == "sh":
            yield from (line for line in block.text.replace("\\\n", " ").splitlines() if line and line[0] != "#")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"`((?:python -m|make|gapgrade) [^`]+)`", prose)


def every_command() -> list[Any]:
    return [
        pytest.param(page, command, id=f"{page.name}-{command[:60]}")
        for page in PAGES
        for command in dict.fromkeys(commands(page))
    ]


def resolved(words: list[str]) -> tuple[Any, str, list[str]]:
    """The command that these words call after `python -m`, its name, and its arguments."""
    module, *words = words
    modules = {"grader": "grader.__main__", "gapgrade": "tools.gapgrade"}
    app = importlib.import_module(modules.get(module, module)).app
    command, name = typer.main.get_command(app), f"python -m {module}"
    while hasattr(command, "get_command") and words and not words[0].startswith("-"):
        found = command.get_command(None, words[0])
        assert found is not None, f"there is no command {' '.join([name, words[0]])}"
        command, name, words = found, f"{name} {words[0]}", words[1:]
    return command, name, words


@pytest.mark.parametrize(("page", "command"), every_command())
def test_each_command_exists_and_takes_its_options(page: Path, command: str) -> None:
    words = shlex.split(command, comments=True)
    if words[0] == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words[1:]) <= set(targets)
    elif words[0] == "gapgrade":
        called, name, arguments = resolved(words)
        assert not arguments or arguments[0] in {option for one in called.params for option in one.opts}
    elif words[:2] == ["python", "-c"]:
        compile(words[2], command, "exec")
    elif words[:2] == ["python", "-m"]:
        if words[2].startswith(STUDENTS):
            return
        if words[2].startswith(("benchmarks", "tests")):
            assert importlib.util.find_spec(words[2]) is not None
            return
        called, name, arguments = resolved(words[2:])
        if len(words) > 3 and arguments:  # `python -m grader batch` in a sentence only names the command
            context = called.make_context(name, arguments)
            assert not context.args


def test_every_tool_that_can_be_called_is_looked_at() -> None:
    files = (ROOT / "tools").glob("*.py")
    called = {file.stem for file in files if "app = new_app(" in file.read_text(encoding="utf-8")}
    assert called == {*TOOLS, "gapgrade"}


def leaves() -> Iterator[tuple[str, str]]:
    """Each command, as it is called, with its help."""
    for words in [*(["grader", name] for name in COMMANDS), *([f"tools.{name}"] for name in TOOLS)]:
        command, name, _ = resolved(words)
        if hasattr(command, "list_commands"):
            for leaf in command.list_commands(None):
                yield f"{words[-1]} {leaf}", command.get_command(None, leaf).help or ""
        else:
            yield name, command.help or ""


@pytest.mark.parametrize(("name", "shown"), [pytest.param(*leaf, id=leaf[0]) for leaf in leaves()])
def test_the_help_of_each_command_shows_an_example(name: str, shown: str) -> None:
    assert re.search(rf"{re.escape(name)}\b", inspect.cleandoc(shown)), shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_block_of_python_or_toml_can_be_read_and_examples_of_assertions_run(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            code = compile(block.text, page.name, "exec")
            if page.name == "statistics.md":
                exec(code, {})
        elif block.language in ("toml", "json"):
            (tomllib if block.language == "toml" else json).loads(block.text)


def test_the_blocks_that_are_marked_run(tmp_path: Path) -> None:
    """The first release of the instructors' page, from its files to the report, in a folder of its own."""
    paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = os.environ | {"PATH": os.pathsep.join(paths), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    printed = ""
    for block in blocks(ROOT / "docs" / "instructors.md"):
        if block.file:
            file = tmp_path / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.runs:
            done = subprocess.run(
                ["sh", "-eu", "-c", block.text],
                check=False,
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=600,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            printed += done.stdout
    assert re.search(r"1 Standardise.* 0 / 4 .*1 Standardise.* 4 / 4 ", printed, re.DOTALL)
    assert "4 / 4" in (tmp_path / "out" / "team-01" / "report.html").read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives the page's headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text):
        if re.match(r"https?://|mailto:", target):
            continue
        file, _, anchor = target.partition("#")
        goal = (page.parent / file).resolve() if file else page
        assert goal.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(goal), f"{page.name}: {target}"


def test_the_readme_leads_to_each_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in PAGES[1:]:
        assert f"](docs/{page.name})" in readme, f"README.md has no link to docs/{page.name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:grader|tools|gapcheck|tests|benchmarks|environment|docs|sheets)/[\w./-]*)`", text):
        assert (ROOT / name).exists(), f"{page.name}: {name}"


def test_the_page_on_the_design_names_each_part() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for package in ("gapcheck", "grader", "tools"):
        for folder in [ROOT / package, *(ROOT / package).glob("*/")]:
            if any(folder.glob("*.py")):
                name = folder.relative_to(ROOT).as_posix() + "/"
                assert f"`{name}`" in text, f"docs/architecture.md does not say what {name} is for"


def documented(heading: str) -> dict[str, str]:
    """The keys in the table under a heading of the instructors' page, and their defaults."""
    text = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
    section = re.search(rf"^### {re.escape(heading)}\n(.*?)(?=^##)", text, re.DOTALL | re.MULTILINE)
    assert section, heading
    return {row[1]: row[2].strip() for row in re.finditer(r"^\| `([\w.]+)` \| ([^|]*) \|", section[1], re.MULTILINE)}


def fields(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    return {prefix + name: field for name, field in model.model_fields.items()}


RULES = {
    "pushes": sheets.Pushes,
    "gaps": sheets.Gaps,
    "late": sheets.Late,
    "comments": sheets.Comments,
    "submission_pdf": sheets.SubmissionPdf,
    "run_all": sheets.RunAll,
}


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("The sheet", {k: v for k, v in fields(sheets.Sheet).items() if k not in ("name", "folder")}),
        ("`[[task]]`", fields(sheets.Task)),
        ("`[rules.…]`", {k: v for name, model in RULES.items() for k, v in fields(model, f"{name}.").items()}),
        ("`[notebooks]`", fields(sheets.Notebooks)),
        ("`[submission]`", fields(sheets.HandedIn)),
        ("`[limits]`", fields(sheets.Limits)),
    ],
    ids=["sheet", "task", "rules", "notebooks", "submission", "limits"],
)
def test_the_keys_of_sheet_toml_are_exactly_those_that_are_read(heading: str, known: dict[str, Any]) -> None:
    described = documented(heading)
    assert set(described) == set(known)
    for key, default in described.items():
        assert (default == "needed") == known[key].is_required(), key
        if re.fullmatch(r"[\d.]+|true|false|`.*`", default):
            value = known[key].default
            shown = (
                str(value).lower()
                if isinstance(value, bool)
                else f'`"{value}"`'
                if isinstance(value, str)
                else str(value)
            )
            assert default == shown, key


def test_every_rule_and_every_key_of_a_rubric_is_described() -> None:
    assert set(RULES) == set(sheets.Rules.model_fields)
    row = next(
        line for line in (ROOT / "docs" / "instructors.md").read_text().splitlines() if line.startswith("| `rubric`")
    )
    assert all(f"`{name}`" in row for name in sheets.RubricItem.model_fields)
