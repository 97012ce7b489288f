"""Task "cvae-vae", what decides about `sample_latent`: the law of its noise and its gradients, in both modes."""

from __future__ import annotations

import torch
from torch import Tensor

from gapcheck import (
    assert_equal,
    assert_independent_calls,
    assert_reparameterised,
    assert_standard_normal,
    assert_tensor,
    probe,
    standardised,
    task,
)


@probe
def samples(mean_z: Tensor, logvar_z: Tensor, training: bool, n_calls: int) -> list[Tensor]:
    from notebook import VAE

    model = VAE(latent_size=mean_z.shape[1]).train(training)
    return [model.sample_latent(mean_z, logvar_z) for _ in range(n_calls)] + [mean_z, logvar_z]


@probe
def samples_with_gradients(
    mean_z: Tensor, logvar_z: Tensor, upstream: Tensor
) -> list[tuple[Tensor, Tensor | None, Tensor | None]]:
    """The sample and the gradients that reach both arguments, in training mode and in evaluation mode."""
    from notebook import VAE

    results = []
    for training in (True, False):
        mean, logvar = mean_z.clone().requires_grad_(), logvar_z.clone().requires_grad_()
        z = VAE(latent_size=mean_z.shape[1]).train(training).sample_latent(mean, logvar)
        if z.requires_grad:
            (upstream * z).sum().backward()
        results.append((z, mean.grad, logvar.grad))
    return results


def draw(fresh_seed: int, batch: int, latent: int, n: int = 2) -> Tensor:
    """(n, batch, latent) normal numbers: means, logvars, weights of a gradient."""
    return torch.randn(n, batch, latent, generator=torch.Generator().manual_seed(fresh_seed))


def assert_noise(fresh_seed: int, training: bool) -> None:
    """(z - mean) / sigma is standard normal, for each image and each latent variable."""
    mean_z, logvar_z = draw(fresh_seed, 512, 32)
    z, *_ = samples(mean_z, logvar_z, training, n_calls=1)
    assert_tensor(z, (512, 32), what="z")
    assert_standard_normal(standardised(z, mean_z, torch.exp(logvar_z.double() / 2)), what="the noise of z")


@task("cvae-vae", hint="z = mu + sigma * epsilon: gradients reach the mean and logvar, and sigma = exp(logvar / 2).")
def test_gradients_pass_through_the_sample_in_both_modes(fresh_seed: int) -> None:
    mean_z, logvar_z, upstream = draw(fresh_seed, 16, 4, n=3)
    for z, grad_mean, grad_logvar in samples_with_gradients(mean_z, logvar_z, upstream):
        assert_reparameterised(z, mean_z, logvar_z, grad_mean, grad_logvar, upstream=upstream)


@task("cvae-vae", hint="epsilon is standard normal, and every number of z has its own.")
def test_the_noise_is_standard_normal_in_training_mode(fresh_seed: int) -> None:
    assert_noise(fresh_seed, training=True)


@task("cvae-vae", hint="This notebook's sample_latent samples in every mode.")
def test_the_noise_is_standard_normal_in_evaluation_mode(fresh_seed: int) -> None:
    assert_noise(fresh_seed, training=False)


@task("cvae-vae", hint="Each call draws new noise, and leaves the random generator's seed alone.")
def test_each_call_draws_new_noise(fresh_seed: int) -> None:
    mean_z, logvar_z = draw(fresh_seed, 64, 32)
    first, second, *_ = samples(mean_z, logvar_z, training=True, n_calls=2)
    sigma = torch.exp(logvar_z.double() / 2)
    assert_tensor(first, (64, 32), what="z")
    assert_tensor(second, (64, 32), what="z")
    assert_independent_calls(standardised(first, mean_z, sigma), standardised(second, mean_z, sigma))


@task("cvae-vae", hint="Methods that end with an underscore change the tensor itself, and the caller's with it.")
def test_sample_latent_leaves_its_arguments_as_they_are(fresh_seed: int) -> None:
    mean_z, logvar_z = draw(fresh_seed, 16, 4)
    _, mean_after, logvar_after = samples(mean_z.clone(), logvar_z.clone(), training=True, n_calls=1)
    assert_equal(mean_after, mean_z, what="mean_z after the call")
    assert_equal(logvar_after, logvar_z, what="logvar_z after the call")
