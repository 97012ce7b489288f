"""The outside half of a cell: speaks with the server inside, and believes nothing that it says."""

from __future__ import annotations

import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from grader.sheet import Limits
from grader.wall import Call, Failure, Value, WallError
from grader.wall.budget import Budget
from grader.wall.inside import frames
from grader.wall.inside.words import memory_text

GRACE_SECONDS = 20.0  # for the server's own work around a call, on a busy machine


@dataclass(frozen=True)
class Folders:
    """Where a probe's files lie inside, and how each probe gets them empty.

    Attributes:
        home: the working directory, where the submission's files are laid out.
        private: folders that each probe has as a file system of its own, with further mount flags.
        shared: folders that are emptied after each probe instead.
    """

    home: str
    private: Mapping[str, int] = field(default_factory=dict)
    shared: tuple[str, ...] = ()


NO_EXEC = 8  # MS_NOEXEC
PRIVATE_FOLDERS = Folders("/submission", private={"/submission": 0, "/tmp": 0, "/dev/shm": NO_EXEC})


class RemoteCell:
    """A cell whose server is at the other end of a socket."""

    def __init__(
        self,
        control: socket.socket,
        limits: Limits,
        folders: Folders,
        budget: Budget,
        seccomp: bytes = b"",
        *,
        linux: bool = True,
    ) -> None:
        """Open the cell.

        Args:
            budget: knows when the kernel enforced a limit on all processes together.
            linux: whether privileges and system calls can be given up as Linux does.
        """
        self._control, self._limits, self._budget = control, limits, budget
        self._result_bytes = limits.result_mb * 2**20
        cage = {
            "seconds": limits.probe_seconds,
            "memory_mb": limits.memory_mb,
            "processes": limits.processes,
            "open_files": limits.open_files,
            "disk_mb": limits.disk_mb,
            "folders": dict(folders.private),
            "shared": folders.shared,
            "home": folders.home,
            "linux": linux,
        }
        bounds = {
            "seconds": limits.probe_seconds,
            "memory_bytes": limits.memory_mb * 2**20,
            "result_bytes": self._result_bytes,
            "output_bytes": limits.output_kb * 2**10,
        }
        self._ask({"op": "open", "cage": cage, "bounds": bounds}, seccomp)

    def place(self, files: Mapping[str, bytes]) -> None:
        sizes = [(path, len(content)) for path, content in files.items()]
        self._ask({"op": "place", "files": sizes}, b"".join(files.values()))

    def call(self, call: Call) -> Value | Failure:
        from gapcheck import codec  # late: with it comes torch

        header: dict[str, Any] = {"op": "call", "source": call.source, "function": call.function, "seed": call.seed}
        header |= {"shared": call.shared, "clean": call.clean}
        answer, blob = self._ask(header, codec.encode((call.args, dict(call.kwargs))))
        output = answer.get("output", "")
        output = output if isinstance(output, str) else ""
        if answer.get("output_cut") is True:
            output += f"\n[output cut after {self._limits.output_kb} KiB]"
        read = _read(blob, output) if answer.get("status") == "answered" else self._unanswered(answer, output)
        return replace(read, used=answer.get("used") is True)

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
        limit = self._budget.reached()
        if limit == "memory":
            return self._stopped("memory", output)
        if answer.get("status") == "stopped":
            return self._stopped(str(answer.get("limit")), output)
        ended = answer.get("signal")
        how = (
            f"the process was ended by {_signal_name(ended)}"
            if isinstance(ended, int) and ended > 0
            else f"the process ended by itself with exit status {answer.get('exit')!r}"
        )
        return Failure("crashed", f"{self._too_many()} ({how})" if limit else how, output=output)

    def _stopped(self, limit: str, output: str) -> Failure:
        limits = self._limits
        match limit:
            case "wall":
                return Failure("timeout", f"stopped after {limits.probe_seconds:g} s", output=output)
            case "cpu":
                return Failure("timeout", f"stopped after {limits.probe_seconds:g} s of CPU time", output=output)
            case "memory":
                return Failure("crashed", f"more than {memory_text(limits.memory_mb)} of memory", output=output)
            case "result":
                return Failure("refused", f"the result is larger than {limits.result_mb} MiB", output=output)
        raise WallError(f"the sandbox names a limit that there is not ({limit[:40]!r})")

    def _too_many(self) -> str:
        return f"more than {self._limits.processes} processes and threads"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _read(blob: bytes, output: str) -> Value | Failure:
    """An answer as its process wrote it: student code had a hand in every byte."""
    from gapcheck import codec

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
