"""Task "fashion-training": loss, training and reconstruction error. The models are the tests' own."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gapcheck import assert_close, assert_number, assert_tensor, probe, run_alone, task


@probe
def loss_of(reconstruction: Tensor, x: Tensor, mean: Tensor, logvar: Tensor) -> object:
    from lib.train_fashion_vae import vae_loss

    return vae_loss(reconstruction, x, mean, logvar)


@probe
def constant_model(value: float, x: Tensor, batch_size: int) -> list[object]:
    """Loss and error of a model that answers every picture with one value; it learns nothing."""
    from lib.train_fashion_vae import reconstruction_error, train_one_epoch

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.value = nn.Parameter(torch.tensor(value))

        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return torch.zeros(len(x), 2), torch.zeros(len(x), 2)

        def decode(self, z: Tensor) -> Tensor:
            return self.value.expand(len(z), *x.shape[1:])

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            mean, logvar = self.encode(x)
            return self.decode(mean), mean, logvar

    model, batches = Model(), [(batch, torch.zeros(len(batch))) for batch in x.split(batch_size)]
    loss = train_one_epoch(model, batches, torch.optim.SGD(model.parameters(), lr=0.0))
    return [loss, reconstruction_error(model, batches)]


@probe
def weight_after_an_epoch(n_batches: int) -> Tensor:
    """The one weight of a model after an epoch of white pictures, which it makes lighter at each step."""
    from lib.train_fashion_vae import train_one_epoch

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return torch.sigmoid(self.weight).expand_as(x), torch.zeros(len(x), 2), torch.zeros(len(x), 2)

    model, batches = Model(), [(torch.ones(2, 1, 2, 2), torch.zeros(2))] * n_batches
    train_one_epoch(model, batches, torch.optim.SGD(model.parameters(), lr=0.01))
    return model.weight


def parts(result: object, names: str) -> tuple[object, ...]:
    """The values that a function returned together, as many as there are names."""
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == names.count(",") + 1, f"({names}) should come back; the number of values is {len(values)}."
    return values


@task("fashion-training", hint="A pixel that is guessed with 1/2 costs log 2; count the pixels of one picture.")
def test_the_loss_of_a_grey_guess_and_a_standard_normal() -> None:
    zero = torch.zeros(3, 5)
    result = loss_of(torch.full((3, 1, 4, 4), 0.5), torch.ones(3, 1, 4, 4), zero, zero)
    loss, reconstruction, kl = parts(result, "loss, reconstruction term, KL term")
    assert_close(assert_tensor(loss, (), what="the loss"), 16 * math.log(2), atol=1e-4, what="the loss")
    assert_close(reconstruction, 16 * math.log(2), atol=1e-4, what="the reconstruction term")
    assert_close(kl, 0.0, atol=1e-4, what="the KL term")


@task("fashion-training", hint="A mean of 1 costs 1/2 for each latent variable, at a variance of 1.")
def test_the_kl_term_of_a_moved_mean() -> None:
    same = torch.full((3, 1, 4, 4), 0.5)
    _, _, kl = parts(loss_of(same, same, torch.ones(3, 5), torch.zeros(3, 5)), "loss, reconstruction term, KL term")
    assert_close(assert_tensor(kl, (), what="the KL term"), 2.5, what="the KL term")


@task("fashion-training", hint="Every picture counts the same, those of the last and smaller batch, too.")
def test_loss_and_error_count_every_picture_once(fresh_seed: int) -> None:
    x = torch.rand(5, 1, 2, 3, generator=torch.Generator().manual_seed(fresh_seed))
    loss, error = constant_model(0.25, x, batch_size=4)
    cross_entropy = -(x * math.log(0.25) + (1 - x) * math.log(0.75)).sum() / 5
    assert_close(assert_number(loss, what="the loss of the epoch"), cross_entropy, what="the loss of the epoch")
    assert_close(assert_number(error, what="the error"), ((x - 0.25) ** 2).mean(), what="the reconstruction error")


@task("fashion-training", hint="Each batch is followed by one step of the optimiser.")
def test_every_batch_moves_the_weights() -> None:
    one, three = (float(weight_after_an_epoch(n)) for n in (1, 3))
    assert 0 < one < three, (
        f"the weight should grow from batch to batch: {one:.4f} after one and {three:.4f} after three."
    )


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
