"""The two steps of a GAN's training, and the loop around them.

In turn, the discriminator takes a step against its loss, then the generator one against its own (Goodfellow et al.
2014, algorithm 1). Which loss that is, the caller says: any pair of functions of `lib/gan/losses.py` fits.

What to do: the gaps (dcgan 11) to (dcgan 13). Conventions that the tests depend on: a step sets the gradients that it
uses to zero first, calls `optimizer.step()` exactly once, and changes the weights of its own network only. The
discriminator sees real and generated pictures as two batches, since batch norm would mix them otherwise.

Test with: python -m pytest tests/test_dcgan.py -k "step or optimizer"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from lib.gan.losses import discriminator_loss, generator_loss

DiscriminatorLoss = Callable[[Tensor, Tensor], Tensor]
GeneratorLoss = Callable[[Tensor], Tensor]


class History(NamedTuple):
    """One number for each pair of steps."""

    discriminator: list[float]  # its loss
    generator: list[float]  # its loss
    on_real: list[float]  # the mean of D(x) = sigmoid(f(x))
    on_fake: list[float]  # the mean of D(G(z))


def draw_noise(n: int, noise_size: int, generator: torch.Generator | None = None) -> Tensor:
    """(n, noise_size) noise from N(0, 1), what the generator takes."""
    return torch.randn(n, noise_size, generator=generator)


def make_optimizer(network: nn.Module, learning_rate: float = 2e-4) -> Optimizer:
    """Adam as Radford et al. 2016 set it (section 4): beta_1 = 0.5, beta_2 = 0.999, a learning rate of 2e-4."""
    # START TODO (dcgan 11): make the optimizer of all parameters of the network.
    betas = (0.5, 0.999)  # less momentum than Adam's 0.9: each network's loss moves as the other one learns
    return Adam(network.parameters(), lr=learning_rate, betas=betas)
    # END TODO


def discriminator_step(
    discriminator: nn.Module,
    generator: nn.Module,
    pictures: Tensor,
    noise: Tensor,
    optimizer: Optimizer,
    loss_function: DiscriminatorLoss = discriminator_loss,
) -> tuple[Tensor, Tensor, Tensor]:
    """Train the discriminator for one step; the generator gets no gradient.

    Args:
        discriminator: maps pictures (N, C, H, W) to logits (N,).
        generator: maps noise (M, noise_size) to pictures (M, C, H, W).
        pictures: (N, C, H, W) real pictures.
        noise: (M, noise_size).
        optimizer: of the discriminator's parameters.
        loss_function: takes the logits of the real and of the generated pictures, in this order.

    Returns:
        The loss (no axes), the logits of the real pictures (N,) and those of the generated ones (M,), all as they were
        before the step.
    """
    # START TODO (dcgan 12): compute the logits and the loss, and take one step of the optimizer.
    # Hint: the generated pictures enter as data: nothing of this loss may flow back through them.
    logits_real = discriminator(pictures)
    # detached: the generator's gradient would cost time, and stay in its parameters
    logits_fake = discriminator(generator(noise).detach())
    loss = loss_function(logits_real, logits_fake)
    # gradients add up, and the generator's last step left some here
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    # END TODO
    return loss.detach(), logits_real.detach(), logits_fake.detach()


def generator_step(
    discriminator: nn.Module,
    generator: nn.Module,
    noise: Tensor,
    optimizer: Optimizer,
    loss_function: GeneratorLoss = generator_loss,
) -> Tensor:
    """Train the generator for one step; the discriminator's weights stay as they are.

    Args:
        discriminator, generator, noise: as in `discriminator_step`.
        optimizer: of the generator's parameters.
        loss_function: takes the logits of the generated pictures.

    Returns:
        The loss before the step, a tensor without axes.
    """
    # START TODO (dcgan 13): compute the loss for pictures made of this noise, and take one step of the optimizer.
    loss = loss_function(discriminator(generator(noise)))
    optimizer.zero_grad()
    # nothing is detached: the gradient flows through the discriminator into the generator
    loss.backward()
    # the optimizer holds the generator's parameters alone, so the discriminator keeps its weights
    optimizer.step()
    # END TODO
    return loss.detach()


def train(
    discriminator: nn.Module,
    generator: nn.Module,
    batches: DataLoader[tuple[Tensor, Tensor]],
    *,
    noise_size: int,
    epochs: int,
    losses: tuple[DiscriminatorLoss, GeneratorLoss] = (discriminator_loss, generator_loss),
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> History:
    """Train both networks, one step of each for every batch.

    Args:
        batches: pairs (pictures in [0, 1], labels); the labels are not used.
        losses: the discriminator's and the generator's.
        after_epoch: called with the number of epochs done.
    """
    of_d, of_g = make_optimizer(discriminator), make_optimizer(generator)
    history = History([], [], [], [])
    with tqdm(total=epochs * len(batches), unit="step", mininterval=0.5) as progress:
        for epoch in range(1, epochs + 1):
            progress.set_description(f"epoch {epoch}/{epochs}")
            for images, _ in batches:
                noise = draw_noise(len(images), noise_size)
                pictures = 2 * images - 1  # into the range of tanh
                loss_d, *logits = discriminator_step(discriminator, generator, pictures, noise, of_d, losses[0])
                loss_g = generator_step(discriminator, generator, noise, of_g, losses[1])
                on_real, on_fake = (torch.sigmoid(values).mean() for values in logits)
                for values, value in zip(history, (loss_d, loss_g, on_real, on_fake), strict=True):
                    values.append(float(value))
                progress.update()
            after_epoch(epoch)
    return history
