"""Task: the losses and the alternating updates of a conditional GAN, and pictures of a class on demand.

With the logits l of the discriminator and the sigmoid s(l), the probability that a picture is real (Goodfellow et al.
2014, Generative adversarial nets; the generator's loss is the non-saturating one at the end of their section 3):

    D minimises   mean of -log s(D(x, y))   +   mean of -log(1 - s(D(G(z, y), y)))
    G minimises   mean of -log s(D(G(z, y), y))

The same classes y go to the generator and to the discriminator. D thereby learns two things: that a picture must look
real, and that it must show its class.

To implement: (cgan 5) to (cgan 9).
Conventions that the tests depend on: losses stay finite for logits of any size; an update sets the gradients of the
network that it trains to zero before it computes new ones, takes exactly one step of the optimiser that it is given,
and changes no weight of the other network; nothing but the noise that is passed in is random.

Test it with: python -m tests.test_conditional_training
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The discriminator's loss: the mean over the real pictures plus the mean over the generated ones.

    Args:
        real_logits: (N,) logits of real pictures.
        fake_logits: (M,) logits of generated pictures.

    Returns:
        A tensor without dimensions.
    """
    # START TODO (cgan 5): compute the loss from the logits, so that it stays finite for logits of any size.
    # Hint: torch.nn.functional has a binary cross-entropy for logits.
    raise NotImplementedError("TODO cgan 5")
    # END TODO


def generator_loss(fake_logits: Tensor) -> Tensor:
    """The generator's loss: small where its pictures are taken for real.

    Args:
        fake_logits: (N,) logits of generated pictures.

    Returns:
        A tensor without dimensions, averaged over the pictures.
    """
    # START TODO (cgan 6): compute the loss from the logits. Which label does the generator wish for?
    raise NotImplementedError("TODO cgan 6")
    # END TODO


def update_discriminator(
    discriminator: nn.Module,
    generator: nn.Module,
    real_images: Tensor,
    labels: Tensor,
    noise: Tensor,
    optimizer: Optimizer,
) -> Tensor:
    """Take one step of the discriminator.

    Args:
        discriminator: D, maps pictures (N, C, H, W) and classes (N,) to logits (N,).
        generator: G, maps noise (N, latent) and classes (N,) to pictures (N, C, H, W); it gets no gradient here.
        real_images: (N, C, H, W) pictures of the training set.
        labels: (N,) Long, the classes of the real pictures, and of those that G makes for this step.
        noise: (N, latent) noise for G.
        optimizer: of the discriminator's parameters.

    Returns:
        The loss before the step, a tensor without dimensions.
    """
    # START TODO (cgan 7): make pictures of these classes, compute the discriminator's loss, and take its step.
    # This loss is no business of the generator's: none of it may reach its weights.
    raise NotImplementedError("TODO cgan 7")
    # END TODO


def update_generator(
    discriminator: nn.Module, generator: nn.Module, labels: Tensor, noise: Tensor, optimizer: Optimizer
) -> Tensor:
    """Take one step of the generator.

    Args:
        discriminator: D, maps pictures (N, C, H, W) and classes (N,) to logits (N,); its weights are not changed here.
        generator: G, maps noise (N, latent) and classes (N,) to pictures (N, C, H, W).
        labels: (N,) Long, the classes of the pictures that G makes for this step.
        noise: (N, latent) noise for G.
        optimizer: of the generator's parameters.

    Returns:
        The loss before the step, a tensor without dimensions.
    """
    # START TODO (cgan 8): make pictures of these classes, compute the generator's loss, and take its step.
    # The generator learns through the discriminator's judgement.
    raise NotImplementedError("TODO cgan 8")
    # END TODO


def sample_class(generator: nn.Module, label: int, noise: Tensor) -> Tensor:
    """Pictures of one class, ready to be shown.

    Args:
        generator: G, maps noise (N, latent) and classes (N,) to pictures (N, C, H, W) with values in [-1, 1]. It is
            used in evaluation mode, and left in the mode that it was in: sampling may interrupt a training.
        label: the class.
        noise: (N, latent) noise for G, one row for each picture.

    Returns:
        (N, C, H, W) pictures with values in [0, 1]. No gradients are recorded.
    """
    # START TODO (cgan 9): make one picture of the class from each row of the noise, with values in [0, 1].
    # Hint: which straight line maps -1 to 0 and 1 to 1?
    raise NotImplementedError("TODO cgan 9")
    # END TODO
