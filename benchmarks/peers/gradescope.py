"""gradescope-utils: unittest with weights and visibilities, a process for each submission."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.assignment import Check
from benchmarks.measure import Command
from benchmarks.peers.environment import program, variables

RUN = """import unittest

from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

suite = unittest.defaultTestLoader.loadTestsFromName("gradescope_tests")
with open("results.json", "w") as stream:
    JSONTestRunner(visibility="visible", stream=stream).run(suite)
"""
HEAD = """import unittest

from gradescope_utils.autograder_utils.decorators import visibility, weight

from checks import run


class Tests(unittest.TestCase):
"""


class GradescopeUtils:
    name = "gradescope-utils"
    packages = ("gradescope-utils==0.5.0",)

    def prepare(self, folder: Path, submissions: Mapping[str, Path], checks: Sequence[Check]) -> list[Command]:
        tests = (
            f"    @weight(1)\n    @visibility({'hidden' if check.hidden else 'visible'!r})\n"
            f"    def {check.name}_{check.module}(self):\n        run({check.module!r}, {check.name!r})\n"
            for check in checks
        )
        text = HEAD + "\n".join(tests)
        for path in submissions.values():
            (path / "gradescope_tests.py").write_text(text)
            (path / "run_tests.py").write_text(RUN)
        return [
            Command([program(self, "python"), "run_tests.py"], path, variables(self)) for path in submissions.values()
        ]

    def score(self, folder: Path, name: str) -> float:
        return float(sum(test["score"] for test in json.loads((folder / name / "results.json").read_text())["tests"]))
