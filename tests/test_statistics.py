"""The statistical assertions: the derived rate of false failures, the promised power, and readable refusals."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import special

import gapcheck
from benchmarks.false_failures_assertions import BOUNDED, EXACT, measure
from gapcheck import (
    assert_bins,
    assert_distribution,
    assert_extremes,
    assert_gamma_mean,
    assert_independent_calls,
    assert_independent_rows_and_columns,
    assert_irwin_hall,
    assert_mean,
    assert_normal,
    assert_same_distribution,
    assert_sample_mean,
    assert_standard_normal,
    assert_std,
    assert_uncorrelated,
    assert_uniform,
    assert_variance,
    gamma_cdf,
    normal_cdf,
    power,
    standardised,
)
from gapcheck.distributions import NORMAL_EDGES, normal_bins


def refusal(check: Callable[..., object], *args: object, **kwargs: object) -> str:
    """The message with which an assertion fails."""
    with pytest.raises(AssertionError) as caught:
        check(*args, **kwargs)
    return str(caught.value)


# False failures


@pytest.mark.parametrize("name", EXACT | BOUNDED)
def test_correct_samples_fail_at_most_at_the_derived_rate(name: str) -> None:
    row = measure(name, runs=1_000, alpha=1e-2, seed=1)
    assert row.calibrated, row
    assert row.failed_by_default == 0


@pytest.mark.parametrize("name", EXACT)
def test_exact_laws_fail_exactly_at_the_derived_rate(name: str) -> None:
    row = measure(name, runs=1_000, alpha=0.2, seed=2)
    assert row.low > 100, "too few runs to tell"
    assert row.calibrated, row


# Power: wrong samples of the planned size are caught


def test_wrong_samples_of_the_planned_size_are_caught() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        for delta in (1.0, -0.5):
            values = rng.normal(3 + 2 * delta, 2, power.samples_for_mean(abs(delta)))
            assert f"standard deviations (allowed {'0.56' if delta == 1 else '0.28'}" in refusal(
                assert_mean, values, 3, 2
            )
        for ratio in (math.e, 1 / 3):
            values = rng.normal(3, math.sqrt(ratio), power.samples_for_variance(ratio))
            assert "times the expected one" in refusal(assert_variance, values, 1.0, mean=3)
            assert "times the expected one" in refusal(assert_std, values, 1.0, mean=3)
        u, w = rng.normal(size=(2, power.samples_for_correlation(0.5)))
        assert "are correlated" in refusal(assert_uncorrelated, u, 0.5 * u + math.sqrt(0.75) * w)
        clipped = rng.normal(size=power.samples_for_extremes(2.0)).clip(-2, 2)
        assert "clipped, or not normal?" in refusal(assert_extremes, clipped)
        assert "wrong shape" in refusal(assert_bins, rng.uniform(size=128), NORMAL_EDGES, normal_bins())
    clipped = rng.normal(size=power.samples_for_cdf(float(special.ndtr(-2.0)))).clip(-2, 2)
    assert "the distribution of the sample is wrong" in refusal(assert_distribution, clipped, normal_cdf())


WRONG_NOISE: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "shared by all rows": lambda rng: np.tile(rng.normal(size=128), (128, 1)),
    "shared by all columns": lambda rng: np.tile(rng.normal(size=(128, 1)), (1, 128)),
    "second half repeats the first": lambda rng: np.tile(rng.normal(size=(64, 128)), (2, 1)),
    "each row twice": lambda rng: np.repeat(rng.normal(size=(64, 128)), 2, axis=0),
    "columns repeat by halves": lambda rng: np.tile(rng.normal(size=(128, 64)), (1, 2)),
    "uniform": lambda rng: rng.uniform(-math.sqrt(3), math.sqrt(3), (128, 128)),
    "Laplace": lambda rng: rng.laplace(scale=math.sqrt(0.5), size=(128, 128)),
    "clipped at 2.5": lambda rng: rng.normal(size=(128, 128)).clip(-2.5, 2.5),
    "too wide": lambda rng: rng.normal(0, 1.1, (128, 128)),
    "shifted": lambda rng: rng.normal(0.1, 1, (128, 128)),
    "zero": lambda rng: np.zeros((128, 128)),
    "columns of different width": lambda rng: rng.normal(size=(128, 128)) * np.where(np.arange(128) < 64, 0.5, 1.3229),
    "half of it zero": lambda rng: rng.normal(size=(128, 128)) * (np.arange(128) < 64),
}


@pytest.mark.parametrize("name", WRONG_NOISE)
def test_wrong_noise_is_no_standard_normal_noise(name: str) -> None:
    rng = np.random.default_rng(5)
    for _ in range(10):
        assert "the noise" in refusal(assert_standard_normal, WRONG_NOISE[name](rng))


@pytest.mark.parametrize("name", list(WRONG_NOISE)[:5])
def test_repeated_rows_and_columns_are_named(name: str) -> None:
    message = refusal(assert_independent_rows_and_columns, WRONG_NOISE[name](np.random.default_rng(6)))
    assert "rows" in message or "columns" in message


@pytest.mark.parametrize("shape", [(2,), (3,), (2, 1), (1, 2), (3, 3), (5, 2, 2)])
def test_noise_of_any_shape_is_judged(shape: tuple[int, ...]) -> None:
    noise = np.random.default_rng(13).normal(size=shape)
    assert_standard_normal(noise)
    assert "the noise" in refusal(assert_standard_normal, 100 * noise)


def test_a_normal_sample_is_judged_element_by_element() -> None:
    rng = np.random.default_rng(7)
    mean, std = torch.tensor(rng.normal(size=(512, 1))), torch.tensor([[0.3, 0.9, 1.1, 1.5]])
    noise = torch.tensor(rng.normal(size=(512, 4)))
    assert_normal(mean + std * noise, mean, std)
    assert "standardised" in refusal(assert_normal, mean + std**2 * noise, mean, std)
    assert "should have shape (512, 4), but the shape is (512, 3)" in refusal(assert_normal, noise[:, :3], mean, std)


def test_two_calls_with_one_seed_are_the_same_however_few() -> None:
    noise = torch.randn(4, generator=torch.Generator().manual_seed(0))
    assert "is a seed set inside?" in refusal(assert_independent_calls, noise, noise.clone())
    long = np.random.default_rng(8).normal(size=200)
    assert "correlated" in refusal(assert_independent_calls, long, -long)
    assert "the shapes are" in refusal(assert_independent_calls, long, long[:100])


def test_a_uniform_sample_fills_its_range_evenly() -> None:
    rng = np.random.default_rng(9)
    assert_uniform(rng.uniform(-1, 1, 2_000).astype(np.float32), -1, 1)
    assert "should fill -1 ... 1" in refusal(assert_uniform, rng.uniform(-0.9, 1, 2_000), -1, 1)
    assert "should lie between -1 and 1" in refusal(assert_uniform, rng.uniform(-1, 1.1, 2_000), -1, 1)
    assert "distribution" in refusal(assert_uniform, 2 * rng.beta(0.7, 1, 2_000) - 1, -1, 1)


def clt_sample(rng: np.random.Generator, m: int, n: int = 8_192) -> np.ndarray:
    return np.mean([rng.uniform(-1, 1, n) for _ in range(m)], axis=0) * math.sqrt(3 * m)


def test_the_sampler_of_the_central_limit_theorem_is_judged_by_its_own_law() -> None:
    rng = np.random.default_rng(10)
    good = clt_sample(rng, 1024)
    assert_irwin_hall(good, 1024)
    for m in (1, 2):
        assert_irwin_hall(clt_sample(rng, m), m)
        assert "wrong shape" in refusal(assert_irwin_hall, clt_sample(rng, m), 1024)
    assert "should lie between -2.449 and 2.449" in refusal(assert_irwin_hall, good, 2)
    assert "the mean of" in refusal(assert_irwin_hall, good + 0.1, 1024)
    assert "the variance of" in refusal(assert_irwin_hall, good * 1.1, 1024)
    assert "the variance of" in refusal(assert_irwin_hall, good * 0.9, 1024)


def test_means_of_other_laws_have_bounds_of_their_own() -> None:
    rng = np.random.default_rng(11)
    exponential = rng.exponential(size=5_000)
    assert_gamma_mean(exponential)
    assert_distribution(exponential, gamma_cdf())
    assert "the mean of the sample is" in refusal(assert_gamma_mean, exponential * 1.2)
    assert "no negative value" in refusal(assert_gamma_mean, exponential - 0.5)
    coins = (rng.uniform(size=5_000) < 0.02).astype(np.float32)
    assert_sample_mean(coins, 0.02, low=0, high=1)
    assert "expected 0.05" in refusal(assert_sample_mean, coins, 0.05, low=0, high=1, variance=0.05)
    assert_sample_mean(coins, 0.05, low=0, high=1)  # Hoeffding, without the variance, does not see it
    assert "should lie between 0 and 0.5" in refusal(assert_sample_mean, coins, 0.02, low=0, high=0.5)


@pytest.mark.parametrize("size", [4_000, 3_000])
def test_two_samples_of_different_laws_are_told_apart(size: int) -> None:
    rng = np.random.default_rng(12)
    first = rng.normal(size=4_000)
    assert_same_distribution(first, rng.normal(size=size))
    assert "do not have one distribution" in refusal(assert_same_distribution, first, rng.normal(0.4, 1, size))


# What a probe may return instead of a sample

CHECKS: dict[str, Callable[[object], object]] = {
    "assert_mean": lambda x: assert_mean(x, 0, 1),
    "assert_std": lambda x: assert_std(x, 1.0),
    "assert_variance": lambda x: assert_variance(x, 1.0, mean=0),
    "assert_uncorrelated": lambda x: assert_uncorrelated(np.ones(3), x),
    "assert_independent_rows_and_columns": assert_independent_rows_and_columns,
    "assert_independent_calls": lambda x: assert_independent_calls(x, np.ones(3)),
    "assert_extremes": assert_extremes,
    "assert_standard_normal": assert_standard_normal,
    "assert_normal": lambda x: assert_normal(x, 0, 1),
    "assert_distribution": lambda x: assert_distribution(x, normal_cdf()),
    "assert_bins": lambda x: assert_bins(x, [0.0], [0.5, 0.5]),
    "assert_uniform": lambda x: assert_uniform(x, 0, 1),
    "assert_irwin_hall": lambda x: assert_irwin_hall(x, 12),
    "assert_gamma_mean": assert_gamma_mean,
    "assert_sample_mean": lambda x: assert_sample_mean(x, 0, low=-1, high=1),
    "assert_same_distribution": lambda x: assert_same_distribution(x, np.ones(3)),
}


def test_every_statistical_assertion_is_tested_with_nonsense() -> None:
    others = "array between close equal gradient gradient_flows no_gradient number reparameterised tensor unchanged"
    exported = {name for name in gapcheck.__all__ if name.startswith("assert_")}
    assert exported - {f"assert_{name}" for name in others.split()} == set(CHECKS)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "None (is there a return statement?) came back"),
        ("noise", "a str of length 5 came back"),
        ([0.1, 0.2], "a list of length 2 came back"),
        (0.5, "the float 0.5 came back"),
        (torch.tensor(0.5), "a single number without axes came back"),
        (torch.zeros(0), "shape (0,) holds 0"),
        (torch.tensor([1, 2]), "dtype torch.int64 came back"),
        (torch.tensor([0.5, math.nan, 0.1]), "1 of 3 values of"),
        (np.array([0.5, math.inf]), "are NaN or infinite"),
        (np.array([0.5, 1e300]), "are NaN or infinite"),
    ],
)
def test_nonsense_fails_readably(check: Callable[[object], object], value: object, said: str) -> None:
    assert said in refusal(check, value)


def test_a_defect_of_the_test_is_no_failure_of_the_student() -> None:
    sample = np.zeros(4)
    with pytest.raises(ValueError, match="positive"):
        standardised(sample, 0, 0)
    with pytest.raises(ValueError, match="needs the mean"):
        assert_std(sample, np.ones(4))
    with pytest.raises(ValueError, match="2 edges need 3 probabilities"):
        assert_bins(sample, [0, 1], [0.5, 0.5])


def test_a_batch_of_noise_is_judged_in_milliseconds() -> None:
    noise = torch.randn(128, 128, generator=torch.Generator().manual_seed(0))
    assert_standard_normal(noise)
    fastest = math.inf
    for _ in range(10):
        start = time.perf_counter()
        assert_standard_normal(noise)
        fastest = min(fastest, time.perf_counter() - start)
    assert fastest <= 0.005
