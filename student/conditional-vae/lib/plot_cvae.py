"""The figures of the notebook (given: nothing to do here).

Each function draws into the axes that it is given, or into a new figure, which the notebook shows below the cell.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


def tile(images: FloatArray) -> FloatArray:
    """Put a grid of images (rows, columns, H, W) together into one picture (rows * H, columns * W)."""
    rows, columns, height, width = images.shape
    return images.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)


def show_rows(images: FloatArray, names: list[str]) -> None:
    """Draw rows of images (rows, columns, H, W), each row with its name."""
    rows, columns, height, _ = images.shape
    _, axes = plt.subplots(figsize=(0.75 * columns + 1.5, 0.75 * rows), layout="constrained")
    axes.imshow(tile(images), cmap="gray", vmin=0, vmax=1)
    axes.set_xticks([])
    axes.set_yticks(height * (np.arange(rows) + 0.5), names)
    axes.tick_params(length=0)


def show_grid(images: FloatArray, limit: float, title: str, axes: Axes | None = None) -> None:
    """Draw decoded images (g, g, H, W) where they lie in the latent space: z0 to the right, z1 upwards."""
    if axes is None:
        _, axes = plt.subplots(figsize=(8, 8), layout="constrained")
    half_step = limit / (len(images) - 1)  # an image is centred on its point, so the picture is larger by this
    edge = limit + half_step
    axes.imshow(tile(images), cmap="gray", vmin=0, vmax=1, extent=(-edge, edge, -edge, edge))
    axes.set(title=title, xlabel="$z_0$", ylabel="$z_1$")


def show_scatter(means: FloatArray, labels: NDArray[np.integer], title: str) -> None:
    """Draw the means (n, 2) of the encoder in the colours of their classes, over the rings of the prior."""
    figure, axes = plt.subplots(figsize=(8, 7), layout="constrained")
    for radius in (1, 2, 3):
        axes.add_patch(Circle((0, 0), radius, fill=False, linestyle="--", color="0.7", zorder=0))
    points = axes.scatter(*means.T, c=labels, cmap="tab10", vmin=-0.5, vmax=9.5, s=9, alpha=0.8, linewidths=0)
    figure.colorbar(points, ticks=range(10), label="class")
    axes.set(title=title, xlabel="$z_0$", ylabel="$z_1$", aspect="equal")


def show_histories(histories: dict[str, FloatArray]) -> None:
    """Draw the loss of an image and its two terms after each epoch, each history (epochs, 3) as one line."""
    _, panels = plt.subplots(1, 3, figsize=(13, 3.5), layout="constrained")
    for column, (axes, title) in enumerate(zip(panels, ("loss", "reconstruction term", "KL term"), strict=True)):
        for name, history in histories.items():
            axes.plot(np.arange(1, len(history) + 1), history[:, column], marker=".", label=name)
        axes.set(title=f"{title} of an image", xlabel="epoch")
        axes.legend()
