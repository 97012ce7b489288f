"""Public tests of the way back, with DDIM as a bonus: python -m tests.test_ddpm_sampling"""

import torch
from torch import Tensor, nn

from gapcheck import assert_between, assert_close, assert_equal, assert_tensor, probe, run_alone, task


@probe
def last_step(values: list[Tensor], x_t: Tensor, noise: Tensor) -> object:
    """The step t = 0 of a model that sees no noise."""
    from lib.ddpm.sampling import p_sample
    from lib.ddpm.schedule import Schedule

    return p_sample(lambda x, t: torch.zeros_like(x), x_t, 0, noise, Schedule(*values))


@probe
def path(values: list[Tensor], start: Tensor) -> tuple[list[object], list[int]]:
    """The pictures that are drawn, and the steps that the model was told."""
    from lib.ddpm.sampling import sample
    from lib.ddpm.schedule import Schedule

    told: list[int] = []

    class Recorder(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            told.append(int(t[0]))
            return torch.zeros_like(x)

    return sample(Recorder(), start, Schedule(*values)), told


@probe
def ddim_of(values: list[Tensor], start: Tensor, n: int) -> tuple[object, list[object], list[int]]:
    """The chosen steps, the pictures of two runs, and the steps that the model was told."""
    from lib.ddpm.sampling import ddim_steps, sample_ddim
    from lib.ddpm.schedule import Schedule

    told: list[int] = []

    class Recorder(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            told.append(int(t[0]))
            return 0.5 * x

    chosen = ddim_steps(len(values[0]), n)
    return chosen, [sample_ddim(Recorder(), start, chosen, Schedule(*values)) for _ in range(2)], told


def halves(steps: int) -> list[Tensor]:
    """betas, alphas, alpha_bars, alpha_bars_before of steps with beta = 1/2."""
    alpha_bars = 0.5 ** torch.arange(1, steps + 1)
    return [torch.full((steps,), 0.5), torch.full((steps,), 0.5), alpha_bars, 2 * alpha_bars]


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@task("ddpm-sampling", hint="Without noise x_0 = x_t / sqrt(alpha_bar_t), which is clipped; at t = 0 nothing is added.")
def test_last_step_of_a_model_that_sees_no_noise(fresh_seed: int) -> None:
    x_t = drawn(fresh_seed, 3, 1, 4, 4)
    found = assert_tensor(last_step(halves(3), x_t, drawn(fresh_seed + 1, 3, 1, 4, 4)), (3, 1, 4, 4), what="the result")
    assert_close(found, (x_t / 0.5**0.5).clamp(-1, 1), what="the result of the last step")


@task("ddpm-sampling", hint="The noisiest step comes first, the step 0 last; none is left out.")
def test_sampling_goes_through_all_steps(fresh_seed: int) -> None:
    result, told = path(halves(4), drawn(fresh_seed, 2, 1, 3, 3))
    assert_equal(told, [3, 2, 1, 0], "the steps that the model was told")
    pictures = assert_tensor(result[-1], (2, 1, 3, 3), what="the pictures")
    assert_between(pictures, -1.0 - 1e-4, 1.0 + 1e-4, "the pictures")


@task("ddpm-ddim", hint="The chosen steps fall from T - 1 to 0; DDIM draws no noise on its way.")
def test_ddim_visits_the_chosen_steps_and_gives_the_same_twice(fresh_seed: int) -> None:
    chosen, (first, second), told = ddim_of(halves(9), drawn(fresh_seed, 2, 1, 3, 3), 5)
    assert_equal(chosen, [8, 6, 4, 2, 0], "the chosen steps")
    assert_equal(told, [8, 6, 4, 2, 0] * 2, "the steps that the model was told")
    assert_close(second, assert_tensor(first, (2, 1, 3, 3), what="the pictures"), what="the pictures of a second run")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
