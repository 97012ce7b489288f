"""Task "vae-model": the layers and methods of `lib/model_vae.py`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gapcheck import assert_between, assert_close, assert_mean, assert_std, assert_tensor, probe, run_alone, task

# sizes that differ from each other, so that no two axes can be mistaken for one another
SIZES = {"in_channels": 2, "in_height": 5, "in_width": 3, "hidden_size": 7, "latent_size": 4}


@probe
def parameters(sizes: dict[str, int]) -> list[Tensor]:
    from lib.model_vae import VAE

    return list(VAE(**sizes).parameters())


@probe
def call(sizes: dict[str, int], method: str, argument: Tensor) -> object:
    from lib.model_vae import VAE

    return getattr(VAE(**sizes), method)(argument)


@probe
def reparameterize(mu: Tensor, logvar: Tensor, training: bool, seed: int) -> Tensor:
    from lib.model_vae import VAE

    torch.manual_seed(seed)
    return VAE(latent_size=mu.shape[1]).train(training).reparameterize(mu, logvar)


def parts(result: object, names: str) -> tuple[object, ...]:
    """The values that a function returned together, as many as there are names."""
    assert result is not None, f"({names}) should come back, but None did: is there a return statement?"
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == names.count(",") + 1, f"({names}) should come back; the number of values is {len(values)}."
    return values


def random_images(seed: int, batch: int) -> Tensor:
    shape = (batch, SIZES["in_channels"], SIZES["in_height"], SIZES["in_width"])
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@task(
    "vae-model", hint="Count weights and biases of each linear layer; the encoder has one hidden layer and two heads."
)
def test_the_model_has_158388_parameters() -> None:
    found = sum(parameter.numel() for parameter in parameters({}))
    assert found == 158_388, f"The model should have 158,388 parameters, but it has {found:,}."


@task("vae-model", hint="A batch of images becomes a batch of vectors; each head gives one number per latent variable.")
def test_encode_returns_mu_and_logvar_for_each_image(fresh_seed: int) -> None:
    mu, logvar = parts(call(SIZES, "encode", random_images(fresh_seed, batch=6)), "mu, logvar")
    assert_tensor(mu, (6, 4), what="mu")
    assert_tensor(logvar, (6, 4), what="logvar")


@task("vae-model", hint="A batch of latent vectors becomes a batch of images; which function maps to values in [0, 1]?")
def test_decode_returns_images_with_values_from_0_to_1(fresh_seed: int) -> None:
    z = 100 * torch.randn(6, 4, generator=torch.Generator().manual_seed(fresh_seed))
    images = assert_tensor(call(SIZES, "decode", z), (6, 2, 5, 3), what="the decoded batch")
    assert_between(images, 0.0, 1.0, what="the decoded batch")


@task("vae-model", hint="Noise is for training only; in evaluation mode the mean stands for the image.")
def test_reparameterize_returns_mu_in_evaluation_mode(fresh_seed: int) -> None:
    mu, logvar = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(fresh_seed))
    assert_close(reparameterize(mu, logvar, training=False, seed=fresh_seed), mu, what="z in evaluation mode")


@task("vae-model", hint="logvar is log(sigma^2); how do you get the standard deviation sigma from it?")
def test_samples_have_the_mean_and_the_standard_deviation_that_are_asked_for(fresh_seed: int) -> None:
    z = reparameterize(torch.full((5000, 2), 1.0), torch.full((5000, 2), 1.0), training=True, seed=fresh_seed)
    assert_tensor(z, (5000, 2), what="z")
    assert_mean(z, 1.0, math.exp(0.5), what="z for mu = 1 and logvar = 1")
    assert_std(z, math.exp(0.5), mean=1.0, what="z for mu = 1 and logvar = 1")


@task(
    "vae-model",
    hint="forward encodes, draws z and decodes; it returns what the loss needs, in the order of the docstring.",
)
def test_forward_returns_the_reconstruction_mu_and_logvar(fresh_seed: int) -> None:
    result = call(SIZES, "forward", random_images(fresh_seed, batch=6))
    x_reconstructed, mu, logvar = parts(result, "x_reconstructed, mu, logvar")
    assert_tensor(x_reconstructed, (6, 2, 5, 3), what="x_reconstructed")
    assert_tensor(mu, (6, 4), what="mu")
    assert_tensor(logvar, (6, 4), what="logvar")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
