"""Public tests of diffusion in a latent space: python -m tests.test_ddpm_latent"""

import torch
from torch import Tensor, nn

from gapcheck import assert_close, assert_number, assert_tensor, probe, run_alone, task


@probe
def encoded(images: Tensor) -> tuple[object, object]:
    """All pictures encoded in batches of 4, and the means that the VAE gives them at once."""
    from lib.ddpm.latent import VAE, encode_all

    vae = VAE(latent_size=3, width=4)
    batches = [(batch, torch.zeros(len(batch))) for batch in images.split(4)]
    return encode_all(vae, batches), vae.encode(images)[0]


@probe
def scale_of(latents: Tensor) -> object:
    from lib.ddpm.latent import latent_scale

    return latent_scale(latents)


@probe
def drawn_through(values: list[Tensor], start: Tensor, scale: float) -> tuple[object, list[Tensor]]:
    """Pictures from a model that sees no noise, and what the decoder got."""
    from lib.ddpm.latent import sample_through_vae
    from lib.ddpm.schedule import Schedule

    got: list[Tensor] = []

    class Vae(nn.Module):
        def decode(self, z: Tensor) -> Tensor:
            got.append(z.clone())
            return z[:, None, None, :].expand(-1, 1, 2, -1)

    class Silent(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            return torch.zeros_like(x)

    return sample_through_vae(Vae(), Silent(), start, Schedule(*values), scale), got


# a single step, which adds no noise
ONE_STEP = [torch.tensor([0.75]), torch.tensor([0.25]), torch.tensor([0.25]), torch.tensor([1.0])]


@task("ddpm-latent", hint="The encoder gives a mean and a logvar; all batches in their order.")
def test_all_pictures_are_encoded_in_their_order(fresh_seed: int) -> None:
    images = torch.randn(10, 1, 28, 28, generator=torch.Generator().manual_seed(fresh_seed))
    found, expected = encoded(images)
    means = assert_tensor(expected, (10, 3), what="the means")
    assert_close(assert_tensor(found, (10, 3), what="the latents"), means, atol=1e-4, what="the latents")


@task("ddpm-latent", hint="Latents times the factor have standard deviation 1.")
def test_latents_times_their_scale_have_standard_deviation_one() -> None:
    found = assert_number(scale_of(torch.tensor([[0.0, 4.0], [4.0, 0.0]])), what="the scale")
    assert_close(found, 0.5, what="the scale of latents that are 2 away from their mean")


@task("ddpm-latent", hint="The last latents, divided by the scale; clipping is for pictures.")
def test_decoder_gets_latents_without_their_scale() -> None:
    start = torch.tensor([[3.0, -1.0, 0.5]])
    pictures, got = drawn_through(ONE_STEP, start, 0.5)
    assert_tensor(pictures, (1, 1, 2, 3), what="the pictures")
    # x_0 = x_t / sqrt(1/4), and then divided by 1/2
    assert_close(got[0], 4 * start, what="what the decoder gets")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
