"""Task: a generator and a discriminator that know which class they deal with.

A GAN makes some picture; a conditional GAN makes a picture of the class that it is asked for. Both networks get the
class as a second input (Mirza & Osindero 2014, Conditional generative adversarial nets,
https://arxiv.org/abs/1411.1784):

    G(z, y)   a picture of class y, made of the noise z
    D(x, y)   how real the picture x looks, as a picture of class y

A class is no quantity: class 8 is not twice class 4. So its number is not an input by itself. Either a one-hot vector
stands for it, or an `nn.Embedding` gives each class a vector of its own, which is learnt. The generator joins this
vector with the noise; the discriminator with its features, or as one more channel with the picture.

The layers are for you to choose. The tests look at shapes, at ranges, and at what depends on what, and never at names
or numbers of layers. Strided convolutions take a picture from 28 to 14 to 7 pixels, transposed ones the same way back.

To implement: (cgan 1) to (cgan 4), the classes `ConditionalGenerator` and `ConditionalDiscriminator`.
Conventions that the tests depend on: pictures have values in [-1, 1]; the discriminator gives logits, no probabilities;
in evaluation mode nothing is random, and each picture is treated on its own.

Test it with: python -m tests.test_conditional_gan
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 28


class ConditionalGenerator(nn.Module):
    """G: noise (N, latent_size) and classes (N,) -> pictures (N, 1, 28, 28) with values in [-1, 1].

    Args:
        num_classes: how many classes there are, 0 ... num_classes - 1.
        latent_size: length of the noise.
    """

    def __init__(self, num_classes: int = 10, latent_size: int = 32) -> None:
        super().__init__()
        self.num_classes = num_classes
        # START TODO (cgan 1): create the generator's layers, with a place where the class enters.
        # Hint: nn.Unflatten turns a vector into a small picture with many channels.
        raise NotImplementedError("TODO cgan 1")
        # END TODO

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Make a picture of the class that is asked for.

        Args:
            z: (N, latent_size) noise, drawn from N(0, 1).
            labels: (N,) Long, the class of each picture.

        Returns:
            (N, 1, 28, 28) pictures with values in [-1, 1].
        """
        # START TODO (cgan 2): put noise and class together and run them through the generator's layers.
        # Hint: noise and class of one picture lie in one row.
        raise NotImplementedError("TODO cgan 2")
        # END TODO


class ConditionalDiscriminator(nn.Module):
    """D: pictures (N, 1, 28, 28) and classes (N,) -> logits (N,), positive for what looks real.

    Args:
        num_classes: how many classes there are, 0 ... num_classes - 1.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        # START TODO (cgan 3): create the discriminator's layers, with a place where the class enters.
        # Hint: an embedding of 28 * 28 numbers is a picture of the class.
        raise NotImplementedError("TODO cgan 3")
        # END TODO

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Judge pictures as pictures of their classes.

        Args:
            x: (N, 1, 28, 28) pictures with values in [-1, 1].
            labels: (N,) Long, the class that each picture should show.

        Returns:
            (N,) logits: the sigmoid of one is the probability that the picture is real.
        """
        # START TODO (cgan 4): put picture and class together and run them through the discriminator's layers.
        # Hint: one number for each picture, so the result has one axis.
        raise NotImplementedError("TODO cgan 4")
        # END TODO
