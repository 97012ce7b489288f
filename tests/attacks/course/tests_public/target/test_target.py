"""Public tests of the attacks' course."""

import torch
from torch import Tensor

from gapcheck import assert_close, probe, run_alone, task


@probe
def doubled(value: Tensor) -> Tensor:
    from lib.target import double

    return double(value)


@probe
def tripled(value: Tensor) -> Tensor:
    from lib.neighbour import triple

    return triple(value)


def inputs(seed: int) -> Tensor:
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(seed))


@task("attacked", hint="A sum.")
def test_a_tensor_is_doubled(fresh_seed: int) -> None:
    value = inputs(fresh_seed)
    assert_close(doubled(value), 2 * value)


@task("neighbour", hint="A product.")
def test_a_tensor_is_tripled(fresh_seed: int) -> None:
    value = inputs(fresh_seed)
    assert_close(tripled(value), 3 * value)


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
