"""What is graded: the VAE exercise as a course of its own, right submissions of it, and its tests for other graders."""

from __future__ import annotations

import ast
import shutil
from dataclasses import dataclass
from pathlib import Path

from grader.sheet import load_sheet
from tools.make_release import make_release

ROOT = Path(__file__).parent.parent
SHEET = "vae"
GROUPS = ("vae-model", "vae-loss", "vae-latent-space")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "pages", "reference", "mistakes", "variants")


@dataclass(frozen=True)
class Check:
    """One test function of the exercise."""

    module: str
    name: str
    hidden: bool


def make_course(folder: Path) -> Path:
    """A course with one sheet of the VAE exercise alone, and its release."""
    for exercise in ("data", "vae"):
        shutil.copytree(ROOT / "solutions" / exercise, folder / "solutions" / exercise, ignore=LEFT_OUT)
    for tests in ("tests_public", "tests_hidden"):
        shutil.copytree(ROOT / tests / "vae", folder / tests / "vae", ignore=LEFT_OUT)
    sheet = folder / "sheets" / SHEET
    sheet.mkdir(parents=True)
    tasks = (
        f'[[task]]\nid = "{n}"\ntitle = "{group}"\npoints = 2\ntests = "{group}"\n' for n, group in enumerate(GROUPS, 1)
    )
    (sheet / "sheet.toml").write_text(f'title = "The VAE"\nexercises = ["vae"]\n{"".join(tasks)}')
    (sheet / "sheet.md").write_text("# {{ sheet.title }}\n\n{{ task_table }}\n")
    make_release(load_sheet(SHEET, folder))
    return folder


def make_class(course: Path, folder: Path, count: int) -> list[str]:
    """Right submissions, all alike; their names."""
    names = [f"team-{number:04d}" for number in range(1, count + 1)]
    for name in names:
        shutil.copytree(course / "student" / SHEET, folder / name)
        shutil.copytree(course / "solutions" / "vae" / "lib", folder / name / "lib", dirs_exist_ok=True)
    return names


def checks_of(course: Path) -> list[Check]:
    """Every test of the exercise."""
    return [
        Check(file.stem, node.name, tests == "tests_hidden")
        for tests in ("tests_public", "tests_hidden")
        for file in sorted((course / tests / "vae").glob("test_*.py"))
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


RUN_CHECK = '''"""Runs one test of the exercise by its name."""

import importlib
import inspect
import secrets


def run(module, name):
    test = getattr(importlib.import_module(f"checks.{module}"), name)
    drawn = {"fresh_seed": secrets.randbelow(2**31)} if "fresh_seed" in inspect.signature(test).parameters else {}
    test(**drawn)
'''


def lay_checks(course: Path, submission: Path) -> None:
    """Put all tests beside a submission's code, as graders need them that run both in one process."""
    checks = submission / "checks"
    checks.mkdir()
    (checks / "__init__.py").write_text(RUN_CHECK)
    for tests in ("tests_public", "tests_hidden"):
        for file in (course / tests / "vae").glob("test_*.py"):
            shutil.copy(file, checks)
