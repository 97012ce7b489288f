"""Public tests of lib/distributions.py: shapes, order, and the first properties of the laws.

Run them with: python -m tests.test_distributions
"""

from __future__ import annotations

import numpy as np

from gapcheck import (
    assert_array,
    assert_close,
    assert_independent_calls,
    assert_irwin_hall,
    assert_normal,
    probe,
    run_alone,
    task,
)


@probe
def clt_draws(n_repetitions: int, sample_sizes: list[int], seed: int) -> tuple[object, object]:
    """What plot_clt returns without drawing."""
    from lib.distributions import plot_clt

    np.random.seed(seed)
    return plot_clt(n_repetitions=n_repetitions, sample_sizes=sample_sizes, plot=False)


@probe
def standard_draws(counts: list[int], seed: int) -> list[object]:
    """One call of std_normal for each count."""
    from lib.distributions import std_normal

    np.random.seed(seed)
    return [std_normal(n_samples) for n_samples in counts]


@probe
def normal_draws(loc: float, scale: float, n_samples: int, seed: int) -> object:
    """One call of normal."""
    from lib.distributions import normal

    np.random.seed(seed)
    return normal(loc=loc, scale=scale, n_samples=n_samples)


@task("clt-limit", hint="Each size gives two arrays, exponential and then normal; a row is one sample of n draws.")
def test_samples_have_one_row_for_each_repetition(fresh_seed: int) -> None:
    samples, _ = clt_draws(n_repetitions=6, sample_sizes=[2, 5], seed=fresh_seed)
    assert type(samples) is list, f"all_samples should be a list of arrays, but a {type(samples).__name__} came back."
    assert len(samples) == 4, f"two sizes give 4 arrays of samples, but {len(samples)} came back."
    for sample, n in zip(samples, [2, 2, 5, 5], strict=True):
        assert_array(sample, (6, n), dtype=np.float64, what=f"an array of samples of size {n}")


@task("clt-limit", hint="Which axis holds the draws of one sample, and which one the repetitions?")
def test_means_are_taken_over_each_sample(fresh_seed: int) -> None:
    samples, means = clt_draws(n_repetitions=6, sample_sizes=[2, 6], seed=fresh_seed)
    assert type(means) is list, f"all_means should be a list of arrays, but a {type(means).__name__} came back."
    assert len(means) == 4, f"two sizes give 4 arrays of means, but {len(means)} came back."
    for sample, mean, n in zip(samples, means, [2, 2, 6, 6], strict=True):
        rows = assert_array(sample, (6, n), dtype=np.float64, what=f"an array of samples of size {n}")
        assert_array(mean, (6,), dtype=np.float64, what=f"an array of means of size {n}")
        assert_close(mean, rows.sum(axis=1) / n, rtol=1e-9, atol=1e-9, what=f"the means of size {n}")


@task("clt-limit", hint="The second array of a size holds normal draws with mean 1 and standard deviation 1.")
def test_normal_samples_have_mean_and_std_one(fresh_seed: int) -> None:
    samples, _ = clt_draws(n_repetitions=400, sample_sizes=[5], seed=fresh_seed)
    rows = assert_array(samples[1], (400, 5), dtype=np.float64, what="the normal samples")
    assert_normal(rows, mean=1.0, std=1.0, what="the normal samples")


@task("clt-normal", hint="The result has one axis with n_samples numbers, also when there is only one.")
def test_std_normal_returns_one_number_for_each_sample(fresh_seed: int) -> None:
    for n_samples, draws in zip([1, 3], standard_draws(counts=[1, 3], seed=fresh_seed), strict=True):
        assert_array(draws, (n_samples,), dtype=np.float64, what=f"std_normal({n_samples})")


@task("clt-normal", hint="What is the variance of a uniform number on (-b, b), and what that of a mean of m of them?")
def test_std_normal_has_mean_zero_and_std_one(fresh_seed: int) -> None:
    (draws,) = standard_draws(counts=[1800], seed=fresh_seed)
    assert_array(draws, (1800,), dtype=np.float64, what="std_normal(1800)")
    assert_irwin_hall(draws, 1024, what="std_normal")


@task("clt-normal", hint="Each call draws numbers of its own: no seed is set and nothing is kept between calls.")
def test_std_normal_draws_new_numbers_at_each_call(fresh_seed: int) -> None:
    first, second = standard_draws(counts=[300, 300], seed=fresh_seed)
    assert_array(first, (300,), dtype=np.float64, what="std_normal(300)")
    assert_array(second, (300,), dtype=np.float64, what="std_normal(300)")
    assert_independent_calls(first, second, what="std_normal")


@task("clt-normal", hint="loc moves the numbers; scale stretches them and is a standard deviation.")
def test_normal_has_the_requested_mean_and_std(fresh_seed: int) -> None:
    draws = normal_draws(loc=2.0, scale=3.0, n_samples=800, seed=fresh_seed)
    draws = assert_array(draws, (800,), dtype=np.float64, what="normal(2, 3, 800)")
    assert_irwin_hall((draws - 2.0) / 3.0, 1024, what="(normal(2, 3) - 2) / 3")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
