"""Task: make new pictures with a trained variational autoencoder, and walk through its latent space.

    generation        z ~ N(0, I), decoded
    interpolation     z_k = (1 - k / (n - 1)) * mean(first) + k / (n - 1) * mean(second),   k = 0 ... n - 1, decoded

The first picture of an interpolation is thus the decoding of the first picture's encoded mean, the last one that of
the second's, and the steps between them all have the same length. Interpolate within a class, where both ends are bags,
say, and between two classes: where along the way does a bag become a boot, and is what lies between still clothing?

To implement: (fashion 9) to (fashion 11), the functions `generate`, `draw_pairs` and `interpolate`.
Conventions that the tests depend on: the model is used in evaluation mode and without recording gradients; `generate`
and `draw_pairs` take their random numbers from PyTorch's global generator and set no seed.

Test it with: python -m tests.test_fashion_interpolation
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def generate(model: nn.Module, n_pictures: int, latent_size: int, device: str | torch.device = "cpu") -> Tensor:
    """New pictures: decoded draws from the prior N(0, I).

    Args:
        model: a VAE on `device`; it has the method decode(z) -> (batch, C, H, W).
        n_pictures: how many.
        latent_size: number of latent variables of the model.
        device: where the latent variables must be for the model.

    Returns:
        (n_pictures, C, H, W) pictures.
    """
    # START TODO (fashion 9): draw latent variables and decode them.
    # Which distribution does the KL term pull all encoded pictures towards?
    raise NotImplementedError("TODO fashion 9")
    # END TODO


def draw_pairs(labels: Tensor, first_class: int, second_class: int, n_pairs: int) -> Tensor:
    """Draw pairs of different pictures, the first of one class and the second of another or of the same one.

    Every pair is drawn on its own, all possible ones with the same probability: a picture may be in several pairs.

    Args:
        labels: (n,) Long, the class of each picture.
        first_class, second_class: the classes; they may be equal, and then hold at least two pictures.
        n_pairs: how many; it may be larger than a class.

    Returns:
        (n_pairs, 2) Long, the positions of both pictures in `labels`.
    """
    # START TODO (fashion 10): draw the pairs; within one class no picture is paired with itself.
    # Hint: if the second is drawn from one place fewer, how can it step over the first?
    raise NotImplementedError("TODO fashion 10")
    # END TODO


def interpolate(model: nn.Module, first: Tensor, second: Tensor, n_steps: int) -> Tensor:
    """Pictures on the way from one to another, evenly spaced in latent space.

    Args:
        model: a VAE, on the device of the pictures: encode(x) -> (mean, logvar), decode(z) -> pictures.
        first, second: (n_pairs, C, H, W) pictures to begin and to end with.
        n_steps: number of pictures on each way, both ends included, at least 2.

    Returns:
        (n_pairs, n_steps, C, H, W) pictures; [p, k] is picture k on the way from first[p] to second[p].
    """
    # START TODO (fashion 11): encode both ends, place n_steps points on the line between their means, decode them all.
    # Nothing is random here: what is encoded is the mean and not a sample.
    # Hint: weights of shape (n_steps, 1) and means of shape (n_pairs, 1, latent) broadcast against each other.
    raise NotImplementedError("TODO fashion 11")
    # END TODO
