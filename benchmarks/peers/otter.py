"""otter-grader: `otter run` with a configuration made by `otter generate`, a process for each submission."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.assignment import Check
from benchmarks.measure import Command
from benchmarks.peers.environment import program, variables


class Otter:
    name = "otter-grader"
    packages = ("otter-grader[grading]==7.0.0", "setuptools<81")

    def prepare(self, folder: Path, submissions: Mapping[str, Path], checks: Sequence[Check]) -> list[Command]:
        tests = folder / "otter-tests"
        tests.mkdir()
        for number, check in enumerate(checks, 1):
            (tests / f"q{number}.py").write_text(
                f"from otter.test_files import test_case\n\nOK_FORMAT = False\nname = 'q{number}'\npoints = 1\n\n\n"
                f"@test_case(points=1, hidden={check.hidden})\ndef {check.name}(run):\n"
                f"    run({check.module!r}, {check.name!r})\n"
            )
        generate = [program(self, "otter"), "generate", "-t", str(tests), "-o", str(folder / "autograder.zip")]
        subprocess.run(generate, cwd=folder, env=variables(self), check=True, capture_output=True)
        commands = []
        for path in submissions.values():
            (path / "submission.py").write_text("from checks import run\n")
            (path / "out").mkdir()
            arguments = [program(self, "otter"), "run", "submission.py", "-a", "../autograder.zip", "-o", "out"]
            commands.append(Command(arguments, path, variables(self, PYTHONPATH=str(path))))
        return commands

    def score(self, folder: Path, name: str) -> float:
        tests = json.loads((folder / name / "out" / "results.json").read_text())["tests"]
        return float(sum(test.get("score") or 0 for test in tests))
