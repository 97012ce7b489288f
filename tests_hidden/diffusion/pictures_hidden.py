"""The forward process on the two moons."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from gapcheck import assert_tensor, probe

POINTS = 1_000
DIFFUSION_STEPS = 250
STEPS = [40, 80, 160, 249]


@probe
def forward(n_samples: int, diffusion_steps: int, steps: list[int]) -> list[Tensor]:
    from lib.utils import add_noise, cosine_schedule, get_moons

    points = get_moons(n_samples)
    baralphas = cosine_schedule(diffusion_steps)[0]
    return [points, *(add_noise(points, t, baralphas)[0] for t in steps)]


def picture_of_the_forward_process() -> Figure:
    """The moons on their way to noise, after some of 250 steps (`cosine_schedule`, `add_noise`)"""
    stages = forward(POINTS, DIFFUSION_STEPS, STEPS)
    if len(stages) != 1 + len(STEPS):
        raise AssertionError("what was drawn are not the points of all steps")
    colours = np.arange(POINTS) % 2  # the two moons, as the given data set makes them
    figure = Figure(figsize=(7.2, 1.9), dpi=100, layout="constrained")
    for place, (title, x) in enumerate(zip(["data", *(f"t = {step}" for step in STEPS)], stages, strict=True), 1):
        shown = assert_tensor(x, (POINTS, 2), what="the points").double().numpy()
        axes = figure.add_subplot(1, len(stages), place, title=title)
        axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[])
        axes.set_aspect("equal")
        axes.scatter(*shown.T, c=colours, cmap="coolwarm", s=1, vmin=-0.3, vmax=1.3)
    return figure
