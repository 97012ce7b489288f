"""The two networks of a DCGAN for pictures of 28x28 pixels, and how their weights begin.

Goal: the generator G turns a vector of noise z into a picture G(z), the discriminator D gives a picture a *logit* f(x):
a real number that is large where the picture looks real. The probability that it is real is D(x) = sigmoid(f(x)). The
networks follow the guidelines of Radford, Metz & Chintala 2016, "Unsupervised representation learning with deep
convolutional generative adversarial networks", section 3.

Height and width after a layer with kernel k, stride s and padding p:

    Conv2d:           out = floor((in + 2 p - k) / s) + 1
    ConvTranspose2d:  out = (in - 1) s - 2 p + k

What to do: the gaps (dcgan 1) to (dcgan 5). Conventions that the tests depend on: the layers are PyTorch's own, a layer
has the default settings where nothing else is said; their names and their order in the class are yours.

Test with: python -m pytest tests/test_dcgan.py -k "generator or discriminator or initial"
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

PICTURE_SIZE = 28
SMALLEST = 7  # height and width where the generator begins and the discriminator ends


class Generator(nn.Module):
    """G: noise (N, noise_size) -> pictures (N, channels, 28, 28) with values in [-1, 1].

    Args:
        noise_size: the length of z.
        width: w, the channels are 4 w at 7x7 and 2 w at 14x14.
        channels: 1 for grey pictures, 3 for RGB.
    """

    def __init__(self, noise_size: int = 64, width: int = 32, channels: int = 1) -> None:
        super().__init__()
        # START TODO (dcgan 1): make the generator's layers, with w = width.
        # layer                                        bias   followed by       shape of the output
        # linear to 4 w * 7 * 7 numbers                 no    reshaping           (4 w, 7, 7)
        #                                                     batch norm, ReLU    (4 w, 7, 7)
        # transposed convolution, kernel 4, stride 2    no    batch norm, ReLU    (2 w, 14, 14)
        # transposed convolution, kernel 4, stride 2    yes   tanh                (channels, 28, 28)
        # Hint: nn.Unflatten reshapes inside an nn.Sequential. Which padding doubles height and width?
        self.layers = nn.Sequential(
            # every entry of z has a say in every pixel of a small picture with many channels
            nn.Linear(noise_size, 4 * width * SMALLEST**2, bias=False),
            nn.Unflatten(1, (4 * width, SMALLEST, SMALLEST)),
            nn.BatchNorm2d(4 * width),
            nn.ReLU(),
            nn.ConvTranspose2d(4 * width, 2 * width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            # no batch norm at the end: the pictures need the mean and the contrast of the data
            nn.ConvTranspose2d(2 * width, channels, 4, stride=2, padding=1),
            nn.Tanh(),
        )
        # END TODO

    def forward(self, z: Tensor) -> Tensor:
        """Turn noise (N, noise_size) into pictures (N, channels, 28, 28)."""
        # START TODO (dcgan 2): run the noise through the generator's layers.
        return self.layers(z)  # tanh stands at the end, so the values lie in [-1, 1]
        # END TODO


class Discriminator(nn.Module):
    """f: pictures (N, channels, 28, 28) -> logits (N,), positive where the picture looks real.

    Args:
        width: w, the channels are w at 14x14 and 2 w at 7x7.
        channels: 1 for grey pictures, 3 for RGB.
    """

    def __init__(self, width: int = 32, channels: int = 1) -> None:
        super().__init__()
        # START TODO (dcgan 3): make the discriminator's layers, with w = width.
        # layer                             bias   followed by                   shape of the output
        # convolution, kernel 4, stride 2   yes    leaky ReLU                      (w, 14, 14)
        # convolution, kernel 4, stride 2   no     batch norm, leaky ReLU          (2 w, 7, 7)
        # linear                            yes    nothing: its output is the logit
        # The leaky ReLU has slope 0.2 below zero.
        self.layers = nn.Sequential(
            # no batch norm at the pictures themselves: their mean and contrast tell real from fake
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            # one number for the whole picture
            nn.Linear(SMALLEST**2 * 2 * width, 1),
        )
        # END TODO

    def forward(self, x: Tensor) -> Tensor:
        """Give each of the pictures (N, channels, 28, 28) its logit; (N,)."""
        # START TODO (dcgan 4): run the pictures through the discriminator's layers and return one logit a picture.
        # Hint: the linear layer gives (N, 1), the losses want (N,), also for a batch of one picture.
        return self.layers(x).squeeze(1)  # only this axis: the axis of the batch stays, even if its length is 1
        # END TODO


@torch.no_grad()
def initialise(network: nn.Module) -> None:
    """Draw the weights of a network anew, as Radford et al. do (their section 4).

        linear and (transposed) convolutional layers:  weights from N(0, 0.02^2), biases 0 where there are any
        batch norms:                                   scales from N(1, 0.02^2), shifts 0

    Args:
        network: any network; its layers may lie inside others. It is changed in place.
    """
    for module in network.modules():
        # START TODO (dcgan 5): draw the weights of this module, if it is one of the layers above.
        # Hint: isinstance takes a tuple of classes; torch.nn.init has functions that fill a tensor in place.
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            # small weights keep tanh and sigmoid away from their flat ends
            nn.init.normal_(module.weight, mean=0.0, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        if isinstance(module, nn.BatchNorm2d):
            # almost the identity at the start
            nn.init.normal_(module.weight, mean=1.0, std=0.02)
            nn.init.zeros_(module.bias)
        # END TODO
