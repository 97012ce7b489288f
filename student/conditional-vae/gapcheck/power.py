"""How many values an assertion needs for a discrepancy, and which discrepancy it detects with n values.

`samples_for_...`: the n at which a wrong sample is caught in all but beta of the runs, while correct ones fail in at
most alpha. `smallest_detectable_...`: its inverse. The pattern is that of TensorFlow Probability's
statistical_testing.py. `assert_standard_normal` gives each of its six parts alpha / 6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from gapcheck import laws
from gapcheck.laws import ALPHA, BETA


def samples_for_mean(delta: float, alpha: float = ALPHA, beta: float = BETA) -> int:
    """n at which `assert_mean` detects a mean that is off by delta standard deviations: ((6.11 + 4.75) / delta)^2."""
    return math.ceil((_mean_reach(alpha, beta) / delta) ** 2)


def smallest_detectable_mean(n: int, alpha: float = ALPHA, beta: float = BETA) -> float:
    """The shift, in standard deviations, that `assert_mean` detects with n values."""
    return _mean_reach(alpha, beta) / math.sqrt(n)


def _mean_reach(alpha: float, beta: float) -> float:
    return laws.normal_bound(alpha) + laws.normal_bound(2 * beta)


def samples_for_variance(ratio: float, alpha: float = ALPHA, beta: float = BETA) -> int:
    """n at which `assert_variance` (or `assert_std`, squared) detects a variance of ratio times the expected one."""
    if ratio == 1:
        raise ValueError("a ratio of 1 is no discrepancy")

    def caught(n: int) -> bool:
        low, high = laws.chi2_bounds(n, alpha)
        return bool(special.gammainc(n / 2, high / ratio / 2) - special.gammainc(n / 2, low / ratio / 2) <= beta)

    return _first_size(caught)


def smallest_detectable_variance(n: int, alpha: float = ALPHA, beta: float = BETA) -> tuple[float, float]:
    """The ratios (below 1, above 1) beyond which `assert_variance` detects a wrong variance with n values."""
    low, high = laws.chi2_bounds(n, alpha)
    wrong_low, wrong_high = laws.chi2_bounds(n, 2 * beta)
    return low / wrong_high, high / wrong_low


def samples_for_correlation(r: float, alpha: float = ALPHA, beta: float = BETA) -> int:
    """n at which `assert_uncorrelated` detects normal samples of correlation r; some ((6.11 + 4.75) / r)^2."""
    return _first_size(lambda n: _correlation_caught(abs(r), n, alpha, beta))


def smallest_detectable_correlation(n: int, alpha: float = ALPHA, beta: float = BETA) -> float:
    """The correlation that `assert_uncorrelated` detects with n pairs; infinite where not even 1 is detected."""
    if not _correlation_caught(1.0, n, alpha, beta):
        return math.inf
    undetected, detected = 0.0, 1.0
    while detected - undetected > 1e-9:
        middle = (undetected + detected) / 2
        if _correlation_caught(middle, n, alpha, beta):
            detected = middle
        else:
            undetected = middle
    return detected


def _correlation_caught(r: float, n: int, alpha: float, beta: float) -> bool:
    """Given u, <u, v> / norm(u) ~ N(r norm(u), 1 - r^2); norm(u) ~ chi(n) is integrated out by the trapezoidal rule."""
    norm = np.linspace(max(math.sqrt(n) - 7, 1e-9), math.sqrt(n) + 7, 2001)  # chi has a standard deviation below 1
    log_density = (n - 1) * np.log(norm) - norm**2 / 2 - (n / 2 - 1) * math.log(2) - special.gammaln(n / 2)
    missed = special.ndtr((laws.normal_bound(alpha) - r * norm) / math.sqrt(max(1 - r**2, 1e-12)))
    return float(np.trapezoid(np.exp(log_density) * missed, norm)) <= beta


def samples_for_bins(
    wrong: Sequence[float], probabilities: Sequence[float], alpha: float = ALPHA, beta: float = BETA
) -> int:
    """The smallest power of two at which one bin of `assert_bins` alone detects the wrong probabilities.

    A power of two, because the power of a binomial test goes up and down with n on its way to 1.
    """
    if all(math.isclose(q, p) for q, p in zip(wrong, probabilities, strict=True)):
        raise ValueError("the wrong probabilities are the right ones")
    n = 2
    while not any(
        _bin_caught(n, q, p, alpha / len(probabilities), beta) for q, p in zip(wrong, probabilities, strict=True)
    ):
        n *= 2
    return n


def _bin_caught(n: int, wrong: float, right: float, alpha: float, beta: float) -> bool:
    low, high = laws.binomial_bounds(n, right, alpha)
    return laws.binomial_cdf(high, n, wrong) - laws.binomial_cdf(low - 1, n, wrong) <= beta


def smallest_detectable_bin(
    n: int, probability: float, bins: int, alpha: float = ALPHA, beta: float = BETA
) -> tuple[float, float]:
    """The probabilities (below, above) beyond which one bin of so many is detected with n values.

    0 or 1 where nothing on that side is detected.
    """
    low, high = laws.binomial_bounds(n, probability, alpha / bins)
    below = float(special.betaincinv(low, n - low + 1, beta)) if low > 0 else 0.0
    above = float(special.betainccinv(high + 1, n - high, beta)) if high < n else 1.0
    return below, above


def samples_for_extremes(clip: float, alpha: float = ALPHA) -> int:
    """n at which `assert_extremes` detects noise that never exceeds `clip`, with certainty."""
    return math.floor(math.log(alpha / 2) / math.log1p(-2 * special.ndtr(-clip))) + 1


def smallest_detectable_extremes(n: int, alpha: float = ALPHA) -> float:
    """The clip below which `assert_extremes` detects clipped noise with n values, with certainty."""
    return laws.extreme_bounds(n, alpha)[0]


def samples_for_cdf(gap: float, alpha: float = ALPHA, beta: float = BETA) -> int:
    """n at which `assert_distribution` detects a distribution function that is off by gap somewhere.

    The allowed distance and the sample's own, sqrt(ln(2 / beta) / 2n), must fit into the gap.
    """
    return math.ceil((_cdf_reach(alpha, beta) / gap) ** 2)


def smallest_detectable_cdf(n: int, alpha: float = ALPHA, beta: float = BETA) -> float:
    """The distance of distribution functions that `assert_distribution` detects with n values."""
    return _cdf_reach(alpha, beta) / math.sqrt(n)


def _cdf_reach(alpha: float, beta: float) -> float:
    return laws.cdf_bound(1, alpha) + laws.cdf_bound(1, beta)


def _first_size(caught: Callable[[int], bool]) -> int:
    """The smallest n >= 2 at which a discrepancy is caught."""
    n = 2
    while not caught(n):
        n *= 2
    return laws.first_integer(caught, max(2, n // 2), n)
