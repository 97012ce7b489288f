"""Exact finite-sample laws: the bounds that a correct sample leaves with probability at most alpha.

No central limit theorem anywhere: each bound is a quantile of the exact law of its statistic, or a proven inequality.
Only scipy.special is used (importing scipy.stats takes most of a second); the tests compare the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import special

from gapcheck.tensors import Array

ALPHA = 1e-9  # the false-failure rate of one assertion
BETA = 1e-6  # the rate at which a wrong sample of the planned size may slip through


@lru_cache
def normal_bound(alpha: float, tests: int = 1) -> float:
    """r with P(abs(N(0, 1)) > r) = alpha / tests: 6.11 at 1e-9."""
    return -float(special.ndtri(alpha / (2 * tests)))


@lru_cache
def gamma_bounds(shape: float, alpha: float) -> tuple[float, float]:
    """The interval that a Gamma(shape, 1) number leaves with probability alpha / 2 at each end."""
    return float(special.gammaincinv(shape, alpha / 2)), float(special.gammainccinv(shape, alpha / 2))


def chi2_bounds(n: int, alpha: float) -> tuple[float, float]:
    """The interval that a sum of n squared N(0, 1) numbers leaves with probability alpha / 2 at each end."""
    low, high = gamma_bounds(n / 2, alpha)
    return 2 * low, 2 * high


def binomial_cdf(k: int, n: int, p: float) -> float:
    """P(Binomial(n, p) <= k), also for k = -1 and k = n."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else float(special.betaincc(k + 1, n - k, p))


def binomial_tail(k: int, n: int, p: float) -> float:
    """P(Binomial(n, p) > k), accurate where it is tiny."""
    if k < 0:
        return 1.0
    return 0.0 if k >= n else float(special.betainc(k + 1, n - k, p))


@lru_cache
def binomial_bounds(n: int, p: float, alpha: float) -> tuple[int, int]:
    """The narrowest interval that Binomial(n, p) leaves with probability at most alpha / 2 at each end."""
    low = first_integer(lambda k: binomial_cdf(k, n, p) > alpha / 2, 0, n)
    high = first_integer(lambda k: binomial_tail(k, n, p) <= alpha / 2, 0, n)
    return low, high


def first_integer(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The smallest integer in low ... high that `holds`, for a property that stays once it holds, and does at high."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def cdf_bound(n: int, alpha: float) -> float:
    """eps with P(sup abs(F_n - F) > eps) <= alpha for any F and n (Massart 1990, with the tight constant 2)."""
    return math.sqrt(math.log(2 / alpha) / (2 * n))


@lru_cache
def two_sample_bound(first: int, second: int, alpha: float) -> float:
    """eps with P(sup abs(F_n - G_m) > eps) <= alpha for two samples of one continuous law; ties only help.

    For n = m, P(n sup >= k) <= 2 C(2n, n - k) / C(2n, n), the first term of an alternating series that is exact
    (Gnedenko & Korolyuk 1951). Otherwise Massart's bound for each sample, at alpha / 2.
    """
    if first != second:
        return cdf_bound(first, alpha / 2) + cdf_bound(second, alpha / 2)
    n = first

    def rare(k: int) -> bool:
        log_ratio = 2 * special.gammaln(n + 1) - special.gammaln(n - k + 1) - special.gammaln(n + k + 1)
        return bool(k > n or math.log(2) + log_ratio <= math.log(alpha))

    # half a step below the first rare distance: no rounding of k / n decides
    return (first_integer(rare, 1, n + 1) - 0.5) / n


@lru_cache
def extreme_bounds(n: int, alpha: float) -> tuple[float, float]:
    """The interval of the largest of n numbers abs(N(0, 1)): P(max <= r) = (2 Phi(r) - 1)^n, alpha / 2 at each end."""
    low = -special.ndtri(-math.expm1(math.log(alpha / 2) / n) / 2)
    high = -special.ndtri(-math.expm1(math.log1p(-alpha / 2) / n) / 2)
    return float(low), float(high)


def bounded_mean_bound(
    n: int, expected: float, *, low: float, high: float, variance: float | None, alpha: float
) -> float:
    """t with P(abs(average - expected) >= t) <= alpha for n independent values between low and high.

    Hoeffding (1963), theorem 2; with the variance also Bernstein's inequality (Boucheron, Lugosi & Massart 2013,
    corollary 2.11), whichever is sharper.
    """
    log = math.log(2 / alpha)
    hoeffding = (high - low) * math.sqrt(log / (2 * n))
    if variance is None:
        return hoeffding
    reach = max(high - expected, expected - low) * log / 3
    return min(hoeffding, (reach + math.sqrt(reach**2 + 2 * n * variance * log)) / n)


# Distribution functions for `assert_distribution`.


def normal_cdf(mean: float = 0.0, std: float = 1.0) -> Callable[[Array], Array]:
    """The distribution function of N(mean, std^2)."""
    return lambda x: np.asarray(special.ndtr((x - mean) / std), dtype=np.float64)


def gamma_cdf(shape: float = 1.0, scale: float = 1.0) -> Callable[[Array], Array]:
    """The distribution function of Gamma(shape, scale): exponential for shape 1; mean shape * scale.

    The average of k exponential numbers of mean 1 is Gamma(k, 1 / k).
    """
    return lambda x: np.asarray(special.gammainc(shape, np.maximum(x, 0.0) / scale), dtype=np.float64)


def uniform_cdf(low: float = 0.0, high: float = 1.0) -> Callable[[Array], Array]:
    """The distribution function of the uniform distribution between low and high."""
    return lambda x: np.clip((x - low) / (high - low), 0.0, 1.0)
