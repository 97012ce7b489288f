"""`none`: a plain process without a wall, for machines that have no sandbox; advisory, since student code can forge."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader import UnsafeError
from grader.result import Mode
from grader.sheet import Limits
from grader.wall import Cell
from grader.wall.bubblewrap import ENVIRONMENT
from grader.wall.cell import RemoteCell
from grader.wall.contents import SERVER, server_files
from grader.wall.fresh import end, wait_until_ready


class PlainWall:
    """Runs each cell's server as a child of this process."""

    mode: Mode = "none"

    def __init__(self) -> None:
        if not hasattr(os, "fork"):
            raise UnsafeError("this system cannot fork; grade inside Linux (on Windows: WSL 2)")

    @contextmanager
    def open(self, limits: Limits) -> Iterator[Cell]:
        ours, theirs = socket.socketpair()
        with tempfile.TemporaryDirectory(prefix="gapgrade-") as folder, ours:
            home = Path(folder, "submission")
            home.mkdir()
            inside = Path(folder, "server")
            for name, file in server_files().items():
                (inside / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, inside / name)
            own = {"HOME": folder, "TMPDIR": folder, "MPLCONFIGDIR": folder, "LD_LIBRARY_PATH": ""}
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-I", inside / SERVER, str(theirs.fileno()), sysconfig.get_path("purelib")],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    env={**ENVIRONMENT, **own},
                    start_new_session=True,
                )
            try:
                wait_until_ready(ours, process)
                # the kernel would count this user's other processes too
                yield RemoteCell(ours, limits, {"folders": {}, "home": str(home), "processes": 0, "linux": False})
            finally:
                end(ours, process)

    def close(self) -> None:
        """Nothing runs between submissions."""
