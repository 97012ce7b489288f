"""The schedules and the forward process, against formulas recomputed here."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from gapcheck import (
    assert_between,
    assert_close,
    assert_gradient,
    assert_independent_calls,
    assert_normal,
    assert_same_distribution,
    assert_standard_normal,
    assert_tensor,
    assert_unchanged,
    probe,
    task,
)

# With a steep schedule an index that is off by one shows in a single call.
STEEP = torch.tensor([0.97, 0.8, 0.5, 0.2, 0.03])


@probe
def schedule(name: str, diffusion_steps: int) -> tuple[Tensor, Tensor, Tensor]:
    from lib import utils

    return {"cosine": utils.cosine_schedule, "linear": utils.linear_schedule}[name](diffusion_steps)


@probe
def noised_at_all_steps(batch: Tensor, baralphas: Tensor) -> list[tuple[Tensor, Tensor]]:
    from lib.utils import add_noise

    return [add_noise(batch, t, baralphas) for t in range(len(baralphas))]


@probe
def noised(batch: Tensor, t: Tensor, baralphas: Tensor) -> tuple[Tensor, Tensor]:
    from lib.utils import add_noise

    return add_noise(batch, t, baralphas)


@probe
def noised_twice(batch: Tensor, t: int, baralphas: Tensor) -> tuple[Tensor, Tensor]:
    from lib.utils import add_noise

    return add_noise(batch, t, baralphas)[1], add_noise(batch, t, baralphas)[1]


@probe
def gradient_of_noised(batch: Tensor, t: Tensor, baralphas: Tensor, upstream: Tensor) -> Tensor | None:
    from lib.utils import add_noise

    points = batch.clone().requires_grad_()
    (add_noise(points, t, baralphas)[0] * upstream).sum().backward()
    return points.grad


@probe
def inputs_after_noising(batch: Tensor, t: Tensor, baralphas: Tensor) -> list[Tensor]:
    from lib.utils import add_noise

    add_noise(batch, t, baralphas)
    add_noise(batch, 1, baralphas)
    return [batch, t, baralphas]


def three_of(result: object, diffusion_steps: int) -> tuple[Tensor, Tensor, Tensor]:
    """baralphas, alphas, betas in float64, if the result is a schedule."""
    assert isinstance(result, tuple | list), "a schedule should be a tuple of three tensors: baralphas, alphas, betas."
    assert len(result) == 3, f"a schedule should be three tensors, baralphas, alphas, betas, but {len(result)} came."
    baralphas, alphas, betas = (
        assert_tensor(values, (diffusion_steps,), dtype=torch.float32, what=name)
        for values, name in zip(result, ("baralphas", "alphas", "betas"), strict=True)
    )
    return baralphas, alphas, betas


def noised_and_noise(result: object, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """x_t and eps in float64, if the result is such a pair."""
    assert isinstance(result, tuple | list), "add_noise should return two tensors, the noised points and the noise."
    assert len(result) == 2, f"add_noise should return two tensors, the noised points and the noise, not {len(result)}."
    return assert_tensor(result[0], shape, what="noised"), assert_tensor(result[1], shape, what="eps")


def drawn(seed: int, *shape: int) -> Tensor:
    """Normal numbers of this seed, not centred at zero."""
    return 1 + 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def cosine_betas(diffusion_steps: int) -> Tensor:
    """beta_t of the cosine schedule in float64 (Nichol and Dhariwal 2021, eq. 17), clipped."""
    s, steps = 0.008, diffusion_steps
    curve = [math.cos((u / steps + s) / (1 + s) * math.pi / 2) ** 2 for u in range(steps + 1)]
    betas = [1 - after / before for before, after in itertools.pairwise(curve)]
    return torch.tensor([min(max(beta, 1e-4), 0.9999) for beta in betas], dtype=torch.float64)


@task(
    "diffusion", hint="Compare the cosine schedule with its formula at the first and the last step: s, T, the square."
)
@pytest.mark.parametrize("diffusion_steps", [6, 40])
def test_cosine_schedule_follows_its_formula(diffusion_steps: int) -> None:
    baralphas, alphas, betas = three_of(schedule("cosine", diffusion_steps), diffusion_steps)
    expected = cosine_betas(diffusion_steps)
    # in float32, a beta near the end of 40 steps is exact to 1e-5
    assert_close(betas, expected, rtol=0, atol=2e-5, what="betas")
    assert_close(alphas, 1 - expected, rtol=0, atol=2e-5, what="alphas")
    assert_close(baralphas, torch.cumprod(1 - expected, dim=0), rtol=0, atol=2e-5, what="baralphas")


@task("diffusion", hint="With many steps the first betas are too small and the last is too large: both are clipped.")
def test_cosine_betas_are_clipped() -> None:
    _, _, betas = three_of(schedule("cosine", 1000), 1000)
    assert_between(betas, 1e-4 - 1e-8, 0.9999 + 1e-6, what="betas")
    assert_close(betas[0], 1e-4, rtol=0, atol=1e-8, what="betas[0]")
    assert_close(betas[-1], 0.9999, rtol=0, atol=1e-6, what="betas[-1]")


@task("diffusion", hint="The linear schedule grows in equal steps, from its first to its last value, for any T.")
@pytest.mark.parametrize("diffusion_steps", [7, 1000])
def test_linear_schedule_grows_in_equal_steps(diffusion_steps: int) -> None:
    baralphas, alphas, betas = three_of(schedule("linear", diffusion_steps), diffusion_steps)
    expected = torch.linspace(1e-4, 0.02, diffusion_steps, dtype=torch.float64)
    assert_close(betas, expected, rtol=0, atol=1e-6, what="betas")
    assert_close(alphas, 1 - expected, rtol=0, atol=1e-6, what="alphas")
    assert_close(baralphas, torch.cumprod(1 - expected, dim=0), rtol=1e-3, atol=1e-7, what="baralphas")


@task("diffusion", hint="alpha_t = 1 - beta_t, and alpha_bar_t is the product of all alphas up to and including t.")
@pytest.mark.parametrize("name", ["cosine", "linear"])
def test_baralphas_are_products_of_the_alphas(name: str) -> None:
    baralphas, alphas, betas = three_of(schedule(name, 1000), 1000)
    assert_close(alphas, 1 - betas, rtol=0, atol=2e-7, what="alphas")
    # a product of 1000 float32 numbers is exact to 1000 * 6e-8
    assert_close(baralphas, torch.cumprod(alphas, dim=0), rtol=1e-3, atol=1e-12, what="baralphas")


@task("diffusion", hint="Look at both square roots and at which noise is returned; t = 0 and t = T - 1 are steps too.")
def test_noised_points_mix_the_batch_and_the_returned_noise(fresh_seed: int) -> None:
    batch = drawn(fresh_seed, 7, 3)
    for t, result in enumerate(noised_at_all_steps(batch, STEEP)):
        x_t, eps = noised_and_noise(result, (7, 3))
        expected = STEEP[t].sqrt() * batch + (1 - STEEP[t]).sqrt() * eps
        assert_close(x_t, expected, what=f"noised at t = {t}")


@task(
    "diffusion", hint="With t of shape (N, 1), row i belongs to step t[i], also where N equals the number of features."
)
@pytest.mark.parametrize("n_features", [1, 3, 5])
def test_each_row_is_noised_by_its_own_step(n_features: int, fresh_seed: int) -> None:
    batch = drawn(fresh_seed, 5, n_features)
    t = torch.randperm(5, generator=torch.Generator().manual_seed(fresh_seed)).reshape(5, 1)
    x_t, eps = noised_and_noise(noised(batch, t, STEEP), (5, n_features))
    assert_close(x_t, STEEP[t].sqrt() * batch + (1 - STEEP[t]).sqrt() * eps, what="noised")


@task("diffusion", hint="The noise is standard normal, one number for each coordinate of each point.")
def test_noise_is_standard_normal(fresh_seed: int) -> None:
    t = torch.arange(3000).reshape(-1, 1) % 5
    _, eps = noised_and_noise(noised(drawn(fresh_seed, 3000, 3), t, STEEP), (3000, 3))
    assert_standard_normal(eps, what="eps")


@task("diffusion", hint="Each call draws its own noise.")
def test_noise_is_new_at_each_call(fresh_seed: int) -> None:
    first, second = noised_twice(drawn(fresh_seed, 500, 2), 2, STEEP)
    for eps in (first, second):
        assert_standard_normal(assert_tensor(eps, (500, 2), what="eps"), what="eps")
    assert_independent_calls(first, second, what="eps")


@task(
    "diffusion", hint="q(x_t | x_0) in one go must agree with taking the steps of q(x_t | x_{t-1}) one after the other."
)
def test_one_jump_agrees_with_the_chain_of_single_steps(fresh_seed: int) -> None:
    n, generator = 4000, torch.Generator().manual_seed(fresh_seed)
    x_0 = torch.tensor([2.0, -1.0]).expand(n, 2)
    results = noised_at_all_steps(x_0.clone(), STEEP)
    chain = x_0
    for t, alpha in enumerate(STEEP / torch.cat([torch.ones(1), STEEP[:-1]])):
        chain = alpha.sqrt() * chain + (1 - alpha).sqrt() * torch.randn(n, 2, generator=generator)
        x_t, _ = noised_and_noise(results[t], (n, 2))
        assert_normal(x_t, STEEP[t].sqrt() * x_0, (1 - STEEP[t]).sqrt(), what=f"noised at t = {t}")
        for feature in range(2):
            assert_same_distribution(x_t[:, feature], chain[:, feature], what=f"jump and chain at t = {t}")


@task("diffusion", hint="How much of x_0 is left in x_t does not depend on the noise: sqrt(alpha_bar_t).")
def test_noised_points_move_with_the_batch(fresh_seed: int) -> None:
    t = torch.tensor([[4], [0], [2], [1], [3], [2]])
    upstream = drawn(fresh_seed, 6, 2)
    gradient = gradient_of_noised(drawn(fresh_seed + 1, 6, 2), t, STEEP, upstream)
    assert_gradient(gradient, upstream * STEEP[t].sqrt(), "the batch")


@task("diffusion", hint="Make new tensors; operations that end in an underscore, and +=, change the caller's data.")
def test_noising_leaves_its_inputs_as_they_are(fresh_seed: int) -> None:
    given = [drawn(fresh_seed, 4, 2), torch.tensor([[4], [0], [2], [1]]), STEEP]
    assert_unchanged(given, inputs_after_noising(*(value.clone() for value in given)), what="the arguments")
