"""Hidden tests of lib/distributions.py: what is drawn, how it is averaged, and the density of the limit."""

from __future__ import annotations

import math
from contextlib import ExitStack

import numpy as np

from gapcheck import (
    assert_array,
    assert_between,
    assert_close,
    assert_distribution,
    assert_gamma_mean,
    assert_independent_calls,
    assert_independent_rows_and_columns,
    assert_irwin_hall,
    assert_normal,
    probe,
    task,
)

N_UNIFORMS = 1024
PCG64_MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645  # M. E. O'Neill 2014, "PCG"; numpy's PCG64 uses it


@probe
def clt_draws(n_repetitions: int, sample_sizes: list[int], seed: int) -> tuple[object, object]:
    """What plot_clt returns without drawing."""
    from lib.distributions import plot_clt

    np.random.seed(seed)
    return plot_clt(n_repetitions=n_repetitions, sample_sizes=sample_sizes, plot=False)


@probe
def clt_lines(n_repetitions: int, sample_sizes: list[int], plot: bool, seed: int) -> list[list[tuple[object, object]]]:
    """The lines (x, y) in each axes of all figures that plot_clt leaves open."""
    import matplotlib.pyplot as plt

    from lib.distributions import plot_clt

    plt.switch_backend("Agg")
    plt.close("all")
    np.random.seed(seed)
    plot_clt(n_repetitions=n_repetitions, sample_sizes=sample_sizes, plot=plot)
    axes = [axes for number in plt.get_fignums() for axes in plt.figure(number).axes]
    lines = [[(np.array(line.get_xdata()), np.array(line.get_ydata())) for line in each.lines] for each in axes]
    plt.close("all")
    return lines


@probe
def standard_draws(counts: list[int], seed: int) -> list[object]:
    """One call of std_normal for each count, and one without arguments."""
    from lib.distributions import std_normal

    np.random.seed(seed)
    return [*[std_normal(n_samples) for n_samples in counts], std_normal()]


@probe
def normal_draws(loc: float, scale: float, n_samples: int, calls: int, seed: int) -> list[object]:
    """Several calls of normal with the same arguments, and one without arguments."""
    from lib.distributions import normal

    np.random.seed(seed)
    return [*[normal(loc=loc, scale=scale, n_samples=n_samples) for _ in range(calls)], normal()]


@probe
def draws_at_one_place(state: int, increment: int, loc: float, scale: float, n_samples: int) -> tuple[object, object]:
    """std_normal and normal while numpy's random bits are the same at each call: those of a PCG64 that stands still.

    Whatever function or generator of numpy is used, all its uniform numbers then lie at the same place between their
    bounds.
    """
    stream = np.random.PCG64()
    stream.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": increment},
        "has_uint32": 0,
        "uinteger": 0,
    }
    answers = {"default_rng": np.random.Generator(stream), "RandomState": np.random.RandomState(stream), "seed": None}
    answers |= dict.fromkeys(["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"], stream)
    with ExitStack() as restored:
        restored.callback(np.random.set_bit_generator, np.random.get_bit_generator())
        np.random.set_bit_generator(stream)
        for name, answer in answers.items():
            restored.callback(setattr, np.random, name, getattr(np.random, name))
            setattr(np.random, name, lambda *_, answer=answer, **__: answer)
        from lib.distributions import normal, std_normal

        return std_normal(n_samples), normal(loc, scale, n_samples)


def standing_stream(place: float) -> tuple[int, int, float]:
    """A PCG64 whose outputs are all the same.

    A step leads from state s to s * multiplier + increment (mod 2^128), so increment = s * (1 - multiplier) stays at s;
    the output of a state below 2^64 is the state itself. Both halves of the output are equal, so that single-precision
    numbers, which are made from a half, stand still too. The low bits let numpy's normal numbers, which may reject and
    draw again, end at the first try.

    Returns:
        state, increment: those of the generator. level: its uniform number on [0, 1), near `place`.
    """
    half = int(place * 2**32) & ~0xFF | 0x80
    state = half << 32 | half
    increment = state * (1 - PCG64_MULTIPLIER) % 2**128
    return state, increment, (state >> 11) * 2.0**-53


def both_sides(rng: np.random.Generator) -> list[float]:
    """A place below and one above the middle of [0, 1]."""
    return [float(rng.uniform(0.39, 0.43)), float(rng.uniform(0.57, 0.61))]


def size_pair(rng: np.random.Generator) -> list[int]:
    """Two sizes in no order, neither of them a default."""
    return [int(n) for n in rng.choice(np.arange(2, 15), size=2, replace=False)]


def normal_noise(exponential: np.ndarray) -> np.ndarray:
    """Exponential numbers as the standard normal numbers of the same quantiles."""
    from scipy.special import ndtri  # here, because the wall's other side imports what the module imports

    return -np.asarray(ndtri(np.exp(-exponential)))


def arrays_of(values: object, shapes: list[tuple[int, ...]], what: str) -> list[np.ndarray]:
    """A list of float64 arrays of these shapes."""
    assert type(values) is list, f"{what} should be a list of arrays, but a {type(values).__name__} came back."
    assert len(values) == len(shapes), f"{what} should hold {len(shapes)} arrays, but it holds {len(values)}."
    return [
        assert_array(v, s, dtype=np.float64, what=f"an array of {what}") for v, s in zip(values, shapes, strict=True)
    ]


@task("clt-limit", hint="n_repetitions rows and n columns; the sizes in the order given, exponential before normal.")
def test_samples_and_means_have_their_shapes_at_every_size(fresh_seed: int) -> None:
    sizes = [*size_pair(np.random.default_rng(fresh_seed)), 1]
    samples, means = clt_draws(n_repetitions=17, sample_sizes=sizes, seed=fresh_seed)
    arrays_of(samples, [(17, n) for n in sizes for _ in range(2)], "all_samples")
    arrays_of(means, [(17,)] * 6, "all_means")


@task("clt-limit", hint="Each mean belongs to one row of the samples that are returned beside it.")
def test_every_mean_is_that_of_its_own_sample(fresh_seed: int) -> None:
    sizes = [9, *size_pair(np.random.default_rng(fresh_seed))]
    samples, means = clt_draws(n_repetitions=9, sample_sizes=sizes, seed=fresh_seed)
    rows = arrays_of(samples, [(9, n) for n in sizes for _ in range(2)], "all_samples")
    for sample, mean in zip(rows, arrays_of(means, [(9,)] * 6, "all_means"), strict=True):
        assert_close(mean, sample.sum(axis=1) / sample.shape[1], rtol=1e-9, atol=1e-9, what="a mean")


@task(
    "clt-limit", hint="The first array of a size is exponential with rate 1, so its numbers are positive with mean 1."
)
def test_first_samples_of_a_size_are_exponential_with_rate_one(fresh_seed: int) -> None:
    samples, _ = clt_draws(n_repetitions=500, sample_sizes=[4, 16], seed=fresh_seed)
    for sample in arrays_of(samples, [(500, 4), (500, 4), (500, 16), (500, 16)], "all_samples")[::2]:
        assert_between(sample, 0.0, math.inf, what="the exponential samples")
        assert_gamma_mean(sample, what="the exponential samples")
        assert_distribution(sample, lambda x: -np.expm1(-x), what="the exponential samples")


@task("clt-limit", hint="The second array of a size is normal with mean 1 and standard deviation 1.")
def test_second_samples_of_a_size_are_normal_with_mean_and_std_one(fresh_seed: int) -> None:
    samples, _ = clt_draws(n_repetitions=500, sample_sizes=[4, 16], seed=fresh_seed)
    for sample in arrays_of(samples, [(500, 4), (500, 4), (500, 16), (500, 16)], "all_samples")[1::2]:
        assert_normal(sample, mean=1.0, std=1.0, what="the normal samples")


@task("clt-limit", hint="Every number is drawn anew: for each repetition, each size and each distribution.")
def test_samples_are_independent_of_each_other(fresh_seed: int) -> None:
    samples, _ = clt_draws(n_repetitions=40, sample_sizes=[20, 60], seed=fresh_seed)
    drawn = arrays_of(samples, [(40, 20), (40, 20), (40, 60), (40, 60)], "all_samples")
    noise = [normal_noise(x) if k % 2 == 0 else x - 1.0 for k, x in enumerate(drawn)]
    for e in noise:
        assert_independent_rows_and_columns(e, what="the samples of one size")
    assert_independent_calls(noise[0], noise[2][:, :20], what="the exponential samples of two sizes")
    assert_independent_calls(noise[1], noise[3][:, :20], what="the normal samples of two sizes")
    # the same numbers laid out in rows of another length: a seed that is set for each size
    assert_independent_calls(noise[0].ravel(), noise[2].ravel()[:800], what="the exponential samples of two sizes")
    assert_independent_calls(noise[0], noise[1], what="the exponential and the normal samples")


@task("clt-limit", hint="The mean of n draws spreads less than one draw; the theorem says by which factor.")
def test_density_of_the_limit_narrows_with_the_size(fresh_seed: int) -> None:
    sizes = [1, *size_pair(np.random.default_rng(fresh_seed))]
    axes = clt_lines(n_repetitions=8, sample_sizes=sizes, plot=True, seed=fresh_seed)
    assert len(axes) == 6, f"three sizes give 6 histograms, each in axes of its own, but there are {len(axes)} axes."
    left = [n for n in sizes for _ in range(2)]
    for lines in axes:
        assert len(lines) == 1, f"the density should be one line over its histogram, but there are {len(lines)} lines."
        fitting = [n for n in left if is_density_of_mean(*lines[0], n)]
        assert fitting, f"a line is the density of the limit at none of the sizes {sorted(set(left))} that remain."
        left.remove(fitting[0])


def is_density_of_mean(x: object, y: object, n: int) -> bool:
    """Whether a line is the density of N(1, 1 / n), its peak included."""
    x = assert_array(x, (None,), what="the line's x")
    y = assert_array(y, x.shape, what="the line's y")
    peak = math.sqrt(n / (2 * math.pi))
    return bool(np.allclose(y, peak * np.exp(-0.5 * n * (x - 1) ** 2), rtol=1e-6, atol=1e-9) and y.max() > 0.9 * peak)


@task("clt-limit", hint="Without plot, nothing is drawn.")
def test_nothing_is_drawn_without_plot(fresh_seed: int) -> None:
    axes = clt_lines(n_repetitions=3, sample_sizes=[2], plot=False, seed=fresh_seed)
    assert axes == [], f"no figure should be open after plot=False, but there are {len(axes)} axes."


@task("clt-normal", hint="The result has one axis with n_samples numbers, also when there is only one.")
def test_std_normal_returns_a_vector_of_every_length(fresh_seed: int) -> None:
    counts = [1, 7, 200]
    draws = standard_draws(counts=counts, seed=fresh_seed)
    for n_samples, drawn in zip([*counts, 1], draws, strict=True):
        assert_array(drawn, (n_samples,), dtype=np.float64, what="what std_normal returns")


@task("clt-normal", hint="One normal number is the mean of 1024 uniform numbers on (-b, b), and of nothing else.")
def test_std_normal_is_the_mean_of_1024_uniform_numbers(fresh_seed: int) -> None:
    bound = math.sqrt(3 * N_UNIFORMS)
    for place in both_sides(np.random.default_rng(fresh_seed)):
        state, increment, level = standing_stream(place)
        drawn, _ = draws_at_one_place(state, increment, loc=0.0, scale=1.0, n_samples=5)
        drawn = assert_array(drawn, (5,), dtype=np.float64, what="what std_normal returns")
        # the sign is free: a uniform number may as well be counted from the upper bound
        expected = np.full(5, abs(bound * (2 * level - 1)))
        assert_close(np.abs(drawn), expected, rtol=1e-5, atol=0.0, what="the mean of 1024 uniform numbers in one place")


@task("clt-normal", hint="What is the variance of a uniform number on (-b, b), and what that of a mean of m of them?")
def test_std_normal_has_the_law_of_the_mean(fresh_seed: int) -> None:
    drawn, _ = standard_draws(counts=[1800], seed=fresh_seed)
    assert_array(drawn, (1800,), dtype=np.float64, what="what std_normal returns")
    assert_irwin_hall(drawn, N_UNIFORMS, what="what std_normal returns")


@task("clt-normal", hint="Each normal number needs uniform numbers of its own, at each call anew.")
def test_std_normal_draws_independent_numbers(fresh_seed: int) -> None:
    first, second, _ = standard_draws(counts=[900, 900], seed=fresh_seed)
    first = assert_array(first, (900,), dtype=np.float64, what="what std_normal returns")
    second = assert_array(second, (900,), dtype=np.float64, what="what std_normal returns")
    assert_independent_rows_and_columns(first.reshape(30, 30), what="what one call of std_normal returns")
    assert_independent_calls(first, second, what="what two calls of std_normal return")


@task("clt-normal", hint="Stretch a standard normal number by the standard deviation, then move it by the mean.")
def test_normal_stretches_by_scale_and_moves_by_loc(fresh_seed: int) -> None:
    rng = np.random.default_rng(fresh_seed)
    bound = math.sqrt(3 * N_UNIFORMS)
    for place, sign in zip(both_sides(rng), [-1, 1], strict=True):
        state, increment, level = standing_stream(place)
        loc, scale = sign * float(rng.uniform(1.5, 5)), float(rng.uniform(1.5, 4))
        _, drawn = draws_at_one_place(state, increment, loc=loc, scale=scale, n_samples=3)
        drawn = assert_array(drawn, (3,), dtype=np.float64, what="what normal returns")
        expected = np.full(3, scale * abs(bound * (2 * level - 1)))
        assert_close(np.abs(drawn - loc), expected, rtol=1e-5, atol=0.0, what="the distance from loc")


@task(
    "clt-normal", hint="A standard deviation of 0 leaves only the mean; without arguments, one standard normal number."
)
def test_normal_returns_a_vector_and_allows_scale_zero(fresh_seed: int) -> None:
    loc = -float(np.random.default_rng(fresh_seed).uniform(1, 9))
    constant, single = normal_draws(loc=loc, scale=0.0, n_samples=7, calls=1, seed=fresh_seed)
    assert_array(constant, (7,), dtype=np.float64, what="what normal returns")
    assert_close(constant, np.full(7, loc), rtol=1e-12, atol=0.0, what="normal with scale 0")
    single = assert_array(single, (1,), dtype=np.float64, what="what normal() returns")
    assert_between(single, -math.sqrt(3 * N_UNIFORMS), math.sqrt(3 * N_UNIFORMS), what="normal()")


@task("clt-normal", hint="(values - mean) / standard deviation is standard normal, and new at each call.")
def test_normal_has_mean_and_std_at_each_call(fresh_seed: int) -> None:
    rng = np.random.default_rng(fresh_seed)
    loc, scale = -float(rng.uniform(1, 5)), float(rng.uniform(2, 4))
    *calls, _ = normal_draws(loc=loc, scale=scale, n_samples=900, calls=2, seed=fresh_seed)
    noise = [(assert_array(drawn, (900,), dtype=np.float64) - loc) / scale for drawn in calls]
    for e in noise:
        assert_irwin_hall(e, N_UNIFORMS, what="the standardised numbers")
        assert_independent_rows_and_columns(e.reshape(30, 30), what="the standardised numbers")
    assert_independent_calls(noise[0], noise[1], what="the numbers of two calls of normal")
