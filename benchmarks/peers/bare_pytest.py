"""pytest with pytest-json-report, a process for each submission: the floor of what people write themselves."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.assignment import Check
from benchmarks.measure import Command


class BarePytest:
    """Runs where this project is installed: it has both packages."""

    name = "pytest + json-report"
    packages: tuple[str, ...] = ()

    def prepare(self, folder: Path, submissions: Mapping[str, Path], checks: Sequence[Check]) -> list[Command]:
        options = "-q -p no:cacheprovider -p gapcheck.plugin -c /dev/null --json-report --json-report-file=report.json"
        arguments = [sys.executable, "-m", "pytest", *options.split(), "--rootdir", ".", "checks"]
        return [Command(arguments, path, {"PYTHONPATH": str(path)}) for path in submissions.values()]

    def score(self, folder: Path, name: str) -> float:
        report = json.loads((folder / name / "report.json").read_text())
        return float(report["summary"].get("passed", 0))
