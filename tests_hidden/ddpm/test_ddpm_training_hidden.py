"""The residual block, the loss, the training step and the averaged weights.

Models are made by the probes and record how they are called; what they compute is linear, so that losses and gradients
can be computed again from the records, in float64.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gapcheck import (
    assert_between,
    assert_bins,
    assert_close,
    assert_gradient,
    assert_independent_calls,
    assert_number,
    assert_standard_normal,
    assert_tensor,
    assert_unchanged,
    probe,
    task,
)

STEPS, LR = 5, 0.05


@probe
def block(sizes: tuple[int, int, int], state: dict[str, Tensor], x: Tensor, embedded: Tensor) -> tuple[object, object]:
    """What a residual block with this state computes, and the gradient of its squared sum in the embedding."""
    from lib.ddpm.network import ResidualBlock

    network = ResidualBlock(*sizes)
    network.load_state_dict(state)
    leaf = embedded.clone().requires_grad_()
    result = network(x, leaf)
    return result, torch.autograd.grad(result.square().sum(), leaf, allow_unused=True)[0]


@probe
def loss_of(
    values: list[Tensor], x_0: Tensor, t: Tensor, noise: Tensor, weights: list[Tensor]
) -> tuple[object, list[list[Tensor]], list[object]]:
    """The loss of a linear model, the model's calls, and the gradients in its weights."""
    from lib.ddpm.schedule import Schedule
    from lib.ddpm.training import noise_loss

    class Recorder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.slope = (nn.Parameter(weight.clone()) for weight in weights)
            self.calls: list[list[Tensor]] = []

        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            self.calls.append([x.detach().clone(), torch.as_tensor(t).clone()])
            return x * self.weight + t.reshape(-1, *[1] * (x.dim() - 1)) * self.slope

    model = Recorder()
    loss = noise_loss(model, x_0, t, noise, Schedule(*values))
    gradients = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
    return loss, model.calls, list(gradients)


@probe
def steps_of(
    values: list[Tensor], x_0: Tensor, weights: list[Tensor], *, lr: float, poison: float, n: int
) -> list[dict[str, object]]:
    """Some training steps of a linear model, each with what was returned, the model's calls, and its weights."""
    from lib.ddpm.schedule import Schedule
    from lib.ddpm.training import training_step

    class Recorder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.slope = (nn.Parameter(weight.clone()) for weight in weights)
            self.calls: list[list[Tensor]] = []

        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            self.calls.append([x.detach().clone(), torch.as_tensor(t).clone()])
            return x * self.weight + t.reshape(-1, *[1] * (x.dim() - 1)) * self.slope

    model, reports = Recorder(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, poison)
    for _ in range(n):
        before = [parameter.detach().clone() for parameter in model.parameters()]
        model.calls = []
        returned = training_step(model, x_0, optimizer, Schedule(*values))
        after = [parameter.detach().clone() for parameter in model.parameters()]
        reports.append({"returned": returned, "calls": model.calls, "before": before, "after": after})
    return reports


@probe
def averaged(old: list[Tensor], new: list[Tensor], decays: list[float]) -> list[list[list[Tensor]]]:
    """The parameters of the average and of the model after each update, and those that were listed before."""
    from lib.ddpm.training import update_average

    # one inside another, as layers are
    average, model = (nn.ModuleList([nn.ParameterList([v.clone() for v in values])]) for values in (old, new))
    listed = list(average.parameters())
    states = []
    for decay in decays:
        update_average(average, model, decay)
        groups = (average.parameters(), model.parameters(), listed)
        states.append([[p.detach().clone() for p in group] for group in groups])
    return states


# ---------------------------------------------------------------- what stays outside


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def steep_schedule() -> list[Tensor]:
    """betas, alphas, alpha_bars, alpha_bars_before in float64; an index that is off by one shows."""
    alpha_bars = torch.tensor([0.97, 0.8, 0.5, 0.2, 0.03], dtype=torch.float64)
    before = torch.cat([torch.ones(1), alpha_bars[:-1]])
    alphas = alpha_bars / before
    return [1 - alphas, alphas, alpha_bars, before]


def single(values: list[Tensor]) -> list[Tensor]:
    return [value.float() for value in values]


def column(t: Tensor, x: Tensor) -> Tensor:
    return t.reshape(-1, *[1] * (x.ndim - 1))


def linear_loss(x_t: Tensor, t: Tensor, noise: Tensor, weights: list[Tensor]) -> Tensor:
    prediction = x_t.double() * weights[0] + column(t, x_t) * weights[1]
    return (prediction - noise.double()).square().mean()


def told(t: object, n: int) -> Tensor:
    """The steps that the model was told: (n,) Long."""
    return assert_tensor(t, (n,), dtype=torch.int64, what="the model's t")


# ---------------------------------------------------------------- the block


def random_block(inputs: int, outputs: int, seed: int) -> dict[str, Tensor]:
    """Names and shapes of a residual block whose embedding has length 5."""
    shapes: dict[str, tuple[int, ...]] = {
        "norm1.weight": (inputs,),
        "norm1.bias": (inputs,),
        "conv1.weight": (outputs, inputs, 3, 3),
        "conv1.bias": (outputs,),
        "time.weight": (outputs, 5),
        "time.bias": (outputs,),
        "norm2.weight": (outputs,),
        "norm2.bias": (outputs,),
        "conv2.weight": (outputs, outputs, 3, 3),
        "conv2.bias": (outputs,),
    }
    if inputs != outputs:
        shapes |= {"skip.weight": (outputs, inputs, 1, 1), "skip.bias": (outputs,)}
    scale = {4: 1 / math.sqrt(9 * inputs)}
    return {
        name: drawn(seed + i, *shape) * scale.get(len(shape), 1.0) for i, (name, shape) in enumerate(shapes.items())
    }


def expected_block(state: dict[str, Tensor], x: Tensor, embedded: Tensor) -> Tensor:
    s = {name: value.double() for name, value in state.items()}
    h = F.silu(F.group_norm(x.double(), 4, s["norm1.weight"], s["norm1.bias"]))
    h = F.conv2d(h, s["conv1.weight"], s["conv1.bias"], padding=1)
    h = h + (F.silu(embedded) @ s["time.weight"].T + s["time.bias"])[:, :, None, None]
    h = F.silu(F.group_norm(h, 4, s["norm2.weight"], s["norm2.bias"]))
    h = F.conv2d(h, s["conv2.weight"], s["conv2.bias"], padding=1)
    skip = F.conv2d(x.double(), s["skip.weight"], s["skip.bias"]) if "skip.weight" in s else x.double()
    return skip + h


@task(
    "ddpm-network", hint="Follow the four lines in their order: norm, silu, convolution; the step; and again; the skip."
)
def test_residual_block_computes_its_four_lines(fresh_seed: int) -> None:
    for inputs, outputs in ((8, 8), (4, 12)):
        state = random_block(inputs, outputs, fresh_seed)
        x, embedded = drawn(fresh_seed + 50, 3, inputs, 5, 4), drawn(fresh_seed + 51, 3, 5)
        result, _ = block((inputs, outputs, 5), state, x, embedded)
        found = assert_tensor(result, (3, outputs, 5, 4), what="the block's output")
        assert_close(found, expected_block(state, x, embedded.double()), atol=1e-3, what="the block's output")


@task(
    "ddpm-network", hint="The embedded step goes through silu and a linear layer, and moves every pixel of a channel."
)
def test_residual_block_hears_the_step(fresh_seed: int) -> None:
    state, x = random_block(8, 8, fresh_seed), drawn(fresh_seed + 50, 2, 8, 3, 3)
    embedded = drawn(fresh_seed + 51, 2, 5)
    _, gradient = block((8, 8, 5), state, x, embedded)
    leaf = embedded.double().requires_grad_()
    (expected,) = torch.autograd.grad(expected_block(state, x, leaf).square().sum(), leaf)
    scale = float(expected.abs().max())
    assert_gradient(gradient, expected, "the embedded step", rtol=1e-3, atol=1e-4 * (1 + scale))


# ---------------------------------------------------------------- the loss


def random_loss(seed: int) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
    """x_0, t, noise and the weights of the linear model, for pictures (4, 2, 4): N equals the last axis."""
    t = torch.cat([torch.tensor([0, 4]), torch.randint(0, 5, (2,), generator=torch.Generator().manual_seed(seed))])
    return drawn(seed + 1, 4, 2, 4), t, drawn(seed + 2, 4, 2, 4), [drawn(seed + 3, 2, 4), drawn(seed + 4, 2, 4)]


@task("ddpm-training", hint="The target is the noise; the loss is the mean of squares over all pictures and pixels.")
def test_loss_is_the_mean_squared_error_of_the_predicted_noise(fresh_seed: int) -> None:
    values, (x_0, t, noise, weights) = steep_schedule(), random_loss(fresh_seed)
    loss, _, gradients = loss_of(single(values), x_0, t, noise, weights)
    alpha_bar = column(values[2][t], x_0)
    x_t = alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * noise
    exact = [weight.double().requires_grad_() for weight in weights]
    expected = linear_loss(x_t, t, noise, exact)
    assert_close(assert_tensor(loss, (), what="the loss"), expected, what="the loss")
    for gradient, wanted in zip(gradients, torch.autograd.grad(expected, exact), strict=True):
        assert_gradient(gradient, wanted, "the model's weights, from the loss,", atol=1e-4)


@task("ddpm-training", hint="The model gets x_t, made with the noise that is passed in, and the step of each picture.")
def test_model_sees_the_noisy_pictures_and_hears_their_steps(fresh_seed: int) -> None:
    values, (x_0, t, noise, weights) = steep_schedule(), random_loss(fresh_seed)
    _, calls, _ = loss_of(single(values), x_0, t, noise, weights)
    assert len(calls) == 1, f"the model should be called once for a batch, but it was called {len(calls)} times."
    alpha_bar = column(values[2][t], x_0)
    x_t = assert_tensor(calls[0][0], (4, 2, 4), what="the model's x_t")
    assert_close(x_t, alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * noise, what="the model's x_t")
    assert_unchanged(t, told(calls[0][1], 4), "the step of each picture, on its way to the model,")


# ---------------------------------------------------------------- the step


def checked(report: dict[str, object], n: int) -> tuple[Tensor, Tensor]:
    """x_t and t of the model's only call."""
    calls = report["calls"]
    assert isinstance(calls, list)
    assert len(calls) == 1, f"the model should be called once for a batch, but it was called {len(calls)} times."
    return assert_tensor(calls[0][0], (n, None), what="the model's x_t"), told(calls[0][1], n)


def noise_in(x_t: Tensor, x_0: Tensor, t: Tensor) -> Tensor:
    alpha_bar = column(steep_schedule()[2][t], x_0)
    return (x_t - alpha_bar.sqrt() * x_0) / (1 - alpha_bar).sqrt()


@task("ddpm-training", hint="Only the gradient of this batch may move the weights, by one step of the optimizer.")
def test_training_step_descends_the_loss_of_its_batch(fresh_seed: int) -> None:
    x_0, weights = 3 + drawn(fresh_seed, 6, 2), [drawn(fresh_seed + 1, 2), drawn(fresh_seed + 2, 2) / 4]
    for report in steps_of(single(steep_schedule()), x_0, weights, lr=LR, poison=3.0, n=3):
        x_t, t = checked(report, 6)
        before, after = report["before"], report["after"]
        assert isinstance(before, list)
        assert isinstance(after, list)
        exact = [weight.double().requires_grad_() for weight in before]
        loss = linear_loss(x_t, t, noise_in(x_t, x_0, t), exact)
        for weight, gradient, found in zip(exact, torch.autograd.grad(loss, exact), after, strict=True):
            wanted = weight.detach() - LR * gradient
            assert_close(found, wanted, rtol=1e-3, atol=1e-3, what="a weight after the step")
        assert_close(assert_number(report["returned"], what="the loss"), loss, rtol=1e-3, atol=1e-3, what="the loss")


@task("ddpm-training", hint="Every picture gets a step of its own, and 0 ... T - 1 are equally likely.")
def test_training_draws_a_step_for_each_picture_from_all_steps(fresh_seed: int) -> None:
    weights = [drawn(fresh_seed + 1, 2), drawn(fresh_seed + 2, 2)]
    reports = steps_of(single(steep_schedule()), drawn(fresh_seed, 2000, 2), weights, lr=0.0, poison=0.0, n=2)
    steps = [checked(report, 2000)[1] for report in reports]
    for t in steps:
        assert_between(t, 0, STEPS - 1, what="the steps")
        assert_bins(t.double(), [0.5, 1.5, 2.5, 3.5], [0.2] * STEPS, what="the steps")
    assert not torch.equal(*steps), "two batches got the very same steps."


@task("ddpm-training", hint="The noise is standard normal, drawn anew for each picture and each batch.")
def test_training_draws_new_standard_normal_noise(fresh_seed: int) -> None:
    x_0, weights = drawn(fresh_seed, 2000, 2), [drawn(fresh_seed + 1, 2), drawn(fresh_seed + 2, 2)]
    reports = steps_of(single(steep_schedule()), x_0, weights, lr=0.0, poison=0.0, n=2)
    noise = [noise_in(x_t, x_0, t) for x_t, t in (checked(report, 2000) for report in reports)]
    for one in noise:
        assert_standard_normal(one, what="the noise in x_t")
    assert_independent_calls(*noise, what="the noise in x_t")


# ---------------------------------------------------------------- the averaged weights


@task("ddpm-training", hint="decay belongs to the old average, 1 - decay to the model's weight.")
def test_average_moves_towards_the_model_by_the_formula(fresh_seed: int) -> None:
    old = [drawn(fresh_seed, 3, 2), drawn(fresh_seed + 1, 4)]
    new = [drawn(fresh_seed + 2, 3, 2), drawn(fresh_seed + 3, 4)]
    decays, expected = [0.9, 0.25, 1.0, 0.0], [value.double() for value in old]
    for decay, (found, _, _) in zip(decays, averaged(old, new, decays), strict=True):
        expected = [decay * mean + (1 - decay) * value for mean, value in zip(expected, new, strict=True)]
        for value, wanted in zip(found, expected, strict=True):
            assert_close(value, wanted, what=f"an averaged weight after decay {decay:g}")


@task(
    "ddpm-training",
    hint="The averaged model keeps its own tensors and changes them in place; the other one is only read.",
)
def test_average_is_updated_in_place_and_the_model_is_not_changed(fresh_seed: int) -> None:
    old, new = [drawn(fresh_seed, 3, 2)], [drawn(fresh_seed + 2, 3, 2)]
    ((average, model, listed),) = averaged(old, new, [0.5])
    assert_unchanged(new, model, "the weights of the trained model")
    assert_close(listed[0], (old[0].double() + new[0]) / 2, what="the averaged model's own tensor")
    assert_unchanged(listed, average, "the averaged model's list of parameters")
