"""Read a .zip or .tar archive in memory, member by member; sizes that an archive declares are never believed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grader.intake.folder import read_regular
from grader.intake.gather import LEAVE_OUT, Gathering, Submission
from grader.intake.names import is_ignored

MAX_ARCHIVE_BYTES = 100 * 1024**2
MAX_UNPACKED_BYTES = 512 * 1024**2  # of a tar archive, which cannot be read without unpacking what is skipped
MAX_RATIO = 200  # source code packs 3 to 20 times smaller, deflate's bombs 1,000 times
FREE_OF_RATIO_BYTES = 8 * 1024**2
MAX_HEADER_BYTES = 64 * 1024  # of one tar member: its long names and extended attributes
MAX_DIRECTORY_BYTES = 8 * 1024**2  # of a zip archive: about 100,000 members
MAX_XZ_MEMORY = 128 * 1024**2  # xz -9 needs 65 MiB
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_NOT_A_WRAPPER = ("lib", "tests", "gapcheck")  # folders of a release: an archive of `lib` alone keeps its `lib/`
_CHUNK = 64 * 1024
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, EOFError, OSError,
    NotImplementedError, ValueError, struct.error, KeyError, IndexError, OverflowError, RuntimeError,
)  # fmt: skip  # all that zipfile, tarfile and their decompressors raise on broken input


@dataclass(frozen=True)
class _Member:
    """One member of an archive; `read(most)` gives at most `most` + 1 of its bytes."""

    path: str
    kind: Literal["file", "folder", "link", "device", "encrypted", "odd"]
    read: Callable[[int], bytes]


def read_archive(path: Path, name: str) -> Submission:
    """The files of an archive, without the one folder that wraps them all; raises `IntakeError`."""
    gathering = Gathering(name)
    try:
        data = read_regular(str(path), MAX_ARCHIVE_BYTES)
    except OSError as error:
        reason = error.strerror or str(error)
        raise gathering.error(f"{path} cannot be opened ({reason}); hand over the archive itself") from None
    if len(data) > MAX_ARCHIVE_BYTES:
        raise gathering.error(f"{path.name} is larger than {MAX_ARCHIVE_BYTES // 1024**2} MiB; {LEAVE_OUT}")
    members = _zip_members if path.name.lower().endswith(".zip") else _tar_members
    try:
        wrapper = _wrapper([member.path for member in members(data, gathering) if member.kind == "file"])
        _gather(members(data, gathering), gathering, wrapper, len(data))
    except _BROKEN as error:
        reason = str(error) or type(error).__name__
        raise gathering.error(f"{path.name} is broken ({reason}); pack the files again") from None
    return gathering.finish()


def _gather(members: Iterator[_Member], gathering: Gathering, wrapper: str, archive_bytes: int) -> None:
    unpacked = 0
    for member in members:
        path = member.path.removeprefix(wrapper)
        if member.kind == "folder" or is_ignored(path):
            continue
        if member.kind == "encrypted":
            raise gathering.error("the archive is encrypted; pack the files without a password")
        if member.kind != "file":
            reasons = {"odd": "it is packed in a way that is not read; pack it as an ordinary .zip"}
            gathering.refuse(path, reasons.get(member.kind, f"it is a {member.kind}"))
        elif (most := gathering.wants(path)) is not None:
            data = member.read(most)
            unpacked += len(data)
            if unpacked > max(FREE_OF_RATIO_BYTES, MAX_RATIO * archive_bytes):
                raise gathering.error(f"the archive unpacks to more than {MAX_RATIO} times its size; pack it again")
            gathering.keep(path, data, most)


def _wrapper(paths: list[str]) -> str:
    """The folder, with its slash, that holds all files of an archive; empty where there is none."""
    kept = [path for path in paths if not is_ignored(path)]
    tops = {path.split("/")[0] for path in kept}
    if len(tops) != 1 or not all("/" in path for path in kept) or tops & {"", "..", *_NOT_A_WRAPPER}:
        return ""
    return tops.pop() + "/"


def _plain(path: str) -> str:
    """A member's path without the empty and `.` parts that packers write; what is unsafe in it stays."""
    start = "/" if path.startswith("/") else ""
    return start + "/".join(part for part in path.split("/") if part not in ("", "."))


class _Bytes(io.BytesIO):
    """An archive's bytes that no one reads much of at once: a central directory may declare any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        left = len(self.getbuffer()) - self.tell()
        if (left if size is None or size < 0 else min(size, left)) > MAX_DIRECTORY_BYTES:
            raise ValueError("its list of files is too long")
        return super().read(size)


def _zip_members(data: bytes, gathering: Gathering) -> Iterator[_Member]:
    with zipfile.ZipFile(_Bytes(data)) as archive:
        for info in archive.infolist():
            gathering.in_time()

            def read(most: int, info: zipfile.ZipInfo = info) -> bytes:
                with archive.open(info) as file:
                    return _in_chunks(file.read, most)

            # `filename` ends at a NUL; `orig_filename` is what the archive says
            yield _Member(_plain(info.orig_filename), _zip_kind(info), read)


def _zip_kind(info: zipfile.ZipInfo) -> Literal["file", "folder", "link", "device", "encrypted", "odd"]:
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == 3 else 0
    if kind == stat.S_IFLNK:
        return "link"
    if info.is_dir():
        return "folder"
    if kind not in (0, stat.S_IFREG):
        return "device"
    if info.flag_bits & 0x1:
        return "encrypted"
    return "file" if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else "odd"


class _Unpacked:
    """A tar archive's bytes, unpacked as they are asked for: forward only, counted, and little at once.

    `tarfile` reads headers with `read`, and may read only so much of them for each member; data is read with `data`.
    """

    def __init__(self, packed: bytes, gathering: Gathering) -> None:
        self._read = _unpacker(packed)
        self._gathering = gathering
        self._at = 0
        self.headers_left = MAX_HEADER_BYTES

    def read(self, size: int) -> bytes:
        self.headers_left -= size
        if self.headers_left < 0:
            raise ValueError("a header in it is too long")
        return self.data(size)

    def data(self, size: int) -> bytes:
        self._gathering.in_time()
        data = _in_chunks(self._read, size - 1) if size > 0 else b""
        self._at += len(data)
        if self._at > MAX_UNPACKED_BYTES:
            limit = f"{MAX_UNPACKED_BYTES // 1024**2} MiB"
            raise self._gathering.error(f"the archive unpacks to more than {limit}; {LEAVE_OUT}")
        return data

    def tell(self) -> int:
        return self._at

    def seek(self, position: int) -> None:
        if position < self._at:
            raise ValueError("its files lie over each other")
        while self._at < position and self.data(min(_CHUNK, position - self._at)):
            pass


def _unpacker(packed: bytes) -> Callable[[int], bytes]:
    file = io.BytesIO(packed)
    if packed.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file).read
    if packed.startswith(b"BZh"):
        return bz2.BZ2File(file).read
    if packed.startswith(b"\xfd7zXZ\x00"):
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_XZ_MEMORY)

        def read(size: int) -> bytes:
            while not decompressor.eof:
                feed = file.read(_CHUNK) if decompressor.needs_input else b""
                if data := decompressor.decompress(feed, size):
                    return data
                if decompressor.needs_input and not feed:
                    raise EOFError("it ends too early")
            return b""

        return read
    return file.read


def _tar_members(packed: bytes, gathering: Gathering) -> Iterator[_Member]:
    unpacked = _Unpacked(packed, gathering)
    # `_Unpacked` has what reading forward needs of a file, and no more
    with tarfile.TarFile(fileobj=unpacked, errorlevel=2, encoding="utf-8") as archive:  # type: ignore[arg-type]
        while (member := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # it keeps them all; typeshed leaves it out
            unpacked.headers_left = MAX_HEADER_BYTES

            def read(most: int, member: tarfile.TarInfo = member) -> bytes:
                unpacked.seek(member.offset_data)
                return _in_chunks(unpacked.data, min(most, member.size - 1)) if member.size else b""

            yield _Member(_plain(member.name), _tar_kind(member), read)


def _tar_kind(member: tarfile.TarInfo) -> Literal["file", "folder", "link", "device", "odd"]:
    if member.issparse():
        return "odd"
    if member.isreg():
        return "file"
    if member.isdir():
        return "folder"
    return "link" if member.issym() or member.islnk() else "device"


def _in_chunks(read: Callable[[int], bytes], most: int) -> bytes:
    """At most `most` + 1 bytes; little memory for what lies about its size."""
    data = bytearray()
    while len(data) <= most and (chunk := read(min(_CHUNK, most + 1 - len(data)))):
        data += chunk
    return bytes(data)
