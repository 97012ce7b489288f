"""nbgrader: `nbgrader autograde` over the whole class, a cell for each test."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.assignment import Check
from benchmarks.measure import Command
from benchmarks.peers.environment import program, variables

SCORES = """SELECT sum(grade.auto_score) FROM grade
JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
WHERE submitted_assignment.student_id = ?"""


class Nbgrader:
    name = "nbgrader"
    packages = ("nbgrader==0.9.6",)

    def prepare(self, folder: Path, submissions: Mapping[str, Path], checks: Sequence[Check]) -> list[Command]:
        (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
        source = folder / "source" / "vae"
        source.mkdir(parents=True)
        setup = _cell("from checks import run", "setup", locked=True)
        tests = [
            _cell(f"run({check.module!r}, {check.name!r})", f"test-{number}", grade=True, locked=True, points=1)
            for number, check in enumerate(checks, 1)
        ]
        kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
        notebook = {"cells": [setup, *tests], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
        (source / "vae.ipynb").write_text(json.dumps(notebook))
        nbgrader = program(self, "nbgrader")
        subprocess.run(
            [nbgrader, "generate_assignment", "vae"], cwd=folder, env=variables(self), check=True, capture_output=True
        )
        for name, path in submissions.items():
            handed = folder / "submitted" / name / "vae"
            shutil.copytree(path, handed)
            shutil.copy(folder / "release" / "vae" / "vae.ipynb", handed)
        return [Command([nbgrader, "autograde", "vae"], folder, variables(self))]

    def score(self, folder: Path, name: str) -> float:
        with closing(sqlite3.connect(folder / "gradebook.db")) as connection:
            (score,) = connection.execute(SCORES, [name]).fetchone()
        return float("nan") if score is None else float(score)


def _cell(source: str, name: str, **marks: Any) -> dict[str, Any]:
    marked = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3, "grade_id": name}
    metadata = {"nbgrader": {**marked, **marks}}
    return {
        "cell_type": "code", "id": name, "source": source, "metadata": metadata, "outputs": [], "execution_count": None
    }  # fmt: skip
