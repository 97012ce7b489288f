"""Pictures and videos of point clouds (given: nothing to do here)."""

from __future__ import annotations

import shutil
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # draw into files, also on computers without a display

from matplotlib import pyplot as plt  # noqa: E402  the choice above must come first
from matplotlib.animation import FFMpegWriter, PillowWriter  # noqa: E402
from torch import Tensor  # noqa: E402

LIMIT = 3.2  # half the width of a picture: noise of variance 1 hardly ever lies outside


def save_comparison(data: Tensor, generated: Tensor, path: Path) -> None:
    """Draw the data beside the generated points, each (n, 2), into one PNG."""
    figure, panels = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
    for panel, points, title in zip(panels, (data, generated), ("data", "generated"), strict=True):
        panel.scatter(points[:, 0], points[:, 1], s=2, alpha=0.5, linewidths=0)
        _frame(panel, title)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def save_video(states: Tensor, steps: list[int], title: str, stem: Path, seconds: float = 5, pause: float = 1) -> Path:
    """Draw the points at some steps as a video: an mp4 where the program ffmpeg is installed, else an animated GIF.

    Args:
        states: (n_frames, n, 2) the points of each frame.
        steps: the number that is written above each frame.
        title: the words that are written before it.
        stem: where to write, without the ending.
        seconds: the length of the motion.
        pause: how long the last frame stays.

    Returns:
        The file that was written.
    """
    frames_per_second = max(1, round(len(states) / seconds))
    if shutil.which("ffmpeg"):
        writer, path = FFMpegWriter(fps=frames_per_second), stem.with_suffix(".mp4")
    else:
        writer, path = PillowWriter(fps=frames_per_second), stem.with_suffix(".gif")
    figure, panel = plt.subplots(figsize=(4, 4), layout="constrained")
    cloud = panel.scatter(states[0, :, 0], states[0, :, 1], s=2, alpha=0.5, linewidths=0)
    with writer.saving(figure, path, dpi=80):
        for points, step in zip(states, steps, strict=True):
            cloud.set_offsets(points)
            _frame(panel, f"{title} {step}")
            writer.grab_frame()
        for _ in range(round(pause * frames_per_second)):
            writer.grab_frame()
    plt.close(figure)
    return path


def _frame(panel: plt.Axes, title: str) -> None:
    panel.set(title=title, xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), xticks=[], yticks=[], aspect="equal")
