"""The four tasks on the latent space, what decides: which points are decoded, which images are encoded, and where.

The models are the tests' own: linear maps with fresh weights, which add noise in training mode as dropout does.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gapcheck import assert_array, assert_close, assert_equal, probe, task

CLASSES, PIXELS = 10, 784


@probe
def decoded_grid(weight: Tensor, grid_size: int, limit: float, label: int | None) -> object:
    """What the plot returns for a decoder that is linear in z and, where there is one, in the one-hot label."""
    import matplotlib.pyplot as plt
    import notebook

    notebook.one_hot = lambda labels, num_classes=10: torch.eye(num_classes)[labels]

    class Model(nn.Module):
        latent_size, num_classes = 2, 10

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(weight)

        def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
            images = (z if y is None else torch.cat([z, y], dim=1)) @ self.weight
            images = images.view(-1, 1, 28, 28)
            return images + torch.randn_like(images) if self.training else images

    model = Model().train()
    if label is None:
        result = notebook.plot_latent(model, grid_size=grid_size, limit=limit)
    else:
        result = notebook.plot_latent_cvae(model, label, grid_size=grid_size, limit=limit)
    plt.close("all")
    return result


@probe
def encoded_images(weight: Tensor, batches: list[tuple[Tensor, Tensor]], conditional: bool) -> object:
    """What the scatter plot returns for an encoder that is linear in x and, if conditional, in the one-hot label."""
    import matplotlib.pyplot as plt
    import notebook

    notebook.one_hot = lambda labels, num_classes=10: torch.eye(num_classes)[labels]
    notebook.test_loader = batches

    class Model(nn.Module):
        latent_size, num_classes = 2, 10

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(weight)

        def encode(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
            flat = x.flatten(start_dim=1)
            heads = (flat if y is None else torch.cat([flat, y], dim=1)) @ self.weight
            heads = heads + torch.randn_like(heads) if self.training else heads
            mean_z, logvar_z = heads.chunk(2, dim=1)
            return mean_z, logvar_z

        def sample_latent(self, mean_z: Tensor, logvar_z: Tensor) -> Tensor:
            return mean_z + torch.exp(logvar_z / 2) * torch.randn_like(mean_z)

        def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
            return torch.zeros(len(z), 1, 28, 28)

        def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
            mean_z, logvar_z = self.encode(x) if y is None else self.encode(x, y)
            return self.decode(mean_z), mean_z, logvar_z

    model = Model().train()
    result = notebook.scatterplot_latent_cvae(model) if conditional else notebook.scatterplot_latent(model)
    plt.close("all")
    return result


def decoded_inputs(fresh_seed: int, grid_size: int, limit: float, label: int | None = None) -> np.ndarray:
    """The (g, g, 2) points that were decoded, or (g, g, 12) with their labels: the linear map is inverted."""
    n_inputs = 2 if label is None else 2 + CLASSES
    weight = torch.randn(n_inputs, PIXELS, generator=torch.Generator().manual_seed(fresh_seed))
    result = decoded_grid(weight, grid_size, limit, label)
    grid = assert_array(result, (grid_size, grid_size, 28, 28), what="the grid").reshape(grid_size**2, PIXELS)
    matrix = weight.double().numpy()
    inputs = np.linalg.lstsq(matrix.T, grid.T, rcond=None)[0].T
    assert_close(inputs @ matrix, grid, atol=1e-3, what="the images of the grid")
    return inputs.reshape(grid_size, grid_size, n_inputs)


def assert_points(points: np.ndarray, limit: float) -> None:
    """z0 grows from the left to the right, z1 from the bottom to the top, both from -limit to limit."""
    values = np.linspace(-limit, limit, len(points))
    z0, z1 = np.meshgrid(values, values[::-1], indexing="xy")
    assert_close(points[..., 0], z0, atol=1e-3, what="the first latent variable, row by row from the top,")
    assert_close(points[..., 1], z1, atol=1e-3, what="the second latent variable, row by row from the top,")


def draw_batches(generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """Three batches, the last one smaller, with labels of which no two in a batch are the same."""
    return [
        (torch.rand(n, 1, 28, 28, generator=generator), torch.randperm(CLASSES, generator=generator)[:n])
        for n in (4, 4, 3)
    ]


def assert_means_and_labels(fresh_seed: int, conditional: bool) -> None:
    """The mean of every image, encoded with its own label if conditional, and all labels, both in order."""
    generator = torch.Generator().manual_seed(fresh_seed)
    batches = draw_batches(generator)
    x, labels = (torch.cat(tensors) for tensors in zip(*batches, strict=True))
    inputs = x.double().flatten(start_dim=1)
    if conditional:
        inputs = torch.cat([inputs, torch.eye(CLASSES)[labels]], dim=1)
    weight = torch.randn(inputs.shape[1], 4, generator=generator) / 28
    result = encoded_images(weight, batches, conditional)
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == 2, f"(means, labels) should come back; the number of values is {len(values)}."
    means = assert_array(values[0], (len(x), 2), what="the means")
    assert_close(means, (inputs @ weight.double())[:, :2], what="the means")
    found = assert_array(values[1], (len(x),), dtype=np.int64, what="the labels")
    assert_equal(found, labels.numpy(), what="the labels")


@task("cvae-grid", hint="Rows run from the largest z1 down, columns from the smallest z0 to the right.")
def test_the_grid_has_z0_to_the_right_and_z1_upwards(fresh_seed: int) -> None:
    limit = float(np.random.default_rng(fresh_seed).uniform(3, 4))
    assert_points(decoded_inputs(fresh_seed, 5, limit), limit)


@task("cvae-grid", hint="With two points an axis they are the two limits themselves.")
def test_a_grid_of_two_shows_the_corners(fresh_seed: int) -> None:
    limit = float(np.random.default_rng(fresh_seed).uniform(3, 4))
    assert_points(decoded_inputs(fresh_seed, 2, limit), limit)


@task("cvae-scatter", hint="The mean of every test image, the last and smaller batch included, in the loader's order.")
def test_every_test_image_is_shown_at_its_mean_with_its_label(fresh_seed: int) -> None:
    assert_means_and_labels(fresh_seed, conditional=False)


@task(
    "cvae-conditional-grid", hint="As for the VAE: rows run from the largest z1 down, columns from the smallest z0 up."
)
def test_the_conditional_grid_has_z0_to_the_right_and_z1_upwards(fresh_seed: int) -> None:
    limit = float(np.random.default_rng(fresh_seed).uniform(3, 4))
    assert_points(decoded_inputs(fresh_seed, 4, limit, label=1 + fresh_seed % (CLASSES - 1))[..., :2], limit)


@task(
    "cvae-conditional-grid", hint="Every point of the grid is decoded with the one-hot vector of the label asked for."
)
def test_every_point_of_the_conditional_grid_has_the_label(fresh_seed: int) -> None:
    label = 1 + fresh_seed % (CLASSES - 1)
    labels = decoded_inputs(fresh_seed, 3, 2.0, label)[..., 2:]
    expected = np.broadcast_to(np.eye(CLASSES)[label], (3, 3, CLASSES))
    assert_close(labels, expected, atol=1e-3, what="the one-hot label of each point")


@task("cvae-conditional-scatter", hint="Every image is encoded with its own label; the means of all batches in order.")
def test_every_test_image_is_encoded_with_its_own_label(fresh_seed: int) -> None:
    assert_means_and_labels(fresh_seed, conditional=True)
