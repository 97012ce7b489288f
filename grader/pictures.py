"""Pictures of what a submission's code does, beside what the solution does. They never change points.

`tests_hidden/<exercise>/pictures_hidden.py` holds functions `picture_of_...` without arguments; the first line of a
docstring is the picture's title. They run outside the wall, as tests do: probes bring plain data, and the function
makes the picture from it, an array (height, width, 3) of uint8 or a matplotlib figure. So no image that student code
wrote is ever read, and whatever a probe returns, what is shown is an image of bounded size.
"""

from __future__ import annotations

import base64
import importlib.util
import inspect
import io
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gapcheck.probe import ProbeFailure, through
from grader import GapgradeError
from grader.replay import with_solution
from grader.result import Picture
from grader.sheet import Sheet
from grader.suite import Gate
from grader.wall import Cell, Wall, WallError

FILE = "pictures_hidden.py"
PREFIX = "picture_of_"
SEED = 1  # the same for the solution and every submission: right code then draws the very same picture
MAX_SIDE = 800
MAX_BYTES = 64 * 1024
COLOURS = 64  # enough to see what is right, and a third of the bytes

Draw = Callable[[], Any]


class PictureError(GapgradeError):
    """A picture that cannot be drawn even of the solution: a defect of the tests.

    Attributes:
        file, sentence: where its function stands, and what is wrong.
    """

    def __init__(self, name: str, problem: Exception) -> None:
        exercise, _, function = name.partition("/")
        self.file = f"tests_hidden/{exercise}/{FILE}"
        self.sentence = f"{function} cannot be drawn of the solution: {problem}"
        super().__init__(f"{self.file}: {self.sentence}; correct it, or the solution")


@dataclass(frozen=True)
class _Planned:
    """A picture: its function's name, its title, and what draws it."""

    name: str
    title: str
    draw: Draw


@dataclass(frozen=True)
class Gallery:
    """The pictures of a sheet, each with the solution's; made once by `gallery_of`."""

    planned: tuple[_Planned, ...]
    references: tuple[str, ...]
    seconds: float

    def show(self, cell: Cell) -> tuple[Picture, ...]:
        """The pictures of the submission that is placed in a cell."""
        return tuple(
            _picture(planned, reference, cell, self.seconds)
            for planned, reference in zip(self.planned, self.references, strict=True)
        )


def gallery_of(sheet: Sheet, wall: Wall, templates: Mapping[str, str]) -> Gallery:
    """Load a sheet's pictures and draw those of the solution.

    Args:
        templates: the release's files that student code consists of.
    """
    planned = tuple(
        one for exercise in sheet.exercises for one in _load(sheet.course / "tests_hidden" / exercise / FILE)
    )
    references: list[str] = []
    if not planned:
        return Gallery((), (), 0.0)
    with wall.open(sheet.limits) as cell:
        cell.place(with_solution(sheet, templates))
        for one in planned:
            try:
                references.append(_drawn(one, cell, sheet.limits.probe_seconds))
            except (ProbeFailure, _NotShown) as problem:
                raise PictureError(one.name, problem) from None
    return Gallery(planned, tuple(references), sheet.limits.probe_seconds)


def _load(file: Path) -> Iterator[_Planned]:
    """The pictures of one exercise, in the order of the file."""
    if not file.is_file():
        return
    name = f"gapgrade_pictures_{file.parent.name}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None  # a .py file always has one
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where `inspect` looks for the source of its probes
    spec.loader.exec_module(module)
    for key, function in vars(module).items():
        if key.startswith(PREFIX):
            title = (inspect.getdoc(function) or key).partition("\n")[0]
            yield _Planned(f"{file.parent.name}/{key}", title, function)


def _picture(planned: _Planned, reference: str, cell: Cell, seconds: float) -> Picture:
    try:
        return Picture(title=planned.title, own=_drawn(planned, cell, seconds), reference=reference)
    except ProbeFailure as failure:
        problem = failure.message
    except _NotShown as error:
        problem = str(error)
    except WallError:
        problem = "the sandbox ended"
    return Picture(title=planned.title, reference=reference, problem=problem.partition("\n")[0][:300])


class _NotShown(Exception):
    """What was drawn is no picture, or could not be drawn."""


def _drawn(planned: _Planned, cell: Cell, seconds: float) -> str:
    """A picture as a PNG in base64."""
    gate = Gate(cell, SEED, seconds)
    gate.enter(planned.name)
    try:
        with through(gate):
            drawn = planned.draw()
    except (ProbeFailure, WallError):
        raise
    except AssertionError as error:
        raise _NotShown(str(error)) from None
    except Exception as error:  # whatever plain data student code returned, drawing it must not end the grading
        raise _NotShown(f"what the code returned cannot be drawn ({type(error).__name__})") from None
    return base64.b64encode(_png(_pixels(drawn))).decode()


def _pixels(drawn: Any) -> NDArray[np.uint8]:
    if not isinstance(drawn, np.ndarray):
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas: Any = FigureCanvasAgg(drawn)  # it has no types
        canvas.draw()
        drawn = np.asarray(canvas.buffer_rgba())[:, :, :3]
    if drawn.dtype != np.uint8 or drawn.ndim != 3 or drawn.shape[2] != 3 or not 0 < max(drawn.shape[:2]) <= MAX_SIDE:
        raise _NotShown(f"it is no picture of at most {MAX_SIDE} x {MAX_SIDE} pixels")
    pixels: NDArray[np.uint8] = drawn
    return pixels


def _png(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(pixels).quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(stream, "PNG", optimize=True)
    if stream.tell() > MAX_BYTES:
        raise _NotShown(f"it is larger than {MAX_BYTES // 1024} KiB")
    return stream.getvalue()
