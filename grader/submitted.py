"""Which files of a submission stand for which of the release, by their names alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from grader.cells import SUFFIX, TEXT_SUFFIX
from grader.splice import MAX_FILE_BYTES

MAX_TOTAL_BYTES = 2**20
NOT_GRADED = ("tests/", "gapcheck/", "conftest.py", ".github/")
NOT_PLACED = (SUFFIX, TEXT_SUFFIX, ".pdf")
_OURS = ".gapgrade/"  # tells a student's checkout which notebooks there are


def python_files(templates: Iterable[str], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The Python files that are read, in the order of their paths: the release's own, and others as there is room."""
    ours = set(templates)
    found: dict[str, bytes] = {}
    left = MAX_TOTAL_BYTES
    for path in sorted(files, key=lambda path: (path not in ours, path)):
        if path.endswith(".py") and not path.startswith(NOT_GRADED) and (left > 0 or path in ours):
            found[path] = files[path][: MAX_FILE_BYTES + 1]  # one byte more than is read says that it is too long
            left -= len(found[path])
    return dict(sorted(found.items()))


def handed_notebooks(notebooks: Iterable[str], handed_in: Iterable[str]) -> dict[str, str]:
    """Which file of a submission is which notebook of the release: the same path, or one that can be no other.

    Programs and people rename notebooks: `cvae (1).ipynb`, `cvae_team-7.ipynb`, another folder.
    """
    wanted, handed = list(notebooks), list(handed_in)
    found = {path: path for path in wanted if path in handed}
    others = _others(wanted, handed)
    for path in wanted:
        named = [name for name, alike in others.items() if alike == path]
        if path not in found and len(named) == 1:
            found[path] = named[0]
    missing = [path for path in wanted if path not in found]
    left = [name for name, alike in others.items() if alike not in found]
    if len(missing) == len(left) == 1:
        found[missing[0]] = left[0]
    return found


def rivals(notebooks: Iterable[str], handed_in: Iterable[str]) -> dict[str, list[str]]:
    """Of each notebook of the release that is not known which one it is: the files that it may be."""
    wanted, handed = list(notebooks), list(handed_in)
    missing = set(wanted).difference(handed_notebooks(wanted, handed))
    named = {path: [name for name, alike in _others(wanted, handed).items() if alike == path] for path in missing}
    return {path: sorted(names) for path, names in named.items() if len(names) > 1}


def _others(notebooks: Sequence[str], handed_in: Iterable[str]) -> dict[str, str]:
    """A submission's notebooks under other names than the release's, and which of these each is like."""
    there = (name for name in handed_in if name.endswith(SUFFIX) and not name.startswith(NOT_GRADED))
    return {name: _alike(name, notebooks) for name in there if name not in notebooks}


def as_handed_in(notebooks: Iterable[str], files: Mapping[str, bytes], room: int) -> dict[str, bytes]:
    """A submission's files where edits are kept: of its notebooks the release's, each once, by its name there.

    Tests import a notebook by its file's name, or without one where there is no other.

    Args:
        room: how many bytes there may be; code comes first, and what else is larger stays away.
    """
    named = handed_notebooks(notebooks, files)
    kept = {path: files[name] for path, name in named.items()}
    left = room - sum(map(len, kept.values()))
    for path in sorted(files, key=lambda path: (not path.endswith(".py"), path)):
        if not path.endswith(NOT_PLACED) and not path.startswith(_OURS) and len(files[path]) <= left:
            kept[path] = files[path]
            left -= len(files[path])
    return kept


def _alike(name: str, notebooks: Iterable[str]) -> str:
    """The notebook that a file's name begins with: the longest one, for `vae_conditional (1)` is no `vae`."""
    return max(
        (path for path in notebooks if _stem(name).startswith(_stem(path))),
        key=lambda path: len(_stem(path)),
        default="",
    )


def _stem(path: str) -> str:
    return PurePosixPath(path).stem.lower()
