"""Assertions about the shape of a distribution: bins, distribution functions, uniform, Irwin-Hall, Gamma, bounded data.

As in `gapcheck.statistics`: at most alpha false failures, and the number of values decides what is detected.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from scipy import special

from gapcheck import irwin_hall, laws
from gapcheck.laws import ALPHA
from gapcheck.tensors import Array, numbers

NORMAL_EDGES = tuple(k / 2 for k in range(-6, 7))  # 14 bins of half a standard deviation
# float32 numbers on an interval may stick out of it by a rounding; relative to the interval's length
_ROUNDING = 1e-6


def assert_distribution(
    values: object, cdf: Callable[[Array], Array], *, alpha: float = ALPHA, what: str = "the sample"
) -> None:
    """Independent values of this distribution function, by its largest distance from the sample's own.

    P(sup abs(F_n - F) > sqrt(ln(2 / alpha) / 2n)) <= alpha for any F and n (Massart 1990). It holds for any law, but
    needs more values than the other assertions (`samples_for_cdf`). `normal_cdf`, `gamma_cdf`, `uniform_cdf` and
    `irwin_hall_cdf` make distribution functions; one of your own takes and returns a float64 array.
    """
    ordered = np.sort(numbers(values, what).ravel())
    n = ordered.size
    expected = cdf(ordered)
    above = np.arange(1, n + 1) / n - expected
    below = expected - np.arange(n) / n
    gap, bound = float(max(above.max(), below.max())), laws.cdf_bound(n, alpha)
    worst = ordered[np.maximum(above, below).argmax()]
    assert gap <= bound, (
        f"the distribution of {what} is wrong: at {worst:.4g} the share of smaller values is off by "
        f"{gap:.3f} (allowed {bound:.3f} with {n:,} values)."
    )


def assert_bins(
    values: object,
    edges: Sequence[float],
    probabilities: Sequence[float],
    *,
    alpha: float = ALPHA,
    what: str = "the sample",
) -> None:
    """Independent values fall into bins with these probabilities: each count is Binomial(n, p_k) exactly.

    The bins share alpha. See `samples_for_bins`.

    Args:
        edges: ascending inner edges; bin k is edges[k - 1] <= value < edges[k], the outer bins are unbounded.
        probabilities: one more than edges; they sum to 1.
    """
    if len(probabilities) != len(edges) + 1 or not math.isclose(sum(probabilities), 1, abs_tol=1e-9):
        raise ValueError(f"{len(edges)} edges need {len(edges) + 1} probabilities with sum 1")
    sample = numbers(values, what).ravel()
    counts = np.bincount(np.searchsorted(edges, sample, side="right"), minlength=len(probabilities))
    bounds = _bin_bounds(sample.size, tuple(probabilities), alpha)
    limits = (-math.inf, *edges, math.inf)
    for k, (low, high) in enumerate(bounds):
        assert low <= counts[k] <= high, (
            f"the distribution of {what} has the wrong shape: {counts[k]:,} of {sample.size:,} values lie "
            f"between {limits[k]:.4g} and {limits[k + 1]:.4g}, expected {low:,} ... {high:,}."
        )


@lru_cache
def _bin_bounds(n: int, probabilities: tuple[float, ...], alpha: float) -> list[tuple[int, int]]:
    return [laws.binomial_bounds(n, p, alpha / len(probabilities)) for p in probabilities]


@lru_cache
def normal_bins(edges: tuple[float, ...] = NORMAL_EDGES) -> tuple[float, ...]:
    """The probabilities of N(0, 1) between the edges, the unbounded outer bins included."""
    return tuple(float(p) for p in np.diff(np.concatenate([[0.0], special.ndtr(edges), [1.0]])))


def assert_uniform(values: object, low: float, high: float, *, alpha: float = ALPHA, what: str = "the sample") -> None:
    """Independent values, uniform between low and high.

    The range holds always; the smallest and the largest value, 16 bins and the distribution function share alpha.
    P(smallest > low + t * (high - low)) = (1 - t)^n, and so for the largest.
    """
    sample = numbers(values, what).ravel()
    _assert_within(sample, low, high, what)
    unit = (sample - low) / (high - low)
    reach = -math.expm1(math.log(alpha / 4) / unit.size)
    widest = max(float(unit.min()), 1 - float(unit.max()))
    assert widest <= reach, (
        f"{what} should fill {low:.4g} ... {high:.4g}, but all values lie between {sample.min():.4g} and "
        f"{sample.max():.4g}."
    )
    edges = tuple(low + (high - low) * k / 16 for k in range(1, 16))
    assert_bins(sample, edges, (1 / 16,) * 16, alpha=alpha / 4, what=what)
    assert_distribution(sample, laws.uniform_cdf(low, high), alpha=alpha / 4, what=what)


def assert_irwin_hall(values: object, m: int, *, alpha: float = ALPHA, what: str = "the sample") -> None:
    """Independent averages of m uniform numbers between -b and b, b = sqrt(3 m): mean 0, variance 1, none beyond b.

    The exact law of a sampler of normal numbers by the central limit theorem, which is not normal: for small m it
    shows. Mean, variance and 14 bins share alpha (`gapcheck.irwin_hall` derives them), the range holds always.
    """
    sample = numbers(values, what).ravel()
    n, edge = sample.size, math.sqrt(3 * m)
    _assert_within(sample, -edge, edge, what)
    mean, bound = float(sample.mean()), irwin_hall.mean_bound(n, alpha / 3)
    assert abs(mean) <= bound, f"the mean of {what} is {mean:.4g}, expected 0 (allowed {bound:.2g} with {n:,} values)."
    variance = float((sample**2).mean())
    low, high = (limit / n for limit in irwin_hall.square_bounds(n, m, alpha / 3))
    assert low <= variance <= high, (
        f"the variance of {what} is {variance:.4g}, expected 1 (allowed {low:.3f} ... {high:.3f} with {n:,} values)."
    )
    assert_bins(sample, NORMAL_EDGES, irwin_hall.irwin_hall_bins(m, NORMAL_EDGES), alpha=alpha / 3, what=what)


def _assert_within(sample: Array, low: float, high: float, what: str) -> None:
    slack = _ROUNDING * (high - low)
    smallest, largest = float(sample.min()), float(sample.max())
    assert low - slack <= smallest and largest <= high + slack, (  # noqa: PT018  one range, one message
        f"{what} should lie between {low:.4g} and {high:.4g}, but the values reach from {smallest:.4g} to "
        f"{largest:.4g}."
    )


def assert_gamma_mean(
    values: object, *, shape: float = 1.0, scale: float = 1.0, alpha: float = ALPHA, what: str = "the sample"
) -> None:
    """The average of n independent Gamma(shape, scale) values: their sum is Gamma(n * shape, scale) exactly.

    Shape 1 is the exponential distribution of mean `scale`; averages of k such values have shape k and scale / k.
    """
    sample = numbers(values, what).ravel()
    assert sample.min() >= 0, f"{what} should have no negative value, but the smallest is {sample.min():.4g}."
    mean = float(sample.mean())
    low, high = (limit * scale / sample.size for limit in laws.gamma_bounds(shape * sample.size, alpha))
    assert low <= mean <= high, (
        f"the mean of {what} is {mean:.4g}, expected {shape * scale:.4g} (allowed {low:.4g} ... {high:.4g} with "
        f"{sample.size:,} values)."
    )


def assert_sample_mean(
    values: object,
    expected: float,
    *,
    low: float,
    high: float,
    variance: float | None = None,
    alpha: float = ALPHA,
    what: str = "the sample",
) -> None:
    """The average of independent values between low and high, of any law (`laws.bounded_mean_bound`).

    Args:
        low, high: bounds that hold for every value; a value beyond them fails.
        variance: the known variance of one value, or a bound of it; it makes the assertion sharper.
    """
    sample = numbers(values, what).ravel()
    _assert_within(sample, low, high, what)
    mean = float(sample.mean())
    bound = laws.bounded_mean_bound(sample.size, expected, low=low, high=high, variance=variance, alpha=alpha)
    assert abs(mean - expected) <= bound, (
        f"the mean of {what} is {mean:.4g}, expected {expected:.4g} (allowed {bound:.2g} off with {sample.size:,} "
        f"values)."
    )


def assert_same_distribution(
    first: object, second: object, *, alpha: float = ALPHA, what: str = "the two samples"
) -> None:
    """Two independent samples of independent values have one law, by the largest distance of their shares.

    Exact for samples of one size, a bound otherwise (`laws.two_sample_bound`). For a closed form against the simulated
    chain that it replaces, where no law is known.
    """
    a = np.sort(numbers(first, f"the first of {what}").ravel())
    b = np.sort(numbers(second, f"the second of {what}").ravel())
    points = np.concatenate([a, b])
    shares = [np.searchsorted(ordered, points, side="right") / ordered.size for ordered in (a, b)]
    gaps = np.abs(shares[0] - shares[1])
    bound = laws.two_sample_bound(a.size, b.size, alpha)
    assert float(gaps.max()) <= bound, (
        f"{what} do not have one distribution: at {points[gaps.argmax()]:.4g} the shares of smaller values differ by "
        f"{gaps.max():.3f} (allowed {bound:.3f} with {a.size:,} and {b.size:,} values)."
    )
