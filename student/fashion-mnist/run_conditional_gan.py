"""Train your conditional generative adversarial network on pictures of clothes.

    python run_conditional_gan.py
    python run_conditional_gan.py --epochs 60

Writes to results_conditional_gan/: losses.png, and every few epochs classes_epoch_0010.png, in which each row is a
class and each column the same noise. (Given: nothing to do here.)
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch.optim import Adam
from torch.utils.data import DataLoader
from tqdm import tqdm

from lib.data.clothes import CLASSES, MadeClothes, load_clothes
from lib.model_conditional_gan import ConditionalDiscriminator, ConditionalGenerator
from lib.plot_conditional_gan import save_classes, save_losses
from lib.train_conditional_gan import sample_class, update_discriminator, update_generator

EPOCHS = 5  # for Fashion MNIST
EPOCHS_MADE = 30  # the drawn clothes are ten times fewer


def parse_arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description="Train a conditional GAN on pictures of clothes.")
    parser.add_argument("--latent_size", type=int, default=32, help="length of the noise (default: 32)")
    parser.add_argument("--epochs", type=int, help=f"default: {EPOCHS} for the real data, {EPOCHS_MADE} for drawn ones")
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--learning_rate", type=float, default=5e-4)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    parser.add_argument("--download", action="store_true", help="fetch Fashion MNIST into data/ and use it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=Path("results_conditional_gan"), help="folder to write to")
    return parser.parse_args()


def main() -> None:
    """Train, and draw every few epochs."""
    args = parse_arguments()
    torch.manual_seed(args.seed)
    args.results.mkdir(parents=True, exist_ok=True)
    train_data, _ = load_clothes(args.download)
    epochs = args.epochs or (EPOCHS_MADE if isinstance(train_data, MadeClothes) else EPOCHS)
    batches = DataLoader(train_data, args.batch_size, shuffle=True, drop_last=True)
    print(f"Training for {epochs} epochs on {args.device}")

    generator = ConditionalGenerator(len(CLASSES), args.latent_size).to(args.device)
    discriminator = ConditionalDiscriminator(len(CLASSES)).to(args.device)
    of_g = Adam(generator.parameters(), lr=args.learning_rate, betas=(0.5, 0.999))
    of_d = Adam(discriminator.parameters(), lr=args.learning_rate, betas=(0.5, 0.999))
    shown_noise = torch.randn(12, args.latent_size, device=args.device)  # the same each time, to see pictures develop
    losses_d: list[float] = []
    losses_g: list[float] = []
    with tqdm(total=epochs * len(batches), unit="update") as progress:
        for epoch in range(1, epochs + 1):
            for pictures, classes in batches:
                real_images, labels = pictures.to(args.device) * 2 - 1, classes.to(args.device)  # [0, 1] -> [-1, 1]
                noise = torch.randn(2, len(labels), args.latent_size, device=args.device)
                losses_d.append(
                    float(update_discriminator(discriminator, generator, real_images, labels, noise[0], of_d))
                )
                losses_g.append(float(update_generator(discriminator, generator, labels, noise[1], of_g)))
                progress.update()
            progress.set_description(f"epoch {epoch}/{epochs}, D {losses_d[-1]:.2f}, G {losses_g[-1]:.2f}")
            if epoch == epochs or epoch % max(1, epochs // 3) == 0:
                shown = torch.stack([sample_class(generator, label, shown_noise) for label in range(len(CLASSES))])
                path = args.results / f"classes_epoch_{epoch:04d}.png"
                save_classes(shown, CLASSES, f"G(z, y) after epoch {epoch}", path)
    save_losses(losses_d, losses_g, args.results / "losses.png")
    print(f"The figures are in {args.results}/")


if __name__ == "__main__":
    main()
