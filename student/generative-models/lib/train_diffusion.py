"""Train a diffusion model, and generate points with it.

Goal: learn the way back from noise to data. A network eps_theta(x_t, t) looks at a noisy point and predicts the noise
in it (Ho, Jain and Abbeel 2020, eq. 14):

    L = E || eps - eps_theta(sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps, t) ||^2

with t uniform over all steps (algorithm 1). To generate, start from pure noise and take the steps backwards; each
removes a part of the predicted noise and adds a little fresh noise (algorithm 2).

Conventions: t counts from 0 to T - 1; the model is called as model(x_t, t) with t of shape (N, 1), dtype Long; the loss
is the mean over all points and coordinates; the last backward step, t = 0, adds no noise.

What to do: the gaps (diffusion 4) to (diffusion 7). Test them with

    python -m pytest tests/test_diffusion.py
"""

from __future__ import annotations

from argparse import Namespace

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader
from tqdm import trange

from lib.utils import Schedule, add_noise


def noise_prediction_loss(model: nn.Module, x_0: Tensor, baralphas: Tensor) -> Tensor:
    """How well the model predicts the noise of one batch (Ho et al. 2020, eq. 14 and algorithm 1, lines 3 to 5).

    Args:
        model: eps_theta, called as model(x_t, t) with t of shape (N, 1).
        x_0: (N, F) points of the data set.
        baralphas: (T,) alpha_bar of each step.

    Returns:
        The mean squared error over all points and coordinates, a tensor without dimensions.
    """
    # START TODO (diffusion 4): draw a step for each point, add noise, and compare the prediction with that noise.
    # Each point gets its own step, and all T steps are equally likely.
    raise NotImplementedError("TODO diffusion 4")
    # END TODO


def train(dataset: Tensor, args: Namespace, model: nn.Module, optimizer: Optimizer, baralphas: Tensor) -> float:
    """Train the model on all batches of the data set, `args.epochs` times.

    Args:
        dataset: (n, F) the points to learn from.
        args: `epochs`, `batch_size`, `device` and `verbose` are used.
        model: eps_theta, changed in place.
        optimizer: holds the model's parameters.
        baralphas: (T,) alpha_bar of each step, on `args.device`.

    Returns:
        The loss of the last batch.
    """
    loader = DataLoader(dataset, batch_size=args.batch_size, shuffle=True)
    last_loss = float("nan")
    model.train()
    progress = trange(args.epochs, desc="training", unit="epoch", disable=None)  # None: only where a terminal shows it
    for epoch in progress:
        for batch in loader:
            loss = noise_prediction_loss(model, batch.to(args.device), baralphas)
            # START TODO (diffusion 5): change the model's parameters by one step of the optimizer.
            # Hint: gradients add up from call to call; what must happen so that only this batch counts?
            raise NotImplementedError("TODO diffusion 5")
            # END TODO
            last_loss = loss.item()
        progress.set_postfix(loss=f"{last_loss:.3f}")
        if args.verbose:
            progress.write(f"epoch {epoch + 1}: loss {last_loss:.4f}")
    return last_loss


def denoise(model: nn.Module, x_t: Tensor, t: int, schedule: Schedule) -> Tensor:
    """Take one step backwards, from x_t to x_{t-1} (Ho et al. 2020, eq. 11 and algorithm 2, lines 3 and 4):

        mean    = (x_t - beta_t / sqrt(1 - alpha_bar_t) * eps_theta(x_t, t)) / sqrt(alpha_t)
        x_{t-1} = mean + sigma_t z,    z ~ N(0, I)

    The variance is sigma_t^2 = beta_t (the first choice in section 3.2 of the paper). The last step, t = 0, adds no
    noise.

    Args:
        model: eps_theta, called as model(x_t, t) with t of shape (N, 1).
        x_t: (N, F) noisy points; they are not changed.
        t: the step, from T - 1 (the first one on the way back) to 0 (the last one).
        schedule: baralphas, alphas, betas, each (T,).

    Returns:
        (N, F) the points x_{t-1}; for t = 0 the generated points.
    """
    baralphas, alphas, betas = schedule
    # START TODO (diffusion 6): predict the noise, compute the mean, and add fresh noise where the step asks for it.
    # Hint: the model wants one step for each point: a Long tensor of shape (N, 1) that is t everywhere.
    raise NotImplementedError("TODO diffusion 6")
    # END TODO


@torch.no_grad()
def sample(model: nn.Module, n_samples: int, nfeatures: int, schedule: Schedule) -> Tensor:
    """Generate points: start from noise and take every step backwards, from t = T - 1 to t = 0 (algorithm 2).

    Args:
        model: eps_theta, called as model(x_t, t) with t of shape (N, 1).
        n_samples: how many points (N).
        nfeatures: the number of coordinates of a point (F).
        schedule: baralphas, alphas, betas, each (T,), on the device where the points shall be made.

    Returns:
        (T + 1, N, F) the whole way back: entry 0 is the noise at the start, entry T the generated points.
    """
    model.eval()
    diffusion_steps, device = len(schedule[0]), schedule[0].device
    # START TODO (diffusion 7): start from standard normal points, call `denoise` for each step, collect the results.
    # Name the list that holds the start and the result of each step `states`.
    raise NotImplementedError("TODO diffusion 7")
    # END TODO
    return torch.stack(states)
