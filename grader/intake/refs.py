"""Find a commit's id in a repository that a stranger filled, by reading its files: git never sees its configuration.

A ref's name is only ever compared and looked up; it is no argument of any program.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from grader.intake.folder import read_regular
from grader.intake.gather import Gathering

MAX_REF_BYTES = 4096
MAX_PACKED_REFS_BYTES = 4 * 1024**2
MAX_OBJECT_FILES = 200_000
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_UNSAFE_REF = re.compile(r"(?:^|/)\.|\.\.|//|[\x00-\x20\x7f~^:?*\[\\]|@\{|\.lock(?:/|$)|[/.]$|^/|^$")
_LOOKED_UP = ("{}", "refs/heads/{}", "refs/remotes/origin/{}", "refs/tags/{}")
_LINKS_FOLLOWED = 5  # symbolic refs, as git's own limit


def find_commit(repository: Path, ref: str, gathering: Gathering) -> str:
    """The id that a full id, HEAD, a branch or a tag stands for; raises `IntakeError`.

    A branch goes before a tag (git has it the other way round): a tag that is called `main` must not hide `main`.
    """
    if _ID.fullmatch(ref.lower()):
        return ref.lower()
    if _UNSAFE_REF.search(ref):
        raise gathering.error(f"{ref!r} is no name of a branch or tag; name one, or give a commit's full id")
    packed = _packed_refs(repository, gathering)
    for pattern in _LOOKED_UP:
        name = pattern.format(ref)
        if name == "HEAD" or name.startswith("refs/"):
            found = _resolve(repository, name, packed)
            if found:
                return found
    raise gathering.error(f"there is no branch, tag or commit {ref!r} in the repository; push it, or name another")


def check_objects(repository: Path, gathering: Gathering) -> None:
    """Refuse an object store that borrows objects from elsewhere: git would read other repositories on this machine."""
    objects = repository / "objects"
    for borrowed in ("alternates", "http-alternates"):
        if os.path.lexists(objects / "info" / borrowed):
            raise gathering.error("the repository borrows objects from another (alternates); clone it in full")
    seen = 0
    waiting = [str(objects)]
    while waiting:
        folder = waiting.pop()
        if os.path.islink(folder):
            raise gathering.error("the repository's object store holds a link; clone it afresh")
        with os.scandir(folder) as entries:
            for entry in entries:
                gathering.in_time()
                seen += 1
                if seen > MAX_OBJECT_FILES:
                    limit = f"{MAX_OBJECT_FILES:,}"
                    raise gathering.error(f"the repository has more than {limit} object files; run git gc in it")
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif not entry.is_file(follow_symlinks=False):
                    raise gathering.error("the repository's object store holds a link or device; clone it afresh")


def _packed_refs(repository: Path, gathering: Gathering) -> dict[str, str]:
    try:
        data = read_regular(str(repository / "packed-refs"), MAX_PACKED_REFS_BYTES)
    except OSError:
        return {}
    if len(data) > MAX_PACKED_REFS_BYTES:
        raise gathering.error("the repository has too many refs; clone the one branch that is handed in")
    lines = (line.split(" ", 1) for line in data.decode(errors="replace").splitlines() if line[:1] not in "#^")
    return {line[1]: line[0] for line in lines if len(line) == 2 and _ID.fullmatch(line[0])}


def _resolve(repository: Path, name: str, packed: dict[str, str]) -> str | None:
    for _ in range(_LINKS_FOLLOWED):
        text = _ref_file(repository, name)
        if text is None:
            return packed.get(name)
        if not text.startswith("ref:"):
            return text if _ID.fullmatch(text) else None
        name = text.removeprefix("ref:").strip()
        if _UNSAFE_REF.search(name) or not name.startswith("refs/"):
            return None
    return None


def _ref_file(repository: Path, name: str) -> str | None:
    """A loose ref's text; every folder on the way to it is a real one."""
    *folders, _ = name.split("/")
    for depth in range(1, len(folders) + 1):
        if os.path.islink(repository.joinpath(*folders[:depth])):
            return None
    try:
        return read_regular(str(repository / name), MAX_REF_BYTES).decode("ascii").strip()
    except (OSError, ValueError):  # none, a folder, a link, a name too long, no text: no ref of this name
        return None
