"""The figures of the conditional GAN's script (given: nothing to do here)."""

from __future__ import annotations

import math
from pathlib import Path

from matplotlib.figure import Figure
from torch import Tensor


def save_classes(pictures: Tensor, names: tuple[str, ...], title: str, path: Path) -> None:
    """Draw pictures (classes, columns, 1, H, W) into one PNG, with a class and its name in each row."""
    n_rows, n_columns, _, height, width = pictures.shape
    tiled = pictures[:, :, 0].transpose(1, 2).reshape(n_rows * height, n_columns * width)
    figure = Figure(figsize=(0.6 * n_columns + 1.6, 0.6 * n_rows + 0.5), layout="constrained")
    panel = figure.subplots()
    panel.imshow(tiled.cpu().numpy(), cmap="gray", vmin=0, vmax=1)
    panel.set(title=title, xticks=[])
    panel.set_yticks([(row + 0.5) * height for row in range(n_rows)], names)
    panel.tick_params(length=0)
    figure.savefig(path, dpi=100)


def save_losses(of_discriminator: list[float], of_generator: list[float], path: Path) -> None:
    """Draw both losses over the updates."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    panel = figure.subplots()
    panel.plot(of_discriminator, label="discriminator", linewidth=0.8)
    panel.plot(of_generator, label="generator", linewidth=0.8)
    # D = 1/2 for every picture: real and generated ones cannot be told apart
    panel.axhline(2 * math.log(2), color="grey", linestyle=":", label="discriminator that only guesses")
    panel.set(xlabel="update", ylabel="loss", ylim=(0, None))
    panel.legend()
    figure.savefig(path, dpi=100)
