"""The step t as a vector, so that one network can serve all steps.

What to do: the gap (ddpm 1). Test with: python -m pytest tests/test_ddpm_process.py -k embedding
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LONGEST = 10_000.0


def time_embedding(t: Tensor, size: int) -> Tensor:
    """Write steps as sines and cosines of many frequencies (Ho et al. 2020, appendix B, after Vaswani et al. 2017).

    With h = size / 2 and the frequencies w_k = 10000^(-k / h) for k = 0 ... h - 1, step t becomes

        (sin(w_0 t), ..., sin(w_{h-1} t), cos(w_0 t), ..., cos(w_{h-1} t))

    Fast waves tell neighbouring steps apart, slow ones tell early from late.

    Args:
        t: (N,) steps, integers or floating-point numbers.
        size: the length of the vectors, an even number.

    Returns:
        (N, size) float32: all sines first, then all cosines.
    """
    # START TODO (ddpm 1): compute the frequencies, the angles (N, size / 2), and their sines and cosines.
    raise NotImplementedError("TODO ddpm 1")
    # END TODO
