"""Submissions of the miniature course's notebook, made from its release."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

KL = "# one half of each\nreturn 0.5 * (mean**2 + logvar.exp() - logvar - 1).sum()"
SCALE = "# the mean over a batch\nscale = 1 / 128"
ANSWER = "Because both laws are the same one."

Change = Callable[[dict[str, Any]], None]


def released(course: Path) -> dict[str, Any]:
    """The notebook as students get it."""
    notebook: dict[str, Any] = json.loads((course / "student/divergence/divergence.ipynb").read_text())
    return notebook


def cell(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in notebook["cells"] if one["id"] == name)
    return found


def filled(course: Path, kl: str = KL, scale: str = SCALE, answer: str = ANSWER) -> dict[str, Any]:
    """The notebook with something in its gaps and its answer cell; what is empty stays as it was handed out."""
    notebook = copy.deepcopy(released(course))
    for name, label, indent, body in (("kl-loss", 1, "    ", kl), ("scale", 2, "", scale)):
        own = cell(notebook, name)
        empty = f'{indent}raise NotImplementedError("TODO divergence {label}")'
        source = "".join(own["source"])
        assert empty in source
        own["source"] = source.replace(empty, "\n".join(indent + line for line in body.split("\n")) if body else empty)
    if answer:
        cell(notebook, "q-1")["source"] = answer
    return notebook


def hand_in(course: Path, folder: Path, notebook: dict[str, Any] | bytes) -> Path:
    """A submission in a folder: the release with this notebook in it."""
    shutil.copytree(course / "student/divergence", folder)
    data = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    (folder / "divergence.ipynb").write_bytes(data)
    return folder


def code(source: str, name: str = "own", **metadata: Any) -> dict[str, Any]:
    """A code cell."""
    about = {"cell_type": "code", "id": name, "metadata": metadata, "outputs": [], "execution_count": None}
    return {**about, "source": source}
