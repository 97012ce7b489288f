"""What the notebook of the GAN shows (given: nothing to do here)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from torch import Tensor
from torchvision.utils import make_grid

from lib.gan.train import History


def show_pictures(pictures: Tensor, title: str, columns: int = 10) -> Figure:
    """Draw (N, C, H, W) pictures with values in [-1, 1] as one grid."""
    grid = make_grid(pictures.detach(), nrow=columns, padding=2, pad_value=1.0, normalize=True, value_range=(-1, 1))
    height, width = grid.shape[1:]
    figure, axes = plt.subplots(figsize=(8, 8 * height / width + 0.4), layout="constrained")
    axes.imshow(grid.permute(1, 2, 0).numpy(), interpolation="nearest")
    axes.set_title(title)
    axes.axis("off")
    return figure


def show_history(histories: Mapping[str, History]) -> Figure:
    """Draw, for each training, both losses and what the discriminator thinks of both kinds of pictures."""
    figure, rows = plt.subplots(
        len(histories), 2, figsize=(10, 3 * len(histories)), layout="constrained", squeeze=False
    )
    for (name, history), (left, right) in zip(histories.items(), rows, strict=True):
        left.plot(_smooth(history.discriminator), label="discriminator")
        left.plot(_smooth(history.generator), label="generator")
        left.set(title=f"{name}: losses", xlabel="step")
        right.plot(_smooth(history.on_real), label="real pictures")
        right.plot(_smooth(history.on_fake), label="generated pictures")
        right.axhline(0.5, color="grey", linestyle=":", label="cannot tell them apart")
        right.set(title=f"{name}: mean of sigmoid(logit)", xlabel="step", ylim=(0, 1))
        left.legend()
        right.legend()
    return figure


def _smooth(values: Sequence[float], window: int = 20) -> np.ndarray:
    """The running mean: single steps are noisy."""
    return np.convolve(values, np.ones(window) / window, mode="valid") if len(values) >= window else np.array(values)
