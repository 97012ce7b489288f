"""Classes of submissions of the miniature course, for the tests of batches."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from grader.sheet import load_sheet
from tools.make_release import make_release

COURSE = Path(__file__).parent / "course"
ADD, NOISE = "# added\nreturn a + b", "# drawn\nreturn torch.randn(n)"
SLOW = f"import time\ntime.sleep(0.25)\n{NOISE}"


def make_course(folder: Path, rules: str = "") -> Path:
    """The miniature course with its release in a new folder; `rules` are added to its sheet."""
    shutil.copytree(COURSE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    sheet = folder / "sheets" / "sums" / "sheet.toml"
    sheet.write_text(sheet.read_text() + rules)
    make_release(load_sheet("sums", folder))
    return folder


def hand_in(course: Path, folder: Path, name: str, add: str = ADD, noise: str = NOISE) -> Path:
    """A submission of the sheet `sums` in a folder, right unless a function's body is given."""
    submission = folder / name
    shutil.copytree(course / "student" / "sums", submission)
    for file, label, body in (("adding.py", "sums 1", add), ("noise.py", "sums 2", noise)):
        path = submission / "lib" / file
        filled = "".join(f"    {line}\n" for line in body.splitlines())
        path.write_text(path.read_text().replace(f'    raise NotImplementedError("TODO {label}")\n', filled))
    return submission


def batch_command(course: Path, folder: Path, out: Path, *more: str) -> list[str]:
    """The command line that grades a folder."""
    place = [str(folder), "--sheet", "sums", "--course", str(course), "--out", str(out)]
    return [sys.executable, "-m", "grader", "batch", *place, *more]


def grade_class(course: Path, folder: Path, out: Path, *more: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a batch to its end."""
    done = subprocess.run(batch_command(course, folder, out, *more), capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done
