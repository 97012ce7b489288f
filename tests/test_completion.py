"""What a shell offers behind `gapgrade`: commands, options, and the names of sheets and exercises."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from grader.__main__ import COMMANDS
from tools.gapgrade import TOOLS

ROOT = Path(__file__).resolve().parent.parent
CALL = "import sys; sys.argv = ['gapgrade', *sys.argv[1:]]; from tools.gapgrade import run; run()"


def ask(shell: str, words: str, course: Path) -> subprocess.CompletedProcess[str]:
    """Ask as the script that `--show-completion` prints does."""
    variables = {
        "bash": {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": words},
        "fish": {"_TYPER_COMPLETE_ARGS": words, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "_GAPGRADE_COMPLETE": f"complete_{shell}"} | variables
    return subprocess.run(
        [sys.executable, "-c", CALL], cwd=course, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("shell", "words", "offered", "other"),
    [
        ("bash", "gapgrade ma", {"marks", "make_release", "make_signatures"}, "grade"),
        ("bash", "gapgrade batch --sh", {"--sheet", "--shard"}, "--out"),
        ("bash", "gapgrade collect --sheet su", {"sums"}, "divergence"),
        ("zsh", "gapgrade collect --sheet su", {"sums"}, "divergence"),
        ("fish", "gapgrade collect --sheet su", {"sums"}, "divergence"),
    ],
    ids=["commands", "options", "sheets in bash", "sheets in zsh", "sheets in fish"],
)
def test_each_shell_is_offered_what_fits(course: Path, shell: str, words: str, offered: set[str], other: str) -> None:
    done = ask(shell, words, course)
    assert done.returncode == 0, done.stderr
    found = done.stdout.replace('"', " ").replace(":", " ").split()
    assert offered <= set(found), done.stdout
    assert other not in found


def test_names_come_from_the_course_that_is_named(course: Path, tmp_path: Path) -> None:
    assert ask("bash", f"gapgrade make_release --course {course} ", tmp_path).stdout.split() == ["divergence", "sums"]
    assert ask("bash", "gapgrade mutate su", course).stdout.split() == ["sums"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_each_shell_asks_for_gapgrade(shell: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "_GAPGRADE_COMPLETE": f"source_{shell}"}
    done = subprocess.run([sys.executable, "-c", CALL], env=environment, capture_output=True, text=True, check=True)
    assert f"_GAPGRADE_COMPLETE=complete_{shell}" in done.stdout


def test_the_console_script_has_every_command_once() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    module, _, function = scripts["gapgrade"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))
    assert not set(TOOLS) & set(COMMANDS)
