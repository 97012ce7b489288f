"""Checks of gradients: exact where statistics would need many draws."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from gapcheck.comparisons import assert_close
from gapcheck.tensors import Expected, assert_tensor, came, trusted


def assert_gradient(
    actual: object, expected: Expected, what: str = "the input", *, rtol: float = 1e-4, atol: float = 1e-5
) -> None:
    """The gradient that reached `what` has the expected values (see `assert_close` for the tolerances)."""
    _assert_arrived(actual, what)
    assert_close(actual, expected, rtol=rtol, atol=atol, what=f"the gradient of {what}")


def assert_gradient_flows(grad: object, what: str = "the input") -> Tensor:
    """A gradient reached `what`: a finite tensor that is not zero everywhere. Returns it in float64."""
    _assert_arrived(grad, what)
    shape = (None,) * grad.dim() if isinstance(grad, Tensor) else (None,)
    result = assert_tensor(grad, shape, what=f"the gradient of {what}")
    assert bool((result != 0).any()), (
        f"the gradient of {what} is zero everywhere: the loss does not depend on it. Is a value detached on the way?"
    )
    return result


def assert_no_gradient(grad: object, what: str = "the input") -> None:
    """No gradient reached `what`: None, or zeros."""
    if grad is None:
        return
    shape = (None,) * grad.dim() if isinstance(grad, Tensor) else (None,)
    result = assert_tensor(grad, shape, what=f"the gradient of {what}")
    assert bool((result == 0).all()), (
        f"a gradient as large as {float(result.abs().max()):.3g} reached {what}, but none should: is a detach missing?"
    )


def assert_reparameterised(
    z: object,
    mean: Expected,
    logvar: Expected,
    grad_mean: object,
    grad_logvar: object,
    *,
    upstream: Expected = 1.0,
    what: str = "z",
) -> None:
    """z = mean + exp(logvar / 2) * noise, by its gradients: dz/dmean = 1 and dz/dlogvar = (z - mean) / 2.

    The identity holds for any noise, so no number of draws enters (Kingma & Welling 2014, section 2.4). It catches
    every error of scale, detached inputs and draws that cannot be differentiated; not the distribution of the noise.

    Args:
        z: what came back, in the shape of mean and logvar.
        mean, logvar: what the test passed in, of one shape.
        grad_mean, grad_logvar: the gradients of `(upstream * z).sum()`.
        upstream: weights that the test drew, so that no constant gradient passes.
    """
    center, spread = np.broadcast_arrays(trusted(mean), trusted(logvar))
    latent = assert_tensor(z, center.shape, what=what).numpy()
    assert (latent != center).any(), f"{what} is the mean itself, without any noise."
    weight = trusted(upstream)
    # z - mean loses digits in float32 where the mean is large
    atol = 1e-5 * float(np.abs(weight).max() * (1 + np.abs(center).max() + np.exp(spread / 2).max()))
    assert_gradient(grad_mean, np.broadcast_to(weight, center.shape), f"{what} in the mean", atol=atol)
    assert_gradient(grad_logvar, weight * (latent - center) / 2, f"{what} in logvar", atol=atol)


def _assert_arrived(grad: object, what: str) -> None:
    assert grad is not None, (
        f"no gradient reached {what}: does the result depend on it, and is nothing detached on the way?"
    )
    assert isinstance(grad, Tensor), f"the gradient of {what} should be a tensor, but {came(grad)} came back."
