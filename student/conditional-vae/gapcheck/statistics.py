"""Assertions about normal samples, each with a false-failure rate of at most alpha that is derived, not tuned.

Draws become standardised noise e = (values - mean) / std in float64; the exact laws of `gapcheck.laws` judge it. Every
comparison is written `statistic <= bound`, so that NaN fails. The number of values decides what is detected
(`gapcheck.power`), so check the shape first (`assert_tensor`): a sample that shrank to two values proves nothing.
"""

from __future__ import annotations

import math

import numpy as np

from gapcheck import laws
from gapcheck.distributions import NORMAL_EDGES, assert_bins, normal_bins
from gapcheck.laws import ALPHA
from gapcheck.tensors import Array, Expected, numbers, trusted


def standardised(values: object, mean: Expected, std: Expected, *, what: str = "the sample") -> Array:
    """(values - mean) / std in float64; mean and std are numbers or broadcast to the shape of the values."""
    sample, center, spread = numbers(values, what), trusted(mean), trusted(std)
    if not (spread > 0).all():
        raise ValueError("a standard deviation must be positive")
    wanted = np.broadcast_shapes(center.shape, spread.shape)
    assert _broadcasts(wanted, sample.shape), f"{what} should have shape {wanted}, but the shape is {sample.shape}."
    result: Array = (sample - center) / spread
    return result


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


def assert_mean(
    values: object, mean: Expected, std: Expected, *, alpha: float = ALPHA, what: str = "the sample"
) -> None:
    """values ~ N(mean, std^2) have this mean; std is known, both may differ from element to element.

    With e = (values - mean) / std, sqrt(n) * average(e) ~ N(0, 1) exactly. See `samples_for_mean`.
    """
    noise = standardised(values, mean, std, what=what)
    off, bound = float(noise.mean()), laws.normal_bound(alpha) / math.sqrt(noise.size)
    assert abs(off) <= bound, (
        f"the mean of {what} is off by {off:+.3f} standard deviations (allowed {bound:.3f} with {noise.size:,} values)."
    )


def assert_std(
    values: object, std: Expected, *, mean: Expected | None = None, alpha: float = ALPHA, what: str = "the sample"
) -> None:
    """values ~ N(mean, std^2) have this standard deviation; without `mean`, around their own average.

    sum(e^2) ~ chi2(n) exactly, and chi2(n - 1) around the average, where all values have one mean and one std. See
    `samples_for_variance`.
    """
    ratio, low, high, n = _variance_ratio(values, trusted(std), mean, alpha, what)
    assert low <= ratio <= high, (
        f"the standard deviation of {what} is {math.sqrt(ratio):.3f} times the expected one (allowed "
        f"{math.sqrt(low):.3f} ... {math.sqrt(high):.3f} with {n:,} values)."
    )


def assert_variance(
    values: object, variance: Expected, *, mean: Expected | None = None, alpha: float = ALPHA, what: str = "the sample"
) -> None:
    """As `assert_std`, for a given variance."""
    ratio, low, high, n = _variance_ratio(values, np.sqrt(trusted(variance)), mean, alpha, what)
    assert low <= ratio <= high, (
        f"the variance of {what} is {ratio:.3f} times the expected one (allowed {low:.3f} ... {high:.3f} with "
        f"{n:,} values)."
    )


def _variance_ratio(
    values: object, std: Array, mean: Expected | None, alpha: float, what: str
) -> tuple[float, float, float, int]:
    """The variance as a multiple of the expected one, the interval allowed for it, and n."""
    if mean is None:
        if std.size > 1:
            raise ValueError("a standard deviation for each element needs the mean as well")
        noise = standardised(values, 0.0, std, what=what)
        noise, degrees = noise - noise.mean(), noise.size - 1
    else:
        noise = standardised(values, mean, std, what=what)
        degrees = noise.size
    low, high = laws.chi2_bounds(degrees, alpha)
    return float((noise**2).sum()) / degrees, low / degrees, high / degrees, noise.size


def assert_uncorrelated(u: object, v: object, *, alpha: float = ALPHA, what: str = "the two samples") -> None:
    """v ~ N(0, 1) is independent of u: <u, v> / norm(u) ~ N(0, 1) exactly, whatever u is.

    Args:
        u: anything, in the shape of v: other noise, or what the noise must not depend on.
        v: standardised noise (see `standardised`). See `samples_for_correlation`.
    """
    left, right = numbers(u, f"the first of {what}"), numbers(v, f"the second of {what}")
    assert left.shape == right.shape, (
        f"{what} should have one shape, but the shapes are {left.shape} and {right.shape}."
    )
    _assert_uncorrelated(left, right, alpha, what)


def _assert_uncorrelated(left: Array, right: Array, alpha: float, what: str) -> None:
    norm = float(np.linalg.norm(left))
    assert norm > 0, f"the first of {what} is zero everywhere."
    size, bound = float((left * right).sum()) / norm, laws.normal_bound(alpha)
    assert abs(size) <= bound, (
        f"{what} are correlated: their correlation is some {size / float(np.linalg.norm(right)):+.3f} (allowed "
        f"{bound / math.sqrt(left.size):.3f} with {left.size:,} pairs)."
    )


def assert_independent_rows_and_columns(noise: object, *, alpha: float = ALPHA, what: str = "the noise") -> None:
    """No row (of a batch) and no column (a dimension) of (B, D) standard normal noise repeats or shares another.

    Neighbours and halves along both axes are uncorrelated, and sqrt(B) times the average of a column, as sqrt(D) times
    that of a row, is N(0, 1): noise shared by all rows adds up. The six parts share alpha.
    """
    matrix = _as_matrix(numbers(noise, what))
    for values, name in ((matrix, "rows"), (matrix.T, "columns")):
        length, share = values.shape[0], alpha / 6
        if length < 2:
            continue
        even, half = length - length % 2, length // 2
        _assert_uncorrelated(values[0:even:2], values[1:even:2], share, f"neighbouring {name} of {what}")
        _assert_uncorrelated(values[:half], values[half:even], share, f"the halves of the {name} of {what}")
        off = values.mean(axis=0) * math.sqrt(length)
        worst, bound = float(np.abs(off).max()), laws.normal_bound(share, tests=off.size)
        assert worst <= bound, (
            f"the {name} of {what} share a part: an average over them is {worst:.1f} times as large as it should be "
            f"(allowed {bound:.1f}). Is one draw used for all {name}?"
        )


def _as_matrix(noise: Array) -> Array:
    """(B, ...) as (B, D), a vector as (B, 1)."""
    return noise.reshape(noise.shape[0], -1)


def assert_independent_calls(first: object, second: object, *, alpha: float = ALPHA, what: str = "the noise") -> None:
    """The standard normal noise of two calls is neither the same nor correlated."""
    one, two = numbers(first, what), numbers(second, what)
    assert not np.array_equal(one, two), f"two calls gave the very same numbers for {what}: is a seed set inside?"
    assert_uncorrelated(one, two, alpha=alpha, what=f"the two draws of {what}")


def assert_extremes(noise: object, *, alpha: float = ALPHA, what: str = "the noise") -> None:
    """The largest magnitude of standard normal noise: P(max abs <= r) = (2 Phi(r) - 1)^n.

    Catches clipped, truncated and bounded noise with certainty once n is large enough (`samples_for_extremes`).
    """
    values = numbers(noise, what)
    largest = float(np.abs(values).max())
    low, high = laws.extreme_bounds(values.size, alpha)
    assert low <= largest <= high, (
        f"the largest of {values.size:,} values of {what} is {largest:.2f} standard deviations, expected {low:.2f} ... "
        f"{high:.2f}: clipped, or not normal?"
    )


def assert_standard_normal(noise: object, *, alpha: float = ALPHA, what: str = "the noise") -> None:
    """(B, D) noise, or a vector, is independent N(0, 1). Axes after the first count as one.

    Mean, variance, variance of each row and column, independent rows and columns, 14 bins, extremes: six parts that
    share alpha.
    """
    values = numbers(noise, what)
    share = alpha / 6
    assert_mean(values, 0.0, 1.0, alpha=share, what=what)
    assert_variance(values, 1.0, mean=0.0, alpha=share, what=what)
    _assert_even_scales(values, alpha=share, what=what)
    assert_independent_rows_and_columns(values, alpha=share, what=what)
    assert_bins(values, NORMAL_EDGES, normal_bins(), alpha=share, what=what)
    assert_extremes(values, alpha=share, what=what)


def _assert_even_scales(noise: Array, *, alpha: float, what: str) -> None:
    """Each row's and each column's sum of squares is chi2: errors of scale may cancel in the sum of all."""
    matrix = _as_matrix(noise)
    for values, name in ((matrix, "row"), (matrix.T, "column")):
        count, length = values.shape
        if count < 2 or length < 2:
            continue
        ratios = (values**2).mean(axis=1)
        low, high = (limit / length for limit in laws.chi2_bounds(length, alpha / 2 / count))
        smallest, largest = float(ratios.min()), float(ratios.max())
        assert low <= smallest and largest <= high, (  # noqa: PT018  one interval, one message
            f"the variance of a {name} of {what} is {smallest if smallest < low else largest:.3f} times the expected "
            f"one (allowed {low:.3f} ... {high:.3f} with {length:,} values)."
        )


def assert_normal(
    values: object, mean: Expected, std: Expected, *, alpha: float = ALPHA, what: str = "the sample"
) -> None:
    """values ~ N(mean, std^2), independent; mean and std are numbers or broadcast to the shape of the values.

    Prefer means and standard deviations that differ from element to element: they tell more mistakes apart.
    Standardises, then asserts as `assert_standard_normal`.
    """
    noise = standardised(values, mean, std, what=what)
    assert_standard_normal(noise, alpha=alpha, what=f"{what}, standardised,")
