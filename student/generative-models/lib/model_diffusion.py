"""The network that predicts the noise in a noisy point (given: nothing to do here).

A diffusion model needs one function eps_theta(x_t, t) for all steps t. Here it is a small fully connected network with
residual blocks. It learns what each step needs because it is told the step: t becomes a vector of sines and cosines, as
in Ho et al. 2020, appendix B (after Vaswani et al. 2017, section 3.5), and this vector is added in front of each block.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def step_embedding(t: Tensor, size: int) -> Tensor:
    """Write the step as sines and cosines of many frequencies, fast ones for neighbours and slow ones for the whole.

    Args:
        t: (N, 1) steps.
        size: the length of the vector, an even number.

    Returns:
        (N, size) float32, entries between -1 and 1.
    """
    half = size // 2
    frequencies = torch.exp(-math.log(10_000) * torch.arange(half, device=t.device) / half)
    angles = t * frequencies  # (N, 1) * (half,) -> (N, half)
    return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)


class SimpleDiffusion(nn.Module):
    """eps_theta(x_t, t): the noise that the network sees in x_t.

    Args:
        nfeatures: the number F of coordinates of a point.
        nblocks: the number of residual blocks.
        nunits: the width of the hidden layers, an even number.
    """

    def __init__(self, nfeatures: int, nblocks: int = 2, nunits: int = 64) -> None:
        super().__init__()
        self.nunits = nunits
        self.inputs = nn.Linear(nfeatures, nunits)
        self.step = nn.Sequential(nn.Linear(nunits, nunits), nn.SiLU(), nn.Linear(nunits, nunits))
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.SiLU(), nn.Linear(nunits, nunits), nn.SiLU(), nn.Linear(nunits, nunits))
            for _ in range(nblocks)
        )
        self.outputs = nn.Sequential(nn.SiLU(), nn.Linear(nunits, nfeatures))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Predict the noise.

        Args:
            x: (N, F) noisy points x_t.
            t: (N, 1) the step of each point, Long, counting from 0.

        Returns:
            (N, F) the predicted noise.
        """
        step = self.step(step_embedding(t, self.nunits))  # (N, nunits)
        hidden = self.inputs(x)  # (N, nunits)
        for block in self.blocks:
            hidden = hidden + block(hidden + step)
        prediction: Tensor = self.outputs(hidden)
        return prediction
