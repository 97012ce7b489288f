"""How messages travel over a stream: a JSON header and a blob, each with its length before it."""

from __future__ import annotations

import json
import os
import struct
from typing import Any, Protocol

MAX_HEADER = 4 * 2**20
MAX_REQUEST = 512 * 2**20
LENGTHS = struct.Struct(">IQ")


class Source(Protocol):
    """What messages come from."""

    def recv(self, size: int, /) -> bytes: ...


class Stream(Source, Protocol):
    """What messages travel over: a socket, or two pipes."""

    def sendall(self, data: bytes, /) -> None: ...

    def fileno(self) -> int:
        """What becomes readable when something comes, or the other end closes."""


class Standard:
    """This process's standard input and output as one stream; whatever is printed from now on goes to its errors."""

    def __init__(self) -> None:
        self._in, self._out = os.dup(0), os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(2, 1)
        os.close(null)

    def recv(self, size: int, /) -> bytes:
        return os.read(self._in, size)

    def sendall(self, data: bytes, /) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._out, view) :]

    def fileno(self) -> int:
        return self._in


class Pipe:
    """A pipe's end for reading."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def recv(self, size: int, /) -> bytes:
        return os.read(self._descriptor, size)


class BadMessage(Exception):
    """A message that this protocol does not know, or a stream that ended in the middle of one."""


def head(header: dict[str, Any], blob: bytes) -> bytes:
    """What goes before the blob."""
    text = json.dumps(header).encode()
    return LENGTHS.pack(len(text), len(blob)) + text


def send(stream: Stream, header: dict[str, Any], blob: bytes = b"") -> None:
    stream.sendall(head(header, blob))
    if blob:
        stream.sendall(blob)


def split(blob: bytes, sizes: list[tuple[str, int]]) -> tuple[dict[str, bytes], bytes]:
    """The files that lie one behind the other at the start of a blob, and the rest of it."""
    files = {}
    start = 0
    for path, size in sizes:
        files[path] = blob[start : start + size]
        start += size
    return files, blob[start:]


def receive(stream: Source, max_blob: int) -> tuple[dict[str, Any], bytes] | None:
    """The next message, or None where the other side has closed; no length is believed beyond the caps."""
    lengths = _exactly(stream, LENGTHS.size, at_start=True)
    if lengths is None:
        return None
    text_size, blob_size = LENGTHS.unpack(lengths)
    if text_size > MAX_HEADER or blob_size > max_blob:
        raise BadMessage(
            f"a message of {text_size:,} + {blob_size:,} bytes; at most {MAX_HEADER:,} + {max_blob:,} may come"
        )
    text, blob = _exactly(stream, text_size), _exactly(stream, blob_size)
    try:
        header = json.loads(text or b"")
    except (ValueError, RecursionError):
        raise BadMessage("a message whose header is no JSON") from None
    if not isinstance(header, dict):
        raise BadMessage("a message whose header is no object")
    return header, blob or b""


def _exactly(stream: Source, size: int, *, at_start: bool = False) -> bytes | None:
    parts = []
    left = size
    while left:
        part = stream.recv(min(left, 2**20))
        if not part:
            if at_start and left == size:
                return None
            raise BadMessage("the stream ended in the middle of a message")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
