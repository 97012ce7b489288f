"""What decides."""

import random

import torch
from torch import Tensor

from gapcheck import assert_number, assert_standard_normal, assert_tensor, probe, task


@probe
def add(a: float, b: float) -> float:
    from lib.adding import add

    return add(a, b)


@probe
def noise(n: int) -> Tensor:
    from lib.noise import noise

    return noise(n)


@probe
def two_draws(n: int, seed: int) -> list[Tensor]:
    torch.manual_seed(seed)
    first = noise(n)
    torch.manual_seed(seed)
    return [first, noise(n)]


@task("adding", hint="Add, do not multiply.", weight=2)
def test_a_sum_is_the_sum(fresh_seed: int) -> None:
    secret = random.Random(fresh_seed).uniform(1e3, 1e4)
    assert assert_number(add(secret, 1.0), what="the sum") == secret + 1.0


@task("noise", hint="Which law has mean 0 and variance 1?")
def test_noise_is_standard_normal() -> None:
    assert_standard_normal(assert_tensor(noise(4096), (4096,), what="the noise"))


@task("noise", hint="Draw from torch's own generator.")
def test_noise_follows_the_seed(fresh_seed: int) -> None:
    first, second = two_draws(16, fresh_seed)
    assert torch.equal(assert_tensor(first, (16,)), assert_tensor(second, (16,)))
