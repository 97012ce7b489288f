"""The two alternating updates of a generative adversarial network, and the training loop around them.

The discriminator D is trained to tell real pictures x from generated ones G(z), the generator G to be taken for real
(Goodfellow et al. 2014, Generative adversarial nets, section 3 and algorithm 1):

    D minimises   -log D(x) - log(1 - D(G(z)))
    G minimises   -log D(G(z))                   (the non-saturating form, end of their section 3)

Every term is a binary cross-entropy, averaged over the batch: BCE(p, 1) = -log p and BCE(p, 0) = -log(1 - p).

To implement: D's loss on real and on generated pictures with its step, and G's step, (gan 5) to (gan 7).
Conventions that the tests depend on:
- D already ends with a sigmoid: its output is a probability of shape (N, 1, 1, 1), the labels have shape (N,).
- The reduction of each loss is the mean over the batch. Real and fake pictures pass D as two batches, since batch norm
  would mix them otherwise. The losses must stay finite when D answers exactly 0 or 1, as those of PyTorch do.
- An update sets the gradients of the network that it trains to zero before it computes new ones, takes exactly one step
  of the optimiser that it is given, and does not change the weights of the other network.
- What `label` holds before the call has no meaning.

Test with: python -m pytest tests/test_gan_training.py
"""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from lib.model_gan import draw_noise

REAL_LABEL = 1.0
FAKE_LABEL = 0.0


def update_discriminator(
    discriminator: nn.Module,
    generator: nn.Module,
    real_images: Tensor,
    noise: Tensor,
    label: Tensor,
    optimizerD: Optimizer,
) -> tuple[Tensor, float, Tensor, float, Tensor]:
    """Take one step of the discriminator on -log D(x) - log(1 - D(G(z))).

    Args:
        discriminator: D, maps pictures (N, C, H, W) to probabilities (N, 1, 1, 1).
        generator: G, maps noise (N, latent, 1, 1) to pictures (N, C, H, W); not changed here.
        real_images: (N, C, H, W) pictures x of the training set.
        noise: (N, latent, 1, 1) noise z.
        label: (N,) room for the labels; its values are overwritten.
        optimizerD: the optimiser of the discriminator's parameters.

    Returns:
        errD_real: the loss on the real pictures, a tensor without dimensions.
        D_x: the mean of D(x), before the step.
        errD_fake: the loss on the generated pictures, a tensor without dimensions.
        D_G_z1: the mean of D(G(z)), before the step.
        fake_images: (N, C, H, W) the pictures G(z), still connected with the generator: its update needs that.
    """
    # START TODO (gan 5): zero D's gradients; compute D(x), the loss errD_real, its gradients and the mean D_x.
    # Hint: compare the shapes of D's output and of the labels.
    raise NotImplementedError("TODO gan 5")
    # END TODO

    # START TODO (gan 6): make fake_images from the noise; compute D(G(z)), errD_fake, its gradients and the mean
    # D_G_z1; then let the optimiser take its step. G must get no gradient, and fake_images stay connected with G.
    raise NotImplementedError("TODO gan 6")
    # END TODO
    return errD_real, D_x, errD_fake, D_G_z1, fake_images


def update_generator(
    discriminator: nn.Module,
    generator: nn.Module,
    fake_images: Tensor,
    label: Tensor,
    optimizerG: Optimizer,
) -> tuple[Tensor, float]:
    """Take one step of the generator on -log D(G(z)).

    Args:
        discriminator: D, maps pictures (N, C, H, W) to probabilities (N, 1, 1, 1); its weights are not changed here.
        generator: G, the network that made `fake_images`.
        fake_images: (N, C, H, W) the pictures G(z) that `update_discriminator` returned.
        label: (N,) room for the labels; its values are overwritten.
        optimizerG: the optimiser of the generator's parameters.

    Returns:
        errG: the generator's loss, a tensor without dimensions.
        D_G_z2: the mean of D(G(z)), before the generator's step.
    """
    # START TODO (gan 7): compute errG and the mean D_G_z2 on the fake pictures and take one step of the generator.
    # The generator wants its pictures to be taken for real: which label says so?
    raise NotImplementedError("TODO gan 7")
    # END TODO
    return errG, D_G_z2


def train_one_epoch(
    discriminator: nn.Module,
    generator: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    latent_size: int,
    optimizerD: Optimizer,
    optimizerG: Optimizer,
    progress: "tqdm[None]",
) -> tuple[list[float], list[float]]:
    """Go through the training set once, with one update of D and one of G for each batch.

    Args:
        batches: pairs (pictures, kinds); the kinds are not used.
        progress: the progress bar, moved by one for each batch.

    Returns:
        The losses of D (both terms added) and of G, a number for each batch.
    """
    device = next(generator.parameters()).device
    losses_d: list[float] = []
    losses_g: list[float] = []
    for pictures, _ in batches:
        real_images = pictures.to(device)
        noise = draw_noise(len(real_images), latent_size).to(device)
        label = torch.empty(len(real_images), device=device)
        errD_real, D_x, errD_fake, D_G_z1, fake_images = update_discriminator(
            discriminator, generator, real_images, noise, label, optimizerD
        )
        errG, D_G_z2 = update_generator(discriminator, generator, fake_images, label, optimizerG)
        losses_d.append(torch.as_tensor(errD_real).item() + torch.as_tensor(errD_fake).item())
        losses_g.append(torch.as_tensor(errG).item())
        progress.set_postfix_str(f"D(x) {D_x:.2f}, D(G(z)) {D_G_z1:.2f} -> {D_G_z2:.2f}")
        progress.update()
    return losses_d, losses_g
