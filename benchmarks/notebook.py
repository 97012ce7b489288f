"""What a notebook costs beside the same code as a Python file: `python -m benchmarks.notebook [--gradings N]`.

The VAE's model with its public and hidden tests is a course twice: once as `lib/model_vae.py`, as students get it, and
once as the cells of a notebook. The right solution of each is graded behind the wall, in turn and in this one process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.wall import Cost, repeated
from grader.grade import Bench, with_bench
from grader.handin import Handin
from grader.intake import take_in
from grader.result import Result
from grader.sheet import load_sheet
from grader.wall.nested import NestedWall
from tools.make_release import make_release

ROOT = Path(__file__).parent.parent
SHEET = """\
title = "One model"
due = 2030-01-01T00:00:00+01:00
exercises = ["vae"]
task = [{ id = "1", title = "The VAE", points = 1, tests = "vae-model" }]
"""
EXERCISE = 'title = "The VAE"\nrequirements = ["torch==2.13.0"]\n'
FILE, NOTEBOOK = "lib/model_vae.py", "model_vae"
TESTS = {"tests_public": "test_vae.py", "tests_hidden": "test_vae_hidden.py"}


def make_course(folder: Path, *, notebook: bool) -> Path:
    """A course with the model alone, and its release."""
    code = (ROOT / "solutions" / "vae" / FILE).read_text()
    place = f"{NOTEBOOK}.nb.py" if notebook else FILE
    files = {
        "sheets/one/sheet.toml": SHEET,
        "sheets/one/sheet.md": "# {{ sheet.title }}\n",
        "solutions/vae/exercise.toml": EXERCISE,
        f"solutions/vae/{place}": _as_cells(code) if notebook else code,
    }
    if not notebook:
        files["solutions/vae/lib/__init__.py"] = '"""The library of this sheet."""\n'
    for tests, name in TESTS.items():
        text = (ROOT / tests / "vae" / name).read_text()
        files[f"{tests}/vae/{name}"] = (
            text.replace("from lib.model_vae import", "from notebook import") if notebook else text
        )
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    make_release(load_sheet("one", folder))
    return folder


def _as_cells(code: str) -> str:
    """The module in two cells: what stands before its class, and the class."""
    before, name, after = code.partition("class VAE")
    return f'# %% id="imports"\n{before.rstrip()}\n\n\n# %% id="model"\n{name}{after}'


def make_submission(course: Path, folder: Path) -> Path:
    """What was handed out, with the solution in it."""
    shutil.copytree(course / "student" / "one", folder)
    code = (ROOT / "solutions" / "vae" / FILE).read_text()
    handed = folder / f"{NOTEBOOK}.ipynb"
    if not handed.exists():
        (folder / FILE).write_text(code)
        return folder
    content = json.loads(handed.read_text())
    (model,) = (cell for cell in content["cells"] if cell["id"] == "model")
    model["source"] = code[code.index("class VAE") :]
    handed.write_text(json.dumps(content))
    return folder


def graded(wall: NestedWall, course: Path, submission: Path, times: int) -> Cost:
    """Whole gradings; stops where a test fails, since a failure costs something else."""

    def measured(bench: Bench) -> Cost:
        results: list[Result] = []
        cost = repeated(wall, lambda: results.append(bench.grade(Handin(take_in(submission), seed=1))), times)
        failed = [
            test.id for result in results for task in result.tasks for test in task.tests if test.outcome != "passed"
        ]
        if failed:
            raise SystemExit(f"the solution fails: {failed}")
        return cost

    return with_bench(load_sheet("one", course), wall, measured)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gradings", type=int, default=10)
    options = parser.parse_args()
    wall = NestedWall()
    costs: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory(prefix="gapgrade-bench-") as work:
        for name in ("file", "notebook"):
            course = make_course(Path(work, name), notebook=name == "notebook")
            costs[name] = graded(wall, course, make_submission(course, Path(work, f"{name}-handed")), options.gradings)
    wall.close()
    table = Table(show_edge=False, title=f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for title in ("the VAE's model as a", "wall ms", "CPU ms"):
        table.add_column(title, justify="right")
    for name, cost in costs.items():
        table.add_row(name, f"{cost.wall * 1000:.0f}", f"{cost.cpu * 1000:.0f}")
    Console().print(table)
    print(f"a notebook takes {costs['notebook'].cpu / costs['file'].cpu:.2f} times the CPU time of a Python file")


if __name__ == "__main__":
    main()
