"""Embedding, schedules, the forward process and the posterior: every formula computed anew in float64.

Steep schedules are used, with which an index that is off by one shows in a single call.
"""

import math

import torch
from torch import Tensor

from gapcheck import assert_between, assert_close, assert_equal, assert_tensor, assert_unchanged, probe, task


@probe
def embeddings(steps: list[Tensor], sizes: list[int]) -> list[object]:
    from lib.ddpm.embedding import time_embedding

    return [time_embedding(t, size) for t, size in zip(steps, sizes, strict=True)]


@probe
def betas_of(kind: str, arguments: list[tuple[float, ...]]) -> list[object]:
    from lib.ddpm import schedule

    return [getattr(schedule, kind)(int(first), *rest) for first, *rest in arguments]


@probe
def schedule_of(betas: Tensor) -> tuple[list[object], Tensor]:
    from lib.ddpm.schedule import make_schedule

    schedule = make_schedule(betas)
    return [schedule.betas, schedule.alphas, schedule.alpha_bars, schedule.alpha_bars_before], betas


@probe
def process(name: str, values: list[Tensor], pictures: list[Tensor], t: Tensor) -> tuple[object, list[Tensor]]:
    """What a function of the process returns, and its arguments afterwards."""
    from lib.ddpm import process
    from lib.ddpm.schedule import Schedule

    schedule = Schedule(*values)
    if name == "pick":
        result = process.pick(values[2], t, pictures[0])
    elif name in ("q_sample", "predict_x_0"):
        result = getattr(process, name)(pictures[0], t, pictures[1], schedule)
    elif name == "posterior_mean":
        result = process.posterior_mean(pictures[0], pictures[1], t, schedule)
    else:
        result = process.posterior_variance(pictures[0], t, schedule)
    return result, [*values, *pictures, t]


# ---------------------------------------------------------------- what stays outside


def drawn(seed: int, *shape: int) -> Tensor:
    """Normal numbers of this seed, not centred at zero."""
    return 1 + 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def random_schedule(seed: int, steps: int = 6) -> list[Tensor]:
    """betas, alphas, alpha_bars, alpha_bars_before in float64, with large and uneven betas."""
    betas = 0.1 + 0.6 * torch.rand(steps, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    alpha_bars = (1 - betas).cumprod(0)
    return [betas, 1 - betas, alpha_bars, torch.cat([torch.ones(1), alpha_bars[:-1]])]


def single(values: list[Tensor]) -> list[Tensor]:
    return [value.float() for value in values]


def spread(values: Tensor, like: Tensor) -> Tensor:
    """(N,) as (N, 1, ..., 1)."""
    return values.reshape(-1, *[1] * (like.ndim - 1))


# Pictures of several shapes: N equals a later axis, so a wrong broadcast shows in values and not as an error.
SHAPES = ((4, 3, 5, 4), (6, 6), (3, 2, 3))


def case(seed: int, shape: tuple[int, ...]) -> tuple[list[Tensor], Tensor, Tensor, Tensor]:
    """A schedule, two batches of pictures, and a step for each picture: the first and the last are among them."""
    source = torch.Generator().manual_seed(seed)
    t = torch.cat([torch.tensor([0, 5]), torch.randint(0, 6, (shape[0] - 2,), generator=source)])
    return random_schedule(seed), drawn(seed + 1, *shape), drawn(seed + 2, *shape), t


# ---------------------------------------------------------------- the embedding


def expected_embedding(t: Tensor, size: int) -> Tensor:
    frequencies = 10_000.0 ** (-torch.arange(size // 2, dtype=torch.float64) / (size // 2))
    angles = t.double()[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


@task("ddpm-embedding", hint="All sines first, then all cosines; the frequencies fall from 1 as powers of 10000.")
def test_embedding_has_the_values_of_its_formula(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    steps = [torch.randint(0, 200, (n,), generator=source) for n in (5, 4, 1)] + [torch.tensor([0, 199])]
    sizes = [8, 4, 2, 32]
    for t, size, found in zip(steps, sizes, embeddings(steps, sizes), strict=True):
        result = assert_tensor(found, (len(t), size), dtype=torch.float32, what="the embedding")
        assert_close(result, expected_embedding(t, size), atol=1e-4, what="the embedding")


@task("ddpm-embedding", hint="Steps may be numbers with a fraction, too: nothing may round them.")
def test_embedding_takes_steps_that_are_no_integers(fresh_seed: int) -> None:
    t = 50 * torch.rand(5, generator=torch.Generator().manual_seed(fresh_seed))
    (found,) = embeddings([t], [16])
    result = assert_tensor(found, (5, 16), dtype=torch.float32, what="the embedding")
    assert_close(result, expected_embedding(t, 16), atol=1e-4, what="the embedding")


@task("ddpm-embedding", hint="The networks compute in float32, whatever numbers the steps are: convert them first.")
def test_embedding_is_float32_whatever_numbers_the_steps_are(fresh_seed: int) -> None:
    whole = torch.randint(0, 200, (4,), generator=torch.Generator().manual_seed(fresh_seed))
    for found in embeddings([whole, whole.int(), whole.double()], [8, 8, 8]):
        result = assert_tensor(found, (4, 8), dtype=torch.float32, what="the embedding")
        assert_close(result, expected_embedding(whole, 8), atol=1e-4, what="the embedding")


@task("ddpm-embedding", hint="Sines and cosines of one angle: their squares add up to 1.")
def test_sines_and_cosines_of_an_embedding_have_the_same_angles(fresh_seed: int) -> None:
    t = torch.randint(1, 1000, (7,), generator=torch.Generator().manual_seed(fresh_seed))
    (found,) = embeddings([t], [20])
    sines, cosines = assert_tensor(found, (7, 20), what="the embedding").chunk(2, dim=1)
    assert_close(sines**2 + cosines**2, torch.ones(7, 10), atol=1e-4, what="sine squared plus cosine squared")
    assert_close(cosines[:, 0], t.double().cos(), atol=1e-3, what="the cosine of the highest frequency")


# ---------------------------------------------------------------- the schedules


@task("ddpm-schedule", hint="Both ends belong to the betas, and both are multiplied by 1000 / T.")
def test_linear_betas_have_the_values_of_their_formula() -> None:
    arguments = [(1000,), (200,), (50,), (2,)]
    for (steps,), found in zip(arguments, betas_of("linear_betas", arguments), strict=True):
        t = torch.arange(steps, dtype=torch.float64)
        expected = (1000 / steps * (1e-4 + (0.02 - 1e-4) * t / (steps - 1))).clamp(max=0.999)
        result = assert_tensor(found, (steps,), dtype=torch.float32, what=f"the linear betas of {steps} steps")
        assert_close(result, expected, atol=1e-6, what=f"the linear betas of {steps} steps")


@task("ddpm-schedule", hint="A step must keep something: no beta is larger than 0.999.")
def test_no_beta_is_larger_than_its_bound() -> None:
    for kind in ("linear_betas", "cosine_betas"):
        for found in betas_of(kind, [(2,), (10,), (100,)]):
            assert_between(assert_tensor(found, (None,), what=kind), 0.0, 0.999 + 1e-6, kind)
            assert_close(found[-1], 0.999 if kind == "cosine_betas" or len(found) < 20 else 0.2, what="the last beta")


@task("ddpm-schedule", hint="beta_t compares f at both ends of step t: t + 1 over t; the offset stands twice in f.")
def test_cosine_betas_have_the_values_of_their_formula() -> None:
    arguments = [(1000,), (50,), (7,), (20, 0.1)]
    for (steps, *offset), found in zip(arguments, betas_of("cosine_betas", arguments), strict=True):
        s = offset[0] if offset else 0.008
        f = [math.cos((u / steps + s) / (1 + s) * math.pi / 2) ** 2 for u in range(int(steps) + 1)]
        expected = torch.tensor([min(1 - f[t + 1] / f[t], 0.999) for t in range(int(steps))], dtype=torch.float64)
        result = assert_tensor(found, (int(steps),), dtype=torch.float32, what=f"the cosine betas of {steps} steps")
        assert_close(result, expected, rtol=2e-2, atol=1e-6, what=f"the cosine betas of {steps} steps")


@task("ddpm-schedule", hint="alpha_bar_t is a product of t + 1 factors; before the first step nothing is lost.")
def test_schedule_holds_the_products_of_the_alphas(fresh_seed: int) -> None:
    for steps in (6, 1):
        expected = random_schedule(fresh_seed, steps)
        given = expected[0].float()
        values, after = schedule_of(given)
        assert_unchanged(given, after, "the betas")
        names = ("betas", "alphas", "alpha_bars", "alpha_bars_before")
        for name, found, wanted in zip(names, values, expected, strict=True):
            result = assert_tensor(found, (steps,), dtype=torch.float32, what=name)
            assert_close(result, wanted, what=name)


# ---------------------------------------------------------------- the forward process


@task(
    "ddpm-forward", hint="One factor for each picture: a shape with as many axes as the pictures, all but the first 1."
)
def test_pick_gives_one_value_a_picture_in_a_shape_that_broadcasts(fresh_seed: int) -> None:
    for shape in (*SHAPES, (2,)):
        values, x, _, t = case(fresh_seed, shape)
        result, _ = process("pick", single(values), [x], t)
        found = assert_tensor(result, (shape[0], *[1] * (len(shape) - 1)), what="what pick returns")
        assert_close(found, spread(values[2][t], x), what="what pick returns")


@task(
    "ddpm-forward", hint="Square roots of alpha_bar_t and of 1 - alpha_bar_t, each picture with those of its own step."
)
def test_noisy_pictures_mix_data_and_noise_by_the_formula(fresh_seed: int) -> None:
    for shape in SHAPES:
        values, x_0, noise, t = case(fresh_seed, shape)
        result, _ = process("q_sample", single(values), [x_0, noise], t)
        alpha_bar = spread(values[2][t], x_0)
        expected = alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * noise
        assert_close(assert_tensor(result, shape, what="x_t"), expected, what="x_t")


@task("ddpm-forward", hint="Solve x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) noise for x_0; clip nothing.")
def test_clean_pictures_are_found_again_from_the_noise(fresh_seed: int) -> None:
    for shape in SHAPES:
        values, x_t, noise, t = case(fresh_seed, shape)
        result, _ = process("predict_x_0", single(values), [x_t, noise], t)
        alpha_bar = spread(values[2][t], x_t)
        expected = (x_t - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
        assert_close(assert_tensor(result, shape, what="x_0"), expected, rtol=1e-3, atol=1e-3, what="x_0")


# ---------------------------------------------------------------- the posterior


@task("ddpm-posterior", hint="Which of alpha, alpha_bar and alpha_bar_{t-1} stands where? Mind the square roots.")
def test_posterior_mean_has_the_values_of_its_formula(fresh_seed: int) -> None:
    for shape in SHAPES:
        values, x_0, x_t, t = case(fresh_seed, shape)
        result, _ = process("posterior_mean", single(values), [x_0, x_t], t)
        betas, alphas, alpha_bars, before = (spread(value[t], x_t) for value in values)
        of_x_0 = before.sqrt() * betas / (1 - alpha_bars)
        of_x_t = alphas.sqrt() * (1 - before) / (1 - alpha_bars)
        expected = of_x_0 * x_0 + of_x_t * x_t
        assert_close(assert_tensor(result, shape, what="the mean"), expected, atol=1e-4, what="the mean")


@task("ddpm-posterior", hint="Before the first step there is no noise: the mean is x_0 and the variance 0.")
def test_posterior_of_the_first_step_is_the_data(fresh_seed: int) -> None:
    values, x_0, x_t, _ = case(fresh_seed, (4, 2, 3))
    t = torch.zeros(4, dtype=torch.long)
    mean, _ = process("posterior_mean", single(values), [x_0, x_t], t)
    assert_close(assert_tensor(mean, (4, 2, 3), what="the mean"), x_0, atol=1e-5, what="the mean at t = 0")
    variance, _ = process("posterior_variance", single(values), [x_t], t)
    found = assert_tensor(variance, (4, 1, 1), what="the variance")
    assert_close(found, torch.zeros(4, 1, 1), atol=1e-7, what="the variance at t = 0")


@task("ddpm-posterior", hint="The variance is beta_t times a share below 1; one number a picture, not its square root.")
def test_posterior_variance_has_the_values_of_its_formula(fresh_seed: int) -> None:
    for shape in SHAPES:
        values, x_t, _, t = case(fresh_seed, shape)
        result, _ = process("posterior_variance", single(values), [x_t], t)
        betas, _, alpha_bars, before = (spread(value[t], x_t) for value in values)
        found = assert_tensor(result, (shape[0], *[1] * (len(shape) - 1)), what="the variance")
        assert_close(found, (1 - before) / (1 - alpha_bars) * betas, what="the variance")


@task("ddpm-posterior", hint="One step forward and Bayes' rule must give the same: check with x_t made from x_0.")
def test_posterior_is_consistent_with_one_step_forward(fresh_seed: int) -> None:
    # q(x_{t-1} | x_0) has the mean sqrt(alpha_bar_{t-1}) x_0, and so has the posterior mean averaged over x_t
    values, x_0, _, t = case(fresh_seed, (6, 2))
    centre = spread(values[2][t], x_0).sqrt() * x_0
    mean, _ = process("posterior_mean", single(values), [x_0, centre.float()], t)
    expected = spread(values[3][t], x_0).sqrt() * x_0
    assert_close(
        assert_tensor(mean, (6, 2), what="the mean"), expected, atol=1e-4, what="the mean at the centre of x_t"
    )


@task("ddpm-forward", hint="The functions of the process make new tensors; pictures and schedule are used again.")
def test_process_leaves_its_arguments_as_they_are(fresh_seed: int) -> None:
    values, first, second, t = case(fresh_seed, (4, 3))
    for name in ("pick", "q_sample", "predict_x_0", "posterior_mean", "posterior_variance"):
        given = [*single(values), first, second, t]
        _, after = process(name, single(values), [first.clone(), second.clone()], t.clone())
        assert_unchanged(given, after, f"an argument of {name}")
        assert_equal(len(after), 7, "the number of arguments")
