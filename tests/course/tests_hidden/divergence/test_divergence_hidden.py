"""What decides."""

import torch
from torch import Tensor

from gapcheck import assert_close, assert_number, assert_tensor, probe, task


@probe
def divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    from notebooks.divergence import kl_loss

    return kl_loss(mean, logvar)


@probe
def factor() -> float:
    from notebook import scale

    return scale


@task("divergence", hint="Integrate the logarithm of the ratio of both densities.", weight=2)
def test_the_divergence_is_the_closed_form(fresh_seed: int) -> None:
    mean, logvar = torch.randn(2, 16, generator=torch.Generator().manual_seed(fresh_seed)).double()
    expected = 0.5 * (mean**2 + logvar.exp() - logvar - 1).sum()
    assert_close(assert_tensor(divergence(mean, logvar), (), what="the divergence"), expected)


@task("scale", hint="How many images has a batch?")
def test_the_factor_is_one_over_the_batch() -> None:
    assert assert_number(factor(), what="scale") == 1 / 128
