"""The laws behind the statistical assertions, against scipy.stats, enumeration and integer arithmetic."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from gapcheck import gamma_cdf, irwin_hall_cdf, laws, normal_cdf, uniform_cdf
from gapcheck.distributions import NORMAL_EDGES
from gapcheck.irwin_hall import irwin_hall_bins, mean_bound, square_bounds

SMALL = (1e-2, 1e-6, 1e-10, 1e-12)


@pytest.mark.parametrize("alpha", SMALL)
def test_normal_and_chi2_quantiles_hold_far_out(alpha: float) -> None:
    assert laws.normal_bound(alpha) == pytest.approx(stats.norm.isf(alpha / 2), rel=1e-12)
    for n in (1, 2, 119, 5_366, 1_000_000):
        low, high = laws.chi2_bounds(n, alpha)
        assert stats.chi2.cdf(low, n) == pytest.approx(alpha / 2, rel=1e-6)
        assert stats.chi2.sf(high, n) == pytest.approx(alpha / 2, rel=1e-6)


@pytest.mark.parametrize("alpha", SMALL)
@pytest.mark.parametrize(("n", "p"), [(128, 0.5), (8_192, 0.00135), (8_192, 0.19), (1_000_000, 1e-7), (100, 0.0)])
def test_binomial_bounds_are_the_narrowest(n: int, p: float, alpha: float) -> None:
    low, high = laws.binomial_bounds(n, p, alpha)
    law = stats.binom(n, p)
    assert law.cdf(low - 1) <= alpha / 2 < law.cdf(low)
    assert law.sf(high) <= alpha / 2
    assert high == 0 or law.sf(high - 1) > alpha / 2


@pytest.mark.parametrize("alpha", SMALL)
def test_extremes_follow_their_exact_law(alpha: float) -> None:
    for n in (2, 471, 16_384):
        low, high = laws.extreme_bounds(n, alpha)
        assert n * math.log1p(-2 * stats.norm.sf(low)) == pytest.approx(math.log(alpha / 2), rel=1e-9)
        assert -math.expm1(n * math.log1p(-2 * stats.norm.sf(high))) == pytest.approx(alpha / 2, rel=1e-6)


def test_the_two_sample_bound_is_exact_by_enumeration() -> None:
    n, alpha = 8, 0.05
    gaps = []
    for chosen in itertools.combinations(range(2 * n), n):
        steps = np.full(2 * n, -1)
        steps[list(chosen)] = 1
        gaps.append(np.abs(np.cumsum(steps)).max() / n)
    bound = laws.two_sample_bound(n, n, alpha)
    assert np.mean(np.array(gaps) > bound) <= alpha < np.mean(np.array(gaps) > bound - 1 / n)


def exact_irwin_hall(m: int, fortieths: int) -> float:
    """P(sum of m uniform numbers on (0, 1) <= fortieths / 40) in integer arithmetic."""
    terms = ((-1) ** k * math.comb(m, k) * (fortieths - 40 * k) ** m for k in range(fortieths // 40 + 1))
    return float(Fraction(sum(terms), 40**m * math.factorial(m)))


@pytest.mark.parametrize("m", [1, 2, 3, 12, 24, 25, 26, 64, 150, 1024])
def test_the_irwin_hall_law_agrees_with_rational_arithmetic(m: int) -> None:
    reach = max(1, min(20, round(100 / math.sqrt(m))))  # beyond, some ten standard deviations out, all is 0 or 1
    fortieths = [m * (20 + k) for k in range(-reach, reach + 1)]
    z = np.array([(x / 40 - m / 2) * math.sqrt(12 / m) for x in fortieths])
    expected = [exact_irwin_hall(m, x) for x in fortieths]
    np.testing.assert_allclose(irwin_hall_cdf(m)(z), expected, rtol=0, atol=1e-12)


def test_the_irwin_hall_law_tends_to_the_normal_as_edgeworth_says() -> None:
    m, z = 1024, np.linspace(-4, 4, 81)
    correction = (z**3 - 3 * z) * stats.norm.pdf(z) / (20 * m)  # excess kurtosis -6 / 5m over -24
    np.testing.assert_allclose(irwin_hall_cdf(m)(z), stats.norm.cdf(z) + correction, rtol=0, atol=1e-6)
    assert sum(irwin_hall_bins(m, NORMAL_EDGES)) == pytest.approx(1, abs=1e-12)


def test_the_irwin_hall_inequalities_are_wider_than_the_law_they_bound() -> None:
    n, alpha = 500, 1e-2
    # the average of n averages of m is itself an average of n * m uniform numbers
    for m in (1, 2, 16):
        beyond = 2 * (1 - irwin_hall_cdf(n * m)(np.array([mean_bound(n, alpha) * math.sqrt(n)]))[0])
        assert beyond <= alpha
    low, high = square_bounds(n, 1024, alpha)  # for m to infinity the squares are chi2
    chi2_low, chi2_high = laws.chi2_bounds(n, alpha)
    assert low <= chi2_low < chi2_high <= high


def test_distribution_functions_agree_with_scipy() -> None:
    x = np.linspace(-3, 9, 25)
    np.testing.assert_allclose(normal_cdf(1, 2)(x), stats.norm.cdf(x, 1, 2), atol=1e-14)
    np.testing.assert_allclose(gamma_cdf(3, 0.5)(x), stats.gamma.cdf(x, 3, scale=0.5), atol=1e-14)
    np.testing.assert_allclose(uniform_cdf(-1, 4)(x), stats.uniform.cdf(x, -1, 5), atol=1e-14)
