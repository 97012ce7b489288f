"""Public tests of the training: python -m tests.test_ddpm_training"""

import torch
from torch import Tensor, nn

from gapcheck import assert_close, assert_equal, assert_number, assert_tensor, probe, run_alone, task


@probe
def loss_of_constant(values: list[Tensor], x_0: Tensor, t: Tensor, noise: Tensor, prediction: float) -> object:
    """The loss of a model that predicts the same number for every pixel."""
    from lib.ddpm.schedule import Schedule
    from lib.ddpm.training import noise_loss

    class Constant(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            return torch.full_like(x, prediction)

    return noise_loss(Constant(), x_0, t, noise, Schedule(*values))


@probe
def one_step(values: list[Tensor], x_0: Tensor) -> tuple[object, list[list[int]], Tensor]:
    """What a training step returns, the shapes that the model saw, and the change of its weight."""
    from lib.ddpm.schedule import Schedule
    from lib.ddpm.training import training_step

    shapes: list[list[int]] = []

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.zeros(()))

        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            shapes.append([*x.shape, *t.shape])
            return self.scale * x

    model = Scaled()
    loss = training_step(model, x_0, torch.optim.SGD(model.parameters(), lr=0.1), Schedule(*values))
    return loss, shapes, model.scale


@probe
def average_of(old: Tensor, new: Tensor, decay: float) -> Tensor:
    from lib.ddpm.training import update_average

    average, model = nn.ParameterList([old]), nn.ParameterList([new])
    update_average(average, model, decay)
    return average[0]


HALVES = [torch.full((3,), 0.5), torch.full((3,), 0.5), torch.tensor([0.5, 0.25, 0.125]), torch.tensor([1, 0.5, 0.25])]


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@task(
    "ddpm-training", hint="The mean of the squared differences between the noise and its prediction, over all pixels."
)
def test_loss_of_a_model_that_always_predicts_the_same(fresh_seed: int) -> None:
    x_0, noise, t = drawn(fresh_seed, 2, 1, 3, 3), drawn(fresh_seed + 1, 2, 1, 3, 3), torch.tensor([0, 2])
    for prediction in (0.0, 0.7):
        loss = assert_tensor(loss_of_constant(HALVES, x_0, t, noise, prediction), (), what="the loss")
        assert_close(loss, (noise.double() - prediction).square().mean(), what="the loss")


@task("ddpm-training", hint="One call of the model for the batch, a step for each picture, one step of the optimizer.")
def test_training_step_calls_the_model_once_and_moves_its_weight(fresh_seed: int) -> None:
    loss, shapes, scale = one_step(HALVES, drawn(fresh_seed, 64, 1, 3, 3))
    assert_equal(shapes, [[64, 1, 3, 3, 64]], "the shapes of x_t and t")
    # x_t holds noise, so a larger scale predicts it better
    assert assert_number(scale, what="the weight") > 0.01, "the weight did not move towards a better prediction."
    assert assert_number(loss, what="the loss") > 0.3, "the loss of a model that predicts 0 should be about 1."


@task("ddpm-training", hint="decay is the share of the old average that is kept.")
def test_average_keeps_the_share_decay() -> None:
    found = average_of(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 0.0]), 0.75)
    assert_close(found, torch.tensor([1.25, 3.0]), what="the averaged weights")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
