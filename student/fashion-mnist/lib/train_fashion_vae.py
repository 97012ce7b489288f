"""Task: train the variational autoencoder, and measure how well it reconstructs.

The loss is the negative ELBO of one picture, averaged over the batch:

    reconstruction = - sum over pixels of   x log(r) + (1 - x) log(1 - r)                      r: the reconstruction
    kl             = 1/2 sum over latents of   mean^2 + exp(logvar) - 1 - logvar
    loss           = reconstruction + kl

The reconstruction error is something else: it compares test pictures with what the decoder makes of the encoded means,
without any noise, so that the number can be compared between models. With n pictures of 784 pixels

    error = 1/n sum over pictures of   1/784 sum over pixels of   (x - decode(mean(x)))^2

To implement: (fashion 6) to (fashion 8), the functions `vae_loss`, `train_one_epoch` and `reconstruction_error`.
Test it with: python -m tests.test_fashion_training
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer


def vae_loss(reconstruction: Tensor, x: Tensor, mean: Tensor, logvar: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The negative ELBO of a picture, averaged over the batch.

    Args:
        reconstruction: (batch, C, H, W) output of the decoder, values in [0, 1]; 0 and 1 themselves may occur.
        x: (batch, C, H, W) the pictures, values in [0, 1].
        mean, logvar: (batch, latent) output of the encoder.

    Returns:
        loss, reconstruction term, KL term: tensors without dimensions; the loss is the sum of the other two.
    """
    # START TODO (fashion 6): compute both terms: summed over the pixels or latent variables, averaged over the batch.
    # Hint: torch.nn.functional has the binary cross-entropy, which stays finite at 0 and 1; mind its reduction.
    raise NotImplementedError("TODO fashion 6")
    # END TODO


def train_one_epoch(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    optimizer: Optimizer,
    device: str | torch.device = "cpu",
) -> float:
    """Go through the training pictures once, with one step of the optimiser for each batch.

    Args:
        model: a VAE on `device`: model(x) -> (reconstruction, mean, logvar). It is trained in training mode.
        batches: pairs (pictures, labels); the labels are not used. The last batch may be smaller.
        optimizer: of the model's parameters; it may hold old gradients.
        device: where the pictures must be for the model.

    Returns:
        The mean loss of a picture over the epoch: each picture counts once, whatever the size of its batch.
    """
    # START TODO (fashion 7): train on all batches, and return the mean loss of a picture.
    # Hint: vae_loss is an average over its batch; batches of different sizes count differently.
    raise NotImplementedError("TODO fashion 7")
    # END TODO


def reconstruction_error(
    model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], device: str | torch.device = "cpu"
) -> float:
    """The mean squared error of a pixel between pictures and the decodings of their encoded means.

    Args:
        model: a VAE on `device`: encode(x) -> (mean, logvar), decode(z) -> pictures. It is used in evaluation mode.
        batches: pairs (pictures, labels); the last batch may be smaller.
        device: where the pictures must be for the model.

    Returns:
        The error, averaged over the pixels of a picture and over all pictures. No gradients are recorded.
    """
    # START TODO (fashion 8): compute the error over all batches; every picture counts the same.
    # Hint: add up squared errors and count pixels, and divide at the very end.
    raise NotImplementedError("TODO fashion 8")
    # END TODO
