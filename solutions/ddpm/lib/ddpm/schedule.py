"""How much noise each step adds.

A diffusion process has T steps, t = 0 ... T - 1, in code; papers count from 1. Step t keeps the share alpha_t of the
variance and replaces the rest, beta_t, by noise (Ho, Jain & Abbeel 2020, "Denoising diffusion probabilistic models",
eq. 2):

    q(x_t | x_{t-1}) = N(sqrt(alpha_t) x_{t-1}, beta_t I),    alpha_t = 1 - beta_t

What is left of the data after step t is alpha_bar_t = alpha_0 alpha_1 ... alpha_t.

What to do: the gaps (ddpm 2) to (ddpm 4). Test with: python -m pytest tests/test_ddpm_process.py -k "betas or schedule"
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

LARGEST_BETA = 0.999  # a step must keep something, or the way back divides by zero


class Schedule(NamedTuple):
    """What the formulas need, each of shape (T,), index t."""

    betas: Tensor
    alphas: Tensor  # 1 - beta_t
    alpha_bars: Tensor  # alpha_0 ... alpha_t
    alpha_bars_before: Tensor  # alpha_bar_{t-1}; before the first step the data are whole: 1

    @property
    def steps(self) -> int:
        """T."""
        return len(self.betas)


def linear_betas(steps: int) -> Tensor:
    """Betas at equal distances, for any number of steps.

    Ho et al. 2020 use 1e-4 ... 0.02 for T = 1000. With fewer steps each has to add more noise, so both ends are
    multiplied by 1000 / T, and no beta is larger than 0.999:

        beta_t = min(1000 / T * (1e-4 + (0.02 - 1e-4) t / (T - 1)), 0.999)

    Args:
        steps: T, at least 2.

    Returns:
        (T,) float32.
    """
    # START TODO (ddpm 2): compute the betas; both ends belong to them.
    scale = 1000 / steps  # each of a few steps has to do more
    return torch.linspace(scale * 1e-4, scale * 0.02, steps).clamp(max=LARGEST_BETA)
    # END TODO


def cosine_betas(steps: int, offset: float = 0.008) -> Tensor:
    """Betas with which alpha_bar falls like a squared cosine (Nichol & Dhariwal 2021, eq. 17), with s = offset:

        f(u) = cos((u / T + s) / (1 + s) * pi / 2)^2    for u = 0, 1, ..., T
        beta_t = min(1 - f(t + 1) / f(t), 0.999)        for t = 0, 1, ..., T - 1

    Args:
        steps: T, at least 2.
        offset: keeps the first steps from being too small to matter.

    Returns:
        (T,) float32.
    """
    # START TODO (ddpm 3): evaluate f at the T + 1 ends of the steps, and compute the betas.
    # Hint: two slices of one tensor hold f(t + 1) and f(t).
    u = torch.arange(steps + 1, dtype=torch.float64) / steps
    f = torch.cos((u + offset) / (1 + offset) * math.pi / 2).square()
    return (1 - f[1:] / f[:-1]).clamp(max=LARGEST_BETA).float()  # float64 so far: neighbouring f are almost equal
    # END TODO


def make_schedule(betas: Tensor) -> Schedule:
    """Compute alpha_t, alpha_bar_t and alpha_bar_{t-1} for betas (T,); dtype and device are those of the betas."""
    # START TODO (ddpm 4): compute the three tensors, each (T,), and return the Schedule.
    # Hint: torch has a function for the products of the first entries.
    alphas = 1 - betas
    alpha_bars = alphas.cumprod(dim=0)
    # one place later, with a 1 in front: nothing is lost before the first step
    alpha_bars_before = torch.cat([torch.ones_like(betas[:1]), alpha_bars[:-1]])
    return Schedule(betas, alphas, alpha_bars, alpha_bars_before)
    # END TODO
