"""The diffusion process: from data to noise in one formula, and one step back when the data are known.

    q(x_t | x_0) = N(sqrt(alpha_bar_t) x_0, (1 - alpha_bar_t) I)                             (Ho et al. 2020, eq. 4)
    q(x_{t-1} | x_t, x_0) = N(mu_t(x_t, x_0), beta_tilde_t I)                                (eqs. 6 and 7)

Conventions: t is a Long tensor of shape (N,), a step for each picture, counting from 0; pictures may have any number
of axes after the first. No function changes its arguments, none draws noise: it is passed in.

What to do: the gaps (ddpm 5) to (ddpm 9).

Test with: python -m pytest tests/test_ddpm_process.py -k "pick or noisy or clean or posterior"
"""

from __future__ import annotations

from torch import Tensor

from lib.ddpm.schedule import Schedule


def pick(values: Tensor, t: Tensor, x: Tensor) -> Tensor:
    """The value of each picture's step, in a shape that multiplies each picture of x by its own value.

    Args:
        values: (T,) one number for each step.
        t: (N,) the step of each picture.
        x: (N, ...) the pictures; only the number of axes matters.

    Returns:
        (N, 1, ..., 1) with as many axes as x.
    """
    # START TODO (ddpm 5): pick the values and append axes of length 1.
    return values[t].view(-1, *[1] * (x.dim() - 1))  # (N,) alone would be matched with the last axis of x
    # END TODO


def q_sample(x_0: Tensor, t: Tensor, noise: Tensor, schedule: Schedule) -> Tensor:
    """Jump from the data to step t: x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) noise.

    Args:
        x_0: (N, ...) pictures.
        t: (N,) the step of each picture.
        noise: (N, ...) noise from N(0, 1), in the shape of x_0.

    Returns:
        (N, ...) the noisy pictures x_t.
    """
    # START TODO (ddpm 6): mix each picture with its noise. Hint: `pick` gives factors that broadcast.
    alpha_bar = pick(schedule.alpha_bars, t, x_0)
    # the squares of both factors add up to 1, so the variance of standardised data stays 1
    return alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * noise
    # END TODO


def predict_x_0(x_t: Tensor, t: Tensor, noise: Tensor, schedule: Schedule) -> Tensor:
    """The data that x_t was made of, if this was the noise: `q_sample`, solved for x_0.

    Args:
        x_t: (N, ...) noisy pictures.
        t: (N,) the step of each picture.
        noise: (N, ...) the noise in them, or what a network takes for it.

    Returns:
        (N, ...) x_0, not clipped.
    """
    # START TODO (ddpm 7): solve the formula of q_sample for x_0.
    alpha_bar = pick(schedule.alpha_bars, t, x_t)
    # take the noise away, then undo the shrinking
    return (x_t - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    # END TODO


def posterior_mean(x_0: Tensor, x_t: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    """The mean of q(x_{t-1} | x_t, x_0) (Ho et al. 2020, eq. 7):

        mu_t = sqrt(alpha_bar_{t-1}) beta_t / (1 - alpha_bar_t) x_0
               + sqrt(alpha_t) (1 - alpha_bar_{t-1}) / (1 - alpha_bar_t) x_t

    At t = 0 this is x_0 itself.

    Args:
        x_0: (N, ...) pictures, known or predicted.
        x_t: (N, ...) the same pictures at step t.
        t: (N,) the step of each picture.

    Returns:
        (N, ...) the means.
    """
    # START TODO (ddpm 8): compute both factors, and from them the mean.
    betas, alphas, alpha_bars, before = (pick(values, t, x_t) for values in schedule)
    # the less noise a step adds, the more of x_t is kept
    of_x_0 = before.sqrt() * betas / (1 - alpha_bars)
    of_x_t = alphas.sqrt() * (1 - before) / (1 - alpha_bars)
    return of_x_0 * x_0 + of_x_t * x_t
    # END TODO


def posterior_variance(x_t: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    """The variance of q(x_{t-1} | x_t, x_0) (Ho et al. 2020, eq. 7).

        beta_tilde_t = (1 - alpha_bar_{t-1}) / (1 - alpha_bar_t) beta_t

    It is smaller than beta_t, since x_0 is known, and 0 at t = 0.

    Args:
        x_t: (N, ...) pictures; only the number of axes matters.
        t: (N,) the step of each picture.

    Returns:
        (N, 1, ..., 1), one variance a picture.
    """
    # START TODO (ddpm 9): compute the variance of each picture's step.
    betas, _, alpha_bars, before = (pick(values, t, x_t) for values in schedule)
    # the share of the noise at step t that was there already before it
    return betas * (1 - before) / (1 - alpha_bars)
    # END TODO
