"""Read a folder that a stranger filled: no link is followed, nothing but regular files is opened for long.

Every name is opened relative to the descriptor of the folder that it was listed in, and what was opened is looked at
again, so that a link or FIFO that takes a file's place between the two looks is found.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from grader.intake.gather import MAX_ENTRIES, Gathering, Submission
from grader.intake.names import MAX_DEPTH, is_ignored

_CHUNK = 1024**2


class NotRegular(OSError):
    """What was opened is no regular file; the message says what it is."""


def read_folder(path: Path, name: str) -> Submission:
    """The files of a folder as they lie; raises `IntakeError` where it cannot be used."""
    gathering = Gathering(name)
    if os.open not in os.supports_dir_fd:
        raise gathering.error("a folder cannot be read safely on this system; pack it as .zip and hand over that")
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise gathering.error(f"{path} cannot be opened ({error.strerror}); hand over the folder itself") from None
    try:
        _read_into(gathering, folder, "")
    finally:
        os.close(folder)
    return gathering.finish()


def read_regular(name: str, most: int, folder: int | None = None) -> bytes:
    """At most `most` + 1 bytes of a regular file, however long it says it is or becomes.

    Raises `NotRegular` for anything else, and `OSError` where it cannot be opened.
    """
    what = _what(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    if what != "file":  # a device must not even be opened
        raise NotRegular(f"it is a {what}")
    try:
        opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise NotRegular("it became a link or a socket while it was read") from None
        raise
    with open(opened, "rb", buffering=0) as file:
        what = _what(os.fstat(opened).st_mode)
        if what != "file":
            raise NotRegular(f"it became a {what} while it was read")
        data = bytearray()
        while len(data) <= most and (chunk := file.read(min(_CHUNK, most + 1 - len(data)))):
            data += chunk
        return bytes(data)


def _read_into(gathering: Gathering, folder: int, prefix: str) -> None:
    for name in _names(gathering, folder):
        path = prefix + name
        if is_ignored(path):
            continue
        try:
            kind = _what(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
            if kind == "folder":
                _enter(gathering, folder, name, path)
            elif kind != "file":
                gathering.refuse(path, f"it is a {kind}")
            elif (most := gathering.wants(path)) is not None:
                gathering.keep(path, read_regular(name, most, folder), most)
        except NotRegular as error:
            gathering.refuse(path, str(error))
        except OSError as error:
            gathering.refuse(path, f"it cannot be opened ({error.strerror})")


def _names(gathering: Gathering, folder: int) -> list[str]:
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            names.append(entry.name)
            if len(names) > 10 * MAX_ENTRIES:
                raise gathering.error(f"a folder in it holds more than {10 * MAX_ENTRIES:,} names; leave it out")
    return sorted(names)


def _enter(gathering: Gathering, folder: int, name: str, path: str) -> None:
    if path.count("/") >= MAX_DEPTH:
        gathering.refuse(path, f"it lies deeper than {MAX_DEPTH} folders")
        return
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        _read_into(gathering, inner, path + "/")
    finally:
        os.close(inner)


def _what(mode: int) -> str:
    """What a mode says a file is, in a word."""
    kinds = {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "folder",
        stat.S_IFLNK: "link",
        stat.S_IFIFO: "FIFO",
        stat.S_IFSOCK: "socket",
    }
    return kinds.get(stat.S_IFMT(mode), "device")
