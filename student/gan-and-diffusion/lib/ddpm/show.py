"""What the notebook of the diffusion model shows (given: nothing to do here)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torchvision.utils import make_grid


def show_pictures(pictures: Tensor, title: str, columns: int = 10) -> Figure:
    """Draw (N, C, H, W) pictures as one grid; -1 is black and 1 is white, what lies outside is clipped."""
    grid = make_grid(pictures.clamp(-1, 1), nrow=columns, padding=2, pad_value=1.0, normalize=True, value_range=(-1, 1))
    height, width = grid.shape[1:]
    figure, axes = plt.subplots(figsize=(8, 8 * height / width + 0.4), layout="constrained")
    axes.imshow(grid.permute(1, 2, 0).numpy(), interpolation="nearest")
    axes.set_title(title)
    axes.axis("off")
    return figure


def show_rows(rows: Mapping[str, Tensor], title: str) -> Figure:
    """Draw a row of (N, C, H, W) pictures for each name."""
    figure, lines = plt.subplots(len(rows), 1, figsize=(8, 0.9 * len(rows) + 0.4), layout="constrained", squeeze=False)
    for (name, pictures), axes in zip(rows.items(), lines[:, 0], strict=True):
        grid = make_grid(pictures.clamp(-1, 1), nrow=len(pictures), padding=2, normalize=True, value_range=(-1, 1))
        axes.imshow(grid.permute(1, 2, 0).numpy(), interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_ylabel(name, rotation=0, ha="right", va="center")
    figure.suptitle(title)
    return figure


def show_curves(curves: Mapping[str, Sequence[float] | Tensor], title: str, xlabel: str, smooth: int = 1) -> Figure:
    """Draw curves by their names, each as a running mean over so many values."""
    figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
    for name, values in curves.items():
        numbers = torch.as_tensor(values).double().numpy()
        if len(numbers) >= smooth > 1:
            numbers = np.convolve(numbers, np.ones(smooth) / smooth, mode="valid")
        axes.plot(numbers, label=name)
    axes.set(title=title, xlabel=xlabel)
    axes.legend()
    axes.grid(alpha=0.3)
    return figure
