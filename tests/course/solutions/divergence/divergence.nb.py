# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown] tags=["names"] id="names"
# Names and group:

# %% [markdown] id="intro"
# # The Kullback-Leibler divergence
#
# Between $\mathcal{N}(\mu, \sigma^2)$ and $\mathcal{N}(0, 1)$.

# %% id="imports"
# %matplotlib inline
import torch
from torch import Tensor


# %% id="kl-loss"
def kl_loss(mean: Tensor, logvar: Tensor) -> Tensor:
    """The divergence of N(mean, exp(logvar)) from N(0, 1), summed up."""
    # START TODO (divergence 1): the closed form, summed over all entries.
    # each entry by itself first
    each = mean.square() + logvar.exp() - logvar - 1
    return 0.5 * each.sum()
    # END TODO


# %% [markdown] id="q-1-text"
# **Why is the divergence zero for `mean = 0`, `logvar = 0`?**

# %% [markdown] tags=["answer"] id="q-1"
# Both laws are then the standard normal one, and a law does not diverge from itself.

# %% id="scale"
# START TODO (divergence 2): the factor that an average over the batch needs, called `scale`.
# a batch of 128 images
scale = 1 / 128
# END TODO

# %% tags=["check"] id="check-kl"
assert kl_loss(torch.zeros(3), torch.zeros(3)) == 0

# %% tags=["training"] id="train"
epochs = 50
losses = [float(kl_loss(torch.full((1,), 1 / (epoch + 1)), torch.zeros(1))) for epoch in range(epochs)]
