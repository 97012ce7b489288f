"""The losses of a GAN, as functions of the discriminator's logits.

With D = sigmoid(f), where f is the logit:

    -log D       = log(1 + exp(-f)) = softplus(-f)
    -log(1 - D)  = log(1 + exp(f))  = softplus(f)

Written so, nothing overflows: softplus is exact where sigmoid is already rounded to 0 or 1.

What to do: the gaps (dcgan 6) to (dcgan 10). Conventions that the tests depend on: logits have the shape (N,), batches
of real and of generated pictures may differ in size; every loss is a mean over its batch, a tensor without axes, and
stays finite, with its gradient, for logits as large as 1000.

Test with: python -m pytest tests/test_dcgan.py -k "loss or penalty"
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def discriminator_loss(logits_real: Tensor, logits_fake: Tensor) -> Tensor:
    """The cross-entropy that the discriminator minimises (Goodfellow et al. 2014, "Generative adversarial nets").

        L_D = -mean log D(x) - mean log(1 - D(G(z)))

    Args:
        logits_real: (N,) logits f(x) of real pictures.
        logits_fake: (M,) logits f(G(z)) of generated pictures.
    """
    # START TODO (dcgan 6): compute the loss from the logits. The two terms are added, not averaged.
    # Hint: F.softplus, or a cross-entropy of PyTorch that takes logits.
    on_real = F.softplus(-logits_real).mean()
    # the opposite sign: here a large logit is the error
    on_fake = F.softplus(logits_fake).mean()
    return on_real + on_fake
    # END TODO


def generator_loss(logits_fake: Tensor) -> Tensor:
    """The non-saturating loss of the generator (Goodfellow et al. 2014, end of section 3): L_G = -mean log D(G(z))."""
    # START TODO (dcgan 7): compute the loss from the (N,) logits of generated pictures.
    return F.softplus(-logits_fake).mean()  # the generator wants them taken for real ones
    # END TODO


def saturating_generator_loss(logits_fake: Tensor) -> Tensor:
    """What the generator minimises in the two-player game itself (Goodfellow et al., eq. 1): mean log(1 - D(G(z)))."""
    # START TODO (dcgan 8): compute this loss from the (N,) logits of generated pictures; mind its sign.
    return -F.softplus(logits_fake).mean()  # the discriminator's term, of which the generator wants the opposite
    # END TODO


def ls_discriminator_loss(logits_real: Tensor, logits_fake: Tensor) -> Tensor:
    """Least squares in place of the cross-entropy (Mao et al. 2017, "Least squares GANs", eq. 9).

        L_D = 1/2 mean (f(x) - 1)^2 + 1/2 mean f(G(z))^2

    The output of the network is compared with the labels 1 and 0 itself, without a sigmoid.
    """
    # START TODO (dcgan 9a): compute this loss from the logits.
    on_real = (logits_real - 1).square().mean()
    # the label of a generated picture is 0
    on_fake = logits_fake.square().mean()
    return (on_real + on_fake) / 2
    # END TODO


def ls_generator_loss(logits_fake: Tensor) -> Tensor:
    """The generator's least squares (Mao et al. 2017, eq. 9): L_G = 1/2 mean (f(G(z)) - 1)^2."""
    # START TODO (dcgan 9b): compute this loss from the logits of generated pictures.
    return (logits_fake - 1).square().mean() / 2  # it wants the label of the data, 1
    # END TODO


def r1_penalty(discriminator: nn.Module, pictures: Tensor) -> Tensor:
    """How steep the discriminator is at real pictures (Mescheder, Geiger & Nowozin 2018, eq. 9, with gamma = 1).

        R_1 = 1/2 mean ||gradient of f at x||^2

    The norm runs over all pixels of a picture, the mean over the batch. The penalty is differentiable: it is added to
    the discriminator's loss, so its gradient must reach the discriminator's weights.

    Args:
        discriminator: maps pictures (N, C, H, W) to logits (N,).
        pictures: (N, C, H, W) real pictures; they are not changed, and neither is the `.grad` of any tensor.

    Returns:
        A tensor without axes.
    """
    # START TODO (dcgan 10): compute the gradients of the logits in the pictures, then the penalty.
    # Hint: torch.autograd.grad returns gradients and stores none; what does create_graph do?
    pictures = pictures.detach().requires_grad_()
    # the gradient of the sum: each logit depends on its own picture
    (gradient,) = torch.autograd.grad(discriminator(pictures).sum(), pictures, create_graph=True)
    # pixels are summed, pictures averaged
    return gradient.square().sum(dim=(1, 2, 3)).mean() / 2
    # END TODO
