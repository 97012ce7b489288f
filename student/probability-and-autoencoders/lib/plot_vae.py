"""The figures of the VAE scripts (given: nothing to do here)."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

CLASS_COLOURS = matplotlib.colormaps["tab10"].colors


def tile(images: np.ndarray) -> np.ndarray:
    """Put a grid of images (rows, columns, C, H, W) together into one picture (rows * H, columns * W), C averaged."""
    rows, columns, _, height, width = images.shape
    return images.mean(axis=2).transpose(0, 2, 1, 3).reshape(rows * height, columns * width)


def save_images(images: np.ndarray, title: str, path: Path) -> None:
    """Draw a grid of images (rows, columns, C, H, W) into one PNG."""
    rows, columns = images.shape[:2]
    figure = Figure(figsize=(0.7 * columns, 0.7 * rows + 0.4), layout="constrained")
    panel = figure.subplots()
    panel.imshow(tile(images), cmap="gray", vmin=0, vmax=1)
    panel.set(title=title, xticks=[], yticks=[])
    figure.savefig(path, dpi=100)


def save_losses(
    train: list[float], test: list[float], reconstruction: list[float], kl: list[float], title: str, path: Path
) -> None:
    """Draw the loss of an image after each epoch: in all, and the two terms on the test images without their weight."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    figure.suptitle(title)
    left, middle, right = figure.subplots(1, 3)
    epochs = range(1, len(train) + 1)
    left.plot(epochs, train, label="training images")
    left.plot(epochs, test, label="test images")
    left.legend()
    left.set(title="loss", xlabel="epoch")
    middle.plot(epochs, reconstruction, color="C2")
    middle.set(title="reconstruction term (test)", xlabel="epoch")
    right.plot(epochs, kl, color="C3")
    right.set(title="KL term (test)", xlabel="epoch")
    figure.savefig(path, dpi=100)


def save_latent_space(
    images: np.ndarray,
    limits: tuple[float, float, float, float],
    step_size: np.ndarray,
    mu: np.ndarray,
    std: np.ndarray,
    labels: np.ndarray,
    title: str,
    path: Path,
) -> None:
    """Draw what the decoder makes of the latent space beside where the encoder puts the test images.

    Args:
        images: (g, g, C, H, W), images[i, j] decoded at the i-th value of z0 and the j-th value of z1.
        limits: smallest and largest z0, smallest and largest z1 of the grid.
        step_size: (2,) distance of neighbouring grid points.
        mu, std: (n, 2) encoder's means and standard deviations of the test images.
        labels: (n,) their classes.
        title: of the figure.
        path: the PNG to write.
    """
    figure = Figure(figsize=(13, 6.6), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subplots(1, 2)

    # an image is centred on its grid point, so the picture is half a step larger on each side
    half0, half1 = step_size / 2
    extent = (limits[0] - half0, limits[1] + half0, limits[2] - half1, limits[3] + half1)
    columns_are_z0 = images.transpose(1, 0, 2, 3, 4)[::-1]  # the first row of a picture is its top: the largest z1
    left.imshow(tile(columns_are_z0), cmap="gray", vmin=0, vmax=1, extent=extent, aspect="auto")
    left.set(title="decoded grid, mean mu and mean sigma of each class", xlabel="z0", ylabel="z1")

    outline = [withStroke(linewidth=3, foreground="white")]
    for label in np.unique(labels):
        of_class = labels == label
        (centre0, centre1), (std0, std1) = mu[of_class].mean(axis=0), std[of_class].mean(axis=0)
        colour = CLASS_COLOURS[label % len(CLASS_COLOURS)]
        # the blue cross reaches one mean standard deviation to each side
        left.errorbar(centre0, centre1, xerr=std0, yerr=std1, color="blue", linewidth=2.5)
        for panel in (left, right):
            panel.annotate(
                str(label),
                (centre0, centre1),
                xytext=(5, 5),  # beside the cross
                textcoords="offset points",
                color=colour,
                fontsize=17,
                weight="bold",
                path_effects=outline,
            )
        right.scatter(*mu[of_class].T, s=6, color=colour, alpha=0.6, linewidths=0)
    left.set(xlim=extent[:2], ylim=extent[2:])
    right.set(title="mu of the test images", xlabel="z0", ylabel="z1", xlim=extent[:2], ylim=extent[2:])
    figure.savefig(path, dpi=75)
