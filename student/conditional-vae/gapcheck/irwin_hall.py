"""The law of an average of m uniform numbers on (-b, b), b = sqrt(3 m): mean 0, variance 1, bounded by b.

Up to scale this is the Irwin-Hall distribution. It is what a sampler of normal numbers by the central limit theorem
draws from; it tends to N(0, 1) and never is it. The textbook's alternating sum loses all digits from m of some 30 on,
so the distribution function is computed here in two ways, with an absolute error below 1e-12. scipy.stats.irwinhall
agrees, but it would have to be imported.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from gapcheck.tensors import Array

_LARGEST_POLYNOMIAL = 24  # where both ways have errors below 1e-12


def irwin_hall_cdf(m: int) -> Callable[[Array], Array]:
    """The distribution function of the average of m uniform numbers on (-b, b), b = sqrt(3 m)."""
    return _polynomial_cdf(m) if m <= _LARGEST_POLYNOMIAL else _fourier_cdf(m)


def _polynomial_cdf(m: int) -> Callable[[Array], Array]:
    """F(x) = sum_k (-1)^k C(m, k) max(x - k, 0)^m / m! for the sum x of m numbers on (0, 1), used for x <= m / 2 only.

    In the left half the terms stay below 1e3 for m <= 24, so that their cancellation costs less than four digits.
    """
    weights = [(-1) ** k * math.comb(m, k) / math.factorial(m) for k in range(m // 2 + 1)]

    def cdf(z: Array) -> Array:
        x = np.clip((np.asarray(z) / math.sqrt(3 * m) + 1) * m / 2, 0.0, m)
        left = np.minimum(x, m - x)
        half: Array = np.zeros_like(left)
        for k, weight in enumerate(weights):
            half += weight * np.maximum(left - k, 0.0) ** m
        return np.where(x <= m / 2, half, 1 - half)

    return cdf


def _fourier_cdf(m: int) -> Callable[[Array], Array]:
    """F(z) = (z + b) / 2b + sum_k (sin(pi k / m) / (pi k / m))^m sin(pi k z / b) / (pi k), an identity on (-b, b).

    The density vanishes outside (-b, b), so its Fourier series of period 2b has the characteristic function as its
    coefficients. These are at most exp(-pi^2 k^2 / 6m) up to k = m (sin x / x <= exp(-x^2 / 6) on (0, pi)), and
    (m / pi k)^m beyond: what the sum leaves out is below exp(-40) log m + pi^-m / m < 1e-13 for m >= 25.
    """
    b = math.sqrt(3 * m)
    k = np.arange(1, math.ceil(math.sqrt(6 * m * 40) / math.pi) + 1)
    weights = np.sinc(k / m) ** m / (math.pi * k)

    def cdf(z: Array) -> Array:
        inside = np.clip(np.asarray(z, dtype=np.float64), -b, b)
        result: Array = (inside + b) / (2 * b)
        for frequency, weight in zip(math.pi * k / b, weights, strict=True):
            result += weight * np.sin(frequency * inside)
        return np.clip(result, 0.0, 1.0)

    return cdf


@lru_cache
def irwin_hall_bins(m: int, edges: tuple[float, ...]) -> tuple[float, ...]:
    """The probabilities of the bins between the edges, the unbounded outer ones included."""
    inner = irwin_hall_cdf(m)(np.asarray(edges, dtype=np.float64))
    return tuple(float(p) for p in np.diff(np.concatenate([[0.0], inner, [1.0]])).clip(0.0, 1.0))


def mean_bound(n: int, alpha: float) -> float:
    """t with P(abs(average of n) > t) <= alpha, for every m.

    A centred uniform number is strictly sub-Gaussian, sinh(x) / x <= exp(x^2 / 6), and so is a sum of independent ones:
    E exp(s z) <= exp(s^2 / 2), and Chernoff's bound gives 2 exp(-n t^2 / 2). At 1e-9 this is 7 % above the normal law.
    """
    return math.sqrt(2 * math.log(2 / alpha) / n)


def square_bounds(n: int, m: int, alpha: float) -> tuple[float, float]:
    """The interval that the sum of n squares leaves with probability at most alpha, half at each end.

    Above: strict sub-Gaussianity gives E exp(s z^2) <= (1 - 2s)^(-1/2), as for N(0, 1), so that the bound for chi2(n)
    of Laurent & Massart (2000, lemma 1) holds. Below: exp(-x) <= 1 - x + x^2 / 2 for x = s z^2 >= 0 and
    E z^4 = 3 - 6 / 5m give the bound exp(-t^2 / (2 n E z^4)) for n - t (Maurer 2003).
    """
    log = math.log(2 / alpha)
    fourth_moment = 3 - 6 / (5 * m)
    return n - math.sqrt(2 * n * fourth_moment * log), n + 2 * math.sqrt(n * log) + 2 * log
