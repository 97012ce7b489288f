"""The design of statistical tests: how many values for which discrepancy."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import special, stats

from gapcheck import laws, power, uniform_cdf
from gapcheck.distributions import NORMAL_EDGES, normal_bins


def test_the_numbers_of_the_design_hold() -> None:
    assert [power.samples_for_mean(delta) for delta in (1.0, 0.5, 0.1)] == [119, 473, 11_801]
    assert [power.samples_for_variance(ratio) for ratio in (math.e, 1 / math.e, 1 / 3, 0.81)] == [231, 250, 209, 5_366]
    assert power.samples_for_cdf(float(special.ndtr(-2.0))) == 68_764  # noise clipped at 2
    # exact, where ln(2 / alpha) / (2 Phi(-2)) says 471
    assert power.samples_for_extremes(2.0) == 460
    # ((6.11 + 4.75) / r)^2 leaves out that noise of correlation r varies less
    assert power.samples_for_correlation(0.1) == 11_775 <= power.samples_for_mean(0.1)


def wrong_bins(cdf: Callable[[np.ndarray], np.ndarray]) -> list[float]:
    return [float(p) for p in np.diff(np.concatenate([[0.0], cdf(np.array(NORMAL_EDGES)), [1.0]]))]


def test_bins_tell_laplace_and_uniform_noise_from_normal() -> None:
    laplace = wrong_bins(lambda x: stats.laplace.cdf(x, scale=math.sqrt(0.5)))
    unit_variance = wrong_bins(uniform_cdf(-math.sqrt(3), math.sqrt(3)))
    assert power.samples_for_bins(laplace, normal_bins()) == 8_192
    assert power.samples_for_bins(unit_variance, normal_bins()) == 2_048
    assert power.samples_for_bins(wrong_bins(uniform_cdf()), normal_bins()) == 128  # rand for randn


def test_what_is_detectable_is_the_inverse_of_the_samples_needed() -> None:
    assert power.smallest_detectable_mean(power.samples_for_mean(0.5)) == pytest.approx(0.5, rel=1e-2)
    assert power.smallest_detectable_correlation(power.samples_for_correlation(0.5)) == pytest.approx(0.5, rel=1e-2)
    assert power.smallest_detectable_correlation(20) == math.inf
    assert power.smallest_detectable_cdf(power.samples_for_cdf(0.05)) == pytest.approx(0.05, rel=1e-3)
    assert power.smallest_detectable_extremes(power.samples_for_extremes(2.0)) == pytest.approx(2.0, rel=1e-3)
    below, above = power.smallest_detectable_variance(5_366)
    assert below == pytest.approx(0.81, rel=1e-3)
    assert power.samples_for_variance(above) == pytest.approx(5_366, rel=1e-2)
    low, high = power.smallest_detectable_bin(8_192, 0.1, 14)
    allowed = laws.binomial_bounds(8_192, 0.1, laws.ALPHA / 14)
    assert stats.binom.sf(allowed[0] - 1, 8_192, low) == pytest.approx(laws.BETA, rel=1e-6)
    assert stats.binom.cdf(allowed[1], 8_192, high) == pytest.approx(laws.BETA, rel=1e-6)
    assert power.smallest_detectable_bin(10, 0.1, 14)[0] == 0.0


def test_no_discrepancy_has_no_number_of_samples() -> None:
    with pytest.raises(ValueError, match="no discrepancy"):
        power.samples_for_variance(1.0)
    with pytest.raises(ValueError, match="right ones"):
        power.samples_for_bins(normal_bins(), normal_bins())
