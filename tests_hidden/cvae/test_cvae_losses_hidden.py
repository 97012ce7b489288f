"""Task "cvae-loss", what decides: both terms against their formulas, their gradients, and how they are averaged."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from gapcheck import assert_between, assert_close, assert_equal, assert_gradient, assert_tensor, probe, task

Batch = tuple[Tensor, Tensor, Tensor, Tensor]  # reconstruction, x, mean_z, logvar_z


@probe
def reconstruction_losses(cases: list[tuple[Tensor, Tensor]]) -> list[object]:
    from notebook import reconstruction_loss

    return [reconstruction_loss(reconstruction, x) for reconstruction, x in cases]


@probe
def kl_losses(cases: list[tuple[Tensor, Tensor]]) -> list[object]:
    from notebook import kl_loss

    return [kl_loss(mean_z, logvar_z) for mean_z, logvar_z in cases]


@probe
def all_losses(reconstruction: Tensor, x: Tensor, mean_z: Tensor, logvar_z: Tensor) -> object:
    from notebook import loss_function

    return loss_function(reconstruction, x, mean_z, logvar_z)


@probe
def arguments_after_the_call(reconstruction: Tensor, x: Tensor, mean_z: Tensor, logvar_z: Tensor) -> list[Tensor]:
    from notebook import loss_function

    loss_function(reconstruction, x, mean_z, logvar_z)
    return [reconstruction, x, mean_z, logvar_z]


@probe
def gradients(
    reconstruction: Tensor, x: Tensor, mean_z: Tensor, logvar_z: Tensor
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Of the total in the reconstruction, the mean and logvar."""
    from notebook import loss_function

    leaves = [tensor.clone().requires_grad_() for tensor in (reconstruction, mean_z, logvar_z)]
    loss_function(leaves[0], x, leaves[1], leaves[2])[0].backward()
    return leaves[0].grad, leaves[1].grad, leaves[2].grad


def draw_batch(seed: int, batch: int = 5) -> Batch:
    """Grey images, reconstructions away from 0 and 1, and any mean and logvar, in float64."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(batch, 1, 28, 28, generator=generator, dtype=torch.float64)
    reconstruction = 0.05 + 0.9 * torch.rand(batch, 1, 28, 28, generator=generator, dtype=torch.float64)
    mean_z, logvar_z = torch.randn(2, batch, 3, generator=generator, dtype=torch.float64)
    return reconstruction, x, mean_z, logvar_z


def cross_entropy(reconstruction: Tensor, x: Tensor) -> Tensor:
    """Of each image, summed over its pixels."""
    return -(x * torch.log(reconstruction) + (1 - x) * torch.log(1 - reconstruction)).flatten(start_dim=1).sum(dim=1)


def divergence(mean_z: Tensor, logvar_z: Tensor) -> Tensor:
    """Of each image, summed over its latent variables."""
    posterior, prior = Normal(mean_z, torch.exp(logvar_z / 2)), Normal(torch.zeros_like(mean_z), 1.0)
    return kl_divergence(posterior, prior).sum(dim=1)


@task("cvae-loss", hint="x is the target of the cross-entropy; sum over all pixels, divide by the number of images.")
def test_the_reconstruction_loss_is_the_cross_entropy_of_an_image(fresh_seed: int) -> None:
    batch = draw_batch(fresh_seed)
    loss = assert_tensor(reconstruction_losses([batch[:2]])[0], (), what="the reconstruction loss")
    assert_close(loss, cross_entropy(*batch[:2]).mean(), what="the reconstruction loss")


@task(
    "cvae-loss", hint="Summed within an image, averaged over images: images that are alike cost as much as one of them."
)
def test_a_batch_of_equal_images_costs_as_much_as_one(fresh_seed: int) -> None:
    reconstruction, x, mean_z, logvar_z = (tensor[:1] for tensor in draw_batch(fresh_seed))
    images = [(reconstruction, x), (reconstruction.repeat(7, 1, 1, 1), x.repeat(7, 1, 1, 1))]
    one, seven = (assert_tensor(loss, (), what="the reconstruction loss") for loss in reconstruction_losses(images))
    assert_close(seven, one, what="the reconstruction loss of seven equal images")
    one, seven = (
        assert_tensor(loss, (), what="the KL loss")
        for loss in kl_losses([(mean_z, logvar_z), (mean_z.repeat(7, 1), logvar_z.repeat(7, 1))])
    )
    assert_close(seven, one, what="the KL loss of seven equal images")


@task("cvae-loss", hint="log(0) is minus infinity; PyTorch's own binary cross-entropy takes care of it.")
def test_the_reconstruction_loss_is_finite_where_a_pixel_is_0_or_1(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    x = torch.randint(0, 2, (4, 1, 28, 28), generator=generator).float()
    right, wrong = reconstruction_losses([(x, x), (1 - x, x)])
    assert_between(assert_tensor(right, (), what="the loss of a perfect reconstruction"), -0.01, 0.01, what="the loss")
    assert_tensor(wrong, (), what="the loss of a reconstruction that is wrong in every pixel")


@task("cvae-loss", hint="1/2 (mu^2 + sigma^2 - 1 - log sigma^2) for each latent variable; sigma^2 = exp(logvar).")
def test_the_kl_loss_is_the_divergence_from_the_prior(fresh_seed: int) -> None:
    batch = draw_batch(fresh_seed)
    loss = assert_tensor(kl_losses([batch[2:]])[0], (), what="the KL loss")
    assert_close(loss, divergence(*batch[2:]).mean(), what="the KL loss")


@task("cvae-loss", hint="Axis 1 are the latent variables, whose divergences add up; axis 0 are the images.")
def test_the_kl_loss_is_summed_over_latent_variables_and_averaged_over_images(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    shapes = [(1, 1), (1, 6), (6, 1), (2, 9)]
    cases = [tuple(torch.randn(2, *shape, generator=generator, dtype=torch.float64)) for shape in shapes]
    for shape, case, result in zip(shapes, cases, kl_losses(cases), strict=True):
        what = f"the KL loss of {shape[0]} images with {shape[1]} latent variables"
        assert_close(assert_tensor(result, (), what=what), divergence(*case).mean(), what=what)


@task("cvae-loss", hint="Where the encoder's guess is the prior itself, nothing is to be paid; elsewhere something is.")
def test_the_kl_loss_is_zero_for_the_prior_alone(fresh_seed: int) -> None:
    zero = torch.zeros(3, 4)
    shift = torch.rand(3, 4, generator=torch.Generator().manual_seed(fresh_seed)) + 0.5
    prior, moved, narrow, wide = kl_losses([(zero, zero), (shift, zero), (zero, -shift), (zero, shift)])
    assert_close(assert_tensor(prior, (), what="the KL loss of the prior"), 0.0, what="the KL loss of the prior")
    for loss, what in ((moved, "a moved mean"), (narrow, "a small variance"), (wide, "a large variance")):
        assert_between(
            assert_tensor(loss, (), what=f"the KL loss of {what}"), 0.05, 50.0, what=f"the KL loss of {what}"
        )


@task("cvae-loss", hint="The total comes first, then the reconstruction term, then the KL term.")
def test_loss_function_returns_the_total_and_its_two_terms(fresh_seed: int) -> None:
    batch = draw_batch(fresh_seed)
    result = all_losses(*batch)
    assert isinstance(result, tuple | list), "loss_function should return three values together."
    assert len(result) == 3, f"loss_function should return three values; their number is {len(result)}."
    reconstruction_term, kl_term = cross_entropy(*batch[:2]).mean(), divergence(*batch[2:]).mean()
    expected = {
        "the total": reconstruction_term + kl_term,
        "the reconstruction term": reconstruction_term,
        "the KL term": kl_term,
    }
    for value, (what, wanted) in zip(result, expected.items(), strict=True):
        assert_close(assert_tensor(value, (), what=what), wanted, what=what)


@task("cvae-loss", hint="Both terms must be differentiable: no item(), no detach, no conversion to numpy.")
def test_gradients_of_the_total_reach_the_reconstruction_the_mean_and_logvar(fresh_seed: int) -> None:
    reconstruction, x, mean_z, logvar_z = draw_batch(fresh_seed)
    grad_reconstruction, grad_mean, grad_logvar = gradients(reconstruction, x, mean_z, logvar_z)
    expected = (reconstruction - x) / (reconstruction * (1 - reconstruction)) / 5
    assert_gradient(grad_reconstruction, expected, "the reconstruction")
    assert_gradient(grad_mean, mean_z / 5, "mean_z")
    assert_gradient(grad_logvar, (torch.exp(logvar_z) - 1) / 10, "logvar_z")


@task("cvae-loss", hint="Methods that end with an underscore change the tensor itself, and the caller's with it.")
def test_the_losses_leave_their_arguments_as_they_are(fresh_seed: int) -> None:
    batch = draw_batch(fresh_seed)
    after = arguments_after_the_call(*(tensor.clone() for tensor in batch))
    assert_equal(after, list(batch), what="the arguments after the call")
