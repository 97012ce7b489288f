"""Task "vae-latent-space", what decides: which images are encoded, which points are decoded, and in which mode.

The models are the tests' own: linear maps with fresh weights, which add noise in training mode as dropout does.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gapcheck import assert_array, assert_close, assert_tensor, probe, task


@probe
def encode_all(images: Tensor, batch_size: int, weight: Tensor) -> tuple[object, list[bool]]:
    from torch.utils.data import DataLoader, TensorDataset

    from lib.explore_latent_space import get_mu_logvar

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(weight)
            self.latent_size = weight.shape[1] // 2

        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            heads = x.flatten(start_dim=1) @ self.weight
            if self.training:
                heads = heads + torch.randn_like(heads)
            mu, logvar = heads.chunk(2, dim=1)
            return mu, logvar

        def reparameterize(self, mu: Tensor, logvar: Tensor) -> Tensor:
            return mu + 1  # who takes it for the mean is found out

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return x, *self.encode(x)

    labels = torch.arange(len(images))
    result = get_mu_logvar(Model().train(), DataLoader(TensorDataset(images, labels), batch_size=batch_size))
    return result, [part.requires_grad for part in result]


@probe
def devices_of_batches(device: str, n_batches: int) -> list[str]:
    from torch.utils.data import DataLoader, TensorDataset

    from lib.explore_latent_space import get_mu_logvar

    seen: list[str] = []

    class Model(nn.Module):
        latent_size = 2

        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            seen.append(x.device.type)
            return torch.zeros(len(x), 2), torch.zeros(len(x), 2)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return x, *self.encode(x)

    data = TensorDataset(torch.zeros(3 * n_batches, 1, 2, 2), torch.zeros(3 * n_batches, dtype=torch.long))
    get_mu_logvar(Model(), DataLoader(data, batch_size=3), device)
    return seen


@probe
def decode_grid(limits: list[float], grid_size: int, weight: Tensor, image_shape: tuple[int, ...]) -> object:
    from lib.explore_latent_space import sample_on_grid

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(weight)
            self.image_shape, self.latent_size = image_shape, 2

        def decode(self, z: Tensor) -> Tensor:
            images = (z @ self.weight).view(-1, *image_shape)
            return images + torch.randn_like(images) if self.training else images

    return sample_on_grid(Model().train(), *limits, grid_size)


def parts(result: object, names: str) -> tuple[object, ...]:
    """The values that a function returned together, as many as there are names."""
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == names.count(",") + 1, f"({names}) should come back; the number of values is {len(values)}."
    return values


def decoded_points(fresh_seed: int, limits: list[float], grid_size: int) -> np.ndarray:
    """The (g, g, 2) latent variables that the images were decoded from: the linear map is inverted."""
    weight = torch.randn(2, 24, generator=torch.Generator().manual_seed(fresh_seed))
    images, _ = parts(decode_grid(limits, grid_size, weight, (2, 3, 4)), "images, step_size")
    array = assert_array(images, (grid_size, grid_size, 2, 3, 4), what="the grid of images")
    points = np.linalg.lstsq(weight.double().numpy().T, array.reshape(grid_size**2, 24).T, rcond=None)[0].T
    assert_close(points @ weight.double().numpy(), array.reshape(grid_size**2, 24), atol=1e-3, what="the images")
    return points.reshape(grid_size, grid_size, 2)


def draw_limits(fresh_seed: int) -> list[float]:
    """Limits of two axes that have different middles and lengths."""
    low0, low1, length0, length1 = np.random.default_rng(fresh_seed).uniform([-4, 1, 2, 5], [-3, 2, 4, 8])
    return [float(low0), float(low0 + length0), float(low1), float(low1 + length1)]


@task(
    "vae-latent-space",
    hint="All batches, the last and smaller one too, in the loader's order; mu itself, not a sample.",
)
def test_every_image_has_its_mu_and_logvar_in_order(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    images, weight = torch.randn(11, 2, 3, 4, generator=generator), torch.randn(24, 6, generator=generator)
    result, _ = encode_all(images, 4, weight)
    mu, logvar = parts(result, "mu, logvar")
    expected = images.double().flatten(start_dim=1) @ weight.double()
    assert_close(assert_tensor(mu, (11, 3), what="mu"), expected[:, :3], what="mu")
    assert_close(assert_tensor(logvar, (11, 3), what="logvar"), expected[:, 3:], what="logvar")


@task("vae-latent-space", hint="Nothing is trained here, so PyTorch need not remember how the results came about.")
def test_no_gradients_are_recorded(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    images, weight = torch.randn(6, 2, 3, 4, generator=generator), torch.randn(24, 6, generator=generator)
    _, recorded = encode_all(images, 4, weight)
    assert recorded == [False, False], "mu and logvar should not require gradients, but they do."


@task("vae-latent-space", hint="The model and its input must be on the same device, the one that is asked for.")
def test_each_batch_is_moved_to_the_device() -> None:
    # "meta" is a device that every machine has
    seen = devices_of_batches("meta", n_batches=3)
    assert set(seen) == {"meta"}, "Each batch should be moved to the device, but some reached the model elsewhere."


@task("vae-latent-space", hint="Point [i, j] is (x1[i], x2[j]): the first index moves along the first latent variable.")
def test_grid_point_i_j_is_decoded_from_x1_i_and_x2_j(fresh_seed: int) -> None:
    limits = draw_limits(fresh_seed)
    points = decoded_points(fresh_seed, limits, grid_size=6)
    x1, x2 = np.linspace(limits[0], limits[1], 6), np.linspace(limits[2], limits[3], 6)
    assert_close(points[..., 0], np.repeat(x1[:, None], 6, axis=1), atol=1e-3, what="the first latent variable")
    assert_close(points[..., 1], np.repeat(x2[None, :], 6, axis=0), atol=1e-3, what="the second latent variable")


@task("vae-latent-space", hint="With two points an axis, they are the two limits themselves.")
def test_a_grid_of_two_has_the_limits_as_its_corners(fresh_seed: int) -> None:
    limits = draw_limits(fresh_seed)
    points = decoded_points(fresh_seed, limits, grid_size=2)
    assert_close(points[:, 0, 0], np.array(limits[:2]), atol=1e-3, what="the first latent variable")
    assert_close(points[0, :, 1], np.array(limits[2:]), atol=1e-3, what="the second latent variable")


@task("vae-latent-space", hint="g points have g - 1 steps between them; each axis has its own step.")
def test_the_step_size_is_that_of_each_axis(fresh_seed: int) -> None:
    limits = draw_limits(fresh_seed)
    _, step_size = parts(decode_grid(limits, 6, torch.ones(2, 24), (2, 3, 4)), "images, step_size")
    expected = np.array([limits[1] - limits[0], limits[3] - limits[2]]) / 5
    assert_close(assert_array(step_size, (2,), what="step_size"), expected, what="step_size")
