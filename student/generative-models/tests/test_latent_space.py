"""Task "vae-latent-space": the functions of `lib/explore_latent_space.py`.

The tests bring models of their own, so they work before your VAE does.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gapcheck import assert_array, assert_close, assert_tensor, probe, run_alone, task


@probe
def mu_and_logvar(images: Tensor, batch_size: int) -> object:
    from torch.utils.data import DataLoader, TensorDataset

    from lib.explore_latent_space import get_mu_logvar

    class FirstAndLastPixels(nn.Module):
        latent_size = 2

        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            pixels = x.flatten(start_dim=1)
            return pixels[:, :2], pixels[:, -2:]

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return x, *self.encode(x)

    labels = torch.zeros(len(images), dtype=torch.long)
    return get_mu_logvar(FirstAndLastPixels(), DataLoader(TensorDataset(images, labels), batch_size=batch_size))


@probe
def grid(latent0_min: float, latent0_max: float, latent1_min: float, latent1_max: float, grid_size: int) -> object:
    from lib.explore_latent_space import sample_on_grid

    class ShowsLatents(nn.Module):
        image_shape = (1, 1, 2)
        latent_size = 2

        def decode(self, z: Tensor) -> Tensor:
            return z.view(-1, 1, 1, 2)  # an image of two pixels: the two latent variables

    return sample_on_grid(ShowsLatents(), latent0_min, latent0_max, latent1_min, latent1_max, grid_size)


def parts(result: object, names: str) -> tuple[object, ...]:
    """The values that a function returned together, as many as there are names."""
    assert result is not None, f"({names}) should come back, but None did: is there a return statement?"
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == names.count(",") + 1, f"({names}) should come back; the number of values is {len(values)}."
    return values


@task("vae-latent-space", hint="Each batch of the loader adds its rows; join them in the order in which they come.")
def test_mu_and_logvar_of_all_batches_are_joined(fresh_seed: int) -> None:
    images = torch.rand(10, 1, 2, 3, generator=torch.Generator().manual_seed(fresh_seed))
    mu, logvar = parts(mu_and_logvar(images, batch_size=4), "mu, logvar")
    assert_tensor(mu, (10, 2), what="mu")
    assert_tensor(logvar, (10, 2), what="logvar")
    assert_close(mu, images.flatten(start_dim=1)[:, :2], what="mu")
    assert_close(logvar, images.flatten(start_dim=1)[:, -2:], what="logvar")


@task(
    "vae-latent-space", hint="The first index of the grid belongs to the first latent variable; both ends are included."
)
def test_the_corners_of_the_grid_are_the_given_limits() -> None:
    images, _ = parts(grid(-2.0, 1.0, 4.0, 8.0, grid_size=5), "images, step_size")
    array = assert_array(images, (5, 5, 1, 1, 2), what="the grid of images")
    corners = array[[0, 0, -1, -1], [0, -1, 0, -1], 0, 0]
    assert_close(corners, np.array([[-2.0, 4.0], [-2.0, 8.0], [1.0, 4.0], [1.0, 8.0]]), what="the four corners")


@task("vae-latent-space", hint="How many steps lie between g points?")
def test_the_step_size_is_the_distance_of_neighbouring_points() -> None:
    _, step_size = parts(grid(-2.0, 1.0, 4.0, 8.0, grid_size=5), "images, step_size")
    assert_array(step_size, (2,), what="step_size")
    assert_close(step_size, np.array([0.75, 1.0]), what="step_size")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
