"""`python -m tools.make_autograder`: the archive that makes Gradescope grade a sheet with this grader."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from grader import GapgradeError
from grader.commands.exits import new_app, run_app
from grader.sheet import Sheet, load_sheet
from tools.exercise import with_required

HERE = Path(__file__).parent
GAPGRADE = HERE.parent
PACKAGES = ("gapcheck", "grader")
ENVIRONMENT = ("environment/install.py", "environment/torchvision_ops.py", "pyproject.toml", "requirements.lock")
EXECUTABLE = ("run_autograder", "setup.sh")
LEFT_BEHIND = ("__pycache__", ".DS_Store")
WRITTEN = (1980, 1, 1, 0, 0, 0)  # the same files make the same archive

app = new_app("Make the autograder of a sheet for Gradescope.")


class AutograderError(GapgradeError):
    """An archive that cannot be made: what is missing, and the command that makes it."""


def autograder_files(sheet: Sheet) -> dict[str, Path]:
    """What the archive holds, by its path there: Gradescope's two scripts, the grader, and a course of this sheet."""
    release = sheet.course / "student" / sheet.name
    if not release.is_dir():
        raise AutograderError(f"{release} does not exist; run python -m tools.make_release {sheet.name}")
    files = {name: HERE / "autograder_files" / name for name in EXECUTABLE}
    files |= {f"gapgrade/{name}": GAPGRADE / name for name in ENVIRONMENT}
    for package in PACKAGES:
        files |= {f"gapgrade/{path}": file for path, file in _below(GAPGRADE, GAPGRADE / package)}
    folders = [sheet.folder, release, *sheet.test_folders()]
    folders += [exercise.folder for exercise in with_required(sheet.exercises, sheet.course)]
    for folder in folders:
        files |= {f"course/{path}": file for path, file in _below(sheet.course, folder)}
    return files


def _below(root: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not any(part in LEFT_BEHIND for part in file.parts):
            yield file.relative_to(root).as_posix(), file


def make_autograder(sheet: Sheet, out: Path) -> Path:
    """Write the archive; the same files give the same bytes."""
    files = autograder_files(sheet)
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, file in sorted(files.items()):
            entry = zipfile.ZipInfo(path, WRITTEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if path in EXECUTABLE else 0o644) << 16
            archive.writestr(entry, file.read_bytes())
    return out


@app.command()
def main(
    sheet: Annotated[str, typer.Argument(help="The sheet's name, or the path of its folder.")],
    out: Annotated[Path | None, typer.Option(help="Where to write the archive; else SHEET-autograder.zip.")] = None,
    course: Annotated[Path, typer.Option(help="The folder with solutions/, sheets/ and the tests.")] = Path(),
) -> None:
    """Pack the grader, the sheet, its release and its hidden tests for Gradescope (Configure Autograder, Zip upload).

    The archive holds solutions and hidden tests: hand it to nobody but Gradescope, and choose Ubuntu 24.04 there. Where
    its container allows no sandbox, results say that they are advisory.

    Example:

        python -m tools.make_autograder gan-and-diffusion --out autograder.zip
    """
    chosen = load_sheet(sheet, course)
    written = make_autograder(chosen, out or Path(f"{chosen.name}-autograder.zip"))
    print(f"{written}: {len(autograder_files(chosen))} files; upload it to the assignment's autograder")


if __name__ == "__main__":
    run_app(app)
