"""Archives, folders and notebooks: read in memory, refused by name, never followed."""

from __future__ import annotations

import io
import os
import socket
import stat
import struct
import tarfile
import threading
import time
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from grader.intake import IntakeError, take_in
from grader.intake.names import shown
from tests.attacks.kinds import Attack, NotHere, Outside

GOOD = {"lib/target.py": b"x = 1\n"}
SECONDS = 20.0


def _zip(folder: Path, files: Mapping[str, bytes], *infos: zipfile.ZipInfo, packed: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "team.zip"
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, packed)
        for info in infos:
            archive.writestr(info, b"/etc/passwd")
    return path


def _tar(folder: Path, *members: tarfile.TarInfo, data: bytes = b"x = 2\n", name: str = "team.tar.gz") -> Path:
    path = folder / name
    mode = {"team.tar.gz": "w:gz", "team.tar.xz": "w:xz", "team.tar": "w"}[name]
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for info in (tarfile.TarInfo("lib/target.py"), *members):
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return path


def _member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def _refused(path: Path, name: str, reason: str = "") -> str:
    """The submission is read without the file, whose name and reason are told."""
    try:
        submission = take_in(path)
    except IntakeError as error:
        return f"refused as a whole: {error}"
    if any(name == kept for kept in submission.files) or "lib/target.py" not in submission.files:
        return f"kept: {sorted(submission.files)}"
    told = {one.file: one.reason for one in submission.refused}
    found = next((why for file, why in told.items() if shown(name) == file), None)
    if found is None or reason not in found:
        return f"told: {told}"
    return ""


def _all_refused(path: Path, words: str) -> str:
    """The submission as a whole is refused, in time and with a reason."""
    start = time.monotonic()
    try:
        found = take_in(path)
    except IntakeError as error:
        took = time.monotonic() - start
        return "" if words in str(error) and took < SECONDS else f"{error} after {took:.0f} s"
    return f"kept: {sorted(found.files)}"


def _archive(id_: str, row: str, make: Callable[[Path], Path], name: str, reason: str = "") -> Outside:
    return Outside(id_, row, "R", lambda folder: _refused(make(folder), name, reason))


def _whole(id_: str, row: str, make: Callable[[Path], Path], words: str) -> Outside:
    return Outside(id_, row, "R", lambda folder: _all_refused(make(folder), words))


def _in_zip(id_: str, row: str, name: str) -> Outside:
    return _archive(f"zip-{id_}", row, lambda folder: _zip(folder, {**GOOD, name: b"x"}), name)


def _in_folder(id_: str, row: str, make: Callable[[Path], object], name: str, reason: str = "") -> Outside:
    def lay(folder: Path) -> Path:
        team = folder / "team"
        (team / "lib").mkdir(parents=True)
        (team / "lib" / "target.py").write_bytes(b"x = 1\n")
        make(team)
        return team

    return _archive(f"folder-{id_}", row, lay, name, reason)


def _zip_link(folder: Path) -> Path:
    info = zipfile.ZipInfo("lib/link.py")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return _zip(folder, GOOD, info)


def _zip_device(folder: Path) -> Path:
    info = zipfile.ZipInfo("lib/device.py")
    info.create_system, info.external_attr = 3, (stat.S_IFCHR | 0o666) << 16
    return _zip(folder, GOOD, info)


def _zip_twice(folder: Path) -> Path:
    path = folder / "team.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("README.md", b"x")
        for text in ("x = 1", "x = 2"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                archive.writestr("lib/target.py", text)
    return path


def _zip_lies(folder: Path) -> Path:
    """The sizes in the archive's list say less than its members unpack to."""
    data = bytearray(_zip(folder, {**GOOD, "lib/large.py": b"#" * 50_000_000}).read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    path = folder / "lies.zip"
    path.write_bytes(data)
    return path


def _encrypted(folder: Path) -> Path:
    path = _zip(folder, GOOD)
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    return path


def _zip_bomb(folder: Path) -> Path:
    """A small archive that unpacks to 300 MB."""
    return _zip(folder, {f"lib/{i}.py": b"#" * 1_000_000 for i in range(300)})


def _tar_bomb(folder: Path) -> Path:
    path = folder / "team.tar.xz"
    with tarfile.open(path, "w:xz", preset=0) as archive:
        info = tarfile.TarInfo("lib/image.png")
        info.size = 600 * 2**20
        archive.addfile(info, _Zeros(info.size))  # type: ignore[arg-type]
    return path


class _Zeros(io.RawIOBase):
    """A file of zeros that takes no memory."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        size = min(size, self._left)
        self._left -= size
        return bytes(size)


def _many_members(folder: Path) -> Path:
    return _zip(folder, {f"lib/f{i}.py": b"" for i in range(25_000)}, packed=zipfile.ZIP_STORED)


def _sparse_file(team: Path) -> None:
    (team / "lib" / "s.py").touch()
    os.truncate(team / "lib" / "s.py", 2**40)


def _device_entry(team: Path) -> None:
    os.mkfifo(team / "lib" / "pipe.py")


def _socket_entry(team: Path) -> None:
    here = os.getcwd()
    os.chdir(team / "lib")  # a socket's path may have 108 characters
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("socket.py")
    finally:
        os.chdir(here)


def _swapped(folder: Path) -> str:
    """A file that becomes a link while it is read, again and again: what it links to is never read."""
    secret = folder / "secret.py"
    secret.write_bytes(b"SECRET")
    team = folder / "team"
    (team / "lib").mkdir(parents=True)
    (team / "lib" / "target.py").write_bytes(b"x = 1\n")
    swapped = team / "lib" / "swapped.py"
    end = threading.Event()

    def swap() -> None:
        while not end.is_set():
            for make in (lambda: (folder / "new").symlink_to(secret), lambda: (folder / "new").write_bytes(b"ok")):
                make()
                os.replace(folder / "new", swapped)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(300):
            if b"SECRET" in take_in(team).files.get("lib/swapped.py", b""):
                return "the link was followed"
    finally:
        end.set()
        thread.join()
    return ""


def _swapped_folder(folder: Path) -> str:
    """A folder that becomes a link to another one while it is read."""
    (folder / "outside").mkdir()
    (folder / "outside" / "target.py").write_bytes(b"SECRET")
    team = folder / "team"
    (team / "given").mkdir(parents=True)
    (team / "given" / "a.py").write_bytes(b"ok")
    end = threading.Event()

    def swap() -> None:
        while not end.is_set():
            (folder / "link").symlink_to(folder / "outside")
            os.rename(folder / "link", team / "lib")
            os.unlink(team / "lib")
            (team / "lib").mkdir()
            (team / "lib").rmdir()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(300):
            if b"SECRET" in take_in(team).files.get("lib/target.py", b""):
                return "the link was followed"
    finally:
        end.set()
        thread.join()
    return ""


def _notebook(text: str) -> Callable[[Path], str]:
    """A notebook is a file like any other: nothing of it is run, and it is kept as it is."""

    def check(folder: Path) -> str:
        path = folder / "team.ipynb"
        path.write_text(text)
        found = take_in(path)
        return "" if list(found.files) == ["team.ipynb"] and not (folder / "ran").exists() else "it was run or changed"

    return check


def _only_root() -> str:
    return "" if os.geteuid() == 0 else "only root makes device files"


ATTACKS: tuple[Attack, ...] = (
    _in_zip("parent", "../ in a member's name", "../evil.py"),
    _in_zip("parent-inside", "../ in the middle of a name", "lib/../../evil.py"),
    _in_zip("absolute", "an absolute name", "/tmp/evil.py"),
    _in_zip("drive", "a name with a drive letter", "C:evil.py"),
    _in_zip("backslash", "a name with backslashes", "..\\evil.py"),
    _in_zip("reserved", "a name that Windows reserves", "lib/aux.py"),
    _in_zip("trailing-dot", "a name that ends with a blank", "lib/target.py "),
    _in_zip("control", "a name with control characters", "lib/a\x1b[2J.py"),
    _in_zip("bidi", "a name that reads backwards", "lib/\u202eyp.evil.py"),
    _in_zip("long-name", "a name of a thousand characters", "lib/" + "a" * 1000 + ".py"),
    _in_zip("deep", "folders thirty deep", "a/" * 30 + "x.py"),
    _archive(
        "zip-case",
        "names that differ in case",
        lambda f: _zip(f, {**GOOD, "lib/a.py": b"1", "lib/A.py": b"2"}),
        "lib/A.py",
        "case",
    ),
    _archive(
        "zip-unicode",
        "names that differ in how an accent is written",
        lambda f: _zip(f, {**GOOD, "lib/\u00e9.py": b"1", "lib/e\u0301.py": b"2"}),
        "lib/\u00e9.py",
        "accents",
    ),
    _archive(
        "zip-file-and-folder",
        "a name that is a file and a folder",
        lambda f: _zip(f, {**GOOD, "lib/a.py": b"1", "lib/a.py/b.py": b"2"}),
        "lib/a.py",
        "folder",
    ),
    _archive("zip-link", "a link", _zip_link, "lib/link.py", "link"),
    _archive("zip-device", "a device", _zip_device, "lib/device.py", "device"),
    Outside(
        "zip-twice",
        "a name that stands twice",
        "R",
        lambda folder: "" if "lib/target.py" not in take_in(_zip_twice(folder)).files else "one of the two was kept",
    ),
    _whole("zip-lying-size", "sizes that lie", _zip_lies, "broken"),
    _whole("zip-encrypted", "an encrypted archive", _encrypted, "encrypted"),
    _whole("zip-bomb", "a bomb: 300 MB in 300 KB", _zip_bomb, "times its size"),
    _whole("zip-many", "25,000 members", _many_members, "2,000 files"),
    _whole(
        "zip-broken",
        "an archive that is none",
        lambda f: (f / "x.zip").write_bytes(b"PK\x03\x04junk") and f / "x.zip",
        "broken",
    ),
    _whole(
        "zip-nested",
        "archives in an archive are not opened",
        lambda f: _zip(f, {"a.zip": b"PK", "b.tar.gz": b"x"}),
        "no file",
    ),
    _archive("tar-parent", "../ in a tar", lambda f: _tar(f, _member("../evil.py")), "../evil.py"),
    _archive("tar-absolute", "an absolute name in a tar", lambda f: _tar(f, _member("/tmp/evil.py")), "/tmp/evil.py"),
    _archive(
        "tar-link",
        "a link in a tar",
        lambda f: _tar(f, _member("lib/l.py", tarfile.SYMTYPE, "/etc/passwd")),
        "lib/l.py",
        "link",
    ),
    _archive(
        "tar-hard-link",
        "a hard link in a tar",
        lambda f: _tar(f, _member("lib/l.py", tarfile.LNKTYPE, "/etc/passwd")),
        "lib/l.py",
        "link",
    ),
    _archive(
        "tar-fifo", "a FIFO in a tar", lambda f: _tar(f, _member("lib/p.py", tarfile.FIFOTYPE)), "lib/p.py", "device"
    ),
    _archive(
        "tar-device", "a device in a tar", lambda f: _tar(f, _member("lib/d.py", tarfile.CHRTYPE)), "lib/d.py", "device"
    ),
    _whole("tar-bomb", "a bomb: 600 MB in 90 KB", _tar_bomb, "MiB"),
    _whole(
        "tar-broken",
        "a tar that is cut off",
        lambda f: (f / "x.tar.gz").write_bytes(b"\x1f\x8b\x08\0junk") and f / "x.tar.gz",
        "broken",
    ),
    _in_folder(
        "link", "a link out of a folder", lambda t: (t / "lib" / "l.py").symlink_to("/etc/passwd"), "lib/l.py", "link"
    ),
    _in_folder(
        "link-to-folder", "a folder that is a link", lambda t: (t / "other").symlink_to("/etc"), "other", "link"
    ),
    _in_folder("fifo", "a FIFO, which would block a reader", _device_entry, "lib/pipe.py", "FIFO"),
    _in_folder("socket", "a socket", _socket_entry, "lib/socket.py", "socket"),
    Outside(
        "folder-device",
        "a device in a folder",
        "R",
        _in_folder(
            "d",
            "",
            lambda t: os.mknod(t / "lib" / "zero.py", stat.S_IFCHR | 0o666, os.makedev(1, 5)),
            "lib/zero.py",
            "device",
        ).check,
        here=_only_root,
    ),
    _in_folder(
        "large",
        "a file of 5 MB",
        lambda t: (t / "lib" / "large.py").write_bytes(b"#" * 5_000_000),
        "lib/large.py",
        "MiB",
    ),
    _in_folder(
        "sparse",
        "a sparse file of a terabyte",
        _sparse_file,
        "lib/s.py",
        "MiB",
    ),
    _in_folder(
        "lfs",
        "a Git LFS pointer in place of a file",
        lambda t: (t / "lib" / "w.md").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        "lib/w.md",
        "LFS",
    ),
    _whole(
        "linked-submission",
        "a submission that is a link itself",
        lambda f: (f / "l").symlink_to("/etc") or f / "l",
        "link",
    ),
    Outside("swapped-file", "a file swapped for a link after the check", "R", _swapped),
    Outside("swapped-folder", "a folder swapped for a link after the check", "R", _swapped_folder),
    Outside(
        "notebook-magic",
        "!, % and %%bash in a notebook",
        "N",
        _notebook('{"cells": [{"cell_type": "code", "source": ["!touch ran\\n", "%%bash\\n"], "outputs": []}]}'),
    ),
    Outside(
        "notebook-output",
        "stored outputs with JavaScript",
        "N",
        _notebook('{"cells": [{"outputs": [{"data": {"text/html": "<script>alert(1)</script>"}}]}]}'),
    ),
    Outside("notebook-bomb", "a notebook nested 100,000 deep", "N", _notebook("[" * 100_000)),
    NotHere(
        "notebook-cells",
        "tampered cell ids, tags and locked cells",
        "R",
        "a notebook is kept as a file: no sheet grades one, and nothing of it is run",
    ),
    NotHere(
        "mountpoint-parent",
        "a link used as the parent of a mountpoint",
        "R",
        "no mountpoint lies in a folder that a submission fills; between/below-the-mounts looks at the private ones",
    ),
)
