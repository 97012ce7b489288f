"""Draw the latent space of a variational autoencoder that run_vae_training.py has trained.

    python plot_latent_space.py
    python plot_latent_space.py --kl_loss_weight 30

Reads results_kl1.0/model.safetensors (the number is the weight of the KL term) and writes latent_space.png beside it:
on the left what the decoder makes of a grid of latent variables, with each class's mean of mu as its digit and its mean
of sigma as a blue cross; on the right mu of every test image. (Given: nothing to do here.)
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch.utils.data import DataLoader

from lib.data.source import load_digits
from lib.explore_latent_space import get_mu_logvar, sample_on_grid
from lib.model_vae import VAE
from lib.plot_vae import save_latent_space


def parse_arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description="Draw the latent space of a trained variational autoencoder.")
    parser.add_argument("--kl_loss_weight", type=float, default=1.0, help="of the training to look at (default: 1.0)")
    parser.add_argument("--grid_size", type=int, default=20, help="grid points along each axis (default: 20)")
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    parser.add_argument("--download", action="store_true", help="fetch MNIST into data/ and use it")
    return parser.parse_args()


def limits_of(mu: np.ndarray, std: np.ndarray) -> tuple[float, float, float, float]:
    """Smallest and largest z0, smallest and largest z1 that are worth looking at: nearly all test images' z lie inside.

    Args:
        mu, std: (n, 2) encoder's means and standard deviations.
    """
    margin = 2 * std.mean(axis=0)
    low = np.percentile(mu, 0.5, axis=0) - margin
    high = np.percentile(mu, 99.5, axis=0) + margin
    return float(low[0]), float(high[0]), float(low[1]), float(high[1])


def main() -> None:
    """Encode the test images, decode a grid, draw both."""
    args = parse_arguments()
    results = Path(f"results_kl{args.kl_loss_weight}")
    weights = results / "model.safetensors"
    if not weights.is_file():
        raise SystemExit(
            f"{weights} is missing; run: python run_vae_training.py --kl_loss_weight {args.kl_loss_weight}"
        )
    model = VAE()
    model.load_state_dict(load_file(weights))
    model.to(args.device)

    _, test_data = load_digits(args.download)
    test_loader = DataLoader(test_data, args.batch_size)
    mu, logvar = (tensor.cpu() for tensor in get_mu_logvar(model, test_loader, args.device))
    std = torch.exp(logvar / 2)
    labels = np.array([label for _, label in test_data])

    limits = limits_of(mu.numpy(), std.numpy())
    images, step_size = sample_on_grid(model, *limits, args.grid_size, args.device)
    title = f"Latent space, KL weight {args.kl_loss_weight}"
    path = results / "latent_space.png"
    save_latent_space(images, limits, step_size, mu.numpy(), std.numpy(), labels, title, path)
    print(f"The mean of sigma is {std.mean():.3f}; the figure is in {path}")


if __name__ == "__main__":
    main()
