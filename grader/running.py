"""Run a notebook from its first cell to its last, as "Restart kernel and run all cells" does.

Called inside the sandbox, in a process that has run nothing else. Cells go to IPython's shell in this very process: a
kernel of its own would need network sockets, which there are none of behind the wall. Magics and shell lines work as
far as the sandbox lets them.
"""

from __future__ import annotations

import ast
import os
import re
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gapcheck.cells import Cell, NotebookError, read_ipynb
from grader.notebooks import tagged

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

TRAINING, SLOW = "training", "slow"
_EPOCHS = re.compile(r"(?:max_|n_|num_|number_of_)?epochs?", re.IGNORECASE)


class _OutOfTime(BaseException):
    """No `except Exception` of a cell stops it."""


class _Cap(ast.NodeTransformer):
    """Whole numbers that are called epochs become at most `most`: assigned, handed over, or a parameter's default."""

    def __init__(self, most: int) -> None:
        self._most = most

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if any(isinstance(target, ast.Name) and _EPOCHS.fullmatch(target.id) for target in node.targets):
            self._cap(node.value)
        return self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        if _EPOCHS.fullmatch(node.arg or ""):
            self._cap(node.value)
        return self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        positional = [*node.posonlyargs, *node.args]
        defaults = zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True)
        for argument, default in [*defaults, *zip(node.kwonlyargs, node.kw_defaults, strict=True)]:
            if default is not None and _EPOCHS.fullmatch(argument.arg):
                self._cap(default)
        return self.generic_visit(node)

    def _cap(self, value: ast.expr) -> None:
        if isinstance(value, ast.Constant) and type(value.value) is int:
            value.value = min(value.value, self._most)


def run_all(template: str, data: bytes, path: str, seconds: float, epochs: int | None) -> dict[str, Any]:
    """Run a student's notebook until a cell fails.

    Args:
        template: the notebook as it was handed out; its tags count.
        seconds: for all cells together.
        epochs: the most epochs of a training cell; None leaves these cells out.

    Returns:
        plain data: `ran` (how many cells), `skipped` (how many were left out), `cell` (the name of the cell that
        failed, or nothing), `message` (what it raised).
    """
    try:
        cells = [cell for cell in tagged(read_ipynb(template, path), read_ipynb(data, path)) if cell.kind == "code"]
    except NotebookError as unreadable:
        return {"ran": 0, "skipped": 0, "cell": "", "message": str(unreadable)}
    left_out = (SLOW,) if epochs else (SLOW, TRAINING)
    wanted = [cell for cell in cells if not set(cell.tags).intersection(left_out)]
    done: dict[str, Any] = {"ran": 0, "skipped": len(cells) - len(wanted), "cell": "", "message": ""}
    for ran, (cell, error) in enumerate(_run(wanted, seconds, epochs), 1):
        done["ran"] = ran
        if error is not None:
            done |= {"cell": cell.id, "message": _told(error, seconds)}
    return done


def _told(error: BaseException, seconds: float) -> str:
    if isinstance(error, _OutOfTime):
        return f"it was still running after {seconds:g} s in all"
    try:
        return f"{type(error).__name__}: {error}"[:300]
    except BaseException:  # a student's own exception may fail to print, in any way
        return "an exception that cannot be printed"


def _run(cells: list[Cell], seconds: float, epochs: int | None) -> Iterator[tuple[Cell, BaseException | None]]:
    """Each cell that was run and what it raised; ends with the first that raised."""
    os.environ |= {"HOME": "/tmp", "IPYTHONDIR": "/tmp/.ipython", "MPLBACKEND": "Agg"}
    if getattr(sys.modules.get("gapcheck"), "__file__", None) is None:
        # the sandbox has a part of it; cells with checks import the whole, which lies beside the notebook
        for name in [name for name in sys.modules if name.partition(".")[0] == "gapcheck"]:
            del sys.modules[name]
    from IPython.core.interactiveshell import InteractiveShell

    class Shell(InteractiveShell):  # figures are drawn and shown to nobody, whatever a cell asks
        def enable_matplotlib(self, gui: str | None = None) -> tuple[str, str]:
            return gui or "inline", "agg"

    shell = Shell.instance(history_length=0)
    if epochs:
        shell.ast_transformers.append(_Cap(epochs))

    _stop_after(seconds)
    for cell in cells:
        error = _run_cell(shell, cell)
        yield cell, error
        if error is not None:
            break
    _stop_after(0)


def _stop_after(seconds: float) -> None:
    """End the cell that runs then; 0 takes it back. Windows has no such alarm: there the whole run is stopped."""

    def stop(*_: Any) -> None:
        raise _OutOfTime

    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _run_cell(shell: InteractiveShell, cell: Cell) -> BaseException | None:
    try:
        result = shell.run_cell(cell.source)
    except BaseException as error:  # whatever a cell does to the shell is the cell's failure
        return error
    raised: BaseException | None = result.error_before_exec or result.error_in_exec
    return raised
