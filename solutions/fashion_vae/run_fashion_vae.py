"""Train your variational autoencoder on pictures of clothes, and look at what it has learnt.

    python run_fashion_vae.py
    python run_fashion_vae.py --latent_size 2 --within 8

Writes to results_fashion_vae/: curves.png, reconstructions.png, generated.png, interpolation_within.png and
interpolation_between.png, and prints the reconstruction error of the test pictures. (Given: nothing to do here.)
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Adam
from torch.utils.data import DataLoader
from tqdm import tqdm

from lib.data.clothes import CLASSES, ClothesDataset, MadeClothes, load_clothes
from lib.explore_fashion_vae import draw_pairs, generate, interpolate
from lib.model_fashion_vae import FashionVAE
from lib.plot_fashion_vae import save_curves, save_grid
from lib.train_fashion_vae import reconstruction_error, train_one_epoch

EPOCHS = 5  # for Fashion MNIST
EPOCHS_MADE = 40  # the drawn clothes are ten times fewer


def parse_arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description="Train a variational autoencoder on pictures of clothes.")
    parser.add_argument("--latent_size", type=int, default=8, help="number of latent variables (default: 8)")
    parser.add_argument("--epochs", type=int, help=f"default: {EPOCHS} for the real data, {EPOCHS_MADE} for drawn ones")
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    classes = {"type": int, "choices": range(len(CLASSES)), "metavar": f"0...{len(CLASSES) - 1}"}
    parser.add_argument("--within", **classes, default=6, help="class to interpolate within (default: 6, shirts)")
    parser.add_argument("--between", **classes, nargs=2, default=(9, 3), help="classes to interpolate between")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    parser.add_argument("--download", action="store_true", help="fetch Fashion MNIST into data/ and use it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=Path("results_fashion_vae"), help="folder to write to")
    return parser.parse_args()


def all_of(data: ClothesDataset) -> tuple[Tensor, Tensor]:
    """All pictures (n, 1, 28, 28) and classes (n,) of a data set."""
    pictures, labels = next(iter(DataLoader(data, batch_size=10_000)))
    return pictures, labels


def counted(batches: Iterable[tuple[Tensor, Tensor]], progress: tqdm[None]) -> Iterator[tuple[Tensor, Tensor]]:
    """The same batches; the progress bar moves by one for each."""
    for batch in batches:
        yield batch
        progress.update()


def draw_interpolations(model: FashionVAE, test_data: ClothesDataset, args: argparse.Namespace) -> None:
    """Six ways within a class, and six between two classes."""
    pictures, labels = all_of(test_data)
    ways = {"within": (args.within, args.within), "between": tuple(args.between)}
    for name, (first, second) in ways.items():
        pairs = draw_pairs(labels, first, second, n_pairs=6)
        ends = (pictures[pairs[:, side]].to(args.device) for side in (0, 1))
        title = f"From {CLASSES[first]} to {CLASSES[second]}"
        save_grid(interpolate(model, *ends, n_steps=12), title, args.results / f"interpolation_{name}.png")


def main() -> None:
    """Train, then measure and draw."""
    args = parse_arguments()
    torch.manual_seed(args.seed)
    args.results.mkdir(parents=True, exist_ok=True)
    train_data, test_data = load_clothes(args.download)
    epochs = args.epochs or (EPOCHS_MADE if isinstance(train_data, MadeClothes) else EPOCHS)
    train_batches = DataLoader(train_data, args.batch_size, shuffle=True)
    test_batches = DataLoader(test_data, args.batch_size)
    print(f"Training for {epochs} epochs on {args.device} with {args.latent_size} latent variables")

    model = FashionVAE(args.latent_size).to(args.device)
    optimizer = Adam(model.parameters(), lr=args.learning_rate)
    losses, errors = [], []
    with tqdm(total=epochs * len(train_batches), unit="batch") as progress:
        for epoch in range(1, epochs + 1):
            losses.append(train_one_epoch(model, counted(train_batches, progress), optimizer, args.device))
            errors.append(reconstruction_error(model, test_batches, args.device))
            progress.set_description(f"epoch {epoch}/{epochs}, loss {losses[-1]:.1f}, error {errors[-1]:.4f}")

    save_curves(losses, errors, args.results / "curves.png")
    pictures = all_of(test_data)[0][:12]
    with torch.no_grad():
        reconstructions = model.decode(model.encode(pictures.to(args.device))[0]).cpu()
    rows = ("test picture", "decoded mean")
    save_grid(torch.stack([pictures, reconstructions]), "Reconstructions", args.results / "reconstructions.png", rows)
    generated = generate(model, 60, args.latent_size, args.device)
    save_grid(generated.unflatten(0, (5, 12)), "Decoded z ~ N(0, I)", args.results / "generated.png")
    draw_interpolations(model, test_data, args)
    print(f"Mean squared reconstruction error of a pixel, test pictures: {errors[-1]:.4f}")
    print(f"The figures are in {args.results}/")


if __name__ == "__main__":
    main()
