"""The 2-d data, the noise schedules and the forward process of a diffusion model.

Goal: destroy data step by step, in a way that one formula describes for every step at once. Each step t shrinks a point
a little and adds a little noise (Ho, Jain and Abbeel 2020, "Denoising Diffusion Probabilistic Models", eq. 2):

    q(x_t | x_{t-1}) = N(sqrt(alpha_t) x_{t-1}, beta_t I),    alpha_t = 1 - beta_t

so that (eq. 4)

    q(x_t | x_0) = N(sqrt(alpha_bar_t) x_0, (1 - alpha_bar_t) I),    alpha_bar_t = alpha_0 alpha_1 ... alpha_t

Conventions: steps count from 0 to T - 1, where the paper counts from 1 to T. The tensors `betas`, `alphas` and
`baralphas` hold beta_t, alpha_t and alpha_bar_t at index t; index 0 is the first step, which adds the least noise. The
name x_0 always means the data: the points after step t = 0, which are a little noisy already, are not x_0.

What to do: the gaps (diffusion 1) to (diffusion 3). Test them with

    python -m pytest tests/test_diffusion.py
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

Schedule: TypeAlias = tuple[Tensor, Tensor, Tensor]  # baralphas, alphas, betas, each (T,)


def get_circles(n_samples: int) -> Tensor:
    """Two circles around one centre, the inner one half as large, as (n_samples, 2) float32, standardised."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * math.pi, n_samples)
    radius = np.where(np.arange(n_samples) % 2 == 0, 1.0, 0.5)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return _standardise(points + rng.normal(0, 0.04, points.shape))


def get_moons(n_samples: int) -> Tensor:
    """Two half circles that reach into each other, as (n_samples, 2) float32, standardised."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, math.pi, n_samples)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    points = np.where(np.arange(n_samples)[:, None] % 2 == 0, upper, lower)
    return _standardise(points + rng.normal(0, 0.06, points.shape))


def get_swiss_roll(n_samples: int) -> Tensor:
    """A spiral of one and a half turns, as (n_samples, 2) float32, standardised."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(1.5 * math.pi, 4.5 * math.pi, n_samples)
    points = np.stack([angle * np.cos(angle), angle * np.sin(angle)], axis=1)
    return _standardise(points + rng.normal(0, 0.3, points.shape))


def get_dataset(dataset_name: str = "moons", n_samples: int = 10000) -> Tensor:
    """The points of one data set, by its name; the same points at every call.

    Args:
        dataset_name: "circles", "moons" or "swiss_roll".
        n_samples: how many points.

    Returns:
        (n_samples, 2) float32; each coordinate has mean 0 and variance 1.

    Raises:
        ValueError: there is no data set of this name.
    """
    makers = {"circles": get_circles, "moons": get_moons, "swiss_roll": get_swiss_roll}
    if dataset_name not in makers:
        raise ValueError(f"there is no data set {dataset_name!r}; choose one of {', '.join(makers)}")
    return makers[dataset_name](n_samples)


def _standardise(points: np.ndarray) -> Tensor:
    """Move and scale each coordinate to mean 0 and variance 1: the forward process ends in N(0, I) for such data."""
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    return torch.from_numpy(points.astype(np.float32))


def cosine_schedule(diffusion_steps: int = 1000) -> Schedule:
    """The schedule in which alpha_bar falls like a squared cosine (Nichol and Dhariwal 2021, eq. 17).

    With T = diffusion_steps and s = 0.008, the curve is

        f(u) = cos((u / T + s) / (1 + s) * pi / 2)^2    for u = 0, 1, ..., T

    and step t leads from u = t to u = t + 1:

        beta_t = 1 - f(t + 1) / f(t),    clipped to 1e-4 ... 0.9999

    The clipped betas count: alpha_t = 1 - beta_t, and alpha_bar_t is the product of alpha_0 ... alpha_t.

    Args:
        diffusion_steps: the number of steps T, at least 1.

    Returns:
        baralphas, alphas, betas: three float32 tensors of shape (T,), in this order.
    """
    # START TODO (diffusion 1): compute betas, alphas and baralphas from the formulas above.
    # Hint: evaluate f at all T + 1 points at once; two slices of the result give f(t + 1) and f(t).
    # Hint: torch offers a function for products of the first t entries.
    raise NotImplementedError("TODO diffusion 1")
    # END TODO


def linear_schedule(diffusion_steps: int = 1000) -> Schedule:
    """The schedule in which beta grows linearly from 1e-4 at the first step to 0.02 at the last (Ho et al., section 4).

    Args:
        diffusion_steps: the number of steps T, at least 1.

    Returns:
        baralphas, alphas, betas: three float32 tensors of shape (T,), in this order.
    """
    # START TODO (diffusion 2): compute betas at equal distances, then alphas and baralphas from them.
    # Hint: both ends belong to the schedule: betas[0] is 1e-4 and betas[T - 1] is 0.02.
    raise NotImplementedError("TODO diffusion 2")
    # END TODO


def add_noise(batch: Tensor, t: int | Tensor, baralphas: Tensor) -> tuple[Tensor, Tensor]:
    """Draw x_t from q(x_t | x_0) in one go, for any step t (Ho et al., eq. 4):

        x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps,    eps ~ N(0, I)

    Args:
        batch: (N, F) the points x_0; they are not changed.
        t: one step for all points (int), or one step for each point (Long, shape (N, 1)); counts from 0 to T - 1.
        baralphas: (T,) alpha_bar of each step.

    Returns:
        noised: (N, F) the points x_t.
        eps: (N, F) the noise that is in them, drawn anew at each call.
    """
    # START TODO (diffusion 3): draw eps, mix it with the batch, return both.
    # Hint: baralphas[t] has the shape of t; how does (N, 1) broadcast against (N, F)?
    raise NotImplementedError("TODO diffusion 3")
    # END TODO
