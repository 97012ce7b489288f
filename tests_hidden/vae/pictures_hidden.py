"""What a decoder that is trained makes of a grid of latent variables.

The weights were trained by run_vae_training.py on the made digits; they are laid into the model by shape.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from gapcheck import assert_array, probe

WEIGHTS = Path(__file__).parent / "decoder.safetensors"
GRID = 8


@probe
def decoded_grid(weights: list[Tensor], reach: float, grid_size: int) -> object:
    from lib.explore_latent_space import sample_on_grid
    from lib.model_vae import VAE

    model = VAE()
    with torch.no_grad():
        for parameter in model.parameters():
            for weight in weights:
                if weight.shape == parameter.shape:
                    parameter.copy_(weight)
    return sample_on_grid(model, -reach, reach, -reach, reach, grid_size)[0]


def picture_of_the_latent_grid() -> NDArray[np.uint8]:
    """What a trained decoder makes of a grid of latent variables (`decode`, `sample_on_grid`)"""
    # the encoder's bias has the same shape as the decoder's and gets the same numbers; it is not used here
    weights = [tensor.float() for tensor in load_file(WEIGHTS).values()]
    images = decoded_grid(weights, reach=1.8, grid_size=GRID)
    grid = assert_array(images, (GRID, GRID, 1, 28, 28), what="the grid of images")[:, :, 0].astype(np.float64)
    # z0 runs to the right and z1 upwards
    rows = [np.concatenate(list(grid[:, j]), axis=1) for j in reversed(range(GRID))]
    pixels = np.concatenate(rows, axis=0).clip(0, 1) * 255
    return np.repeat(pixels.astype(np.uint8)[:, :, None], 3, axis=2)
