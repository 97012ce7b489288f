"""Hidden tests of the attacks' course; no attack may find this text: THE-HIDDEN-TESTS-OF-THE-ATTACKS."""

import random

import torch
from torch import Tensor

from gapcheck import assert_close, probe, task


@probe
def doubled(value: Tensor) -> Tensor:
    from lib.target import double

    return double(value)


@probe
def doubled_text(text: str) -> str:
    from lib.target import double

    return double(text)


@probe
def tripled(value: Tensor) -> Tensor:
    from lib.neighbour import triple

    return triple(value)


@task("attacked", hint="A sum.", weight=2)
def test_another_tensor_is_doubled(fresh_seed: int) -> None:
    value = torch.randn(5, generator=torch.Generator().manual_seed(fresh_seed))
    assert_close(doubled(value), 2 * value)


@task("attacked", hint="A sum.")
def test_a_text_is_written_twice(fresh_seed: int) -> None:
    letters = random.Random(fresh_seed)
    text = "\n".join("".join(letters.choices("abc", k=40)) for _ in range(200))
    assert doubled_text(text) == text + text


@task("neighbour", hint="A product.")
def test_another_tensor_is_tripled(fresh_seed: int) -> None:
    value = torch.randn(5, generator=torch.Generator().manual_seed(fresh_seed))
    assert_close(tripled(value), 3 * value)
