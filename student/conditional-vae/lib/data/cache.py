"""Made data are kept in files, so that they are made only once."""

from __future__ import annotations

import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

MADE_FOLDER = Path("data/made")

Arrays = dict[str, np.ndarray]


def cached_arrays(name: str, make: Callable[[], Arrays], folder: Path = MADE_FOLDER) -> Arrays:
    """The arrays of `folder/name.npz`; `make` is called where the file is missing or damaged.

    Args:
        name: the file's name without its ending; change it when `make` changes.
        make: gives the arrays by name.
        folder: where the file is kept; a folder that cannot be written to is no error.
    """
    file = folder / f"{name}.npz"
    try:
        with np.load(file, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        arrays = make()
    try:
        _write(file, arrays)
    except OSError as error:
        print(f"The made data could not be kept in {file} ({error.strerror}); they will be made again next time.")
    return arrays


def _write(file: Path, arrays: Arrays) -> None:
    """Write to a file beside it first, so that a program that is stopped never leaves half a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(suffix=".npz", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez_compressed(stream, **arrays)
        os.replace(partial, file)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
