"""Task "fashion-training", what decides: loss, steps of an epoch, and reconstruction error against their formulas.

The models are the tests' own: small, smooth, in float64, and different in training and in evaluation mode.
"""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from gapcheck import (
    assert_between,
    assert_close,
    assert_equal,
    assert_gradient,
    assert_number,
    assert_tensor,
    probe,
    task,
)

LR, POISON, BATCH = 0.1, 3.0, 4

# ---------------------------------------------------------------- what runs inside


@probe
def losses(batches: list[tuple[Tensor, Tensor, Tensor, Tensor]]) -> list[object]:
    from lib.train_fashion_vae import vae_loss

    return [[vae_loss(*batch), list(batch)] for batch in batches]


@probe
def loss_gradients(reconstruction: Tensor, x: Tensor, mean: Tensor, logvar: Tensor) -> list[Tensor | None]:
    from lib.train_fashion_vae import vae_loss

    inputs = [tensor.clone().requires_grad_() for tensor in (reconstruction, mean, logvar)]
    vae_loss(inputs[0], x, inputs[1], inputs[2])[0].backward()
    return [tensor.grad for tensor in inputs]


@probe
def epoch(weights: list[Tensor], x: Tensor, batch_size: int, lr: float, old_gradient: float) -> dict[str, object]:
    """One epoch of a model whose outputs are smooth functions of x, and others in evaluation mode."""
    from torch.utils.data import DataLoader, TensorDataset

    from lib.train_fashion_vae import train_one_epoch

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = nn.ParameterList([weight.clone() for weight in weights])

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            flat = x.flatten(1) if self.training else x.flatten(1) + 1
            reconstruction = torch.sigmoid(flat @ self.weights[0])
            return reconstruction.view_as(x), flat @ self.weights[1], flat @ self.weights[2]

    model = Model().eval()
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, old_gradient)
    loader = DataLoader(TensorDataset(x, torch.zeros(len(x))), batch_size=batch_size)
    result = train_one_epoch(model, loader, torch.optim.SGD(model.parameters(), lr=lr))
    return {"result": result, "weights": list(model.parameters())}


@probe
def errors(weights: list[Tensor], x: Tensor, batch_size: int) -> dict[str, object]:
    """The error of a model whose decoder is linear and whose encoder adds noise in training mode."""
    from torch.utils.data import DataLoader, TensorDataset

    from lib.train_fashion_vae import reconstruction_error

    graph: list[bool] = []

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = nn.ParameterList([weight.clone() for weight in weights])

        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            mean = x.flatten(1) @ self.weights[0]
            mean = mean + torch.randn_like(mean) if self.training else mean
            return mean, torch.ones_like(mean)

        def sample_latent(self, mean: Tensor, logvar: Tensor) -> Tensor:
            return mean + torch.exp(logvar / 2) * torch.randn_like(mean)

        def decode(self, z: Tensor) -> Tensor:
            pictures = (z @ self.weights[1]).view(-1, *x.shape[1:])
            graph.append(pictures.requires_grad)
            return pictures

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            mean, logvar = self.encode(x)
            return self.decode(self.sample_latent(mean, logvar)), mean, logvar

    loader = DataLoader(TensorDataset(x, torch.zeros(len(x))), batch_size=batch_size)
    return {"result": reconstruction_error(Model().train(), loader), "graph": graph}


@probe
def devices(name: str, device: str) -> list[str]:
    """On which device the pictures are when they reach the model; nothing else is done with them."""
    import lib.train_fashion_vae as module

    seen: list[str] = []

    class StopHere(Exception):
        pass

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            seen.append(x.device.type)
            raise StopHere

        def decode(self, z: Tensor) -> Tensor:
            return z

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            seen.append(x.device.type)
            raise StopHere

    model, batches = Model(), [(torch.zeros(2, 1, 2, 2), torch.zeros(2))]
    extra = [torch.optim.SGD(model.parameters(), lr=0.1)] if name == "train_one_epoch" else []
    with contextlib.suppress(StopHere):
        getattr(module, name)(model, batches, *extra, device)
    return seen


# ---------------------------------------------------------------- what stays outside


def draw_batch(seed: int, batch: int = 5) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Grey pictures, reconstructions away from 0 and 1, and any mean and logvar; all axes of different length."""
    source = torch.Generator().manual_seed(seed)
    x = torch.rand(batch, 2, 3, 4, generator=source, dtype=torch.float64)
    reconstruction = 0.05 + 0.9 * torch.rand(batch, 2, 3, 4, generator=source, dtype=torch.float64)
    mean, logvar = torch.randn(2, batch, 6, generator=source, dtype=torch.float64)
    return reconstruction, x, mean, logvar


def cross_entropy(reconstruction: Tensor, x: Tensor) -> Tensor:
    return -(x * torch.log(reconstruction) + (1 - x) * torch.log(1 - reconstruction)).sum() / len(x)


def divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    prior = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return kl_divergence(Normal(mean, torch.exp(logvar / 2)), prior).sum() / len(mean)


def terms(result: object) -> list[Tensor]:
    """The three numbers that vae_loss returned."""
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == 3, f"loss, reconstruction term and KL term should come back, not {len(values)} values."
    names = ("the loss", "the reconstruction term", "the KL term")
    return [assert_tensor(value, (), what=name) for value, name in zip(values, names, strict=True)]


def draw_weights(seed: int, *shapes: tuple[int, int]) -> list[Tensor]:
    source = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=source, dtype=torch.float64) / 3 for shape in shapes]


def draw_pictures(seed: int, n: int) -> Tensor:
    """(n, 1, 2, 3): n is no multiple of the batch size that the tests use."""
    return torch.rand(n, 1, 2, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def expected_epoch(weights: list[Tensor], x: Tensor) -> tuple[float, list[Tensor]]:
    """Gradient descent batch by batch; the mean loss of a picture, and the weights afterwards."""
    total = 0.0
    for batch in x.split(BATCH):
        weights = [weight.clone().requires_grad_() for weight in weights]
        flat = batch.flatten(1)
        loss = cross_entropy(torch.sigmoid(flat @ weights[0]), flat) + divergence(flat @ weights[1], flat @ weights[2])
        steps = torch.autograd.grad(loss, weights)
        weights = [(weight - LR * step).detach() for weight, step in zip(weights, steps, strict=True)]
        total += loss.item() * len(batch)
    return total / len(x), weights


@task("fashion-training", hint="Both terms: a sum for each picture, then the average over the batch. x is the target.")
def test_the_loss_and_its_terms_follow_their_formulas(fresh_seed: int) -> None:
    for batch in (draw_batch(fresh_seed), draw_batch(fresh_seed + 1, batch=2)):
        (result, _), *_ = losses([batch])
        loss, reconstruction, kl = terms(result)
        assert_close(reconstruction, cross_entropy(*batch[:2]), what="the reconstruction term")
        assert_close(kl, divergence(*batch[2:]), what="the KL term")
        assert_close(loss, cross_entropy(*batch[:2]) + divergence(*batch[2:]), what="the loss")


@task("fashion-training", hint="Both terms must be differentiable: no item(), no detach, no conversion to numpy.")
def test_gradients_reach_the_reconstruction_mean_and_logvar(fresh_seed: int) -> None:
    reconstruction, x, mean, logvar = draw_batch(fresh_seed)
    found = loss_gradients(reconstruction, x, mean, logvar)
    of_reconstruction = (reconstruction - x) / (reconstruction * (1 - reconstruction)) / len(x)
    for gradient, expected, what in zip(
        found,
        (of_reconstruction, mean / len(x), (torch.exp(logvar) - 1) / 2 / len(x)),
        ("the reconstruction", "mean", "logvar"),
        strict=True,
    ):
        assert_gradient(gradient, expected, what)


@task("fashion-training", hint="log(0) is minus infinity; PyTorch's own binary cross-entropy takes care of it.")
def test_the_loss_is_finite_where_a_reconstruction_is_0_or_1(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    x = torch.randint(0, 2, (5, 2, 3, 4), generator=source).double()
    zero = torch.zeros(5, 6, dtype=torch.float64)
    right, wrong = losses([(x.clone(), x, zero, zero), (1 - x, x, zero, zero)])
    assert_between(terms(right[0])[1], -0.01, 0.01, what="the reconstruction term of a perfect reconstruction")
    terms(wrong[0])


@task(
    "fashion-training", hint="Methods that end with an underscore change the tensor itself, and the caller's with it."
)
def test_the_loss_leaves_its_arguments_as_they_are(fresh_seed: int) -> None:
    batch = draw_batch(fresh_seed)
    ((_, after),) = losses([tuple(tensor.clone() for tensor in batch)])
    assert_equal(after, list(batch), what="the arguments after the call")


@task("fashion-training", hint="One step a batch: old gradients away, the loss's gradients, and the step; all batches.")
def test_an_epoch_takes_one_step_for_each_batch(fresh_seed: int) -> None:
    weights, x = draw_weights(fresh_seed, (6, 6), (6, 2), (6, 2)), draw_pictures(fresh_seed, 10)
    found = epoch(weights, x, BATCH, LR, POISON)["weights"]
    assert isinstance(found, list)
    for weight, expected in zip(found, expected_epoch(weights, x)[1], strict=True):
        assert_close(weight, expected, what="a weight of the model after an epoch")


@task("fashion-training", hint="The last batch is smaller: how much does its average count in that of the epoch?")
def test_an_epoch_returns_the_mean_loss_of_a_picture(fresh_seed: int) -> None:
    for n in (10, 5):
        weights, x = draw_weights(fresh_seed, (6, 6), (6, 2), (6, 2)), draw_pictures(fresh_seed + n, n)
        mean_loss = assert_number(epoch(weights, x, BATCH, LR, POISON)["result"], what="the loss of the epoch")
        assert_close(mean_loss, expected_epoch(weights, x)[0], what="the loss of the epoch")


@task("fashion-training", hint="Squared errors of decode(mean), averaged over pixels and over all pictures alike.")
def test_the_reconstruction_error_follows_its_formula(fresh_seed: int) -> None:
    for n in (10, 5):
        weights, x = draw_weights(fresh_seed, (6, 2), (2, 6)), draw_pictures(fresh_seed + n, n)
        error = assert_number(errors(weights, x, BATCH)["result"], what="the reconstruction error")
        flat = x.flatten(1)
        assert_close(error, ((flat @ weights[0] @ weights[1] - flat) ** 2).mean(), what="the reconstruction error")


@task("fashion-training", hint="Nothing is trained here, so PyTorch need not remember how the results came about.")
def test_the_reconstruction_error_records_no_gradients(fresh_seed: int) -> None:
    weights, x = draw_weights(fresh_seed, (6, 2), (2, 6)), draw_pictures(fresh_seed, 10)
    assert_equal(errors(weights, x, BATCH)["graph"], [False] * 3, "whether each batch's decodings require gradients")


@task("fashion-training", hint="The model and its input must be on the same device, the one that is asked for.")
def test_pictures_are_moved_to_the_device() -> None:
    # "meta" is a device that every machine has
    for name in ("train_one_epoch", "reconstruction_error"):
        assert_equal(devices(name, "meta"), ["meta"], f"the device of the pictures in {name}")
