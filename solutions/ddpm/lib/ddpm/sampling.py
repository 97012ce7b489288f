"""From noise to pictures: ancestral sampling (Ho et al. 2020, algorithm 2), and DDIM (Song, Meng & Ermon 2021).

What to do: the gaps (ddpm 14) and (ddpm 15); for the bonus (ddpm 16) to (ddpm 18). Conventions that the tests depend
on: the model is called once a step, as model(x_t, t) with t of shape (N,), Long, the same step for all pictures; steps
count from 0; the last step back, t = 0, adds no noise.

Test with: python -m pytest tests/test_ddpm_sampling.py
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from lib.ddpm.process import posterior_mean, posterior_variance, predict_x_0
from lib.ddpm.schedule import Schedule

Range = tuple[float, float] | None


def p_sample(
    model: nn.Module, x_t: Tensor, step: int, noise: Tensor, schedule: Schedule, clip: Range = (-1.0, 1.0)
) -> Tensor:
    """Take one step back, from x_t to x_{t-1}.

    1. Predict the noise in x_t with the model, and from it x_0.
    2. Clip the prediction of x_0 to the range that pictures have, if there is one.
    3. Go on as if it were right: x_{t-1} = posterior mean + sqrt(posterior variance) * noise.

    Args:
        model: eps_theta.
        x_t: (N, ...) noisy pictures; they are not changed.
        step: t, the same for all pictures.
        noise: (N, ...) fresh noise from N(0, 1); it has no effect at t = 0, where the variance is 0.
        clip: smallest and largest value of a picture, or None.

    Returns:
        (N, ...) x_{t-1}; for t = 0 the finished pictures.
    """
    # START TODO (ddpm 14): follow the three lines above. Hint: torch.clamp(x, *clip).
    t = torch.full((len(x_t),), step, device=x_t.device)
    x_0 = predict_x_0(x_t, t, model(x_t, t), schedule)
    # early predictions are wild; what lies outside the range cannot be a picture
    if clip is not None:
        x_0 = x_0.clamp(*clip)
    spread = posterior_variance(x_t, t, schedule).sqrt()
    return posterior_mean(x_0, x_t, t, schedule) + spread * noise
    # END TODO


@torch.no_grad()
def sample(
    model: nn.Module,
    start: Tensor,
    schedule: Schedule,
    *,
    clip: Range = (-1.0, 1.0),
    generator: torch.Generator | None = None,
    keep_every: int = 0,
) -> list[Tensor]:
    """Take all steps back, from t = T - 1 to t = 0, each with fresh noise.

    Args:
        model: eps_theta.
        start: (N, ...) noise from N(0, 1), what x_T would be.
        generator: where the noise of the steps comes from.
        keep_every: also return the pictures on the way, those before every so many steps; 0 for none.

    Returns:
        The pictures on the way, the noisiest first, and at last the finished ones, each (N, ...).
    """
    x_t, kept = start, []
    for step in tqdm(reversed(range(schedule.steps)), total=schedule.steps, unit="step", desc="sampling", leave=False):
        if keep_every and (schedule.steps - 1 - step) % keep_every == 0:
            kept.append(x_t)
        # START TODO (ddpm 15): draw fresh noise from the generator and take the step back; x_t becomes x_{t-1}.
        noise = torch.randn(x_t.shape, generator=generator)  # new for every step
        x_t = p_sample(model, x_t, step, noise, schedule, clip)
        # END TODO
    return [*kept, x_t]


def ddim_steps(steps: int, n: int) -> list[int]:
    """Choose n of T steps, from T - 1 down to 0, at distances as equal as whole numbers allow.

    Args:
        steps: T.
        n: how many to choose, 2 ... T.

    Returns:
        n steps, falling; the first is T - 1, the last 0, and no two distances differ by more than 1.
    """
    # START TODO (ddpm 16): choose the steps.
    return [round((steps - 1) * k / (n - 1)) for k in reversed(range(n))]  # k of n - 1 equal parts of the way
    # END TODO


def ddim_step(
    x_t: Tensor, predicted: Tensor, step: int, before: int, schedule: Schedule, clip: Range = (-1.0, 1.0)
) -> Tensor:
    """Jump back from step t to an earlier step s, without noise (Song et al. 2021, eq. 12 with sigma = 0).

        x_0 = (x_t - sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_bar_t), clipped
        eps' = (x_t - sqrt(alpha_bar_t) x_0) / sqrt(1 - alpha_bar_t)
        x_s = sqrt(alpha_bar_s) x_0 + sqrt(1 - alpha_bar_s) eps'

    eps' is the noise that goes with the clipped x_0. For s = -1, before the first step, alpha_bar_s = 1, so x_0 is
    returned.

    Args:
        x_t: (N, ...) noisy pictures.
        predicted: (N, ...) eps, the noise that the model sees in them.
        step: t.
        before: s, smaller than t; -1 for the finished pictures.
        clip: smallest and largest value of a picture, or None.

    Returns:
        (N, ...) x_s.
    """
    # START TODO (ddpm 17): compute x_0, the noise that goes with it, and x_s.
    alpha_bar = schedule.alpha_bars[step]
    alpha_bar_s = schedule.alpha_bars[before] if before >= 0 else torch.ones_like(alpha_bar)
    x_0 = (x_t - (1 - alpha_bar).sqrt() * predicted) / alpha_bar.sqrt()
    if clip is not None:
        x_0 = x_0.clamp(*clip)
    # x_t must be a mixture of these two, or the jump would leave the path
    noise = (x_t - alpha_bar.sqrt() * x_0) / (1 - alpha_bar).sqrt()
    return alpha_bar_s.sqrt() * x_0 + (1 - alpha_bar_s).sqrt() * noise
    # END TODO


@torch.no_grad()
def sample_ddim(
    model: nn.Module, start: Tensor, chosen: Sequence[int], schedule: Schedule, clip: Range = (-1.0, 1.0)
) -> Tensor:
    """Jump along the chosen steps, and from the last of them to the finished pictures.

    Args:
        model: eps_theta.
        start: (N, ...) noise from N(0, 1); the same start gives the same pictures.
        chosen: the steps to visit, falling, as `ddim_steps` gives them.

    Returns:
        (N, ...) the finished pictures.
    """
    x_t = start
    # START TODO (ddpm 18): for each chosen step, predict the noise and jump to the next chosen one, at last to -1.
    for step, before in zip(chosen, [*chosen[1:], -1], strict=True):
        t = torch.full((len(x_t),), step, device=x_t.device)
        # the model sees x_t, and hears the step that x_t belongs to
        x_t = ddim_step(x_t, model(x_t, t), step, before, schedule, clip)
    # END TODO
    return x_t
