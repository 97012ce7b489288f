"""Train a generative adversarial network on pictures of flowers.

    python run_gan_training.py
    python run_gan_training.py --data path/to/dataset_flowers_64px --epochs 500

Writes to results_gan/: the losses, real pictures, the pictures that the generator makes of the same noise every few
epochs, and the trained generator, from which `python sample_gan.py results_gan/generator_checkpoint.safetensors` draws.
"""

import argparse
import random
from pathlib import Path

import matplotlib
import torch
from torch import optim
from torch.utils.data import DataLoader
from tqdm import tqdm

from lib.data.flowers import MadeFlowers, load_flowers
from lib.images_gan import batch_images_to_numpy, plot_losses, save_generator, save_picture
from lib.model_gan import Discriminator, Generator, draw_noise, initialise_weights
from lib.train_gan import train_one_epoch

SEED = 999
EPOCHS = 500  # for photographs
EPOCHS_MADE = 20  # for flowers drawn by our own code: below two minutes on two cores


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a GAN on pictures of flowers.")
    parser.add_argument("--data", help="folder of photographs, with a folder inside for each kind of flower")
    parser.add_argument("--epochs", type=int, help=f"default: {EPOCHS} for photographs, {EPOCHS_MADE} for made flowers")
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--learning_rate", type=float, default=2e-4)
    parser.add_argument("--beta1", type=float, default=0.5, help="Adam's decay of the gradients' mean")
    parser.add_argument("--nz", type=int, default=64, help="size of the noise")
    parser.add_argument("--ngf", type=int, default=32, help="the generator's channels_multiplier")
    parser.add_argument("--ndf", type=int, default=32, help="the discriminator's channels_multiplier")
    parser.add_argument("--results", type=Path, default=Path("results_gan"), help="folder to write to")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    random.seed(SEED)
    torch.manual_seed(SEED)
    matplotlib.use("Agg")  # draw into files: no window is needed
    device = "cuda" if torch.cuda.is_available() else "cpu"
    arguments.results.mkdir(parents=True, exist_ok=True)

    dataset = load_flowers(image_size=32, folder=arguments.data)
    batches = DataLoader(dataset, arguments.batch_size, shuffle=True, drop_last=True)
    if len(batches) == 0:
        raise SystemExit(
            f"{len(dataset)} pictures make no batch of {arguments.batch_size}; choose a smaller --batch_size"
        )
    epochs = arguments.epochs or (EPOCHS_MADE if isinstance(dataset, MadeFlowers) else EPOCHS)
    print(f"Training for {epochs} epochs on {device} (--epochs changes that)")

    settings = {"channels_multiplier": arguments.ngf, "num_input_channels": 3, "latent_size": arguments.nz}
    # channels_last is a layout in memory: the same numbers, computed faster
    generator = Generator(**settings).to(device, memory_format=torch.channels_last)
    discriminator = Discriminator(arguments.ndf, 3).to(device, memory_format=torch.channels_last)
    generator.apply(initialise_weights)
    discriminator.apply(initialise_weights)
    betas = (arguments.beta1, 0.999)
    optimizerG = optim.Adam(generator.parameters(), lr=arguments.learning_rate, betas=betas)
    optimizerD = optim.Adam(discriminator.parameters(), lr=arguments.learning_rate, betas=betas)

    real_images, _ = next(iter(batches))
    save_picture(batch_images_to_numpy(real_images), arguments.results / "real.png")
    # the same noise each time, so that one sees a picture develop
    fixed_noise = draw_noise(64, arguments.nz).to(device)
    losses_d: list[float] = []
    losses_g: list[float] = []
    with tqdm(total=epochs * len(batches), unit="update") as progress:
        for epoch in range(1, epochs + 1):
            progress.set_description(f"epoch {epoch}/{epochs}")
            of_d, of_g = train_one_epoch(
                discriminator,
                generator,
                batches,
                latent_size=arguments.nz,
                optimizerD=optimizerD,
                optimizerG=optimizerG,
                progress=progress,
            )
            losses_d += of_d
            losses_g += of_g
            if epoch == epochs or epoch % max(1, epochs // 6) == 0:
                with torch.no_grad():
                    fake_images = generator(fixed_noise)
                save_picture(batch_images_to_numpy(fake_images), arguments.results / f"fake_epoch_{epoch:04d}.png")
                plot_losses(losses_d, losses_g, arguments.results / "losses.png")
                save_generator(generator, settings, arguments.results / "generator_checkpoint.safetensors")
    print(f"Wrote the losses, the pictures and the generator to {arguments.results}/")


if __name__ == "__main__":
    main()
