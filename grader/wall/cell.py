"""The outside half of a cell: speaks with the server inside, and believes nothing that it says."""

from __future__ import annotations

import signal
import socket
from collections.abc import Mapping
from typing import Any

from gapcheck import codec
from grader.sheet import Limits
from grader.wall import Call, Failure, Value, WallError
from grader.wall.inside import frames

GRACE_SECONDS = 20.0  # for the server's own work around a call, on a busy machine
FOLDERS = {"/submission": 0, "/tmp": 0, "/dev/shm": 8}  # inside the sandbox; 8: nothing there is executed


class RemoteCell:
    """A cell whose server is at the other end of a socket."""

    def __init__(self, control: socket.socket, limits: Limits, cage: Mapping[str, Any], seccomp: bytes = b"") -> None:
        """Open the cell.

        Args:
            cage: what differs between modes: `folders`, `home`, `processes`, `linux`.
        """
        self._control, self._limits = control, limits
        self._result_bytes = limits.result_mb * 2**20
        everywhere = {
            "seconds": limits.probe_seconds,
            "memory_mb": limits.memory_mb,
            "open_files": limits.open_files,
            "disk_mb": limits.disk_mb,
        }
        bounds = {
            "seconds": limits.probe_seconds,
            "result_bytes": self._result_bytes,
            "output_bytes": limits.output_kb * 2**10,
        }
        self._ask({"op": "open", "cage": {**everywhere, **cage}, "limits": bounds}, seccomp)

    def place(self, files: Mapping[str, bytes]) -> None:
        sizes = [(path, len(content)) for path, content in files.items()]
        self._ask({"op": "place", "files": sizes}, b"".join(files.values()))

    def call(self, call: Call) -> Value | Failure:
        header = {"op": "call", "source": call.source, "function": call.function, "seed": call.seed}
        answer, blob = self._ask(header, codec.encode((call.args, dict(call.kwargs))))
        output = answer.get("output", "")
        output = output if isinstance(output, str) else ""
        if answer.get("output_cut") is True:
            output += f"\n[output cut after {self._limits.output_kb} KiB]"
        if answer.get("status") != "answered":
            return self._unanswered(answer, output)
        return _read(blob, output)

    def _ask(self, header: dict[str, Any], blob: bytes = b"") -> tuple[dict[str, Any], bytes]:
        try:
            self._control.settimeout(self._limits.probe_seconds + GRACE_SECONDS)
            frames.send(self._control, header, blob)
            message = frames.receive(self._control, self._result_bytes)
        except (OSError, frames.BadMessage) as error:
            raise WallError(f"the sandbox stopped answering ({error or type(error).__name__}); grade again") from None
        if message is None:
            raise WallError("the sandbox ended before it answered; grade again")
        return message

    def _unanswered(self, answer: dict[str, Any], output: str) -> Failure:
        limits = self._limits
        match answer.get("status"):
            case "timeout":
                return Failure("timeout", f"stopped after {limits.probe_seconds:g} s", output=output)
            case "result-too-large":
                return Failure("refused", f"the result is larger than {limits.result_mb} MiB", output=output)
        ended = answer.get("signal")
        if isinstance(ended, int) and ended > 0:
            return Failure("crashed", f"the process was ended by {_signal_name(ended)}", output=output)
        return Failure("crashed", f"the process ended by itself with exit status {answer.get('exit')!r}", output=output)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _read(blob: bytes, output: str) -> Value | Failure:
    """An answer as its process wrote it: student code had a hand in every byte."""
    try:
        content = codec.decode(blob[1:])
    except codec.Refused as refused:
        return Failure("refused", str(refused), output=output)
    kind = blob[:1]
    if kind == b"V":
        return Value(content, output)
    if kind in (b"E", b"R") and isinstance(content, list) and len(content) == 2:
        message, detail = content
        if isinstance(message, str) and isinstance(detail, str):
            return Failure("error" if kind == b"E" else "refused", message, detail, output)
    return Failure("refused", "an answer that no probe writes", output=output)
