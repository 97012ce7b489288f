"""What the diffusion exercise asks for: schedules, noising, the training loss and the way back.

These tests look at shapes and simple properties; more are run when your work is graded.
"""

from __future__ import annotations

from argparse import Namespace

import torch
from torch import Tensor, nn

from gapcheck import (
    assert_between,
    assert_close,
    assert_independent_calls,
    assert_normal,
    assert_number,
    assert_standard_normal,
    assert_tensor,
    assert_unchanged,
    probe,
    run_alone,
    task,
)

STEEP = torch.tensor([0.97, 0.8, 0.5, 0.2, 0.03])  # alpha_bar of a schedule with few, large steps


@probe
def schedules(diffusion_steps: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    from lib.utils import cosine_schedule, linear_schedule

    return [cosine_schedule(diffusion_steps), linear_schedule(diffusion_steps)]


@probe
def linear(diffusion_steps: int) -> tuple[Tensor, Tensor, Tensor]:
    from lib.utils import linear_schedule

    return linear_schedule(diffusion_steps)


@probe
def cosine(diffusion_steps: int) -> tuple[Tensor, Tensor, Tensor]:
    from lib.utils import cosine_schedule

    return cosine_schedule(diffusion_steps)


@probe
def noised_twice(batch: Tensor, t: int, baralphas: Tensor) -> list[tuple[Tensor, Tensor]]:
    from lib.utils import add_noise

    return [add_noise(batch, t, baralphas), add_noise(batch, t, baralphas)]


@probe
def noised_by_column(batch: Tensor, t: Tensor, baralphas: Tensor) -> tuple[Tensor, Tensor]:
    from lib.utils import add_noise

    return add_noise(batch, t, baralphas)


@probe
def loss_of_a_silent_model(x_0: Tensor, baralphas: Tensor) -> Tensor:
    from lib.train_diffusion import noise_prediction_loss

    class Silent(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            return torch.zeros_like(x)

    return noise_prediction_loss(Silent(), x_0, baralphas)


@probe
def trained(data: Tensor, baralphas: Tensor, seed: int) -> tuple[dict[str, Tensor], dict[str, Tensor], float]:
    from lib.model_diffusion import SimpleDiffusion
    from lib.train_diffusion import train

    torch.manual_seed(seed)
    model = SimpleDiffusion(data.shape[1], nblocks=1, nunits=8)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    args = Namespace(epochs=2, batch_size=8, device="cpu", diffusion_steps=len(baralphas), verbose=False)
    last_loss = train(data, args, model, torch.optim.SGD(model.parameters(), lr=0.1), baralphas)
    return before, dict(model.state_dict()), last_loss


@probe
def last_step_twice(x_t: Tensor, schedule: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
    from lib.train_diffusion import denoise

    class Linear(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            return 0.5 * x

    return [denoise(Linear(), x_t, 0, schedule), denoise(Linear(), x_t, 0, schedule)]


@probe
def sampled_with_perfect_predictions(
    point: Tensor, n_samples: int, schedule: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, list[int]]:
    from lib.train_diffusion import sample

    steps = []

    class Perfect(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            steps.append(int(t[0, 0]))
            alpha_bar = schedule[0][t]
            return (x - torch.sqrt(alpha_bar) * point) / torch.sqrt(1 - alpha_bar)

    return sample(Perfect(), n_samples, len(point), schedule), steps


def steep_schedule() -> tuple[Tensor, Tensor, Tensor]:
    """baralphas, alphas, betas of the steep schedule."""
    alphas = STEEP / torch.cat([torch.ones(1), STEEP[:-1]])
    return STEEP, alphas, 1 - alphas


def drawn(seed: int, *shape: int) -> Tensor:
    """Normal numbers of this seed, not centred at zero."""
    return 1 + 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@task("diffusion", hint="Both functions return three tensors with one entry for each step: baralphas, alphas, betas.")
def test_schedules_return_three_float32_tensors_with_an_entry_for_each_step() -> None:
    for schedule in schedules(20):
        for values, name in zip(schedule, ("baralphas", "alphas", "betas"), strict=True):
            assert_between(assert_tensor(values, (20,), dtype=torch.float32, what=name), 0, 1, what=name)


@task("diffusion", hint="Both ends of the linear schedule are part of it, whatever the number of steps is.")
def test_linear_betas_go_from_1e_4_to_0_02() -> None:
    _, _, betas = linear(5)
    assert_close(betas, torch.tensor([1e-4, 0.005075, 0.01005, 0.015025, 0.02]), rtol=0, atol=1e-6, what="betas")


@task("diffusion", hint="The squared cosine starts at its top and ends near zero; compare with the formula.")
def test_cosine_schedule_keeps_half_the_signal_about_halfway() -> None:
    baralphas = assert_tensor(cosine(1000)[0], (1000,), what="baralphas")
    assert_between(baralphas[0], 0.999, 1.0, what="baralphas[0]")
    assert_between(baralphas[499], 0.48, 0.51, what="baralphas[499]")
    assert_between(baralphas[-1], 0.0, 1e-4, what="baralphas[999]")


@task("diffusion", hint="The returned noise must be the one that was mixed in; look at both square roots.")
def test_noised_points_contain_the_returned_noise(fresh_seed: int) -> None:
    batch, t = drawn(fresh_seed, 6, 2), 1
    noised, eps = noised_twice(batch, t, STEEP)[0]
    eps = assert_tensor(eps, (6, 2), what="eps")
    assert_close(noised, STEEP[t] ** 0.5 * batch + (1 - STEEP[t]) ** 0.5 * eps, what="noised")


@task("diffusion", hint="Draw standard normal noise at each call.")
def test_noise_is_standard_normal_and_new_at_each_call(fresh_seed: int) -> None:
    (_, first), (_, second) = noised_twice(drawn(fresh_seed, 1000, 2), 1, STEEP)
    assert_standard_normal(assert_tensor(first, (1000, 2), what="eps"), what="eps")
    assert_independent_calls(first, assert_tensor(second, (1000, 2), what="eps"), what="eps")


@task("diffusion", hint="With t of shape (N, 1), row i belongs to step t[i].")
def test_each_point_may_have_its_own_step(fresh_seed: int) -> None:
    batch, t = drawn(fresh_seed, 1000, 2), torch.arange(1000).reshape(-1, 1) % 5
    noised, _ = noised_by_column(batch, t, STEEP)
    assert_tensor(noised, (1000, 2), what="noised")
    assert_normal(noised, STEEP[t] ** 0.5 * batch, (1 - STEEP[t]) ** 0.5, what="noised")


@task("diffusion", hint="The loss is one number: the mean of the squared differences from the noise, of variance 1.")
def test_a_model_that_predicts_zero_has_a_loss_near_one(fresh_seed: int) -> None:
    loss = assert_tensor(loss_of_a_silent_model(drawn(fresh_seed, 4000, 2), STEEP), (), what="the loss")
    # 8000 * loss is chi-squared with 8000 degrees of freedom; it leaves this interval once in 10^9 runs
    assert_between(loss, 0.905, 1.1, what="the loss")


@task("diffusion", hint="Gradients must be computed and the optimizer must take its step, for every batch.")
def test_training_changes_the_model_and_returns_the_last_loss(fresh_seed: int) -> None:
    before, after, last_loss = trained(drawn(fresh_seed, 16, 2), STEEP, fresh_seed)
    assert_between(assert_number(last_loss, what="the last loss"), 0, 1000, what="the last loss")
    for name, value in before.items():
        assert not torch.equal(value, after[name]), f"training left the parameter {name} as it was."


@task("diffusion", hint="At t = 0 the mean is the result: look at the formula and at what is added to it.")
def test_the_last_step_back_adds_no_noise(fresh_seed: int) -> None:
    x_t = drawn(fresh_seed, 6, 2)
    first, second = last_step_twice(x_t, steep_schedule())
    assert_tensor(first, (6, 2), what="the result of the last step")
    assert_unchanged(first, second, what="the result of the last step")
    assert_close(first, (1 - 0.5 * 0.03**0.5) / 0.97**0.5 * x_t, what="the result of the last step")


@task("diffusion", hint="The way back starts at the noisiest step and takes every step, also the one with index 0.")
def test_sampling_with_perfect_predictions_ends_at_the_data(fresh_seed: int) -> None:
    point = drawn(fresh_seed, 2)
    states, steps = sampled_with_perfect_predictions(point, 1000, steep_schedule())
    assert steps == [4, 3, 2, 1, 0], f"with T = 5 the steps should be 4, 3, 2, 1, 0, but they are {steps}."
    assert_tensor(states, (6, 1000, 2), what="the states")
    assert_standard_normal(states[0], what="the start")
    assert_close(states[-1], point.expand(1000, 2), atol=1e-4, what="the generated points")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
