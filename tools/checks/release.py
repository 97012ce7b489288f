"""The release in student/ is what `make_release` makes, compiles, and has a clean style."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from gapcheck.cells import as_text, read_ipynb
from grader.cells import SUFFIX, text_path
from grader.reading import check_style
from grader.sheet import Sheet
from tools.checks.findings import Finding, Report
from tools.checks.leaks import find_bytecode, find_in_history, find_leaks
from tools.checks.subject import Subject
from tools.folder import differences
from tools.release import EXECUTABLE, Release, build_release

Step = Callable[[str], None]
SHOWN = 20


def check_files(sheet: Sheet, subjects: list[Subject], report: Report, step: Step) -> None:
    """Compare, read and search the release of a sheet; raises `GapgradeError` where it cannot be built."""
    step("building the release")
    release = build_release(sheet)  # this compiles each file, too
    folder = sheet.course / "student" / sheet.name
    again = f"run python -m tools.make_release {sheet.name}"
    if not folder.is_dir():
        report.findings.append(Finding(f"student/{sheet.name}", 0, "does not exist", again))
    else:
        changed = (line for line in differences(folder, release.files, EXECUTABLE) if line.startswith(("+++ ", "Bin")))
        for line in itertools.islice(changed, SHOWN):
            what = f"is not what make_release makes ({line.removeprefix('+++ ')})"
            report.findings.append(Finding(f"student/{sheet.name}", 0, what, again))
    for one in check_style(_python(release, f"student/{sheet.name}"))["findings"]:
        what = f"pycodestyle {one['code']}: {one['text']}"
        report.findings.append(Finding(one["file"], one["line"], what, "correct it in the file that it is made from"))
    step("looking for leaks")
    report.findings += find_leaks(release.files, subjects, sheet.name)
    report.findings += find_bytecode(folder, sheet.name)
    report.findings += find_in_history(folder, sheet.course, subjects)
    report.ran.add("release")


def _python(release: Release, folder: str) -> dict[str, bytes]:
    """The Python files of a release by their place in the course, and its notebooks' code."""
    files = {f"{folder}/{path}": data for path, data in release.files.items()}
    texts = {
        text_path(path): as_text(read_ipynb(data, path))[0].encode()
        for path, data in files.items()
        if path.endswith(SUFFIX)
    }
    return {path: data for path, data in files.items() if path.endswith(".py")} | texts
