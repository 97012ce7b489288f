"""Task: watch the central limit theorem at work, then use it to make normal numbers out of uniform ones.

If x_1, ..., x_n are independent and each has mean mu and standard deviation sigma, their mean

    (x_1 + ... + x_n) / n

has mean mu and standard deviation sigma / sqrt(n), and for large n it is nearly normal, whatever the law of x_i is
(central limit theorem: Lindeberg 1922; any textbook of probability has it).

A uniform number on (-b, b) has mean 0 and variance b^2 / 3. With b = sqrt(3 m) the mean of m such numbers has variance
1; with m = 1024 no plot tells it from a standard normal number.

Conventions: everything is a float64 numpy array; numpy's random functions give the randomness, the ones of `np.random`
or those of a generator made by `np.random.default_rng()`. Do not set a seed: each call draws new numbers. Loops over
single numbers are slow in Python; numpy draws and averages whole arrays at once.

To implement: (clt 1) in `plot_clt`, (clt 2) in `std_normal`, (clt 3) in `normal`. The scripts plot_clt.py and
plot_normal.py draw the results. Test it with: python -m tests.test_distributions
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

N_UNIFORMS = 1024  # how many uniform numbers make one normal number


def plot_clt(
    n_repetitions: int = 1024, sample_sizes: Sequence[int] = (1, 16, 64, 1024), plot: bool = True
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Draw samples of several sizes from two distributions, many times each, and take the mean of each sample.

    The distributions are the exponential with rate 1 and the normal with mean 1 and standard deviation 1. The
    exponential, too, has mean 1 and standard deviation 1, so the theorem promises the same limit for both.

    Args:
        n_repetitions: how many samples of each size are drawn from each distribution.
        sample_sizes: the sizes n; the samples of different sizes are drawn independently of each other.
        plot: whether to draw a figure: for each array of means a histogram and the density of its normal limit. The
            figure is left open for the caller to save or show.

    Returns:
        all_samples: two arrays (n_repetitions, n) for each size n: first size exponential, first size normal, second
            size exponential, and so on. A row is one sample.
        all_means: the means of the samples, as arrays (n_repetitions,) in the same order.
    """
    all_samples: list[FloatArray] = []
    all_means: list[FloatArray] = []
    limit_stds: list[float] = []
    for n in sample_sizes:
        # START TODO (clt 1): draw the samples of this size, take their means, say how far the means should spread.
        # samples: a list of two arrays (n_repetitions, n), the exponential draws and then the normal draws.
        # means: a list of two arrays (n_repetitions,), the mean of each row of these two.
        # limit_std: the standard deviation of the normal limit at this n; one number, since both have the same.
        # Hint: numpy's exponential takes a scale, which is 1 / rate; its normal takes a standard deviation.
        raise NotImplementedError("TODO clt 1")
        # END TODO
        all_samples += samples
        all_means += means
        limit_stds += [limit_std, limit_std]
    if plot:
        draw_means(all_means, limit_stds, sample_sizes)
    return all_samples, all_means


def draw_means(all_means: list[FloatArray], limit_stds: list[float], sample_sizes: Sequence[int]) -> None:
    """Draw a column of two axes for each size, above the exponential's means, below the normal's."""
    figure, grid = plt.subplots(
        2, len(sample_sizes), figsize=(3.2 * len(sample_sizes), 5), squeeze=False, layout="constrained"
    )
    names = ("exponential", "normal")
    figure.suptitle("Means of n draws, and the normal density they approach")
    for i, axes in enumerate(grid.T.flat):  # transposed: size by size, as the means are ordered
        draw_histogram(axes, all_means[i], mean=1.0, std=limit_stds[i])
        axes.set_title(f"{names[i % 2]}, n = {sample_sizes[i // 2]}")


def draw_histogram(axes: Axes, values: FloatArray, mean: float, std: float, bins: int = 40) -> None:
    """Draw a histogram whose bars have total area 1, and over it one line: the density of N(mean, std^2)."""
    axes.hist(values, bins=bins, density=True, color="tab:blue", alpha=0.5)
    x = np.linspace(mean - 4 * std, mean + 4 * std, 201)
    axes.plot(x, normal_density(x, mean, std), color="tab:red")


def normal_density(x: FloatArray, mean: float, std: float) -> FloatArray:
    """The density of N(mean, std^2) at each x."""
    z = (x - mean) / std
    return np.exp(-0.5 * z**2) / (std * np.sqrt(2 * np.pi))


def std_normal(n_samples: int = 1) -> FloatArray:
    """Draw (nearly) standard normal numbers with nothing but numpy's uniform numbers.

    Each is the mean of m = 1024 uniform numbers on (-b, b), b = sqrt(3 m), which are drawn for it alone.

    Args:
        n_samples: how many normal numbers to draw.

    Returns:
        (n_samples,) array, also for n_samples = 1.
    """
    # START TODO (clt 2): draw the uniform numbers and average them; N_UNIFORMS is m.
    # numpy's normal, and anything else that gives normal numbers by itself, may not be used here.
    # Hint: all uniform numbers fit into one array with two axes.
    raise NotImplementedError("TODO clt 2")
    # END TODO


def normal(loc: float = 0.0, scale: float = 1.0, n_samples: int = 1) -> FloatArray:
    """Draw (nearly) normal numbers with any mean and standard deviation, made from those of `std_normal`.

    Args:
        loc: the mean.
        scale: the standard deviation (not the variance), at least 0; with 0 every number is loc.
        n_samples: how many numbers to draw.

    Returns:
        (n_samples,) array, also for n_samples = 1.
    """
    # START TODO (clt 3): turn standard normal numbers into normal numbers with this mean and standard deviation.
    # Hint: what happens to mean and standard deviation when a random number is multiplied? When something is added?
    raise NotImplementedError("TODO clt 3")
    # END TODO


def plot_normal(n_samples: int = 10000, bins: int = 40) -> None:
    """Draw histograms of our normal numbers beside numpy's, for two choices of mean and standard deviation.

    Args:
        n_samples: how many numbers each histogram shows.
        bins: how many bars each histogram has.

    The figure is left open for the caller to save or show.
    """
    figure, grid = plt.subplots(2, 2, figsize=(8, 5), sharex="row", sharey="row", layout="constrained")
    figure.suptitle("Normal numbers made from uniform ones, beside numpy's")
    for row, (loc, scale) in zip(grid, [(0.0, 1.0), (3.0, 0.5)], strict=True):
        samples = {"ours": normal(loc, scale, n_samples), "numpy's": np.random.normal(loc, scale, n_samples)}
        for axes, (name, values) in zip(row, samples.items(), strict=True):
            draw_histogram(axes, values, loc, scale, bins)
            axes.set_title(f"{name}: mean {loc:g}, standard deviation {scale:g}")
