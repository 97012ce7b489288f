"""Train a small diffusion model on a 2-d density, generate points with it, and show both directions as videos.

    python run_diffusion_training.py --dataset swiss_roll --schedule cosine

The results are written to results_diffusion/: generated_samples.png, and the videos forward_diffusion and generation.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch.optim import Adam

from lib.model_diffusion import SimpleDiffusion
from lib.plot_diffusion import save_comparison, save_video
from lib.train_diffusion import sample, train
from lib.utils import add_noise, cosine_schedule, get_dataset, linear_schedule

RESULTS = Path("results_diffusion")
SCHEDULES = {"cosine": cosine_schedule, "linear": linear_schedule}
N_FRAMES = 60  # of a video
N_SHOWN = 2000  # points in a picture


def parse_arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="moons", choices=["circles", "moons", "swiss_roll"])
    parser.add_argument("--batch_size", type=int, default=256)
    parser.add_argument("--learning_rate", type=float, default=2e-3)
    parser.add_argument("--schedule", default="cosine", choices=list(SCHEDULES))
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--n_samples", type=int, default=10000, help="points in the data set (default: 10000)")
    parser.add_argument("--n_blocks", type=int, default=2, help="residual blocks of the model (default: 2)")
    parser.add_argument("--diffusion_steps", type=int, default=1000, help="steps from data to noise (default: 1000)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu, which is fast enough here)")
    parser.add_argument("--verbose", action="store_true", help="print the loss of every epoch")
    return parser.parse_args()


def equally_spaced(first: int, last: int) -> list[int]:
    """At most N_FRAMES whole numbers from first to last, both included."""
    count = min(N_FRAMES, last - first + 1)
    return [int(step) for step in torch.linspace(first, last, count).round()]


def main() -> None:
    """Train, generate, draw."""
    args = parse_arguments()
    torch.manual_seed(0)
    torch.set_num_threads(1)  # layers as small as these are fastest on one core
    RESULTS.mkdir(exist_ok=True)

    data = get_dataset(args.dataset, args.n_samples)
    print(f"data: {len(data)} made points of {args.dataset}")
    baralphas, alphas, betas = SCHEDULES[args.schedule](args.diffusion_steps)

    # frames at equal distances over all steps; each frame is one draw from q(x_t | x_0)
    steps = equally_spaced(0, args.diffusion_steps - 1)
    forward_states = torch.stack([add_noise(data[:N_SHOWN], t, baralphas)[0] for t in steps])
    print("wrote", save_video(forward_states, steps, "forward, step", RESULTS / "forward_diffusion"))

    model = SimpleDiffusion(data.shape[1], nblocks=args.n_blocks).to(args.device)
    optimizer = Adam(model.parameters(), lr=args.learning_rate)
    last_loss = train(data, args, model, optimizer, baralphas.to(args.device))
    print(f"last loss: {last_loss:.4f}")

    schedule = (baralphas.to(args.device), alphas.to(args.device), betas.to(args.device))
    states = sample(model, N_SHOWN, data.shape[1], schedule).cpu()
    save_comparison(data[:N_SHOWN], states[-1], RESULTS / "generated_samples.png")
    print("wrote", RESULTS / "generated_samples.png")
    # entry k of the states comes after k steps on the way back
    steps = equally_spaced(0, args.diffusion_steps)
    print("wrote", save_video(states[steps], steps, "steps taken back:", RESULTS / "generation"))


if __name__ == "__main__":
    main()
