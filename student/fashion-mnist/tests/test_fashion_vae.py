"""Task "fashion-model": shapes, ranges and noise of your variational autoencoder.

Your layers are your own: these tests know no names and no sizes of them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gapcheck import assert_between, assert_close, assert_tensor, probe, run_alone, task


@probe
def outputs(latent_size: int, x: Tensor) -> list[object]:
    from lib.model_fashion_vae import FashionVAE

    model = FashionVAE(latent_size).eval()
    return [model.encode(x), model(x)]


@probe
def decoded(z: Tensor) -> object:
    from lib.model_fashion_vae import FashionVAE

    return FashionVAE(z.shape[1]).eval().decode(z)


@probe
def samples(mean: Tensor, logvar: Tensor) -> Tensor:
    from lib.model_fashion_vae import FashionVAE

    return FashionVAE(mean.shape[1]).sample_latent(mean, logvar)


def parts(result: object, names: str) -> tuple[object, ...]:
    """The values that a function returned together, as many as there are names."""
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == names.count(",") + 1, f"({names}) should come back; the number of values is {len(values)}."
    return values


def some_pictures(seed: int, n: int) -> Tensor:
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


@task("fashion-model", hint="The encoder gives latent_size means and as many logarithms of variances for each picture.")
def test_encode_gives_mean_and_logvar(fresh_seed: int) -> None:
    for latent_size, n in ((3, 5), (8, 1)):
        mean, logvar = parts(outputs(latent_size, some_pictures(fresh_seed, n))[0], "mean, logvar")
        assert_tensor(mean, (n, latent_size), what="mean")
        assert_tensor(logvar, (n, latent_size), what="logvar")


@task("fashion-model", hint="Which function maps every number into [0, 1]?")
def test_decode_gives_pictures_between_0_and_1(fresh_seed: int) -> None:
    for latent_size, n in ((3, 5), (8, 1)):
        z = 100 * torch.randn(n, latent_size, generator=torch.Generator().manual_seed(fresh_seed))
        assert_between(assert_tensor(decoded(z), (n, 1, 28, 28), what="the decoded pictures"), 0.0, 1.0, "the pixels")


@task("fashion-model", hint="Mind the order: reconstruction, mean, logvar.")
def test_forward_gives_reconstruction_mean_and_logvar(fresh_seed: int) -> None:
    encoded, whole = outputs(3, some_pictures(fresh_seed, 4))
    reconstruction, mean, logvar = parts(whole, "reconstruction, mean, logvar")
    encoded = parts(encoded, "mean, logvar")
    assert_tensor(reconstruction, (4, 1, 28, 28), what="reconstruction")
    assert_close(mean, assert_tensor(encoded[0], (4, 3), what="mean"), what="the mean of forward")
    assert_close(logvar, assert_tensor(encoded[1], (4, 3), what="logvar"), what="logvar of forward")


@task("fashion-model", hint="Where the variance is nearly zero, what is left of z?")
def test_a_sample_without_variance_is_the_mean(fresh_seed: int) -> None:
    mean = torch.randn(4, 6, generator=torch.Generator().manual_seed(fresh_seed))
    z = assert_tensor(samples(mean, torch.full((4, 6), -24.0)), (4, 6), what="z")
    assert_close(z, mean, atol=1e-3, what="z for a variance of nearly zero")


@task("fashion-model", hint="sigma = exp(logvar / 2): a larger logvar spreads the samples by that factor.")
def test_the_noise_grows_with_the_standard_deviation(fresh_seed: int) -> None:
    mean, logvar = torch.zeros(100, 100), torch.full((100, 100), 2.0)
    z = assert_tensor(samples(mean, logvar), (100, 100), what="z")
    # the variance of 10,000 draws lies within 10 % of its expectation, but for one run in 10^11
    assert_between(z.var().item() / float(torch.exp(logvar[0, 0])), 0.9, 1.1, "variance of the samples by exp(logvar)")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
