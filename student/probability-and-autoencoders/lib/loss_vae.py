"""Task: the loss of a variational autoencoder.

Training maximises a lower bound of log p(x), the ELBO; the loss is its negative, with a weight beta on the second term
(beta = 1 is the VAE):

    loss = BCE(x_reconstructed, x) + beta * KL(q(z | x) || N(0, I))

    BCE = - sum over batch and pixels of   x * log(x_reconstructed) + (1 - x) * log(1 - x_reconstructed)
    KL  = 1/2 * sum over batch and latent variables of   mu^2 + sigma^2 - 1 - log(sigma^2)

Both terms are summed over everything and divided by nothing. The page pages/kl_term.pdf derives the formula of KL.

Papers: D. P. Kingma and M. Welling, Auto-Encoding Variational Bayes, ICLR 2014, appendix B (the KL term);
I. Higgins et al., beta-VAE, ICLR 2017 (the weight).

To implement: `VAELoss.forward`.
Test it with: python -m tests.test_vae_loss
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class VAELoss(nn.Module):
    """Summed binary cross-entropy plus the weighted, summed KL divergence.

    Args:
        kl_loss_weight: the factor beta of the KL term; 1.0 gives the VAE of the paper.
    """

    def __init__(self, kl_loss_weight: float = 1.0) -> None:
        super().__init__()
        self.kl_loss_weight = kl_loss_weight

    def forward(self, x_reconstructed: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
        """The loss of one batch.

        Args:
            x_reconstructed: (batch, C, H, W) output of the decoder, values in [0, 1].
            x: (batch, C, H, W) the images themselves, values in [0, 1].
            mu: (batch, latent) means of q(z | x).
            logvar: (batch, latent) log(sigma^2) of q(z | x).

        Returns:
            loss: a tensor without dimensions, summed over the batch. The arguments are left as they are.
        """
        # START TODO (vae 7): compute the reconstruction term, summed over the batch and all pixels.
        # It must stay finite where a reconstruction is exactly 0 or 1.
        # Hint: torch.nn.functional has the binary cross-entropy; mind the order of its arguments and its reduction.
        raise NotImplementedError("TODO vae 7")
        # END TODO

        # START TODO (vae 8): compute the KL term, summed over the batch and all latent variables.
        # Hint: logvar is log(sigma^2), so sigma^2 is a function of it.
        raise NotImplementedError("TODO vae 8")
        # END TODO

        # START TODO (vae 9): return the sum of both terms, the second one with its weight.
        raise NotImplementedError("TODO vae 9")
        # END TODO
