"""Assertions about normal samples, each with a false-failure rate of at most alpha that is derived, not tuned.

Draws become standardised noise e = (values - mean) / std in float64; the exact laws of `gapcheck.laws` judge it. Every
comparison is written `statistic <= bound`, so that NaN fails. The number of values decides what is detected
(`gapcheck.power`), so check the shape first (`assert_tensor`): a sample that shrank to two values proves nothing.
"""

from __future__ import annotations

from gapcheck.laws import ALPHA
from gapcheck.tensors import Array, Expected


def standardised(values: object, mean: Expected, std: Expected, *, what: str = "the sample") -> Array:
    """(values - mean) / std in float64; mean and std are numbers or broadcast to the shape of the values."""
    raise NotImplementedError


def assert_mean(
    values: object, mean: Expected, std: Expected, *, alpha: float = ALPHA, what: str = "the sample"
) -> None:
    """values ~ N(mean, std^2) have this mean; std is known, both may differ from element to element.

    With e = (values - mean) / std, sqrt(n) * average(e) ~ N(0, 1) exactly. See `samples_for_mean`.
    """
    raise NotImplementedError


def assert_std(
    values: object, std: Expected, *, mean: Expected | None = None, alpha: float = ALPHA, what: str = "the sample"
) -> None:
    """values ~ N(mean, std^2) have this standard deviation; without `mean` around their own average.

    sum(e^2) ~ chi2(n) exactly, and chi2(n - 1) around the average. See `samples_for_variance`.
    """
    raise NotImplementedError


def assert_variance(
    values: object, variance: Expected, *, mean: Expected | None = None, alpha: float = ALPHA, what: str = "the sample"
) -> None:
    """As `assert_std`, for those who think in variances."""
    raise NotImplementedError


def assert_uncorrelated(u: object, v: object, *, alpha: float = ALPHA, what: str = "the two samples") -> None:
    """v ~ N(0, 1) is independent of u, element by element: <u, v> / norm(u) ~ N(0, 1) exactly, whatever u is.

    u and v have the same shape; v is standardised noise (see `standardised`). See `samples_for_correlation`.
    """
    raise NotImplementedError


def assert_independent_rows_and_columns(noise: object, *, alpha: float = ALPHA, what: str = "the noise") -> None:
    """No row (one of a batch) and no column (a dimension) of (B, D) standard normal noise repeats or shares another."""
    raise NotImplementedError


def assert_independent_calls(first: object, second: object, *, alpha: float = ALPHA, what: str = "the noise") -> None:
    """The standard normal noise of two calls is not the same and not correlated."""
    raise NotImplementedError


def assert_extremes(noise: object, *, alpha: float = ALPHA, what: str = "the noise") -> None:
    """The largest magnitude of standard normal noise: P(max abs <= r) = (2 Phi(r) - 1)^n. Catches clipped noise."""
    raise NotImplementedError


def assert_standard_normal(noise: object, *, alpha: float = ALPHA, what: str = "the noise") -> None:
    """(B, D) noise, or a vector, is independent N(0, 1): mean, variance, rows and columns, bins, extremes.

    Axes after the first count as one. The five parts share alpha (union bound).
    """
    raise NotImplementedError


def assert_normal(
    values: object, mean: Expected, std: Expected, *, alpha: float = ALPHA, what: str = "the sample"
) -> None:
    """values ~ N(mean, std^2), independent; mean and std are numbers or broadcast to the shape of the values.

    Standardises and asserts as `assert_standard_normal`.
    """
    raise NotImplementedError
