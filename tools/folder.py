"""Replace a generated folder as a whole, or compare it with what it should be."""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader import GapgradeError

# What running a release leaves in it; its .gitignore names them, too.
LEFT_BY_RUNS = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", "results")


class FolderError(GapgradeError):
    """A folder that cannot be replaced: which, and what to do."""


def replace_folder(target: Path, files: Mapping[str, bytes], executable: frozenset[str], proof: str) -> None:
    """Write the files into a new folder beside `target`, then put it in its place.

    An error or an interruption leaves the old folder as it was; a killed run is cleaned up by the next one. A folder
    without the file `proof`, or with a git repository in it, was not made by this function and is not touched.
    """
    new, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    if old.exists() and not target.exists():
        old.rename(target)
    _refuse_foreign(target, proof)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _remove(new, old)
        for path, data in files.items():
            file = new / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            file.chmod(0o755 if path in executable else 0o644)
        if target.exists():
            target.rename(old)
        new.rename(target)
    except OSError as error:
        raise FolderError(
            f"{error.filename or target} cannot be written: {error.strerror}; free it and try again"
        ) from None
    finally:
        if old.exists() and not target.exists():
            old.rename(target)
        _remove(new, old)


def _refuse_foreign(target: Path, proof: str) -> None:
    if not target.exists():
        return
    if (target / ".git").exists():
        raise FolderError(f"{target} is a git repository; give another folder with --out and copy the files over")
    if not (target / proof).is_file():
        raise FolderError(f"{target} exists and is no release; move it away or give another folder with --out")


def _remove(*folders: Path) -> None:
    for folder in folders:
        if folder.exists():
            shutil.rmtree(folder)


def differences(target: Path, files: Mapping[str, bytes], executable: frozenset[str]) -> Iterator[str]:
    """The lines of a unified diff from the folder as it is to what it should be; none where they are the same."""
    there = {path.relative_to(target).as_posix(): path for path in sorted(target.rglob("*")) if path.is_file()}
    there = {path: file for path, file in there.items() if not any(part in LEFT_BY_RUNS for part in Path(path).parts)}
    for path in sorted({*there, *files}):
        before = there[path].read_bytes() if path in there else None
        after = files.get(path)
        if before != after:
            yield from _file_diff(path, before, after)
        elif bool(there[path].stat().st_mode & 0o100) != (path in executable):
            yield f"{path}: should {'' if path in executable else 'not '}be executable"


def _file_diff(path: str, before: bytes | None, after: bytes | None) -> Iterator[str]:
    names = (f"a/{path}" if before is not None else "/dev/null", f"b/{path}" if after is not None else "/dev/null")
    try:
        old, new = ((data or b"").decode("utf-8").split("\n") for data in (before, after))
    except UnicodeDecodeError:
        yield f"Binary files {names[0]} and {names[1]} differ"
        return
    yield from difflib.unified_diff(old, new, *names, lineterm="")
