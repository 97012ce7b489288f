"""The figures of the VAE script (given: nothing to do here)."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from torch import Tensor


def save_grid(pictures: Tensor, title: str, path: Path, rows: tuple[str, ...] = ()) -> None:
    """Draw pictures (rows, columns, 1, H, W) into one PNG, with a name beside each row if there are `rows`."""
    n_rows, n_columns, _, height, width = pictures.shape
    tiled = pictures[:, :, 0].transpose(1, 2).reshape(n_rows * height, n_columns * width)
    figure = Figure(figsize=(0.6 * n_columns + 1.6 * bool(rows), 0.6 * n_rows + 0.5), layout="constrained")
    panel = figure.subplots()
    panel.imshow(tiled.cpu().numpy(), cmap="gray", vmin=0, vmax=1)
    panel.set(title=title, xticks=[], yticks=[])
    if rows:
        panel.set_yticks([(row + 0.5) * height for row in range(n_rows)], rows)
        panel.tick_params(length=0)
    figure.savefig(path, dpi=100)


def save_curves(losses: list[float], errors: list[float], path: Path) -> None:
    """Draw the training loss and the reconstruction error of the test pictures after each epoch."""
    figure = Figure(figsize=(8, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = range(1, len(losses) + 1)
    left.plot(epochs, losses)
    left.set(title="loss of a training picture", xlabel="epoch")
    right.plot(epochs, errors, color="C1")
    right.set(title="reconstruction error (test pictures)", xlabel="epoch", ylim=(0, None))
    figure.savefig(path, dpi=100)
