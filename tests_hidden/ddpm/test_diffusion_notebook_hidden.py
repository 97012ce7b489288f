"""The two functions of the diffusion notebook, computed anew in float64."""

import torch
from torch import Tensor, nn

from gapcheck import assert_between, assert_close, assert_tensor, assert_unchanged, probe, task


@probe
def ratio(values: list[Tensor]) -> object:
    from notebooks.diffusion import log_snr

    from lib.ddpm.schedule import Schedule

    return log_snr(Schedule(*values))


@probe
def guesses(
    values: list[Tensor], x_0: Tensor, t: Tensor, noise: Tensor, w: list[Tensor]
) -> tuple[object, list[list[Tensor]], list[Tensor]]:
    """The guess of a linear model, the model's calls, and the arguments afterwards."""
    from notebooks.diffusion import guess_x_0

    from lib.ddpm.schedule import Schedule

    calls: list[list[Tensor]] = []

    class Recorder(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            calls.append([x.detach().clone(), torch.as_tensor(t).clone()])
            return x * w[0] + t.reshape(-1, *[1] * (x.dim() - 1)) * w[1]

    return guess_x_0(Recorder(), x_0, t, noise, Schedule(*values)), calls, [x_0, t, noise]


def steep_schedule(first: float = 0.97) -> list[Tensor]:
    """betas, alphas, alpha_bars, alpha_bars_before in float64."""
    alpha_bars = torch.tensor([first, 0.8, 0.5, 0.2, 0.003], dtype=torch.float64)
    before = torch.cat([torch.ones(1), alpha_bars[:-1]])
    alphas = alpha_bars / before
    return [1 - alphas, alphas, alpha_bars, before]


def single(values: list[Tensor]) -> list[Tensor]:
    return [value.float() for value in values]


@task("ddpm-notebook", hint="The natural logarithm of alpha_bar over 1 - alpha_bar, at every step.")
def test_log_snr_has_the_values_of_its_formula(fresh_seed: int) -> None:
    first = 0.85 + 0.1 * float(torch.rand((), generator=torch.Generator().manual_seed(fresh_seed)))
    values = steep_schedule(first)
    found = assert_tensor(ratio(single(values)), (5,), what="the logarithms")
    assert_close(found, (values[2] / (1 - values[2])).log(), what="the logarithms")


@task("ddpm-notebook", hint="x_t from x_0 and the noise; the noise from the model; x_0 from x_t and that noise; clip.")
def test_guess_follows_from_the_predicted_noise(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    x_0, noise = torch.rand(5, 2, 5, generator=source), torch.randn(5, 2, 5, generator=source)
    t, w = torch.randperm(5, generator=source), [torch.randn(2, 5, generator=source) / 4 for _ in range(2)]
    values = steep_schedule()
    result, calls, after = guesses(single(values), x_0, t, noise, w)
    assert_unchanged([x_0, t, noise], after, "an argument of guess_x_0")
    alpha_bar = values[2][t][:, None, None]
    x_t = alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * noise
    assert len(calls) == 1, f"the model should be called once, but it was called {len(calls)} times."
    assert_close(calls[0][0], x_t, what="what the model sees")
    assert_unchanged(t, assert_tensor(calls[0][1], (5,), dtype=torch.int64, what="the model's t"), "the steps")
    predicted = x_t * w[0] + t[:, None, None] * w[1]
    expected = ((x_t - (1 - alpha_bar).sqrt() * predicted) / alpha_bar.sqrt()).clamp(-1, 1)
    found = assert_tensor(result, (5, 2, 5), what="the guesses")
    assert_close(found, expected, rtol=1e-3, atol=1e-3, what="the guesses")
    assert_between(found, -1.0, 1.0, "the guesses")
