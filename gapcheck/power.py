"""How many values an assertion needs for a discrepancy, and which discrepancy it detects with n values.

`samples_for_...` says at which n a wrong sample is caught in all but beta of the runs while correct ones fail in at most
alpha; `smallest_detectable_...` is its inverse. The pattern is that of TensorFlow Probability's statistical_testing.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from gapcheck.laws import ALPHA, BETA


def samples_for_mean(delta: float, alpha: float = ALPHA, beta: float = BETA) -> int:
    """n at which `assert_mean` detects a mean that is off by delta standard deviations."""
    raise NotImplementedError


def smallest_detectable_mean(n: int, alpha: float = ALPHA, beta: float = BETA) -> float:
    """The shift, in standard deviations, that `assert_mean` detects with n values."""
    raise NotImplementedError


def samples_for_variance(ratio: float, alpha: float = ALPHA, beta: float = BETA) -> int:
    """n at which `assert_variance` detects a variance of ratio times the expected one."""
    raise NotImplementedError


def smallest_detectable_variance(n: int, alpha: float = ALPHA, beta: float = BETA) -> tuple[float, float]:
    """The ratios (below 1, above 1) beyond which `assert_variance` detects a wrong variance with n values."""
    raise NotImplementedError


def samples_for_correlation(r: float, alpha: float = ALPHA, beta: float = BETA) -> int:
    """n at which `assert_uncorrelated` detects normal samples of correlation r."""
    raise NotImplementedError


def smallest_detectable_correlation(n: int, alpha: float = ALPHA, beta: float = BETA) -> float:
    """The correlation that `assert_uncorrelated` detects with n pairs."""
    raise NotImplementedError


def samples_for_bins(
    wrong: Sequence[float], probabilities: Sequence[float], alpha: float = ALPHA, beta: float = BETA
) -> int:
    """The smallest power of two at which one bin of `assert_bins` alone detects the wrong probabilities."""
    raise NotImplementedError


def smallest_detectable_bin(
    n: int, probability: float, bins: int, alpha: float = ALPHA, beta: float = BETA
) -> tuple[float, float]:
    """The probabilities (below, above) beyond which one of so many bins is detected with n values."""
    raise NotImplementedError


def samples_for_extremes(clip: float, alpha: float = ALPHA) -> int:
    """n at which `assert_extremes` detects noise that never exceeds `clip`, with certainty."""
    raise NotImplementedError


def smallest_detectable_extremes(n: int, alpha: float = ALPHA) -> float:
    """The largest clip of the noise that `assert_extremes` detects with n values."""
    raise NotImplementedError


def samples_for_cdf(gap: float, alpha: float = ALPHA, beta: float = BETA) -> int:
    """n at which `assert_distribution` detects a distribution function that is off by gap somewhere."""
    raise NotImplementedError


def smallest_detectable_cdf(n: int, alpha: float = ALPHA, beta: float = BETA) -> float:
    """The distance of distribution functions that `assert_distribution` detects with n values."""
    raise NotImplementedError
