"""Task "vae-loss", what decides: both terms against their formulas, for several weights, with their gradients."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from gapcheck import assert_between, assert_close, assert_equal, assert_gradient, assert_tensor, probe, task

Batch = tuple[Tensor, Tensor, Tensor, Tensor]  # x_reconstructed, x, mu, logvar


@probe
def losses(cases: list[tuple[float, Tensor, Tensor, Tensor, Tensor]]) -> list[Tensor]:
    from lib.loss_vae import VAELoss

    return [VAELoss(weight)(x_reconstructed, x, mu, logvar) for weight, x_reconstructed, x, mu, logvar in cases]


@probe
def gradients(
    weight: float, x_reconstructed: Tensor, x: Tensor, mu: Tensor, logvar: Tensor
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    from lib.loss_vae import VAELoss

    x_reconstructed, mu, logvar = (tensor.clone().requires_grad_() for tensor in (x_reconstructed, mu, logvar))
    VAELoss(weight)(x_reconstructed, x, mu, logvar).backward()
    return x_reconstructed.grad, mu.grad, logvar.grad


@probe
def arguments_after_the_call(x_reconstructed: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> list[Tensor]:
    from lib.loss_vae import VAELoss

    VAELoss(2.0)(x_reconstructed, x, mu, logvar)
    return [x_reconstructed, x, mu, logvar]


def draw_batch(seed: int, batch: int = 5) -> Batch:
    """Grey images, reconstructions away from 0 and 1, and any mu and logvar; float64, all axes of different length."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(batch, 2, 3, 4, generator=generator, dtype=torch.float64)
    x_reconstructed = 0.05 + 0.9 * torch.rand(batch, 2, 3, 4, generator=generator, dtype=torch.float64)
    mu, logvar = torch.randn(2, batch, 6, generator=generator, dtype=torch.float64)
    return x_reconstructed, x, mu, logvar


def cross_entropy(x_reconstructed: Tensor, x: Tensor) -> Tensor:
    return -(x * torch.log(x_reconstructed) + (1 - x) * torch.log(1 - x_reconstructed)).sum()


def divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    posterior, prior = Normal(mu, torch.exp(logvar / 2)), Normal(torch.zeros_like(mu), torch.ones_like(mu))
    return kl_divergence(posterior, prior).sum()


def value(result: object, what: str) -> Tensor:
    return assert_tensor(result, (), what=what)


@task("vae-loss", hint="x is the target of the binary cross-entropy; sum over the batch and all pixels.")
def test_the_reconstruction_term_is_the_summed_binary_cross_entropy(fresh_seed: int) -> None:
    batch = draw_batch(fresh_seed)
    loss = value(losses([(0.0, *batch)])[0], "the loss with weight 0")
    assert_close(loss, cross_entropy(*batch[:2]), what="the loss with weight 0")


@task("vae-loss", hint="1/2 (mu^2 + sigma^2 - 1 - log sigma^2) for each latent variable of each image, all summed.")
def test_the_kl_term_is_the_divergence_from_a_standard_normal(fresh_seed: int) -> None:
    batch = draw_batch(fresh_seed)
    with_kl, without_kl = losses([(1.0, *batch), (0.0, *batch)])
    kl = value(with_kl, "the loss with weight 1") - value(without_kl, "the loss with weight 0")
    assert_close(kl, divergence(*batch[2:]), what="the KL term")


@task("vae-loss", hint="The divergence vanishes where q(z | x) is the prior; there only the reconstruction counts.")
def test_a_standard_normal_posterior_costs_nothing(fresh_seed: int) -> None:
    x_reconstructed, x, mu, _ = draw_batch(fresh_seed)
    zero = torch.zeros_like(mu)
    loss = value(losses([(30.0, x_reconstructed, x, zero, zero)])[0], "the loss for mu = 0 and logvar = 0")
    assert_close(loss, cross_entropy(x_reconstructed, x), what="the loss for mu = 0 and logvar = 0")


@task("vae-loss", hint="The weight multiplies the whole KL term, and nothing else.")
def test_the_weight_scales_the_kl_term_alone(fresh_seed: int) -> None:
    batch = draw_batch(fresh_seed)
    weights = [0.0, 0.25, 1.0, 30.0]
    for weight, loss in zip(weights, losses([(weight, *batch) for weight in weights]), strict=True):
        what = f"the loss with weight {weight}"
        assert_close(value(loss, what), cross_entropy(*batch[:2]) + weight * divergence(*batch[2:]), what=what)


@task("vae-loss", hint="A sum over the batch: a second batch adds its own loss.")
def test_the_loss_of_a_batch_is_the_sum_of_its_images_losses(fresh_seed: int) -> None:
    batch = draw_batch(fresh_seed)
    images = [(2.0, *(tensor[[i]] for tensor in batch)) for i in range(5)]
    whole, *parts = (value(loss, "the loss") for loss in losses([(2.0, *batch), *images]))
    assert_close(whole, torch.stack(parts).sum(), what="the loss of the batch")


@task("vae-loss", hint="Both terms must be differentiable: no item(), no detach, no conversion to numpy.")
def test_gradients_reach_the_reconstruction_mu_and_logvar(fresh_seed: int) -> None:
    x_reconstructed, x, mu, logvar = draw_batch(fresh_seed)
    grad_x, grad_mu, grad_logvar = gradients(3.0, x_reconstructed, x, mu, logvar)
    assert_gradient(grad_x, (x_reconstructed - x) / (x_reconstructed * (1 - x_reconstructed)), "x_reconstructed")
    assert_gradient(grad_mu, 3.0 * mu, "mu")
    assert_gradient(grad_logvar, 3.0 * (torch.exp(logvar) - 1) / 2, "logvar")


@task("vae-loss", hint="log(0) is minus infinity; PyTorch's own binary cross-entropy takes care of it.")
def test_the_loss_is_finite_where_a_reconstruction_is_0_or_1(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    x = torch.randint(0, 2, (5, 2, 3, 4), generator=generator).double()
    zero = torch.zeros(5, 6, dtype=torch.float64)
    right, wrong = losses([(1.0, x, x, zero, zero), (1.0, 1 - x, x, zero, zero)])
    assert_between(value(right, "the loss of a perfect reconstruction"), -0.01, 0.01, what="the loss")
    value(wrong, "the loss of a reconstruction that is wrong in every pixel")


@task("vae-loss", hint="Methods that end with an underscore change the tensor itself, and the caller's with it.")
def test_the_loss_leaves_its_arguments_as_they_are(fresh_seed: int) -> None:
    batch = draw_batch(fresh_seed)
    after = arguments_after_the_call(*(tensor.clone() for tensor in batch))
    assert_equal(after, list(batch), what="the arguments after the call")
