"""`fresh`: a cold bubblewrap for every submission. Slow to start, and it needs least of the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from grader.result import Mode
from grader.sheet import Limits
from grader.wall import Cell, bubblewrap, seccomp
from grader.wall.budget import Budgets
from grader.wall.cell import PRIVATE_FOLDERS, RemoteCell
from grader.wall.contents import SERVER
from grader.wall.process import started


class FreshWall:
    """Starts a sandbox for each cell and ends it with the cell."""

    mode: Mode = "fresh"

    def __init__(self) -> None:
        bubblewrap.find_bubblewrap()
        self._seccomp = seccomp.program()
        self._budgets = Budgets()

    @contextmanager
    def open(self, limits: Limits) -> Iterator[Cell]:
        with self._budgets.open(limits) as budget, started(bubblewrap.command(SERVER)) as peer:
            budget.join(peer.pid)
            yield RemoteCell(peer.control, limits, PRIVATE_FOLDERS, budget, self._seccomp)

    def close(self) -> None:
        """Nothing runs between submissions."""
        self._budgets.close()
