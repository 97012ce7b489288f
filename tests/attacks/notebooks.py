"""Notebooks: cells, tags, names and bytes that would change what is run, or stop who reads it.

The notebook's gaps are tasks 3 and 4 of the course; task 1, which the other attacks fill, is solved beside it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from grader.reports.html import html
from grader.reports.views import student_view
from grader.result import Result
from tests.attacks.kinds import Attack, Gap, Letter
from tests.attacks.scene import COURSE
from tools.notebook import read_source, release_notebook

DOUBLE = "    # a sum\n    return value + value"
NUMBERS = "# a list\nnumbers = [1, 2, 3]"
Notebook = dict[str, Any]


@functools.cache
def _released() -> bytes:
    source = COURSE / "solutions/book/book.nb.py"
    return release_notebook(read_source(source, source.name), source.name)


def _filled(double: str = DOUBLE, numbers: str = NUMBERS) -> Notebook:
    notebook: Notebook = json.loads(_released())
    for cell in notebook["cells"]:
        source = "".join(cell["source"]).replace('    raise NotImplementedError("TODO book 1")', double)
        cell["source"] = source.replace('raise NotImplementedError("TODO book 2")', numbers)
    return notebook


def _cell(notebook: Notebook, name: str) -> Notebook:
    return next(cell for cell in notebook["cells"] if cell["id"] == name)


def _code(source: str, name: str = "own") -> Notebook:
    return {"cell_type": "code", "id": name, "metadata": {}, "outputs": [], "execution_count": None, "source": source}


def _scores(double: int, numbers: int, *says: str) -> Callable[[Result], str]:
    """The points of both gaps, and words that the report must say."""

    def check(result: Result) -> str:
        seen = {task.id: task.score for task in result.tasks}
        if (seen["3"], seen["4"]) != (double, numbers):
            return f"the gaps have {seen['3']} and {seen['4']} points, not {double} and {numbers}"
        text = result.to_json()
        return next((f"{one!r} is not said" for one in says if json.dumps(one)[1:-1] not in text), "")

    return check


def _notebook(
    id_: str,
    row: str,
    outcome: Letter,
    data: Notebook | bytes,
    check: Callable[[Result], str],
    files: Mapping[str, bytes] | None = None,
) -> Gap:
    handed = data if isinstance(data, bytes) else json.dumps(data).encode()
    files = {"book.ipynb": handed, **(files or {})}
    return Gap(id_, row, outcome, "# a sum\nreturn value + value", own=("passed",), files=files, check=check)


def _changed(change: Callable[[Notebook], object], double: str = DOUBLE) -> Notebook:
    notebook = _filled(double)
    change(notebook)
    return notebook


def _tag_gap(notebook: Notebook) -> None:
    _cell(notebook, "double")["metadata"]["tags"] = ["check", "training"]


def _edit_locked(notebook: Notebook) -> None:
    _cell(notebook, "triple")["source"] = "import os\nos._exit(0)"
    _cell(notebook, "text")["source"] = "<script>alert(1)</script>"


def _shell(notebook: Notebook) -> None:
    notebook["cells"].insert(0, _code("%%bash\nrm -rf / --no-preserve-root"))
    notebook["cells"].insert(0, _code("!kill -9 -1\n%run /etc/passwd\nget_ipython().system('id')"))


def _copy_gap(notebook: Notebook) -> None:
    own = _cell(notebook, "double")
    notebook["cells"].append({**own, "source": own["source"].replace(_WRONG, DOUBLE)})


def _kernel(notebook: Notebook) -> None:
    notebook["metadata"] = {"kernelspec": {"name": "bash", "argv": ["/bin/sh", "-c", "id"]}, "widgets": {"x": [1]}}


def _outputs(notebook: Notebook) -> None:
    page = {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<script>alert(1)</script>"}}
    for cell in notebook["cells"]:
        cell["outputs"] = [page] * 20
        cell["attachments"] = {"x.svg": {"image/svg+xml": "<svg onload='alert(1)'/>"}}


def _nothing_shown(result: Result) -> str:
    return _scores(1, 1)(result) or ("a script is shown" if "<script>alert" in html(student_view(result)) else "")


def _shuffle(notebook: Notebook) -> None:
    notebook["cells"].reverse()


_HEADER = f'{DOUBLE}\n# %% tags=["training"]\n'
_SEPARATED = "    # a sum\u2028# %% [markdown]\n    # one\x0c# %% [markdown]\n    return value + value"
_MODULES = {"notebook.py": b"numbers = [1, 2, 3]\n", "notebooks/__init__.py": b"", "notebooks/book.py": b"1 / 0\n"}
_OTHER_TEXT = {"book.nb.py": b"def double(value):\n    return 2 * value\n\n\nnumbers = [1, 2, 3]\n"}
_MANY = {"nbformat": 4, "cells": [_code("x = 1")] * 10_000}
_WRONG = "    return value"

ATTACKS: tuple[Attack, ...] = (
    _notebook("solution", "the solution in a notebook", "ok", _filled(), _scores(1, 1)),
    _notebook(
        "tagged-gap", "a tag that keeps a gap from running", "N", _changed(_tag_gap), _scores(1, 1, "was tagged")
    ),
    _notebook(
        "locked-cell", "a locked cell that ends the process", "N", _changed(_edit_locked), _scores(1, 1, "undone")
    ),
    _notebook(
        "shell-lines", "!, % and %%bash in cells of one's own", "N", _changed(_shell), _scores(1, 1, "was added")
    ),
    _notebook("shell-in-gap", "a shell line in a gap", "N", _filled(f"    !kill -9 -1\n{DOUBLE}"), _scores(1, 1)),
    _notebook(
        "own-cell",
        "a cell of one's own that does what the gap should",
        "F",
        _changed(lambda notebook: notebook["cells"].append(_code("def double(value):\n    return 2 * value")), _WRONG),
        _scores(0, 1),
    ),
    _notebook(
        "copied-gap",
        "a gap's cell twice, the second time right",
        "F",
        _changed(_copy_gap, _WRONG),
        _scores(0, 1, "the first one counts"),
    ),
    _notebook("header-in-gap", "a cell header inside a gap", "N", _filled(_HEADER), _scores(1, 1)),
    _notebook(
        "header-behind-u2028",
        "a cell header behind what only looks like a line's end",
        "N",
        _filled(_SEPARATED),
        _scores(1, 1),
    ),
    _notebook("reversed", "the cells in reverse order", "N", _changed(_shuffle), _scores(1, 1, "was moved")),
    _notebook("kernel", "a kernel that is a shell", "N", _changed(_kernel), _scores(1, 1)),
    _notebook("outputs", "scripts in outputs and attachments", "N", _changed(_outputs), _nothing_shown),
    _notebook("module-of-its-name", "a file called notebook.py", "N", _filled(_WRONG), _scores(0, 1), _MODULES),
    _notebook("text-of-its-name", "the notebook's text beside it", "N", _filled(_WRONG), _scores(0, 1), _OTHER_TEXT),
    _notebook(
        "exit-in-cell",
        "os._exit(0) in a gap at the top of a cell",
        "F",
        _filled(numbers="import os\nos._exit(0)"),
        _scores(0, 0),
    ),
    _notebook(
        "exit-quietly",
        "sys.exit(0) in a gap at the top of a cell",
        "F",
        _filled(numbers="import sys\nsys.exit(0)"),
        _scores(1, 0),
    ),
    _notebook("no-json", "bytes that are no JSON", "R", b"\x80\x03cposix", _scores(0, 0, "book.ipynb is no JSON")),
    _notebook(
        "nested",
        "brackets in brackets",
        "R",
        b'{"nbformat": 4, "cells": ' + b"[" * 10**6,
        _scores(0, 0, "book.ipynb is no JSON"),
    ),
    _notebook(
        "many-cells", "ten thousand cells", "R", json.dumps(_MANY).encode(), _scores(0, 0, "more than 2,000 cells")
    ),
    _notebook(
        "memory",
        "JSON that becomes a gigabyte",
        "R",
        b'{"nbformat": 4, "cells": [' + b"{}," * (6 * 2**20) + b"{}]}",
        _scores(0, 0, "book.ipynb"),
    ),
)
