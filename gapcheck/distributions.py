"""Assertions about the shape of a distribution: bins, distribution functions, uniform, Irwin-Hall, Gamma, bounded data.

As in `gapcheck.statistics`: at most alpha false failures, and n decides what is detected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gapcheck.laws import ALPHA
from gapcheck.tensors import Array


def assert_distribution(
    values: object, cdf: Callable[[Array], Array], *, alpha: float = ALPHA, what: str = "the sample"
) -> None:
    """Independent values of this distribution function, by its largest distance from the sample's own.

    P(sup abs(F_n - F) > sqrt(ln(2 / alpha) / 2n)) <= alpha for any F and n (Massart 1990). Works for any law and
    needs more values than the other assertions. See `samples_for_cdf`, and `normal_cdf`, `gamma_cdf`, `uniform_cdf`,
    `irwin_hall_cdf` for distribution functions.
    """
    raise NotImplementedError


def assert_bins(
    values: object,
    edges: Sequence[float],
    probabilities: Sequence[float],
    *,
    alpha: float = ALPHA,
    what: str = "the sample",
) -> None:
    """Independent values fall into bins with these probabilities: each count is Binomial(n, p_k) exactly.

    Args:
        edges: ascending inner edges; bin k is edges[k - 1] <= value < edges[k], the outer bins are unbounded.
        probabilities: one more than edges; they sum to 1.
    """
    raise NotImplementedError


def assert_uniform(values: object, low: float, high: float, *, alpha: float = ALPHA, what: str = "the sample") -> None:
    """Independent values, uniform between low and high: range, smallest, largest, 16 bins, distribution function."""
    raise NotImplementedError


def assert_irwin_hall(values: object, m: int, *, alpha: float = ALPHA, what: str = "the sample") -> None:
    """Averages of m uniform numbers between -b and b with b = sqrt(3 m): mean 0, variance 1, no value beyond b.

    The exact law of the central limit theorem's sampler; it is not normal, and for small m it shows.
    """
    raise NotImplementedError


def assert_gamma_mean(
    values: object, *, shape: float = 1.0, scale: float = 1.0, alpha: float = ALPHA, what: str = "the sample"
) -> None:
    """The average of n independent Gamma(shape, scale) values: the sum is Gamma(n * shape, scale) exactly.

    shape = 1 is the exponential distribution with mean `scale`; the averages of k such values have shape k and
    scale / k.
    """
    raise NotImplementedError


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
    """The average of independent values between low and high, of any law (Hoeffding 1963; Bernstein with a variance).

    Args:
        low, high: bounds that hold for every value; a value beyond them fails.
        variance: the known variance of one value, or a bound of it: it makes the assertion sharper.
    """
    raise NotImplementedError


def assert_same_distribution(
    first: object, second: object, *, alpha: float = ALPHA, what: str = "the two samples"
) -> None:
    """Two independent samples have one law, by the largest distance of their distribution functions.

    Samples of one size: exact (Gnedenko & Korolyuk 1951). Different sizes: Massart's bound for each, at alpha / 2.
    """
    raise NotImplementedError
