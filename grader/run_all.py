"""Whether handed-in notebooks run from their first cell to their last; each runs in a process behind the wall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import gapcheck
from grader.cells import SUFFIX
from grader.reader import Reading
from grader.sheet import Sheet
from grader.submitted import handed_notebooks
from grader.wall import Call, Failure, Wall

SOURCE = """
from grader.running import run_all

def run(template, data, path, seconds, epochs):
    return run_all(template, data.tobytes(), path, seconds, epochs)
"""
NOT_NEEDED = (SUFFIX, ".pdf")
GRACE_SECONDS = 5  # for what is not the student's: loading IPython, and telling which cell was too slow


@dataclass(frozen=True)
class Run:
    """What became of one notebook; student code ran in the process that says so, and could have said anything.

    Attributes:
        ran, skipped: how many cells.
        cell: the name of the cell that failed; empty where none did, or where it is not known.
        problem: why it failed; empty where every cell ran.
        ours: whether the run itself could not be made, which is nothing that the notebook can help.
    """

    path: str
    ran: int = 0
    skipped: int = 0
    cell: str = ""
    problem: str = ""
    ours: bool = False


def run_notebooks(
    wall: Wall, sheet: Sheet, notebooks: Mapping[str, str], files: Mapping[str, bytes], reading: Reading
) -> list[Run]:
    """Run each notebook of the sheet as it was handed in, beside the files that the tests see.

    Args:
        notebooks: the release's notebooks, by path.
        files: the submission's files.
    """
    seconds = sheet.notebooks.run_all_seconds
    beside = {path: data for path, data in files.items() if not path.lower().endswith(NOT_NEEDED)}
    beside |= {path: text.encode() for path, text in reading.files.items()}
    beside |= {f"gapcheck/{file.name}": file.read_bytes() for file in Path(gapcheck.__file__).parent.glob("*.py")}
    named = handed_notebooks(notebooks, files)
    room = sheet.limits.disk_mb + sum(map(len, beside.values())) // 2**20  # what was handed in is not what cells write
    limits = sheet.limits.model_copy(update={"probe_seconds": seconds + GRACE_SECONDS, "disk_mb": room})
    runs = []
    for path, template in notebooks.items():
        if path not in named:
            runs.append(Run(path, problem="it is missing"))
            continue
        data = np.frombuffer(files[named[path]], np.uint8)
        with wall.open(limits) as cell:
            cell.place(beside)
            answer = cell.call(Call(SOURCE, "run", (template, data, path, seconds, sheet.notebooks.epochs)))
        runs.append(_failed(path, answer) if isinstance(answer, Failure) else _read(path, answer.value))
    return runs


def _failed(path: str, failure: Failure) -> Run:
    """A run that did not return: the limits of time and memory are the cells' to keep."""
    return Run(path, problem=failure.message, ours=failure.kind in ("error", "refused"))


def _read(path: str, answer: object) -> Run:
    """What came back, if it is what `grader.running.run_all` returns."""
    match answer:
        case {"ran": int(ran), "skipped": int(skipped), "cell": str(cell), "message": str(message)}:
            return Run(path, ran, skipped, cell[:100], message[:500])
    return Run(path, problem="its cells kept the run from telling how it went")
