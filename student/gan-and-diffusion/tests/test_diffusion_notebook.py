"""Public tests of the diffusion notebook's functions: python -m tests.test_diffusion_notebook"""

import torch
from torch import Tensor

from gapcheck import assert_close, assert_tensor, probe, run_alone, task


@probe
def ratio(values: list[Tensor]) -> object:
    from notebooks.diffusion import log_snr

    from lib.ddpm.schedule import Schedule

    return log_snr(Schedule(*values))


@probe
def guess(values: list[Tensor], x_0: Tensor, t: Tensor, noise: Tensor) -> object:
    """The guess of a model that knows the noise."""
    from notebooks.diffusion import guess_x_0

    from lib.ddpm.schedule import Schedule

    return guess_x_0(lambda x, t: noise, x_0, t, noise, Schedule(*values))


HALVES = [torch.full((2,), 0.5), torch.full((2,), 0.5), torch.tensor([0.5, 0.25]), torch.tensor([1.0, 0.5])]


@task("ddpm-notebook", hint="Where signal and noise are equally strong, the logarithm of their ratio is 0.")
def test_log_snr_is_zero_where_signal_and_noise_are_equal() -> None:
    found = assert_tensor(ratio(HALVES), (2,), what="the logarithms")
    assert_close(found, torch.tensor([0.0, -1.0986123]), what="the logarithms")


@task("ddpm-notebook", hint="Who knows the noise finds the picture again.")
def test_guess_of_a_model_that_knows_the_noise_is_the_picture(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    x_0, noise = 2 * torch.rand(4, 1, 3, 3, generator=source) - 1, torch.randn(4, 1, 3, 3, generator=source)
    found = assert_tensor(guess(HALVES, x_0, torch.tensor([0, 1, 0, 1]), noise), (4, 1, 3, 3), what="the guesses")
    assert_close(found, x_0, atol=1e-4, what="the guesses")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
