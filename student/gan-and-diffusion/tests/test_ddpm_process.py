"""Public tests of the embedding, the schedules and the process: python -m tests.test_ddpm_process"""

import math

import torch
from torch import Tensor

from gapcheck import assert_between, assert_close, assert_tensor, probe, run_alone, task


@probe
def embedding(t: Tensor, size: int) -> object:
    from lib.ddpm.embedding import time_embedding

    return time_embedding(t, size)


@probe
def betas_of(kind: str, steps: int) -> object:
    from lib.ddpm import schedule

    return getattr(schedule, kind)(steps)


@probe
def schedule_of(betas: Tensor) -> list[object]:
    from lib.ddpm.schedule import make_schedule

    return list(make_schedule(betas))


@probe
def there_and_back(values: list[Tensor], x_0: Tensor, t: Tensor, noise: Tensor) -> tuple[object, object]:
    """x_t, and x_0 found again from it."""
    from lib.ddpm.process import predict_x_0, q_sample
    from lib.ddpm.schedule import Schedule

    schedule = Schedule(*values)
    x_t = q_sample(x_0, t, noise, schedule)
    return x_t, predict_x_0(x_t, t, noise, schedule)


@probe
def picked(values: Tensor, t: Tensor, x: Tensor) -> object:
    from lib.ddpm.process import pick

    return pick(values, t, x)


@probe
def posterior(values: list[Tensor], x_0: Tensor, x_t: Tensor, t: Tensor) -> tuple[object, object]:
    from lib.ddpm.process import posterior_mean, posterior_variance
    from lib.ddpm.schedule import Schedule

    schedule = Schedule(*values)
    return posterior_mean(x_0, x_t, t, schedule), posterior_variance(x_t, t, schedule)


# alpha is 1/2 at every step, so the posterior can be computed by hand
HALVES = [torch.full((3,), 0.5), torch.full((3,), 0.5), torch.tensor([0.5, 0.25, 0.125]), torch.tensor([1, 0.5, 0.25])]


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@task(
    "ddpm-embedding", hint="The first half holds the sines, the second the cosines; w_0 = 1, and w_1 = 1/100 for h = 2."
)
def test_embedding_of_two_steps() -> None:
    found = assert_tensor(embedding(torch.tensor([0, 3]), 4), (2, 4), what="the embedding")
    expected = [[0.0, 0.0, 1.0, 1.0], [math.sin(3), math.sin(0.03), math.cos(3), math.cos(0.03)]]
    assert_close(found, torch.tensor(expected), what="the embedding")


@task("ddpm-schedule", hint="For T = 1000 the factor 1000 / T is 1.")
def test_linear_betas_of_1000_steps_are_those_of_the_paper() -> None:
    found = assert_tensor(betas_of("linear_betas", 1000), (1000,), what="the linear betas")
    assert_close(found[0], 1e-4, atol=1e-8, what="the first linear beta")
    assert_close(found[-1], 0.02, what="the last linear beta")


@task("ddpm-schedule", hint="A beta lies between 0 and 0.999, and with the cosine each is larger than the one before.")
def test_cosine_betas_grow_to_their_bound() -> None:
    found = assert_tensor(betas_of("cosine_betas", 50), (50,), what="the cosine betas")
    assert_between(found, 0.0, 0.999 + 1e-6, "the cosine betas")
    assert bool((found.diff() > 0).all()), "a cosine beta is not larger than the one before it."
    assert_close(found[-1], 0.999, what="the last cosine beta")


@task("ddpm-schedule", hint="alpha_bar is a product that has one factor more at each step.")
def test_schedule_of_three_halves() -> None:
    for name, found, wanted in zip(
        ("betas", "alphas", "alpha_bars", "before"), schedule_of(HALVES[0]), HALVES, strict=True
    ):
        assert_close(assert_tensor(found, (3,), what=name), wanted, what=name)


@task("ddpm-forward", hint="As many axes as the pictures have, and all but the first of length 1.")
def test_pick_gives_a_column_for_pictures(fresh_seed: int) -> None:
    result = picked(HALVES[2], torch.tensor([2, 0]), drawn(fresh_seed, 2, 1, 4, 4))
    assert_close(assert_tensor(result, (2, 1, 1, 1), what="what pick returns").flatten(), torch.tensor([0.125, 0.5]))


@task("ddpm-forward", hint="predict_x_0 undoes q_sample, if the noise is the same.")
def test_noisy_and_clean_pictures_lead_to_each_other(fresh_seed: int) -> None:
    x_0, noise, t = drawn(fresh_seed, 3, 1, 4, 4), drawn(fresh_seed + 1, 3, 1, 4, 4), torch.tensor([0, 1, 2])
    x_t, again = there_and_back(HALVES, x_0, t, noise)
    found = assert_tensor(x_t, (3, 1, 4, 4), what="x_t")
    assert_close(found[1], 0.5 * x_0[1] + 0.75**0.5 * noise[1], what="x_t for alpha_bar = 1/4")
    assert_close(assert_tensor(again, (3, 1, 4, 4), what="x_0"), x_0, atol=1e-4, what="x_0")


@task("ddpm-posterior", hint="With alpha = 1/2: at t = 1 put the numbers 1/2, 1/4 and 1/2 into the formulas.")
def test_posterior_at_the_first_two_steps(fresh_seed: int) -> None:
    x_0, x_t = drawn(fresh_seed, 2, 1, 4, 4), drawn(fresh_seed + 1, 2, 1, 4, 4)
    mean, variance = posterior(HALVES, x_0, x_t, torch.tensor([0, 1]))
    found = assert_tensor(mean, (2, 1, 4, 4), what="the mean")
    assert_close(found[0], x_0[0], what="the mean at t = 0")
    assert_close(found[1], 0.5**0.5 * 2 / 3 * (x_0[1] + x_t[1]), atol=1e-4, what="the mean at t = 1")
    found = assert_tensor(variance, (2, 1, 1, 1), what="the variance")
    assert_close(found.flatten(), torch.tensor([0.0, 1 / 3]), what="the variance at t = 0 and 1")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
