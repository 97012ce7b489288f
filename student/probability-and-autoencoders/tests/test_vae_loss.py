"""Task "vae-loss": the loss of `lib/loss_vae.py`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gapcheck import assert_close, assert_tensor, probe, run_alone, task


@probe
def loss(weight: float, x_reconstructed: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    from lib.loss_vae import VAELoss

    return VAELoss(kl_loss_weight=weight)(x_reconstructed, x, mu, logvar)


@task("vae-loss", hint="The binary cross-entropy is summed over all pixels of all images, and divided by nothing.")
def test_without_the_kl_term_the_loss_is_the_summed_cross_entropy() -> None:
    x = torch.tensor([[1.0, 0.0], [1.0, 1.0]]).view(2, 1, 1, 2)
    x_reconstructed = torch.tensor([[0.5, 0.5], [0.25, 0.5]]).view(2, 1, 1, 2)
    result = loss(0.0, x_reconstructed, x, torch.ones(2, 3), torch.ones(2, 3))
    assert_tensor(result, (), what="the loss")
    # -log of the probabilities that the decoder gives to the right values: 1/2, 1/2, 1/4, 1/2
    assert_close(result, 5 * math.log(2), what="the loss with weight 0")


@task("vae-loss", hint="Where q(z | x) is N(0, I) already, the divergence from N(0, I) is zero.")
def test_the_kl_term_is_zero_for_a_standard_normal() -> None:
    x = torch.tensor([[1.0, 0.0], [1.0, 1.0]]).view(2, 1, 1, 2)
    x_reconstructed = torch.full((2, 1, 1, 2), 0.5)
    result = loss(1.0, x_reconstructed, x, torch.zeros(2, 3), torch.zeros(2, 3))
    assert_tensor(result, (), what="the loss")
    assert_close(result, 4 * math.log(2), what="the loss for mu = 0 and logvar = 0")


@task("vae-loss", hint="A mean of m at variance 1 adds m^2 / 2 for each latent variable, times the weight.")
def test_a_shifted_mean_adds_half_its_square_times_the_weight() -> None:
    x_reconstructed, x = torch.full((2, 1, 1, 2), 0.5), torch.ones(2, 1, 1, 2)
    mu = torch.tensor([[1.0, 2.0, 0.0], [3.0, 0.0, 0.0]])
    result = loss(30.0, x_reconstructed, x, mu, torch.zeros(2, 3))
    assert_tensor(result, (), what="the loss")
    assert_close(result, 4 * math.log(2) + 30 * (1 + 4 + 9) / 2, what="the loss with weight 30")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
