"""Task: the model of a variational autoencoder (VAE).

A VAE describes images x by a few latent variables z. Two networks are trained together:

    encoder   q(z | x) = N(mu(x), diag(sigma(x)^2))     which z may have made this image?
    decoder   p(x | z) = Bernoulli(decode(z))           which image does this z make?

Both are fully connected with one hidden layer:

    x -> flatten -> Linear -> ReLU -> two Linear heads: mu and logvar = log(sigma^2)
    z -> Linear -> ReLU -> Linear -> Sigmoid -> image

Training needs gradients through the random choice of z. The reparameterisation trick moves the randomness into
noise that does not depend on any parameter:

    z = mu + sigma * epsilon,     epsilon ~ N(0, I)

Paper: D. P. Kingma and M. Welling, Auto-Encoding Variational Bayes, ICLR 2014, https://arxiv.org/abs/1312.6114
(the trick is in section 2.4, the networks are in appendix C).

To implement: the layers in `__init__`, then `encode`, `reparameterize`, `decode` and `forward` of `VAE`.
Test it with: python -m tests.test_vae
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class VAE(nn.Module):
    """A fully connected VAE for images of any size.

    Args:
        in_channels, in_height, in_width: the shape (C, H, W) of an image.
        hidden_size: number of units of the hidden layer, the same in the encoder and in the decoder.
        latent_size: number of latent variables.
    """

    def __init__(
        self,
        in_channels: int = 1,
        in_height: int = 28,
        in_width: int = 28,
        hidden_size: int = 100,
        latent_size: int = 2,
    ) -> None:
        super().__init__()
        self.image_shape = (in_channels, in_height, in_width)
        self.latent_size = latent_size
        image_size = in_channels * in_height * in_width  # values in a flattened image

        # START TODO (vae 1): create the encoder's layers with nn.Linear: one hidden layer and the two heads.
        # Each layer has a bias. Keep layers as attributes of self, so that PyTorch finds their parameters.
        # The heads share the hidden layer; one gives mu, the other logvar, each `latent_size` numbers.
        raise NotImplementedError("TODO vae 1")
        # END TODO

        # START TODO (vae 2): create the decoder's layers with nn.Linear: one hidden layer and one output layer.
        # The decoder is the encoder's mirror image; the defaults give 158,388 parameters in all.
        # The decoder has its own layers: no weights are shared with the encoder.
        raise NotImplementedError("TODO vae 2")
        # END TODO

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The parameters of q(z | x).

        Args:
            x: (batch, C, H, W) images with values in [0, 1].

        Returns:
            mu: (batch, latent) means.
            logvar: (batch, latent) logarithms of the variances, log(sigma^2).
        """
        # START TODO (vae 3): flatten the images, apply the hidden layer with ReLU, then both heads.
        # Hint: a mean may be negative, and so may the logarithm of a variance.
        raise NotImplementedError("TODO vae 3")
        # END TODO

    def reparameterize(self, mu: Tensor, logvar: Tensor) -> Tensor:
        """Draw z ~ N(mu, diag(exp(logvar))) with the reparameterisation trick (Kingma & Welling 2014, section 2.4).

        Args:
            mu, logvar: (batch, latent) outputs of the encoder.

        Returns:
            z: (batch, latent). In training mode a sample, differentiable in both arguments; in evaluation mode mu.
        """
        # START TODO (vae 4): return a sample in training mode (`self.training` tells) and mu in evaluation mode.
        # Each number of z has standard normal noise of its own. The arguments must not be changed in place.
        # Hint: sigma is the square root of the variance; write it as a function of logvar.
        raise NotImplementedError("TODO vae 4")
        # END TODO

    def decode(self, z: Tensor) -> Tensor:
        """The images that latent variables make.

        Args:
            z: (batch, latent) latent variables.

        Returns:
            x_reconstructed: (batch, C, H, W), each value the probability of a white pixel, in [0, 1].
        """
        # START TODO (vae 5): apply the hidden layer with ReLU and the output layer with a sigmoid.
        # The result has the shape of a batch of images; `self.image_shape` is (C, H, W).
        raise NotImplementedError("TODO vae 5")
        # END TODO

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode images, draw latent variables, decode them.

        Args:
            x: (batch, C, H, W) images with values in [0, 1].

        Returns:
            x_reconstructed: (batch, C, H, W), mu: (batch, latent), logvar: (batch, latent), in this order.
        """
        # START TODO (vae 6): put the three methods above together.
        # Mind the order of what is returned.
        raise NotImplementedError("TODO vae 6")
        # END TODO
