"""Notebooks as modules: `from notebook import VAE`, or `from notebooks.cvae import VAE` where there are several.

A module is what its notebook's code cells make, run in their order. Cells that only show or train are skipped; a cell
that raises ends alone, and whoever uses a name that it should have made reads which cell that was.
"""

from __future__ import annotations
import __future__

import builtins
import importlib.machinery
import json
import linecache
import os
import re
import symtable
import sys
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from pathlib import Path
from typing import Any

from gapcheck.cells import Cell, NotebookError, as_python, read_ipynb, read_percent

SKIPPED = ("training", "slow", "check")
PERCENT, IPYNB = ".nb.py", ".ipynb"

_NOT_SEARCHED = ("data", "env", "gapcheck", "node_modules", "results", "tests", "venv")
_FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
_MADE = re.compile(r"^(?:(?:async )?def |class )?(\w+)(?:\(.*|\s*(?::[^=]+)?=[^=].*|:)$", re.MULTILINE)


class CellError(ImportError):
    """A name is not there because the cell that makes it raised, or is not run here."""


def install() -> None:
    """Let notebooks of the working directory be imported; what is installed under the name `notebook` is hidden."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def read_notebook(file: Path) -> list[Cell]:
    """The cells of a notebook in either of its forms; raises `NotebookError`."""
    data = file.read_bytes()
    return read_percent(data.decode("utf-8", "replace")) if file.name.endswith(PERCENT) else read_ipynb(data, file.name)


def find_notebooks(folder: Path) -> dict[str, Path]:
    """The notebooks below a folder by the name of their module; a release names its own in `.gapgrade/sheet.json`."""
    try:
        listed = json.loads((folder / ".gapgrade" / "sheet.json").read_bytes())["notebooks"]
        files = [folder / str(path) for path in listed]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        files = []
    there = [file for file in files if file.is_file()] or sorted(_notebooks(folder), reverse=True)
    return {re.sub(r"\W", "_", _stem(file)): file for file in there}


def _notebooks(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NOT_SEARCHED and not name.startswith((".", "_"))]
        yield from (Path(where, name) for name in files if name.endswith((PERCENT, IPYNB)))


def _stem(file: Path) -> str:
    return file.name.removesuffix(PERCENT).removesuffix(IPYNB)


class _Finder(MetaPathFinder):
    """Finds `notebook`, `notebooks` and `notebooks.NAME`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package not in ("notebook", "notebooks") or (package == "notebook" and name):
            return None
        found = find_notebooks(Path.cwd())
        if not found:
            return None
        if fullname == "notebooks":
            return importlib.machinery.ModuleSpec(fullname, _Package(), is_package=True)
        if package == "notebook" and len(found) > 1:
            raise ImportError(f"there are several notebooks here; import one of {', '.join(sorted(found))} by its name")
        file = next(iter(found.values())) if package == "notebook" else found.get(name)
        if file is None:
            raise ImportError(f"there is no notebook {name!r} here; there are {', '.join(sorted(found))}")
        spec = importlib.machinery.ModuleSpec(fullname, _Notebook(file), origin=str(file))
        spec.has_location = True
        return spec


class _Package(Loader):
    """The package `notebooks`, which holds nothing but its modules."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing to run."""


class _Notebook(Loader):
    """Runs a notebook as a module."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        os.environ["MPLBACKEND"] = "Agg"
        name = _stem(self._file) + IPYNB
        try:
            cells = read_notebook(self._file)
        except NotebookError as error:
            raise ImportError(str(error)) from None
        run_cells(cells, name, module.__dict__)


def run_cells(cells: Iterable[Cell], name: str, namespace: dict[str, Any]) -> None:
    """Run a notebook's code cells in a module's namespace.

    Functions find what a broken cell should have made among their builtins, where it says so when it is used.

    Args:
        name: what messages and tracebacks call the notebook.
    """
    shared = {**vars(builtins), "display": _show_nothing, "get_ipython": _show_nothing}
    namespace["__builtins__"] = shared
    broken: list[_Broken] = []
    namespace["__getattr__"] = _look_up(name, broken)
    flags = 0
    for cell in cells:
        if cell.kind != "code":
            continue
        source, file = as_python(cell.source), f'{name}, cell "{cell.id}"'
        linecache.cache[file] = (len(source), None, [f"{line}\n" for line in source.split("\n")], file)
        why, cause = _skips(cell), None
        if not why:
            try:
                code = compile(source, file, "exec", flags, dont_inherit=True)
                flags |= code.co_flags & _FUTURES  # in a notebook they hold for the cells below, too
                exec(code, namespace)
                continue
            except (Exception, SystemExit) as error:
                why, cause = f"raised {_told(error)}", error
        broken.append(_Broken(f'cell "{cell.id}" of {name} {why}', source, _names(source, file), cause))
        for made in broken[-1].names:
            if made not in namespace and not hasattr(builtins, made):
                shared[made] = _Unmade(made, broken[-1])


@dataclass(frozen=True)
class _Broken:
    """A cell that raised or was not run: the sentence that says so, and the names that it would have made."""

    sentence: str
    source: str
    names: Collection[str]
    cause: BaseException | None

    def error(self, wanted: str) -> Exception:
        """What whoever uses such a name reads; of a gap that nobody filled, what the gap itself says."""
        if isinstance(self.cause, NotImplementedError) and str(self.cause).startswith("TODO "):
            return NotImplementedError(str(self.cause))
        error = CellError(f"{wanted} is not there: {self.sentence}")
        error.__cause__ = self.cause
        return error


def _look_up(name: str, broken: Sequence[_Broken]) -> Callable[[str], Any]:
    """The module's `__getattr__`: a name that is not there is a broken cell's, or that of a cell that speaks of it."""

    def look_up(wanted: str) -> Any:
        if not (wanted.startswith("__") and wanted.endswith("__")):
            for one in broken:
                if wanted in one.names:
                    raise one.error(wanted)
            for one in broken:
                if re.search(rf"\b{re.escape(wanted)}\b", one.source):
                    raise one.error(wanted)
        raise AttributeError(f"{name} makes no {wanted}")

    return look_up


def _skips(cell: Cell) -> str:
    """Why a cell is not run, or nothing."""
    return next((f"is not run here (it has the tag {tag})" for tag in cell.tags if tag in SKIPPED), "")


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")[:300]


def _show_nothing(*_: Any, **__: Any) -> None:
    """Stands for `display` and `get_ipython`."""


def _names(source: str, file: str) -> list[str]:
    """What a cell would bind."""
    try:
        symbols = symtable.symtable(source, file, "exec").get_symbols()
    except (SyntaxError, ValueError, RecursionError):
        return _MADE.findall(source)
    return [symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()]


class _Unmade:
    """Stands for what a cell did not make; whatever is done with it raises."""

    def __init__(self, name: str, broken: _Broken) -> None:
        self.__dict__.update(name=name, broken=broken)

    def _raise(self, *_: Any, **__: Any) -> Any:
        raise self.__dict__["broken"].error(self.__dict__["name"])

    __call__ = __getitem__ = __setitem__ = __len__ = __iter__ = __bool__ = __float__ = __int__ = __index__ = _raise
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = _raise
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __lt__ = __le__ = __gt__ = __ge__ = __enter__ = __exit__ = _raise
    __getattr__ = __setattr__ = __mro_entries__ = _raise
