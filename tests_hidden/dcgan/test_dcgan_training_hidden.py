"""Losses on fixed logits, the penalty, Adam's settings, and the two steps, all computed anew in float64.

The steps get small networks that the probes make, with weights drawn here, and plain gradient descent, so that the
weights after a step follow from the formula: w - lr * gradient.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gapcheck import (
    assert_close,
    assert_equal,
    assert_gradient,
    assert_no_gradient,
    assert_number,
    assert_tensor,
    assert_unchanged,
    probe,
    task,
)

LR, POISON = 0.5, 3.0
LOSSES = ("discriminator_loss", "generator_loss", "saturating_generator_loss")
LEAST_SQUARES = ("ls_discriminator_loss", "ls_generator_loss")


# ---------------------------------------------------------------- what runs inside


@probe
def loss_and_gradients(name: str, batches: list[Tensor]) -> tuple[object, list[object], list[Tensor]]:
    """A loss, its gradients in the logits, and the logits afterwards."""
    from lib.gan import losses

    logits = [batch.clone().requires_grad_() for batch in batches]
    loss = getattr(losses, name)(*logits)
    value = loss.detach().clone()
    loss.backward()
    return value, [batch.grad for batch in logits], [batch.detach() for batch in logits]


@probe
def penalty(weights: list[Tensor], pictures: Tensor) -> tuple[object, list[object], list[object], list[object], Tensor]:
    """R_1, its gradients in the weights, what it left in their .grad, and the pictures.

    Also the pictures' .grad: after the call, and after the backward() of the penalty.
    """
    from lib.gan.losses import r1_penalty

    matrix, vector = (weight.clone().requires_grad_() for weight in weights)

    class Curved(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x.flatten(1) @ matrix + 1).square() @ vector

    given = pictures.clone()
    result = r1_penalty(Curved(), given)
    left, of_pictures = [matrix.grad, vector.grad], given.grad
    gradients = torch.autograd.grad(result, [matrix, vector], allow_unused=True, retain_graph=True)
    result.backward()
    return result, list(gradients), left, [of_pictures, given.grad], given


@probe
def adam_steps(start: list[Tensor], gradients: list[list[Tensor]], rates: list[float]) -> list[list[Tensor]]:
    """A layer's parameters after each of some steps, for each learning rate; rate 0 stands for the default."""
    from lib.gan.train import make_optimizer

    after = []
    for rate in rates:
        network = nn.Sequential(nn.Linear(2, 3))
        for parameter, value in zip(network.parameters(), start, strict=True):
            parameter.data.copy_(value)
        optimizer = make_optimizer(network, rate) if rate else make_optimizer(network)
        for of_step in gradients:
            for parameter, gradient in zip(network.parameters(), of_step, strict=True):
                parameter.grad = gradient.clone()
            optimizer.step()
        after.append([parameter.detach().clone() for parameter in network.parameters()])
    return after


@probe
def build(d: nn.Sequential, g: nn.Sequential, d_weights: list[Tensor], g_weights: list[Tensor]) -> None:
    """Make a discriminator (n, 2, 4, 4) -> (n,) and a generator (n, 5) -> (n, 2, 4, 4)."""
    d.extend([nn.Flatten(), nn.Linear(32, 3, bias=False), nn.BatchNorm1d(3), nn.Tanh(), nn.Linear(3, 1), nn.Flatten(0)])
    g.extend([nn.Linear(5, 4, bias=False), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 32), nn.Unflatten(1, (2, 4, 4))])
    for network, weights in ((d, d_weights), (g, g_weights)):
        for parameter, weight in zip(network.parameters(), weights, strict=True):
            parameter.data.copy_(weight)


@probe
def d_step(
    weights: tuple[list[Tensor], list[Tensor]], pictures: Tensor, noise: Tensor, *, lr: float, poison: float, loss: str
) -> dict[str, object]:
    from lib.gan import losses
    from lib.gan.train import discriminator_step

    d, g = nn.Sequential(), nn.Sequential()
    build(d, g, *weights)
    for parameter in d.parameters():
        parameter.grad = torch.full_like(parameter, poison)
    steps = []

    class Counting(torch.optim.SGD):
        def step(self, closure: object = None) -> None:
            steps.append(1)
            super().step(closure)

    arguments = [d, g, pictures, noise, Counting(d.parameters(), lr=lr)]
    if loss:
        arguments.append(getattr(losses, loss))
    returned = discriminator_step(*arguments)
    return {
        "returned": returned,
        "steps": len(steps),
        "d": list(d.parameters()),
        "g": list(g.parameters()),
        "g_gradients": [parameter.grad for parameter in g.parameters()],
    }


@probe
def g_step(
    weights: tuple[list[Tensor], list[Tensor]], noise: Tensor, *, lr: float, poison: float, loss: str
) -> dict[str, object]:
    from lib.gan import losses
    from lib.gan.train import generator_step

    d, g = nn.Sequential(), nn.Sequential()
    build(d, g, *weights)
    for parameter in [*g.parameters(), *d.parameters()]:
        parameter.grad = torch.full_like(parameter, poison)
    steps = []

    class Counting(torch.optim.SGD):
        def step(self, closure: object = None) -> None:
            steps.append(1)
            super().step(closure)

    arguments = [d, g, noise, Counting(g.parameters(), lr=lr)]
    if loss:
        arguments.append(getattr(losses, loss))
    returned = generator_step(*arguments)
    return {"returned": returned, "steps": len(steps), "d": list(d.parameters()), "g": list(g.parameters())}


@probe
def rounds_of_both(
    weights: tuple[list[Tensor], list[Tensor]], batches: list[tuple[Tensor, Tensor]], lr: float
) -> dict[str, list[Tensor]]:
    from lib.gan.train import discriminator_step, generator_step

    d, g = nn.Sequential(), nn.Sequential()
    build(d, g, *weights)
    of_d, of_g = torch.optim.SGD(d.parameters(), lr=lr), torch.optim.SGD(g.parameters(), lr=lr)
    for pictures, noise in batches:
        discriminator_step(d, g, pictures, noise, of_d)
        generator_step(d, g, noise, of_g)
    return {"d": list(d.parameters()), "g": list(g.parameters())}


# ---------------------------------------------------------------- what stays outside


def expected_loss(name: str, logits: list[Tensor]) -> Tensor:
    """The loss of (real, fake) or (fake,) logits in float64."""
    *real, fake = logits
    if name == "discriminator_loss":
        return F.softplus(-real[0]).mean() + F.softplus(fake).mean()
    if name == "generator_loss":
        return F.softplus(-fake).mean()
    if name == "saturating_generator_loss":
        return -F.softplus(fake).mean()
    if name == "ls_discriminator_loss":
        return ((real[0] - 1) ** 2).mean() / 2 + (fake**2).mean() / 2
    return ((fake - 1) ** 2).mean() / 2


def random_logits(name: str, seed: int, factor: float = 3.0) -> list[Tensor]:
    """One or two batches of logits, of different sizes."""
    source = torch.Generator().manual_seed(seed)
    sizes = (7, 4) if "discriminator" in name else (5,)
    return [factor * torch.randn(n, generator=source) for n in sizes]


class Case(NamedTuple):
    """Weights in the order of the parameters, and one batch."""

    weights: tuple[list[Tensor], list[Tensor]]  # of the discriminator and of the generator
    pictures: Tensor  # (6, 2, 4, 4)
    noise: Tensor  # (8, 5)


def random_case(seed: int) -> Case:
    source = torch.Generator().manual_seed(seed)

    def normal(*shape: int, std: float = 1.0) -> Tensor:
        return std * torch.randn(shape, generator=source)

    def scale(width: int) -> Tensor:
        return 0.7 + 0.6 * torch.rand(width, generator=source)

    d = [normal(3, 32, std=0.3), scale(3), normal(3, std=0.3), normal(1, 3), normal(1, std=0.3)]
    g = [normal(4, 5), scale(4), normal(4, std=0.3), normal(32, 4), normal(32)]
    return Case((d, g), normal(6, 2, 4, 4), normal(8, 5))


def judged(d: list[Tensor], x: Tensor) -> Tensor:
    """(n,) the logits of the probes' discriminator."""
    hidden = F.batch_norm(x.flatten(1) @ d[0].T, None, None, d[1], d[2], training=True)
    return (torch.tanh(hidden) @ d[3].T + d[4]).flatten()


def painted(g: list[Tensor], z: Tensor) -> Tensor:
    """(n, 2, 4, 4) the pictures of the probes' generator."""
    hidden = F.batch_norm(z @ g[0].T, None, None, g[1], g[2], training=True)
    return (torch.tanh(hidden) @ g[3].T + g[4]).view(-1, 2, 4, 4)


def doubled(case: Case) -> tuple[list[Tensor], list[Tensor], Tensor, Tensor]:
    d, g = ([weight.double().requires_grad_() for weight in weights] for weights in case.weights)
    return d, g, case.pictures.double(), case.noise.double()


def descended(loss: Tensor, weights: list[Tensor]) -> list[Tensor]:
    gradients = torch.autograd.grad(loss, weights)
    return [(weight - LR * gradient).detach() for weight, gradient in zip(weights, gradients, strict=True)]


def assert_weights(found: object, expected: list[Tensor], what: str) -> None:
    assert isinstance(found, list)
    for weight, wanted in zip(found, expected, strict=True):
        # batch norm of a small batch may multiply a rounding error; a wrong gradient is off by far more
        assert_close(weight, wanted, rtol=1e-3, atol=1e-3, what=what)


def three(returned: object) -> tuple[object, object, object]:
    assert isinstance(returned, tuple), (
        "discriminator_step should return a tuple of the loss and two batches of logits."
    )
    assert len(returned) == 3, f"discriminator_step should return 3 values, but {len(returned)} came back."
    loss, real, fake = returned
    return loss, real, fake


# ---------------------------------------------------------------- losses


@task("gan-losses", hint="Write each loss with the logit f: which sign does softplus get for -log D and -log(1 - D)?")
def test_cross_entropy_losses_have_the_value_of_their_formula(fresh_seed: int) -> None:
    for name in LOSSES:
        logits = random_logits(name, fresh_seed)
        loss, _, _ = loss_and_gradients(name, logits)
        expected = expected_loss(name, [batch.double() for batch in logits])
        assert_close(assert_tensor(loss, (), what=name), expected, what=name)


@task("gan-losses", hint="Nothing of the losses may be detached, rounded or averaged over another batch's size.")
def test_gradients_of_the_losses_follow_their_formula(fresh_seed: int) -> None:
    for name in (*LOSSES, *LEAST_SQUARES):
        logits = random_logits(name, fresh_seed)
        _, gradients, _ = loss_and_gradients(name, logits)
        exact = [batch.double().requires_grad_() for batch in logits]
        expected = torch.autograd.grad(expected_loss(name, exact), exact)
        for gradient, wanted in zip(gradients, expected, strict=True):
            assert_gradient(gradient, wanted, f"the logits, from {name},")


@task("gan-losses", hint="What is log(sigmoid(-1000)) in floating-point numbers? Work with the logits themselves.")
def test_cross_entropy_losses_are_exact_for_very_large_logits() -> None:
    for name in LOSSES:
        for size in (-1000.0, 60.0, 1000.0):
            logits = [torch.full((n,), size) for n in ((3, 2) if "discriminator" in name else (3,))]
            loss, gradients, _ = loss_and_gradients(name, logits)
            exact = [batch.double().requires_grad_() for batch in logits]
            expected = expected_loss(name, exact)
            assert_close(assert_tensor(loss, (), what=name), expected, what=f"{name} for logits of {size:g}")
            for gradient, wanted in zip(gradients, torch.autograd.grad(expected, exact), strict=True):
                assert_gradient(gradient, wanted, f"logits of {size:g}, from {name},")


@task("gan-losses", hint="The labels are 1 for real and 0 for generated pictures, and each term has the factor 1/2.")
def test_least_squares_losses_have_the_value_of_their_formula(fresh_seed: int) -> None:
    for name in LEAST_SQUARES:
        logits = random_logits(name, fresh_seed)
        loss, _, _ = loss_and_gradients(name, logits)
        expected = expected_loss(name, [batch.double() for batch in logits])
        assert_close(assert_tensor(loss, (), what=name), expected, what=name)


@task("gan-losses", hint="A loss only reads its logits.")
def test_losses_do_not_change_the_logits(fresh_seed: int) -> None:
    for name in (*LOSSES, *LEAST_SQUARES):
        logits = random_logits(name, fresh_seed)
        assert_unchanged(logits, loss_and_gradients(name, logits)[2], f"the logits given to {name}")


class Penalised(NamedTuple):
    weights: list[Tensor]
    pictures: Tensor
    value: Tensor
    gradients: tuple[Tensor, ...]


def random_penalty(seed: int) -> Penalised:
    """f(x) = sum_k v_k (x . m_k + 1)^2 has the gradient 2 sum_k v_k (x . m_k + 1) m_k, not the same at -x."""
    source = torch.Generator().manual_seed(seed)
    weights = [torch.randn(18, 4, generator=source) / 3, torch.randn(4, generator=source)]
    pictures = torch.randn(5, 2, 3, 3, generator=source)
    matrix, vector = (weight.double().requires_grad_() for weight in weights)
    slope = 2 * ((pictures.double().flatten(1) @ matrix + 1) * vector) @ matrix.T  # (5, 18)
    value = slope.square().sum(dim=1).mean() / 2
    return Penalised(weights, pictures, value.detach(), torch.autograd.grad(value, [matrix, vector]))


@task("gan-losses", hint="The squared norm is a sum over all pixels of a picture; the batch is averaged; mind the 1/2.")
def test_penalty_is_half_the_mean_squared_norm_of_the_gradient(fresh_seed: int) -> None:
    for seed in (fresh_seed, fresh_seed + 1):
        case = random_penalty(seed)
        value = penalty(case.weights, case.pictures)[0]
        assert_close(assert_tensor(value, (), what="the penalty"), case.value, what="the penalty")


@task("gan-losses", hint="The penalty is a function of the weights: the graph of the gradient itself must be kept.")
def test_penalty_has_gradients_in_the_weights_of_the_discriminator(fresh_seed: int) -> None:
    case = random_penalty(fresh_seed)
    for gradient, expected in zip(penalty(case.weights, case.pictures)[1], case.gradients, strict=True):
        assert_gradient(gradient, expected, "the discriminator's weights, from the penalty,", atol=1e-4)


@task(
    "gan-losses", hint="torch.autograd.grad returns gradients; backward() would store them where the step finds them."
)
def test_penalty_leaves_no_gradient_behind(fresh_seed: int) -> None:
    case = random_penalty(fresh_seed)
    _, _, left, of_pictures, pictures = penalty(case.weights, case.pictures)
    for gradient in left:
        assert_no_gradient(gradient, "the discriminator's weights")
    assert_no_gradient(of_pictures[0], "the pictures")
    assert_unchanged(case.pictures, pictures, "the pictures")


@task("gan-losses", hint="Which tensor is asked to require gradients: the caller's, or one of your own?")
def test_backward_of_the_penalty_leaves_no_gradient_in_the_pictures(fresh_seed: int) -> None:
    case = random_penalty(fresh_seed)
    of_pictures = penalty(case.weights, case.pictures)[3]
    assert_no_gradient(of_pictures[1], "the pictures, which are only data,")


# ---------------------------------------------------------------- the optimizer


@task("gan-steps", hint="Adam with beta_1 = 0.5 and beta_2 = 0.999, and the learning rate that the caller gives.")
def test_optimizer_is_adam_with_these_betas(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    start = [torch.randn(3, 2, generator=source), torch.randn(3, generator=source)]
    gradients = [[torch.randn(value.shape, generator=source) + 0.2 for value in start] for _ in range(4)]
    rates = [0.0, 0.3]
    after = adam_steps(start, gradients, rates)
    for rate, found in zip(rates, after, strict=True):
        for i, value in enumerate(start):
            # in float64, as Kingma & Ba 2015 write it (algorithm 1)
            expected, m, v = value.double(), torch.zeros(()), torch.zeros(())
            for step, of_step in enumerate(gradients, 1):
                gradient = of_step[i].double()
                m, v = 0.5 * m + 0.5 * gradient, 0.999 * v + 0.001 * gradient**2
                expected = expected - (rate or 2e-4) * (m / (1 - 0.5**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8)
            move, wanted = assert_tensor(found[i], tuple(value.shape), what="a parameter") - value, expected - value
            assert_close(move, wanted, rtol=1e-2, atol=2e-6, what="the change of a parameter after 4 steps of Adam")


# ---------------------------------------------------------------- the discriminator's step


@task("gan-steps", hint="Real logits come first, generated ones second; all are those before the step.")
def test_discriminator_step_returns_the_loss_and_the_logits_before_it(fresh_seed: int) -> None:
    for case, name in ((random_case(fresh_seed), ""), (random_case(fresh_seed + 1), "ls_discriminator_loss")):
        d, g, pictures, noise = doubled(case)
        expected = [judged(d, pictures), judged(d, painted(g, noise))]
        report = d_step(case.weights, case.pictures, case.noise, lr=LR, poison=0.0, loss=name)
        loss, *logits = three(report["returned"])
        for found, wanted, n in zip(logits, expected, (6, 8), strict=True):
            assert_close(assert_tensor(found, (n,), what="the logits"), wanted, atol=1e-4, what="the logits")
        wanted = expected_loss(name or "discriminator_loss", expected)
        assert_close(assert_tensor(loss, (), what="the loss"), wanted, what="the loss of the discriminator's step")


@task("gan-steps", hint="The loss that was passed in is the one to descend; each batch goes through D on its own.")
def test_discriminator_descends_the_loss_that_it_is_given(fresh_seed: int) -> None:
    for case, name in ((random_case(fresh_seed), ""), (random_case(fresh_seed + 1), "ls_discriminator_loss")):
        d, g, pictures, noise = doubled(case)
        loss = expected_loss(name or "discriminator_loss", [judged(d, pictures), judged(d, painted(g, noise))])
        report = d_step(case.weights, case.pictures, case.noise, lr=LR, poison=0.0, loss=name)
        assert_weights(report["d"], descended(loss, d), "a weight of the discriminator after its step")
        assert_equal(report["steps"], 1, "the number of optimizer.step() calls")


@task(
    "gan-steps", hint="PyTorch adds new gradients to old ones: what has to happen to those of the discriminator first?"
)
def test_old_gradients_do_not_enter_the_discriminators_step(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    d, g, pictures, noise = doubled(case)
    loss = expected_loss("discriminator_loss", [judged(d, pictures), judged(d, painted(g, noise))])
    found = d_step(case.weights, case.pictures, case.noise, lr=LR, poison=POISON, loss="")["d"]
    assert_weights(
        found, descended(loss, d), "a weight of the discriminator after a step that began with old gradients"
    )


@task("gan-steps", hint="The generated pictures enter as data: cut the graph between the generator and the loss.")
def test_discriminator_step_leaves_the_generator_alone(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    report = d_step(case.weights, case.pictures, case.noise, lr=LR, poison=0.0, loss="")
    assert_unchanged(case.weights[1], report["g"], "the generator's weights")
    gradients = report["g_gradients"]
    assert isinstance(gradients, list)
    for gradient in gradients:
        assert_no_gradient(gradient, "the generator's weights, from the discriminator's loss")


# ---------------------------------------------------------------- the generator's step


@task(
    "gan-steps", hint="The gradient flows through the discriminator into the generator, whose optimizer takes one step."
)
def test_generator_descends_the_loss_that_it_is_given(fresh_seed: int) -> None:
    names = ("", "saturating_generator_loss", "ls_generator_loss")
    for i, name in enumerate(names):
        case = random_case(fresh_seed + i)
        d, g, _, noise = doubled(case)
        loss = expected_loss(name or "generator_loss", [judged(d, painted(g, noise))])
        report = g_step(case.weights, case.noise, lr=LR, poison=0.0, loss=name)
        assert_weights(report["g"], descended(loss, g), "a weight of the generator after its step")
        assert_equal(report["steps"], 1, "the number of optimizer.step() calls")
        assert_close(assert_number(report["returned"], what="the loss"), loss, what="the loss of the generator's step")


@task("gan-steps", hint="PyTorch adds new gradients to old ones: what has to happen to those of the generator first?")
def test_old_gradients_do_not_enter_the_generators_step(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    d, g, _, noise = doubled(case)
    loss = expected_loss("generator_loss", [judged(d, painted(g, noise))])
    found = g_step(case.weights, case.noise, lr=LR, poison=POISON, loss="")["g"]
    assert_weights(found, descended(loss, g), "a weight of the generator after a step that began with old gradients")


@task("gan-steps", hint="The discriminator passes the gradient on, but it is not its turn to learn.")
def test_generator_step_leaves_the_discriminators_weights_as_they_are(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    found = g_step(case.weights, case.noise, lr=LR, poison=0.0, loss="")["d"]
    assert_unchanged(case.weights[0], found, "the discriminator's weights")


@task(
    "gan-steps",
    hint="The generator's step leaves gradients in the discriminator: they must not count in its next step.",
)
def test_two_rounds_of_both_steps_follow_the_two_losses(fresh_seed: int) -> None:
    first, second = random_case(fresh_seed), random_case(fresh_seed + 1)
    found = rounds_of_both(first.weights, [(case.pictures, case.noise) for case in (first, second)], LR)
    d, g, _, _ = doubled(first)
    for case in (first, second):
        _, _, pictures, noise = doubled(case)
        loss = expected_loss("discriminator_loss", [judged(d, pictures), judged(d, painted(g, noise))])
        d = [weight.requires_grad_() for weight in descended(loss, d)]
        loss = expected_loss("generator_loss", [judged(d, painted(g, noise))])
        g = [weight.requires_grad_() for weight in descended(loss, g)]
    assert_weights(found["d"], [weight.detach() for weight in d], "a weight of the discriminator after two rounds")
    assert_weights(found["g"], [weight.detach() for weight in g], "a weight of the generator after two rounds")
