"""What the scripts of the GAN show and keep: grids of pictures, curves of the losses, the trained generator."""

from collections import defaultdict
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torchvision.utils import make_grid

from lib.model_gan import Generator


def batch_images_to_numpy(
    image_batch: Tensor, max_images: int = 64, padding: int = 2, normalize: bool = True
) -> "np.ndarray":
    """Put the pictures of a batch into one grid of eight columns.

    Args:
        image_batch: (N, C, H, W) pictures.
        max_images: how many of them are shown.
        padding: pixels between two pictures.
        normalize: stretch the values of the whole batch to [0, 1].

    Returns:
        (height, width, channels) one picture, as matplotlib shows it.
    """
    grid = make_grid(image_batch[:max_images].detach().cpu(), padding=padding, normalize=normalize)
    return grid.permute(1, 2, 0).numpy()


def save_picture(picture: "np.ndarray", file: Path) -> None:
    """Write a (height, width, channels) picture with values in [0, 1], twice as large as it is."""
    enlarged = picture.repeat(2, axis=0).repeat(2, axis=1)
    plt.imsave(file, enlarged.clip(0, 1))


def plot_losses(losses_d: list[float], losses_g: list[float], file: Path) -> None:
    """Draw the losses of both networks over the updates."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    axes.plot(losses_d, label="discriminator: $-\\log D(x) - \\log(1 - D(G(z)))$", linewidth=0.8)
    axes.plot(losses_g, label="generator: $-\\log D(G(z))$", linewidth=0.8)
    # D(x) = D(G(z)) = 1/2: the discriminator cannot tell them apart
    axes.axhline(2 * np.log(2), color="grey", linestyle=":", label="discriminator that only guesses: $2 \\log 2$")
    axes.set(xlabel="update", ylabel="loss", ylim=(0, None))
    axes.legend()
    figure.savefig(file, dpi=100)
    plt.close(figure)


def save_generator(generator: Generator, settings: dict[str, int], file: Path) -> None:
    """Keep the weights of a generator and the arguments that it was made with."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in generator.state_dict().items()}
    save_file(state, file, metadata={name: str(value) for name, value in settings.items()})


def load_generator(file: Path) -> Generator:
    """The generator of a checkpoint.

    Your layers may have other names than those of the checkpoint: a tensor finds its place by the last part of its
    name (weight, bias, running_mean, ...) and its shape.

    Raises:
        ValueError: the layers of `Generator` do not have the shapes of the checkpoint.
    """
    with safe_open(file, framework="pt") as stored:
        generator = Generator(**{name: int(value) for name, value in stored.metadata().items()})
        places = defaultdict(list)
        for name in stored.keys():  # noqa: SIM118  a safe_open is no dict
            tensor = stored.get_tensor(name)
            places[name.rpartition(".")[2], tensor.shape].append(tensor)
    for name, tensor in generator.state_dict().items():
        matching = places[name.rpartition(".")[2], tensor.shape]
        if not matching:
            raise ValueError(f"{file} has no weights for {name} of shape {tuple(tensor.shape)}; check your layers")
        tensor.copy_(matching.pop())
    return generator
