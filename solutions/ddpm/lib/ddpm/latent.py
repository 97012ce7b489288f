"""Diffusion in the latent space of a VAE (Rombach et al. 2022, "High-resolution image synthesis with latent diffusion
models").

A VAE turns a picture into a few latent numbers and back. The diffusion model then learns the distribution of these
latents: its network is smaller, its samples become pictures through the VAE's decoder.

What to do: the gaps (ddpm 19) to (ddpm 21). Conventions that the tests depend on: a VAE has encode(x) -> (mean, logvar)
and decode(z) -> pictures; these functions put it into evaluation mode and record no gradients.

Test with: python -m pytest tests/test_ddpm_latent.py
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from lib.ddpm.embedding import time_embedding
from lib.ddpm.sampling import sample
from lib.ddpm.schedule import Schedule


class VAE(nn.Module):
    """A convolutional VAE: pictures (N, 1, 28, 28) in [-1, 1] <-> latents (N, latent_size). Given."""

    def __init__(self, latent_size: int = 16, width: int = 16) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1, stride=2),
            nn.SiLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1, stride=2),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(2 * width * 49, 2 * latent_size),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_size, 2 * width * 49),
            nn.SiLU(),
            nn.Unflatten(1, (2 * width, 7, 7)),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(2 * width, width, 3, padding=1),
            nn.SiLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(width, 1, 3, padding=1),
            nn.Tanh(),
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """mean and logvar, each (N, latent_size)."""
        mean, logvar = self.encoder(x).chunk(2, dim=1)
        return mean, logvar

    def decode(self, z: Tensor) -> Tensor:
        """(N, 1, 28, 28) pictures in [-1, 1]."""
        pictures: Tensor = self.decoder(z)
        return pictures


class LatentNetwork(nn.Module):
    """eps_theta(z_t, t) for latents (N, latent_size): fully connected layers that hear the step. Given."""

    def __init__(self, latent_size: int = 16, width: int = 128, blocks: int = 3) -> None:
        super().__init__()
        self.width = width
        self.first = nn.Linear(latent_size, width)
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
            for _ in range(blocks)
        )
        self.last = nn.Linear(width, latent_size)

    def forward(self, z_t: Tensor, t: Tensor) -> Tensor:
        """Predict the noise in z_t (N, latent_size) at the steps t (N,)."""
        step = self.time(time_embedding(t, self.width))
        hidden = self.first(z_t)
        for block in self.blocks:
            hidden = hidden + block(hidden + step)
        noise: Tensor = self.last(hidden)
        return noise


def train_vae(
    vae: VAE, batches: DataLoader[tuple[Tensor, Tensor]], epochs: int, kl_weight: float = 1e-3
) -> list[float]:
    """Train the VAE, with little weight on the KL term: here it only keeps the latents from drifting apart. Given."""
    optimizer, losses = Adam(vae.parameters(), lr=2e-3), []
    with tqdm(total=epochs * len(batches), unit="step", desc="VAE", mininterval=0.5) as progress:
        for x, _ in itertools.chain.from_iterable(itertools.repeat(batches, epochs)):
            mean, logvar = vae.encode(x)
            z = mean + (logvar / 2).exp() * torch.randn_like(mean)
            kl = (mean.square() + logvar.exp() - 1 - logvar).mean() / 2
            loss = F.mse_loss(vae.decode(z), x) + kl_weight * kl
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            progress.update()
    return losses


@torch.no_grad()
def encode_all(vae: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """Encode all pictures of a data loader: the means of q(z | x), as (n, latent_size) in the loader's order."""
    # START TODO (ddpm 19): encode every batch in evaluation mode, and put the means together.
    vae.eval()
    # the mean is the most likely z; noise would only blur what the diffusion model has to learn
    return torch.cat([vae.encode(x)[0] for x, _ in batches])
    # END TODO


def latent_scale(latents: Tensor) -> float:
    """The factor that gives latents the variance 1, as the diffusion process expects (Rombach et al. 2022, appendix G).

        1 / sqrt(mean over all entries of (z - mean of z)^2)

    Args:
        latents: (n, latent_size) means of q(z | x).

    Returns:
        One number for all of them.
    """
    # START TODO (ddpm 20): compute the factor.
    return 1 / latents.std(correction=0).item()  # one for all, so the latents keep their proportions
    # END TODO


@torch.no_grad()
def sample_through_vae(
    vae: nn.Module,
    model: nn.Module,
    start: Tensor,
    schedule: Schedule,
    scale: float,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw latents with the diffusion model, and decode them.

    The model was trained on latents that were multiplied by `scale`. They have no bounds: nothing is clipped.

    Args:
        vae: with decode(z).
        model: eps_theta for scaled latents.
        start: (N, ...) noise from N(0, 1) in the shape of the latents.
        scale: the factor of `latent_scale`.

    Returns:
        (N, channels, H, W) pictures.
    """
    # START TODO (ddpm 21): draw scaled latents with `sample`, undo the scaling, and decode.
    vae.eval()
    # the last entry is the finished one
    latents = sample(model, start, schedule, clip=None, generator=generator)[-1]
    # the decoder knows latents as the encoder gives them
    return vae.decode(latents / scale)
    # END TODO
