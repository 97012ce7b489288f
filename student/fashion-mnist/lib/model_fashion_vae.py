"""Task: a variational autoencoder of your own design for 28x28 grey pictures.

The encoder maps a picture x to a normal distribution of latent variables z, the decoder maps these to a picture:

    q(z | x) = N(mean(x), diag(exp(logvar(x))))        z = mean + exp(logvar / 2) * epsilon,   epsilon ~ N(0, I)

What lies between input and output is for you to choose: fully connected layers or convolutions, how many, how wide. The
tests look at shapes, ranges and formulas, and never at names or numbers of layers. With strided convolutions a picture
goes from 28 to 14 to 7 pixels, and with transposed ones the same way back.

Paper: D. P. Kingma and M. Welling, Auto-Encoding Variational Bayes, ICLR 2014, https://arxiv.org/abs/1312.6114

To implement: (fashion 1) to (fashion 5), the class `FashionVAE`.
Conventions that the tests depend on: pictures have values in [0, 1]; encode gives the mean and the logarithm of the
variance, in this order; `sample_latent` draws in training mode and in evaluation mode alike; in evaluation mode nothing
else is random, and each picture is treated on its own.

Test it with: python -m tests.test_fashion_vae
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

PICTURE = (1, 28, 28)


class FashionVAE(nn.Module):
    """A VAE for pictures (1, 28, 28).

    Args:
        latent_size: number of latent variables.
    """

    def __init__(self, latent_size: int = 8) -> None:
        super().__init__()
        self.latent_size = latent_size
        # START TODO (fashion 1): create the layers of the encoder and of the decoder, as you like them.
        # The encoder needs an output for the mean and one for logvar, with `latent_size` numbers each.
        # Hint: nn.Sequential, nn.Flatten and nn.Unflatten put a whole network into one attribute.
        raise NotImplementedError("TODO fashion 1")
        # END TODO

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The parameters of q(z | x).

        Args:
            x: (batch, 1, 28, 28) pictures with values in [0, 1].

        Returns:
            mean, logvar: (batch, latent_size) each; both may be any real numbers.
        """
        # START TODO (fashion 2): run the pictures through the encoder and return mean and logvar.
        # Hint: if one layer gives both, Tensor.chunk cuts its output in two.
        raise NotImplementedError("TODO fashion 2")
        # END TODO

    def sample_latent(self, mean: Tensor, logvar: Tensor) -> Tensor:
        """Draw z ~ N(mean, diag(exp(logvar))), differentiable in both arguments.

        Args:
            mean, logvar: (batch, latent_size), as `encode` returns them.

        Returns:
            z: (batch, latent_size).
        """
        # START TODO (fashion 3): draw z with the reparameterisation trick, in training and in evaluation mode.
        # Each latent variable of each picture has standard normal noise of its own.
        # Hint: what is the standard deviation, given the logarithm of the variance?
        raise NotImplementedError("TODO fashion 3")
        # END TODO

    def decode(self, z: Tensor) -> Tensor:
        """The pictures that latent variables make.

        Args:
            z: (batch, latent_size).

        Returns:
            (batch, 1, 28, 28) pictures with values in [0, 1].
        """
        # START TODO (fashion 4): run the latent variables through the decoder and return pictures.
        # Which function maps any number into [0, 1]?
        raise NotImplementedError("TODO fashion 4")
        # END TODO

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode pictures, draw latent variables, decode them.

        Args:
            x: (batch, 1, 28, 28) pictures with values in [0, 1].

        Returns:
            reconstruction: (batch, 1, 28, 28), mean: (batch, latent_size), logvar: (batch, latent_size), in this order.
        """
        # START TODO (fashion 5): put the three methods above together.
        raise NotImplementedError("TODO fashion 5")
        # END TODO
