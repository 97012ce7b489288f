"""The network that predicts the noise: a small U-Net with residual blocks that hear the step.

It goes down to a smaller picture with more channels and up again; what it saw on the way down is handed over to the way
up (Ronneberger, Fischer & Brox 2015). Each block is told the step, as in Ho et al. 2020, appendix B.

What to do: the gap (ddpm 10); everything else is given. Test with: python -m pytest tests/test_ddpm_network.py
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.ddpm.embedding import time_embedding

GROUPS = 4


class ResidualBlock(nn.Module):
    """Two convolutions around which the input is carried over, with the step added in between.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        time_size: the length of the embedded step.
    """

    def __init__(self, inputs: int, outputs: int, time_size: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time = nn.Linear(time_size, outputs)
        self.norm2 = nn.GroupNorm(GROUPS, outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, embedded: Tensor) -> Tensor:
        """Compute

            h = conv1(silu(norm1(x)))
            h = h + time(silu(embedded)), one number a channel, the same for all pixels
            h = conv2(silu(norm2(h)))
            output = skip(x) + h

        Args:
            x: (N, inputs, H, W).
            embedded: (N, time_size) the embedded steps.

        Returns:
            (N, outputs, H, W).
        """
        # START TODO (ddpm 10): compute the output from the four lines above. F.silu is the activation.
        raise NotImplementedError("TODO ddpm 10")
        # END TODO


class UNet(nn.Module):
    """eps_theta(x_t, t): pictures (N, channels, H, W) and steps (N,) -> the noise in them (N, channels, H, W).

    Args:
        channels: of a picture.
        width: channels inside, twice as many at half the size; a multiple of 4.
        patch: patch x patch pixels are put side by side as channels first, which makes everything patch^2 times
            cheaper. Height and width must be multiples of it, and what is left should be larger than 3.
    """

    def __init__(self, channels: int = 1, width: int = 32, patch: int = 2) -> None:
        super().__init__()
        self.width = width
        time_size = 4 * width
        self.time = nn.Sequential(nn.Linear(width, time_size), nn.SiLU(), nn.Linear(time_size, time_size))
        self.to_patches, self.to_pixels = nn.PixelUnshuffle(patch), nn.PixelShuffle(patch)
        self.first = nn.Conv2d(channels * patch**2, width, 3, padding=1)
        self.down = ResidualBlock(width, width, time_size)
        self.shrink = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.bottom1 = ResidualBlock(width, 2 * width, time_size)
        self.bottom2 = ResidualBlock(2 * width, 2 * width, time_size)
        self.up = ResidualBlock(3 * width, width, time_size)
        self.last = nn.Sequential(
            nn.GroupNorm(GROUPS, width), nn.SiLU(), nn.Conv2d(width, channels * patch**2, 3, padding=1)
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Predict the noise.

        Args:
            x: (N, channels, H, W) noisy pictures x_t.
            t: (N,) their steps.
        """
        embedded = self.time(time_embedding(t, self.width))
        high = self.down(self.first(self.to_patches(x)), embedded)
        low = self.bottom2(self.bottom1(self.shrink(high), embedded), embedded)
        low = F.interpolate(low, size=high.shape[2:], mode="nearest")
        noise: Tensor = self.to_pixels(self.last(self.up(torch.cat([high, low], dim=1), embedded)))
        return noise
