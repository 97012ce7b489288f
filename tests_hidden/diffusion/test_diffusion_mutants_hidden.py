"""What the mutants of the solution showed that the other tests did not look at."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gapcheck import assert_close, assert_tensor, probe, task


@probe
def step_of_one_call(x_t: Tensor, t: int, schedule: list[Tensor]) -> Tensor:
    """The steps that the model is given while one step backwards is taken."""
    from lib.train_diffusion import denoise

    seen: list[Tensor] = []

    class Recorder(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            seen.append(t.clone())
            return torch.zeros_like(x)

    denoise(Recorder(), x_t, t, (schedule[0], schedule[1], schedule[2]))
    return seen[0]


@probe
def devices_on_the_way(device: str, n: int) -> list[str]:
    """Where the points are that each step backwards starts from."""
    from lib import train_diffusion

    seen: list[str] = []

    def stay(model: nn.Module, x_t: Tensor, t: int, schedule: tuple[Tensor, ...]) -> Tensor:
        seen.append(x_t.device.type)
        return x_t

    before, train_diffusion.denoise = train_diffusion.denoise, stay
    try:
        steps = torch.full((3,), 0.5, device=device)
        train_diffusion.sample(nn.Identity(), n, 2, (steps, steps, steps))
    finally:
        train_diffusion.denoise = before
    return seen


@task("diffusion", hint="The model wants the step of each point: t has as many rows as there are points.")
def test_the_model_is_told_the_step_of_every_point(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    betas = torch.rand(6, generator=generator) * 0.2 + 0.1
    schedule = [torch.cumprod(1 - betas, dim=0), 1 - betas, betas]
    t = assert_tensor(step_of_one_call(torch.randn(7, 3, generator=generator), 4, schedule), (7, 1), dtype=torch.int64)
    assert_close(t.double(), torch.full((7, 1), 4.0, dtype=torch.float64), what="t")


@task("diffusion", hint="The noise at the start belongs on the device of the schedule.")
def test_the_way_back_starts_on_the_device_of_the_schedule() -> None:
    # "meta" is a device that every machine has
    seen = devices_on_the_way("meta", n=4)
    assert seen == ["meta"] * 3, "The points should be on the device of the schedule, but they are elsewhere."
