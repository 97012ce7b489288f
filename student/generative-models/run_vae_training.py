"""Train the variational autoencoder on images of digits.

    python run_vae_training.py
    python run_vae_training.py --kl_loss_weight 30

Writes to results_kl1.0/ (the number is the weight of the KL term): losses.png, reconstructions.png, samples.png and the
trained model, model.safetensors, which plot_latent_space.py reads. (Given: nothing to do here.)
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Adam
from torch.utils.data import DataLoader
from tqdm import tqdm

from lib.data.digits import MadeDigits
from lib.data.source import load_digits
from lib.loss_vae import VAELoss
from lib.model_vae import VAE
from lib.plot_vae import save_images, save_losses

EPOCHS = 15  # for MNIST
EPOCHS_MADE = 150  # the made digits are ten times fewer


def parse_arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description="Train a variational autoencoder on images of digits.")
    parser.add_argument("--kl_loss_weight", type=float, default=1.0, help="factor of the KL term (default: 1.0)")
    parser.add_argument("--epochs", type=int, help=f"default: {EPOCHS} for MNIST, {EPOCHS_MADE} for made digits")
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    parser.add_argument("--download", action="store_true", help="fetch MNIST into data/ and use it")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def evaluate(model: VAE, test_loader: DataLoader[tuple[Tensor, int]], device: str) -> tuple[float, float]:
    """The two terms of the loss, averaged over the test images: reconstruction and KL, without a weight."""
    without_kl, with_kl = VAELoss(kl_loss_weight=0.0), VAELoss(kl_loss_weight=1.0)
    reconstruction, total, n_images = 0.0, 0.0, 0
    model.eval()
    with torch.no_grad():
        for images, _ in test_loader:
            x = images.to(device)
            output = model(x)
            reconstruction += without_kl(output[0], x, *output[1:]).item()
            total += with_kl(output[0], x, *output[1:]).item()
            n_images += len(x)
    return reconstruction / n_images, (total - reconstruction) / n_images


def main() -> None:
    """Train, then draw."""
    args = parse_arguments()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)  # layers as small as these are fastest on one core
    results = Path(f"results_kl{args.kl_loss_weight}")
    results.mkdir(exist_ok=True)

    train_data, test_data = load_digits(args.download)
    epochs = args.epochs or (EPOCHS_MADE if isinstance(train_data, MadeDigits) else EPOCHS)
    train_loader = DataLoader(train_data, args.batch_size, shuffle=True)
    test_loader = DataLoader(test_data, args.batch_size)
    print(f"Training for {epochs} epochs on {args.device} with KL weight {args.kl_loss_weight}")

    model = VAE().to(args.device)
    loss_function = VAELoss(args.kl_loss_weight)
    optimizer = Adam(model.parameters(), lr=args.learning_rate)
    history: dict[str, list[float]] = {"train": [], "test": [], "reconstruction": [], "kl": []}
    with tqdm(total=epochs * len(train_loader), unit="batch") as progress:
        for epoch in range(1, epochs + 1):
            model.train()
            sum_of_losses, n_images = 0.0, 0
            for images, _ in train_loader:
                x = images.to(args.device)
                x_reconstructed, mu, logvar = model(x)
                loss = loss_function(x_reconstructed, x, mu, logvar)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                sum_of_losses += loss.item()
                n_images += len(x)
                progress.update()
            reconstruction, kl = evaluate(model, test_loader, args.device)
            history["train"].append(sum_of_losses / n_images)
            history["test"].append(reconstruction + args.kl_loss_weight * kl)
            history["reconstruction"].append(reconstruction)
            history["kl"].append(kl)
            progress.set_description(f"epoch {epoch}/{epochs}, loss {history['train'][-1]:.1f}")

    save_file(model.state_dict(), results / "model.safetensors")
    title = f"KL weight {args.kl_loss_weight}"
    save_losses(**history, title=f"Loss of an image, {title}", path=results / "losses.png")

    model.eval()
    images, _ = next(iter(test_loader))
    originals = images[:12]
    with torch.no_grad():
        reconstructions = model(originals.to(args.device))[0].cpu()
        samples = model.decode(torch.randn(64, 2, device=args.device)).cpu()
    pairs = np.stack([originals.numpy(), reconstructions.numpy()])
    save_images(pairs, f"Test images and their reconstructions, {title}", results / "reconstructions.png")
    save_images(samples.view(8, 8, 1, 28, 28).numpy(), f"Decoded z ~ N(0, I), {title}", results / "samples.png")
    print(f"Reconstruction {history['reconstruction'][-1]:.1f}, KL {history['kl'][-1]:.2f} per test image")
    print(f"Results are in {results}/; next: python plot_latent_space.py --kl_loss_weight {args.kl_loss_weight}")


if __name__ == "__main__":
    main()
