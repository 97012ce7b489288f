"""A generative adversarial network for 32x32 pictures: the generator and the discriminator.

Goal: the generator G turns noise z into a picture G(z), the discriminator D says for a picture x how probable it is
that x is real, D(x). Both are convolutional networks without fully connected layers (DCGAN: Radford, Metz & Chintala
2016, Unsupervised representation learning with deep convolutional generative adversarial networks, section 3).

The size of a picture after a layer, with kernel k, stride s and padding p:

    Conv2d:           out = floor((in + 2 p - k) / s) + 1
    ConvTranspose2d:  out = (in - 1) s - 2 p + k

To implement: the layers of both networks and their forward passes, (gan 1) to (gan 4).
Conventions that the tests depend on: no convolution has a bias; batch normalisation is `nn.BatchNorm2d` with its
default settings; the layers are PyTorch's own (`nn.Conv2d`, ...), their names and order in the class are yours. With
channels_multiplier = 4 the generator has 43,748 parameters and the discriminator 3,056.

Test with: python -m pytest tests/test_gan_models.py
"""

import torch
from torch import Tensor, nn


class Generator(nn.Module):
    """G: noise (N, latent_size, 1, 1) -> pictures (N, num_input_channels, 32, 32) with values in [-1, 1]."""

    def __init__(self, channels_multiplier: int = 32, num_input_channels: int = 3, latent_size: int = 64) -> None:
        """Make the layers.

        Args:
            channels_multiplier: m, the channels before the last layer; the first layer has 8 m.
            num_input_channels: channels of a picture, 3 for RGB.
            latent_size: channels of the noise.
        """
        super().__init__()
        # START TODO (gan 1): make the generator's layers, with m = channels_multiplier and no bias anywhere.
        # layer                            kernel  stride  padding  followed by      size of the output
        # transposed convolution to 8 m       4       1       0     batch norm, ReLU      4 x 4
        # transposed convolution to 4 m       4       2       1     batch norm, ReLU      8 x 8
        # transposed convolution to 2 m       4       2       1     batch norm, ReLU     16 x 16
        # transposed convolution to m         4       2       1     batch norm, ReLU     32 x 32
        # convolution to the picture          3       1       1     tanh                 32 x 32
        m = channels_multiplier
        self.layers = nn.Sequential(
            # the noise becomes a picture of 4 x 4 pixels with many channels
            nn.ConvTranspose2d(latent_size, 8 * m, 4, 1, 0, bias=False),
            nn.BatchNorm2d(8 * m),
            nn.ReLU(),
            # each step doubles height and width and halves the channels
            nn.ConvTranspose2d(8 * m, 4 * m, 4, 2, 1, bias=False),
            nn.BatchNorm2d(4 * m),
            nn.ReLU(),
            nn.ConvTranspose2d(4 * m, 2 * m, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * m),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * m, m, 4, 2, 1, bias=False),
            nn.BatchNorm2d(m),
            nn.ReLU(),
            # tanh puts the pixels into the range of the training pictures
            nn.Conv2d(m, num_input_channels, 3, 1, 1, bias=False),
            nn.Tanh(),
        )
        # END TODO

    def forward(self, z: Tensor) -> Tensor:
        """Turn noise into pictures.

        Args:
            z: (N, latent_size, 1, 1) noise, drawn from N(0, 1).

        Returns:
            (N, num_input_channels, 32, 32) pictures with values in [-1, 1].
        """
        # START TODO (gan 2): run the noise through the generator's layers and return the pictures.
        return self.layers(z)  # every layer takes what the one before it gives
        # END TODO


class Discriminator(nn.Module):
    """D: pictures (N, num_input_channels, 32, 32) -> probabilities (N, 1, 1, 1) that they are real."""

    def __init__(self, channels_multiplier: int = 64, num_input_channels: int = 3) -> None:
        """Make the layers.

        Args:
            channels_multiplier: m, the channels after the first layer.
            num_input_channels: channels of a picture, 3 for RGB.
        """
        super().__init__()
        # START TODO (gan 3): make the discriminator's layers, with m = channels_multiplier and no bias anywhere.
        # layer                kernel  stride  padding  followed by                    size of the output
        # convolution to m        4       2       1     leaky ReLU                          16 x 16
        # convolution to 2 m      4       2       1     batch norm, leaky ReLU               8 x 8
        # convolution to 4 m      4       2       1     batch norm, leaky ReLU               4 x 4
        # convolution to 1        4       1       0     sigmoid                              1 x 1
        # The leaky ReLU has slope 0.2 below zero.
        m = channels_multiplier
        self.layers = nn.Sequential(
            # no batch norm at the pictures themselves: their mean and contrast tell real from fake
            nn.Conv2d(num_input_channels, m, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2),
            nn.Conv2d(m, 2 * m, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * m),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * m, 4 * m, 4, 2, 1, bias=False),
            nn.BatchNorm2d(4 * m),
            nn.LeakyReLU(0.2),
            # one number for the whole picture, as a probability
            nn.Conv2d(4 * m, 1, 4, 1, 0, bias=False),
            nn.Sigmoid(),
        )
        # END TODO

    def forward(self, x: Tensor) -> Tensor:
        """Judge pictures.

        Args:
            x: (N, num_input_channels, 32, 32) pictures with values in [-1, 1].

        Returns:
            (N, 1, 1, 1) probabilities that the pictures are real.
        """
        # START TODO (gan 4): run the pictures through the discriminator's layers and return the probabilities.
        return self.layers(x)  # the last layer is the sigmoid: probabilities, not logits
        # END TODO


def initialise_weights(module: nn.Module) -> None:
    """Draw a layer's weights as DCGAN does; to be used as `network.apply(initialise_weights)`.

    Convolutions get weights from N(0, 0.02^2), batch norms a scale from N(1, 0.02^2) and a shift of 0.
    """
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def draw_noise(n: int, latent_size: int, generator: torch.Generator | None = None) -> Tensor:
    """(n, latent_size, 1, 1) noise from N(0, 1), what the generator takes."""
    return torch.randn(n, latent_size, 1, 1, generator=generator)
