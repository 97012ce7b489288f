"""How the network learns to see noise (Ho et al. 2020, algorithm 1).

What to do: the gaps (ddpm 11) to (ddpm 13). Conventions that the tests depend on: the model is called once for a batch,
as model(x_t, t) with t of shape (N,), Long; the loss is the mean over all pictures and pixels.

Test with: python -m pytest tests/test_ddpm_training.py
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from lib.ddpm.process import q_sample
from lib.ddpm.schedule import Schedule


def noise_loss(model: nn.Module, x_0: Tensor, t: Tensor, noise: Tensor, schedule: Schedule) -> Tensor:
    """The simple loss (Ho et al. 2020, eq. 14): the mean of (noise - eps_theta(x_t, t))^2.

    Args:
        model: eps_theta.
        x_0: (N, ...) pictures.
        t: (N,) the step of each picture.
        noise: (N, ...) the noise that makes x_t of x_0.

    Returns:
        A tensor without axes.
    """
    # START TODO (ddpm 11): make x_t, let the model predict the noise in it, and compare.
    raise NotImplementedError("TODO ddpm 11")
    # END TODO


def training_step(model: nn.Module, x_0: Tensor, optimizer: Optimizer, schedule: Schedule) -> Tensor:
    """Train the model for one step, on one batch.

    Every picture gets a step of its own, each of 0 ... T - 1 equally likely, and noise of its own from N(0, 1).

    Args:
        model: eps_theta, changed in place.
        x_0: (N, ...) pictures.
        optimizer: of the model's parameters; their old gradients must not count.

    Returns:
        The loss before the step, a tensor without axes and without a graph.
    """
    # START TODO (ddpm 12): draw steps and noise, compute the loss, and take one step of the optimizer.
    raise NotImplementedError("TODO ddpm 12")
    # END TODO
    return loss.detach()


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the averaged weights a little towards the model's: average = decay * average + (1 - decay) * model.

    Single steps are noisy; pictures are drawn with a running average of the weights (Ho et al. 2020, appendix B).

    Args:
        average: a copy of the model, changed in place.
        model: the model that is trained, not changed.
        decay: between 0 and 1; the nearer to 1, the longer the memory.
    """
    # START TODO (ddpm 13): update every parameter of `average` in place.
    # Hint: both models list their parameters in the same order.
    raise NotImplementedError("TODO ddpm 13")
    # END TODO


def train(
    model: nn.Module,
    batches: DataLoader[tuple[Tensor, Tensor]],
    schedule: Schedule,
    *,
    epochs: int,
    learning_rate: float = 2e-3,
    decay: float = 0.98,
) -> tuple[nn.Module, list[float]]:
    """Train the model.

    Args:
        batches: pairs (pictures, anything).
        learning_rate: at the beginning; it falls to 0 along a cosine.
        decay: of the averaged weights.

    Returns:
        The model with averaged weights, and the loss of every step.
    """
    optimizer = Adam(model.parameters(), lr=learning_rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(batches))
    average, losses = copy.deepcopy(model), []
    with tqdm(total=epochs * len(batches), unit="step", mininterval=0.5) as progress:
        for epoch in range(1, epochs + 1):
            progress.set_description(f"epoch {epoch}/{epochs}")
            for x_0, _ in batches:
                losses.append(float(training_step(model, x_0, optimizer, schedule)))
                update_average(average, model, decay)
                falling.step()
                progress.update()
    return average.eval(), losses
