"""Starts the inside's servers as processes, knows which process answers, and ends it with all that it started."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from grader.wall import WallError
from grader.wall.inside import frames

START_SECONDS = 120.0
LEAVE_SECONDS = 5.0
CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


@dataclass(frozen=True)
class Peer:
    """A server that is ready.

    Attributes:
        control: the socket that it answers on.
        pid: its number on this machine, whatever it is called inside; 0 where the system does not tell.
    """

    control: socket.socket
    pid: int


def connected() -> tuple[socket.socket, socket.socket]:
    """Our end and theirs; the kernel writes the sender's process number to what arrives at ours."""
    ours, theirs = socket.socketpair()
    if hasattr(socket, "SO_PASSCRED"):
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    return ours, theirs


def greeted(control: socket.socket, seconds: float) -> Peer:
    """Wait for a server's `ready`; raises `WallError` with its reason where there is one."""
    control.settimeout(seconds)
    pid = 0
    try:
        if hasattr(socket, "SO_PASSCRED"):
            pid = _sender(control)
        message = frames.receive(control, 0)
    except (OSError, frames.BadMessage) as error:
        raise WallError(str(error) or type(error).__name__) from None
    if message is None or message[0].get("status") != "ready":
        raise WallError(str((message or ({},))[0].get("reason", "its process ended")))
    return Peer(control, pid)


def _sender(control: socket.socket) -> int:
    """The process behind the next byte, which stays where it is."""
    _, notes, _, _ = control.recvmsg(1, socket.CMSG_SPACE(CREDENTIALS.size), socket.MSG_PEEK)
    for level, kind, data in notes:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS) and len(data) == CREDENTIALS.size:
            return int(CREDENTIALS.unpack(data)[0])
    return 0


@contextmanager
def started(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    meanwhile: Callable[[], object] = lambda: None,
) -> Iterator[Peer]:
    """Run a server, its standard input and output a socket, until the context is left; end all that it started.

    A fork of this process may speak with the server too; where it leaves the context, it only lets go of it.

    Args:
        meanwhile: what this process does while the server gets ready.
    """
    ours, theirs = connected()
    starter = os.getpid()
    with ours, tempfile.TemporaryFile() as said:  # a pipe would fill up, and whoever holds it open would block us
        with theirs:
            process = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=said,
                env=environment,
                start_new_session=True,  # Ctrl-C is for this process alone, which then ends that one
            )
        handle = None
        try:
            meanwhile()
            peer = greeted(ours, START_SECONDS)
            handle = _handle_of(peer.pid)
            yield peer
        except WallError as error:
            if handle is not None:
                raise
            process.kill()
            reason = _last_line(said) or str(error)
            raise WallError(f"the sandbox did not start: {reason}; run: python -m grader doctor") from None
        finally:
            ours.close()  # the server leaves by itself when nobody listens any more
            if os.getpid() == starter:
                _end(process, handle)


def _handle_of(pid: int) -> int | None:
    """A descriptor of a process, which cannot come to mean another one; None where the system has none."""
    try:
        return os.pidfd_open(pid) if pid else None
    except (AttributeError, OSError):
        return None


def _end(process: subprocess.Popen[bytes], server: int | None) -> None:
    """Wait until a process has left; kill it, and the server in it, which may be another user's, where it does not."""
    try:
        process.wait(LEAVE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
    finally:
        if server is not None:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(server, signal.SIGKILL)
            os.close(server)
        process.wait()


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read(2**16).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
