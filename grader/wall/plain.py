"""`none`: a plain process without a wall, for machines that have no sandbox; advisory, since student code can forge."""

from __future__ import annotations

import os
import shutil
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
from grader.wall.budget import Budget
from grader.wall.cell import Folders, RemoteCell
from grader.wall.contents import SERVER, server_files
from grader.wall.process import started


class PlainWall:
    """Runs each cell's server as a child of this process."""

    mode: Mode = "none"

    def __init__(self) -> None:
        if not hasattr(os, "fork"):
            raise UnsafeError("this system cannot fork; grade inside Linux (on Windows: WSL 2)")

    @contextmanager
    def open(self, limits: Limits) -> Iterator[Cell]:
        with tempfile.TemporaryDirectory(prefix="gapgrade-") as folder:
            home, temporary, inside = (Path(folder, name) for name in ("submission", "tmp", "server"))
            home.mkdir()
            temporary.mkdir()
            for name, file in server_files().items():
                (inside / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, inside / name)
            own = dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR"), str(temporary)) | {"LD_LIBRARY_PATH": ""}
            program = [sys.executable, "-I", str(inside / SERVER), sysconfig.get_path("purelib")]
            with started(program, {**ENVIRONMENT, **own}) as peer:
                folders = Folders(str(home), shared=(str(home), str(temporary)))
                # the kernel would count this user's other processes too, and these are no processes of ours to confine
                few = limits.model_copy(update={"processes": 0})
                yield RemoteCell(peer.control, few, folders, Budget(), linux=False)

    def close(self) -> None:
        """Nothing runs between submissions."""
