"""Pictures and videos of point clouds (given: nothing to do here)."""

from __future__ import annotations

import shutil
from pathlib import Path

from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

LIMIT = 3.2  # half the width of a picture: noise of variance 1 hardly ever lies outside
SECONDS = 5  # the length of a video's motion
PAUSE = 1  # how many seconds its last frame stays


def save_comparison(data: Tensor, generated: Tensor, path: Path) -> None:
    """Draw the data beside the generated points, each (n, 2), into one PNG."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    for panel, points, title in zip(figure.subplots(1, 2), (data, generated), ("data", "generated"), strict=True):
        panel.scatter(points[:, 0], points[:, 1], s=2, alpha=0.5, linewidths=0)
        _frame(panel, title)
    figure.savefig(path, dpi=80)


def save_video(states: Tensor, steps: list[int], title: str, stem: Path) -> Path:
    """Draw the points at some steps as a video: an mp4 where the program ffmpeg is installed, else an animated GIF.

    Args:
        states: (n_frames, n, 2) the points of each frame.
        steps: the number that is written above each frame.
        title: the words that are written before it.
        stem: where to write, without the ending.

    Returns:
        The file that was written.
    """
    frames_per_second = max(1, round(len(states) / SECONDS))
    has_ffmpeg = shutil.which("ffmpeg") is not None
    path = stem.with_suffix(".mp4" if has_ffmpeg else ".gif")
    writer: AbstractMovieWriter = (FFMpegWriter if has_ffmpeg else PillowWriter)(fps=frames_per_second)
    figure = Figure(figsize=(4, 4), layout="constrained")
    panel = figure.subplots()
    cloud = panel.scatter(states[0, :, 0], states[0, :, 1], s=2, alpha=0.5, linewidths=0)
    with writer.saving(figure, path, dpi=80):
        for points, step in zip(states, steps, strict=True):
            cloud.set_offsets(points)
            _frame(panel, f"{title} {step}")
            writer.grab_frame()
        for _ in range(PAUSE * frames_per_second):
            writer.grab_frame()
    return path


def _frame(panel: Axes, title: str) -> None:
    panel.set(title=title, xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), xticks=[], yticks=[], aspect="equal")
