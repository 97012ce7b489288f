"""Histograms of what the functions draw, against the density that they should approach."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gapcheck import assert_array, probe

REPETITIONS = 1024
SIZES = [1, 16, 1024]


@probe
def means_of_draws(n_repetitions: int, sample_sizes: list[int], seed: int) -> object:
    from lib.distributions import plot_clt

    np.random.seed(seed)
    return plot_clt(n_repetitions=n_repetitions, sample_sizes=sample_sizes, plot=False)[1]


@probe
def normal_draws(loc: float, scale: float, n_samples: int, seed: int) -> object:
    from lib.distributions import normal

    np.random.seed(seed)
    return normal(loc, scale, n_samples)


def picture_of_the_means() -> Figure:
    """Means of exponential draws, and the normal density that they approach (`plot_clt`)"""
    means = means_of_draws(REPETITIONS, SIZES, seed=1)
    if not isinstance(means, list) or len(means) != 2 * len(SIZES):
        raise AssertionError(f"plot_clt should return a list of {2 * len(SIZES)} arrays of means here")
    figure = Figure(figsize=(6, 2.2), dpi=100, layout="constrained")
    for place, (size, values) in enumerate(zip(SIZES, means[::2], strict=True), 1):
        axes = figure.add_subplot(1, len(SIZES), place, title=f"n = {size}", yticks=[])
        _histogram(axes, assert_array(values, (REPETITIONS,), what="the means"), 1.0, size**-0.5)
    return figure


def picture_of_normal_numbers() -> Figure:
    """Draws of `normal(2, 3)`, and their density"""
    values = assert_array(normal_draws(2.0, 3.0, 2000, seed=1), (2000,), what="the draws")
    figure = Figure(figsize=(4, 2.4), dpi=100, layout="constrained")
    _histogram(figure.add_subplot(yticks=[]), values, 2.0, 3.0)
    return figure


def _histogram(axes: Axes, values: np.ndarray, mean: float, std: float) -> None:
    """Bars of total area 1 within four standard deviations of the mean, and the density of N(mean, std^2)."""
    edges = np.linspace(mean - 4 * std, mean + 4 * std, 41)
    x = np.linspace(edges[0], edges[-1], 201)
    counts = np.histogram(values, edges)[0]
    axes.stairs(counts / (len(values) * (edges[1] - edges[0])), edges, fill=True, color="tab:blue", alpha=0.5)
    axes.plot(x, np.exp(-0.5 * ((x - mean) / std) ** 2) / (std * np.sqrt(2 * np.pi)), color="tab:red")
