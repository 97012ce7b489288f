"""The updates of discriminator and generator: losses, gradients, and which weights change.

The networks are small ones that the probes make, with weights drawn here; the updates use plain gradient descent, so
that the weights after a step follow from the formula: w - lr * gradient. Everything expected is computed here in
float64. The networks are smooth (tanh), so that a rounding error cannot switch a unit off.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gapcheck import (
    assert_between,
    assert_close,
    assert_gradient,
    assert_no_gradient,
    assert_number,
    assert_tensor,
    assert_unchanged,
    probe,
    task,
)

N, LR, POISON = 6, 0.5, 3.0


# ---------------------------------------------------------------- what runs inside


@probe
def build(d: nn.Sequential, g: nn.Sequential, d_weights: list[Tensor], g_weights: list[Tensor]) -> None:
    """Make a discriminator (n, 2, 8, 8) -> (n, 1, 1, 1) and a generator (n, 5, 1, 1) -> (n, 2, 8, 8)."""
    d.extend([nn.Conv2d(2, 3, 4, 2, 1, bias=False), nn.BatchNorm2d(3), nn.Tanh(), nn.Conv2d(3, 1, 4), nn.Sigmoid()])
    g.extend([nn.ConvTranspose2d(5, 4, 4, bias=False), nn.BatchNorm2d(4), nn.Tanh()])
    g.extend([nn.ConvTranspose2d(4, 2, 4, 2, 1, bias=False), nn.Tanh()])
    for network, weights in ((d, d_weights), (g, g_weights)):
        for parameter, weight in zip(network.parameters(), weights, strict=True):
            parameter.data.copy_(weight)


@probe
def discriminator_step(
    d_weights: list[Tensor],
    g_weights: list[Tensor],
    real_images: Tensor,
    noise: Tensor,
    label: Tensor,
    *,
    lr: float,
    old_gradient: float | None,
    upstream: Tensor | None,
) -> dict[str, object]:
    """One update of the discriminator; `upstream` asks for the gradient of sum(upstream * fake_images) in G as well."""
    from lib.train_gan import update_discriminator

    d, g = nn.Sequential(), nn.Sequential()
    build(d, g, d_weights, g_weights)
    if old_gradient is not None:
        for parameter in d.parameters():
            parameter.grad = torch.full_like(parameter, old_gradient)
    returned = update_discriminator(d, g, real_images, noise, label, torch.optim.SGD(d.parameters(), lr=lr))
    report = {
        "returned": returned,
        "d": [parameter.detach().clone() for parameter in d.parameters()],
        "g": [parameter.detach().clone() for parameter in g.parameters()],
        "g_gradients": [None if parameter.grad is None else parameter.grad.clone() for parameter in g.parameters()],
    }
    if upstream is not None:
        g.zero_grad()
        (upstream * returned[4]).sum().backward()
        report["g_gradients_of_fakes"] = [parameter.grad for parameter in g.parameters()]
    return report


@probe
def generator_step(
    d_weights: list[Tensor],
    g_weights: list[Tensor],
    noise: Tensor,
    label: Tensor,
    *,
    lr: float,
    old_gradient: float | None,
) -> dict[str, object]:
    from lib.train_gan import update_generator

    d, g = nn.Sequential(), nn.Sequential()
    build(d, g, d_weights, g_weights)
    fake_images = g(noise)
    if old_gradient is not None:
        for parameter in g.parameters():
            parameter.grad = torch.full_like(parameter, old_gradient)
    returned = update_generator(d, g, fake_images, label, torch.optim.SGD(g.parameters(), lr=lr))
    return {"returned": returned, "d": list(d.parameters()), "g": list(g.parameters())}


@probe
def rounds_of_both(
    d_weights: list[Tensor],
    g_weights: list[Tensor],
    batches: list[tuple[Tensor, Tensor]],
    label: Tensor,
    lr: float,
) -> dict[str, list[Tensor]]:
    from lib.train_gan import update_discriminator, update_generator

    d, g = nn.Sequential(), nn.Sequential()
    build(d, g, d_weights, g_weights)
    of_d, of_g = torch.optim.SGD(d.parameters(), lr=lr), torch.optim.SGD(g.parameters(), lr=lr)
    for real_images, noise in batches:
        fake_images = update_discriminator(d, g, real_images, noise, label, of_d)[4]
        update_generator(d, g, fake_images, label, of_g)
    return {"d": list(d.parameters()), "g": list(g.parameters())}


# ---------------------------------------------------------------- what stays outside


class Case(NamedTuple):
    """Weights in the order of the parameters, and one batch."""

    d: list[Tensor]
    g: list[Tensor]
    real: Tensor  # (N, 2, 8, 8)
    noise: Tensor  # (N, 5, 1, 1)
    label: Tensor  # (N,)


def random_case(seed: int, n: int = N) -> Case:
    source = torch.Generator().manual_seed(seed)

    def normal(*shape: int, std: float = 1.0) -> Tensor:
        return std * torch.randn(shape, generator=source)

    def scale(width: int) -> Tensor:
        return 0.7 + 0.6 * torch.rand(width, generator=source)

    d = [normal(3, 2, 4, 4), scale(3), normal(3, std=0.3), normal(1, 3, 4, 4, std=0.1), normal(1, std=0.3)]
    g = [normal(5, 4, 4, 4), scale(4), normal(4, std=0.3), normal(4, 2, 4, 4, std=0.3)]
    label = 0.2 + 0.6 * torch.rand(n, generator=source)  # neither real nor fake: what it holds has no meaning
    return Case(d, g, normal(n, 2, 8, 8), normal(n, 5, 1, 1), label)


def judged(d: list[Tensor], x: Tensor) -> Tensor:
    """(n,) the probabilities of the probes' discriminator."""
    hidden = F.batch_norm(F.conv2d(x, d[0], stride=2, padding=1), None, None, d[1], d[2], training=True)
    return torch.sigmoid(F.conv2d(torch.tanh(hidden), d[3], d[4])).flatten()


def painted(g: list[Tensor], z: Tensor) -> Tensor:
    """(n, 2, 8, 8) the pictures of the probes' generator."""
    hidden = F.batch_norm(F.conv_transpose2d(z, g[0]), None, None, g[1], g[2], training=True)
    return torch.tanh(F.conv_transpose2d(torch.tanh(hidden), g[3], stride=2, padding=1))


def exact(tensors: list[Tensor]) -> list[Tensor]:
    return [tensor.double().requires_grad_() for tensor in tensors]


class DStep(NamedTuple):
    on_real: Tensor  # (n,) D(x)
    on_fake: Tensor  # (n,) D(G(z))
    weights: list[Tensor]


def expected_d_step(d: list[Tensor], g: list[Tensor], real: Tensor, noise: Tensor) -> DStep:
    """Gradient descent on -log D(x) - log(1 - D(G(z))), averaged over the batch."""
    d = exact(d)
    on_real, on_fake = judged(d, real.double()), judged(d, painted([w.double() for w in g], noise.double()).detach())
    loss = -on_real.log().mean() - (1 - on_fake).log().mean()
    gradients = torch.autograd.grad(loss, d)
    after = [(w - LR * gradient).detach() for w, gradient in zip(d, gradients, strict=True)]
    return DStep(on_real.detach(), on_fake.detach(), after)


class GStep(NamedTuple):
    on_fake: Tensor  # (n,) D(G(z))
    weights: list[Tensor]


def expected_g_step(d: list[Tensor], g: list[Tensor], noise: Tensor) -> GStep:
    """Gradient descent on -log D(G(z)), averaged over the batch."""
    g = exact(g)
    on_fake = judged([w.double() for w in d], painted(g, noise.double()))
    gradients = torch.autograd.grad(-on_fake.log().mean(), g)
    return GStep(on_fake.detach(), [(w - LR * gradient).detach() for w, gradient in zip(g, gradients, strict=True)])


def d_step(case: Case, old_gradient: float | None = None, upstream: Tensor | None = None) -> dict[str, object]:
    return discriminator_step(
        case.d, case.g, case.real, case.noise, case.label, lr=LR, old_gradient=old_gradient, upstream=upstream
    )


def g_step(case: Case, old_gradient: float | None = None) -> dict[str, object]:
    return generator_step(case.d, case.g, case.noise, case.label, lr=LR, old_gradient=old_gradient)


def returned(report: dict[str, object], n: int) -> tuple[object, ...]:
    """What an update returned, if it is a tuple of n values."""
    values = report["returned"]
    assert isinstance(values, tuple | list), f"the update should return {n} values, but a {type(values).__name__} came."
    assert len(values) == n, f"the update should return {n} values, but {len(values)} came back."
    return tuple(values)


def two_cases(seed: int) -> list[Case]:
    """For single numbers: a wrong one that comes near the right one by chance does not do so twice."""
    return [random_case(seed), random_case(seed + 1)]


def assert_value(found: object, expected: Tensor, what: str) -> None:
    assert_close(found, expected, rtol=1e-5, atol=1e-5, what=what)


def assert_weights(found: object, expected: list[Tensor], what: str) -> None:
    assert isinstance(found, list)
    for weight, wanted in zip(found, expected, strict=True):
        assert_close(weight, wanted, rtol=1e-5, atol=1e-5, what=what)


def assert_finite_weights(found: object, what: str) -> None:
    assert isinstance(found, list)
    for weight in found:
        assert_tensor(weight, (None,) * weight.ndim, what=what)


# ---------------------------------------------------------------- the discriminator's step


@task("gan-training", hint="For real pictures the label is 1: the loss is -log D(x), averaged over the batch.")
def test_loss_on_real_pictures_is_the_mean_of_minus_log_d_of_x(fresh_seed: int) -> None:
    for case in two_cases(fresh_seed):
        expected = expected_d_step(case.d, case.g, case.real, case.noise)
        assert_value(returned(d_step(case), 5)[0], -expected.on_real.log().mean(), "errD_real")


@task(
    "gan-training",
    hint="For generated pictures the label is 0: the loss is -log(1 - D(G(z))), averaged over the batch.",
)
def test_loss_on_generated_pictures_is_the_mean_of_minus_log_one_minus_d(fresh_seed: int) -> None:
    for case in two_cases(fresh_seed):
        expected = expected_d_step(case.d, case.g, case.real, case.noise)
        assert_value(returned(d_step(case), 5)[2], -(1 - expected.on_fake).log().mean(), "errD_fake")


@task("gan-training", hint="D_x and D_G_z1 are averages of the discriminator's answers, taken before its step.")
def test_d_x_and_d_g_z1_are_the_mean_answers_before_the_step(fresh_seed: int) -> None:
    for case in two_cases(fresh_seed):
        expected = expected_d_step(case.d, case.g, case.real, case.noise)
        values = returned(d_step(case), 5)
        assert_value(values[1], expected.on_real.mean(), "D_x")
        assert_value(values[3], expected.on_fake.mean(), "D_G_z1")


@task(
    "gan-training",
    hint="The discriminator takes exactly one step of its own optimiser, along the gradients of both of its losses.",
)
def test_discriminator_takes_one_step_on_both_of_its_losses(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    expected = expected_d_step(case.d, case.g, case.real, case.noise)
    assert_weights(d_step(case)["d"], expected.weights, "a weight of the discriminator after its step")


@task("gan-training", hint="PyTorch adds new gradients to old ones: what has to happen to the discriminator's first?")
def test_old_gradients_of_the_discriminator_do_not_enter_its_step(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    expected = expected_d_step(case.d, case.g, case.real, case.noise)
    found = d_step(case, old_gradient=POISON)["d"]
    assert_weights(found, expected.weights, "a weight of the discriminator after a step that began with old gradients")


@task("gan-training", hint="Which optimiser belongs to which network? The generator's turn comes later.")
def test_discriminator_step_leaves_the_generators_weights_as_they_are(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    assert_unchanged(case.g, d_step(case)["g"], "the generator's weights")


@task("gan-training", hint="The discriminator's loss must not reach the generator: where can you cut the graph?")
def test_discriminator_step_leaves_no_gradient_in_the_generator(fresh_seed: int) -> None:
    gradients = d_step(random_case(fresh_seed))["g_gradients"]
    assert isinstance(gradients, list)
    for gradient in gradients:
        assert_no_gradient(gradient, "the generator")


@task("gan-training", hint="fake_images are G(z), for the noise that was given.")
def test_fake_images_are_what_the_generator_makes_of_the_noise(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    fake_images = assert_tensor(returned(d_step(case), 5)[4], (N, 2, 8, 8), what="fake_images")
    assert_close(fake_images, painted([w.double() for w in case.g], case.noise.double()), what="fake_images")


@task(
    "gan-training",
    hint="The generator learns through fake_images: only the discriminator's loss is computed on a detached copy.",
)
def test_fake_images_stay_connected_with_the_generator(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    upstream = torch.randn(N, 2, 8, 8, generator=torch.Generator().manual_seed(fresh_seed + 1))
    found = d_step(case, upstream=upstream)["g_gradients_of_fakes"]
    assert isinstance(found, list)
    g = exact(case.g)
    loss = (upstream * painted(g, case.noise.double())).sum()
    for gradient, expected in zip(found, torch.autograd.grad(loss, g), strict=True):
        assert_gradient(gradient, expected, "a weight of the generator, from fake_images,", atol=1e-3)


@task("gan-training", hint="The binary cross-entropies of PyTorch bound the logarithm; what does -log(0) give?")
def test_discriminator_step_stays_finite_when_the_discriminator_is_certain_and_wrong(fresh_seed: int) -> None:
    for bias, wrong in ((-300.0, 0), (300.0, 2)):
        case = random_case(fresh_seed)
        case.d[4].fill_(bias)
        report = d_step(case)
        loss = assert_number(returned(report, 5)[wrong], what="the loss of a discriminator that is certain and wrong")
        assert_between(loss, 10.0, 1000.0, "the loss of a discriminator that is certain and wrong")
        assert_finite_weights(report["d"], "a weight of the discriminator after its step")


@task("gan-training", hint="A batch may hold a single picture: which way to drop axes does not depend on that?")
def test_both_updates_work_for_a_batch_of_one_picture(fresh_seed: int) -> None:
    case = random_case(fresh_seed, n=1)
    after_d = expected_d_step(case.d, case.g, case.real, case.noise)
    assert_weights(d_step(case)["d"], after_d.weights, "a weight of the discriminator after its step")
    after_g = expected_g_step(case.d, case.g, case.noise)
    assert_weights(g_step(case)["g"], after_g.weights, "a weight of the generator after its step")


# ---------------------------------------------------------------- the generator's step


@task(
    "gan-training",
    hint="The generator wants its pictures to be taken for real: its loss is -log D(G(z)), averaged over the batch.",
)
def test_generator_loss_is_the_mean_of_minus_log_d_of_g(fresh_seed: int) -> None:
    for case in two_cases(fresh_seed):
        expected = expected_g_step(case.d, case.g, case.noise)
        assert_value(returned(g_step(case), 2)[0], -expected.on_fake.log().mean(), "errG")


@task("gan-training", hint="D_G_z2 is the average of the discriminator's answers to the generated pictures.")
def test_d_g_z2_is_the_mean_answer_to_the_generated_pictures(fresh_seed: int) -> None:
    for case in two_cases(fresh_seed):
        expected = expected_g_step(case.d, case.g, case.noise)
        assert_value(returned(g_step(case), 2)[1], expected.on_fake.mean(), "D_G_z2")


@task(
    "gan-training",
    hint="The gradient of errG flows through the discriminator into the generator, whose optimiser takes one step.",
)
def test_generator_takes_one_step_on_its_loss(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    expected = expected_g_step(case.d, case.g, case.noise)
    assert_weights(g_step(case)["g"], expected.weights, "a weight of the generator after its step")


@task("gan-training", hint="PyTorch adds new gradients to old ones: what has to happen to the generator's first?")
def test_old_gradients_of_the_generator_do_not_enter_its_step(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    expected = expected_g_step(case.d, case.g, case.noise)
    found = g_step(case, old_gradient=POISON)["g"]
    assert_weights(found, expected.weights, "a weight of the generator after a step that began with old gradients")


@task("gan-training", hint="The discriminator passes the gradient on, but it is not its turn to learn.")
def test_generator_step_leaves_the_discriminators_weights_as_they_are(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    assert_unchanged(case.d, g_step(case)["d"], "the discriminator's weights")


@task("gan-training", hint="The binary cross-entropies of PyTorch bound the logarithm; what does -log(0) give?")
def test_generator_step_stays_finite_when_no_picture_convinces(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    case.d[4].fill_(-300.0)
    report = g_step(case)
    loss = assert_number(returned(report, 2)[0], what="errG where D(G(z)) is 0")
    assert_between(loss, 10.0, 1000.0, "errG where D(G(z)) is 0")
    assert_finite_weights(report["g"], "a weight of the generator after its step")


@task(
    "gan-training",
    hint="The generator's step leaves gradients in the discriminator: they must be gone before its next loss.",
)
def test_two_rounds_of_both_updates_follow_the_two_losses(fresh_seed: int) -> None:
    first, second = random_case(fresh_seed), random_case(fresh_seed + 1)
    batches = [(case.real, case.noise) for case in (first, second)]
    found = rounds_of_both(first.d, first.g, batches, first.label, LR)
    d, g = first.d, first.g
    for real_images, noise in batches:
        d = expected_d_step(d, g, real_images, noise).weights
        g = expected_g_step(d, g, noise).weights
    assert_weights(found["d"], d, "a weight of the discriminator after two rounds")
    assert_weights(found["g"], g, "a weight of the generator after two rounds")
