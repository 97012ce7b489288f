"""Task: look into the latent space of a trained variational autoencoder.

Two questions about a VAE with two latent variables:

    Where do the images of a class lie?       mu(x) and logvar(x) of every test image
    What lies at a point z = (z0, z1)?        the decoded image, for all points of a regular grid

Grid point [i, j] is z = (x1[i], x2[j]), where x1 runs from latent0_min to latent0_max and x2 from latent1_min to
latent1_max, each with grid_size values at equal distances, both ends included:

    step_size[k] = (latentk_max - latentk_min) / (grid_size - 1)

Paper: D. P. Kingma and M. Welling, Auto-Encoding Variational Bayes, ICLR 2014, https://arxiv.org/abs/1312.6114
(figure 4 is such a grid).

To implement: `get_mu_logvar` and `sample_on_grid`. The script plot_latent_space.py draws what they return.
Test it with: python -m tests.test_latent_space
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn


def get_mu_logvar(
    model: nn.Module,
    test_loader: Iterable[tuple[Tensor, Tensor]],
    device: str | torch.device = "cpu",
) -> tuple[Tensor, Tensor]:
    """The encoder's output for every image of a data loader.

    Args:
        model: a VAE on `device`; it has the method encode(x) -> (mu, logvar).
        test_loader: gives batches (images, labels), images (batch, C, H, W); the last batch may be smaller.
        device: where the images must be for the model.

    Returns:
        mu: (n, latent) means of all n images, in the loader's order.
        logvar: (n, latent) logarithms of their variances.
    """
    # START TODO (vae 10): bring the model into evaluation mode and encode all batches without recording gradients.
    # Move each batch of images to the device. Return both results joined along the first dimension.
    # Hint: collect the results of the batches in two lists.
    model.eval()
    mus, logvars = [], []
    with torch.no_grad():
        for images, _ in test_loader:  # where an image lies does not depend on its label
            mu, logvar = model.encode(images.to(device))
            mus.append(mu)
            logvars.append(logvar)
    return torch.cat(mus), torch.cat(logvars)
    # END TODO


def sample_on_grid(
    model: nn.Module,
    latent0_min: float,
    latent0_max: float,
    latent1_min: float,
    latent1_max: float,
    grid_size: int,
    device: str | torch.device = "cpu",
) -> tuple[np.ndarray, np.ndarray]:
    """Decode the points of a regular grid in a latent space of two variables.

    Args:
        model: a VAE on `device`; it has the method decode(z) -> (batch, C, H, W).
        latent0_min, latent0_max: the first and the last value of the first latent variable.
        latent1_min, latent1_max: the same for the second one.
        grid_size: number g of points along each axis, at least 2.
        device: where the latent variables must be for the model.

    Returns:
        images: (g, g, C, H, W) array; images[i, j] is decoded from (x1[i], x2[j]).
        step_size: (2,) array, the distance of two neighbouring points along each axis.
    """
    # START TODO (vae 11): make the g values along each axis and the distance of two neighbours.
    x1 = np.linspace(latent0_min, latent0_max, grid_size)
    x2 = np.linspace(latent1_min, latent1_max, grid_size)
    # g points have g - 1 gaps between them
    step_size = np.array([latent0_max - latent0_min, latent1_max - latent1_min]) / (grid_size - 1)
    # END TODO

    # START TODO (vae 12): list all g * g points as one float32 tensor (g * g, 2) on the device.
    # Hint: the first latent variable changes with i, the second one with j; see "ij" in np.meshgrid.
    z0, z1 = np.meshgrid(x1, x2, indexing="ij")
    # row i * g + j of z is the point [i, j]
    z = torch.tensor(np.stack([z0.ravel(), z1.ravel()], axis=1), dtype=torch.float32, device=device)
    # END TODO

    # START TODO (vae 13): decode the points in evaluation mode, without recording gradients, and return the results.
    # Hint: an image has the shape decoded.shape[1:].
    model.eval()
    with torch.no_grad():
        decoded = model.decode(z)  # all points as one batch
    images = decoded.view(grid_size, grid_size, *decoded.shape[1:])
    return images.cpu().numpy(), step_size
    # END TODO
