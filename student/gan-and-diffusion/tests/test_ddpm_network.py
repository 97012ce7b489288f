"""Public tests of the network: python -m tests.test_ddpm_network"""

import torch
from torch import Tensor

from gapcheck import assert_close, assert_tensor, probe, run_alone, task


@probe
def block(inputs: int, outputs: int, x: Tensor, embedded: list[Tensor], silent: bool) -> list[object]:
    """What a residual block computes for some embedded steps; silent: its last convolution is zero."""
    from lib.ddpm.network import ResidualBlock

    torch.manual_seed(0)
    network = ResidualBlock(inputs, outputs, embedded[0].shape[1])
    if silent:
        torch.nn.init.zeros_(network.conv2.weight)
        torch.nn.init.zeros_(network.conv2.bias)
    return [network(x, one) for one in embedded]


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@task("ddpm-network", hint="The skip changes the number of channels where the block does.")
def test_residual_block_has_the_shape_that_it_is_made_for(fresh_seed: int) -> None:
    for inputs, outputs in ((8, 8), (4, 12)):
        (result,) = block(inputs, outputs, drawn(fresh_seed, 2, inputs, 6, 5), [drawn(fresh_seed + 1, 2, 16)], False)
        assert_tensor(result, (2, outputs, 6, 5), what="the block's output")


@task("ddpm-network", hint="What the convolutions compute is added to the input; without them the input is left.")
def test_residual_block_without_its_second_convolution_is_the_skip(fresh_seed: int) -> None:
    x = drawn(fresh_seed, 2, 8, 4, 4)
    (result,) = block(8, 8, x, [drawn(fresh_seed + 1, 2, 16)], True)
    assert_close(assert_tensor(result, (2, 8, 4, 4), what="the block's output"), x, what="the block's output")


@task("ddpm-network", hint="The embedded step is added between the two convolutions.")
def test_residual_block_depends_on_the_step(fresh_seed: int) -> None:
    steps = [drawn(fresh_seed + 1, 2, 16), drawn(fresh_seed + 2, 2, 16)]
    one, other = block(8, 8, drawn(fresh_seed, 2, 8, 4, 4), steps, False)
    difference = (assert_tensor(one, (2, 8, 4, 4)) - assert_tensor(other, (2, 8, 4, 4))).abs().max()
    assert float(difference) > 1e-4, "the block's output is the same for every step."


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
