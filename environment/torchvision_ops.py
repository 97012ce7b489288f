"""Lets torchvision's Python code import where its compiled operators cannot load.

A torchvision build is tied to one torch build. Beside another one (a CPU torch and the registry's torchvision, say),
its library of compiled operators stays unloaded, and `import torchvision` then fails while it describes two operators
that do not exist. Declaring them is enough for data sets, transforms, models and image grids, which never call them;
calling `nms` still fails, with a message of torchvision's own.

`environment/install.py` puts this module and a `.pth` line that imports it into an environment's site-packages.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MISSING = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[object] = []  # torch forgets a library that nobody holds


class DeclareMissingOps(MetaPathFinder):
    """Finds no module itself: it looks on when torchvision is about to describe its operators."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "torchvision._meta_registrations" and not _declared:
            extension = sys.modules["torchvision.extension"]
            if not extension._has_ops():
                _declare()
        return None


def _declare() -> None:
    import torch

    library = torch.library.Library("torchvision", "DEF")
    _declared.append(library)
    for schema in MISSING:
        library.define(schema)


sys.meta_path.insert(0, DeclareMissingOps())
