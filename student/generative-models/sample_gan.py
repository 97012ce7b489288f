"""Draw pictures from a trained generator.

    python sample_gan.py
    python sample_gan.py results_gan/generator_checkpoint.safetensors --temperature 0.7

The first form uses the generator that comes with this sheet: `python run_gan_training.py --epochs 60` made it from the
drawn flowers. The noise is drawn from N(0, T^2) with the temperature T. Below 1 the pictures are paler and more alike,
above 1 they have strong colours and are more often broken.

Writes `results_gan/samples_T1.0.png`.
"""

import argparse
from pathlib import Path

import matplotlib
import torch

from lib.images_gan import batch_images_to_numpy, load_generator, save_picture
from lib.model_gan import draw_noise


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw pictures from a trained generator.")
    parser.add_argument("checkpoint", type=Path, nargs="?", default=Path("generator_checkpoint.safetensors"))
    parser.add_argument("--temperature", type=float, default=1.0, help="standard deviation of the noise")
    parser.add_argument("--n", type=int, default=64, help="how many pictures")
    parser.add_argument("--seed", type=int, help="repeat the same pictures")
    parser.add_argument("--results", type=Path, default=Path("results_gan"), help="folder to write to")
    arguments = parser.parse_args()
    matplotlib.use("Agg")  # draw into files: no window is needed
    arguments.results.mkdir(parents=True, exist_ok=True)

    generator = load_generator(arguments.checkpoint)
    # the means and variances of the training, so that a picture does not depend on the others of its batch
    generator.eval()
    latent_size = next(generator.parameters()).shape[0]
    random_source = torch.Generator()
    random_source.seed() if arguments.seed is None else random_source.manual_seed(arguments.seed)
    noise = arguments.temperature * draw_noise(arguments.n, latent_size, random_source)
    with torch.no_grad():
        fake_images = generator(noise)
    file = arguments.results / f"samples_T{arguments.temperature}.png"
    save_picture(batch_images_to_numpy(fake_images, max_images=arguments.n), file)
    print(f"Wrote {arguments.n} pictures to {file}")


if __name__ == "__main__":
    main()
