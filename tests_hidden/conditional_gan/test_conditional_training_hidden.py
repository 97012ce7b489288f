"""Task "cgan-training", what decides: the losses, which weights each update changes and to what, and the samples.

The networks are small ones of the tests' own, smooth and in float64, with weights drawn here. The updates use plain
gradient descent, so that the weights after a step follow from the formula: w - lr * gradient.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gapcheck import (
    assert_between,
    assert_close,
    assert_equal,
    assert_no_gradient,
    assert_tensor,
    assert_unchanged,
    probe,
    task,
)

N, CLASSES, LATENT, PIXELS, LR, POISON = 6, 3, 4, 6, 0.5, 3.0

# ---------------------------------------------------------------- what runs inside


@probe
def losses(real_logits: Tensor, fake_logits: Tensor) -> list[object]:
    from lib.train_conditional_gan import discriminator_loss, generator_loss

    return [discriminator_loss(real_logits, fake_logits), generator_loss(fake_logits)]


@probe
def gradients_of_losses(real_logits: Tensor, fake_logits: Tensor) -> list[Tensor | None]:
    """The gradients of D's loss at the real and at the generated pictures' logits, and that of G's loss."""
    from lib.train_conditional_gan import discriminator_loss, generator_loss

    reals, fakes, fakes_of_g = (logits.clone().requires_grad_() for logits in (real_logits, fake_logits, fake_logits))
    discriminator_loss(reals, fakes).backward()
    generator_loss(fakes_of_g).backward()
    return [logits.grad for logits in (reals, fakes, fakes_of_g)]


@probe
def build(d: nn.Module, g: nn.Module, d_weights: list[Tensor], g_weights: list[Tensor]) -> None:
    """Let d(x, y) give logits and g(z, y) pictures (n, 1, 2, 3), both smooth functions of their weights and class."""
    for network, weights in ((d, d_weights), (g, g_weights)):
        for i, weight in enumerate(weights):
            network.register_parameter(f"weight{i}", nn.Parameter(weight.clone()))
    d.forward = lambda x, y: torch.tanh(x.flatten(1) @ d.weight0 + d.weight1[y]) @ d.weight2
    g.forward = lambda z, y: torch.tanh(torch.tanh(z @ g.weight0 + g.weight1[y]) @ g.weight2).view(-1, 1, 2, 3)


@probe
def one_update(
    of: str, weights: list[list[Tensor]], data: list[Tensor], lr: float, old_gradient: float | None
) -> dict[str, object]:
    """One update of the "discriminator" or of the "generator"; data: real images, labels, noise."""
    from lib.train_conditional_gan import update_discriminator, update_generator

    d, g = nn.Module(), nn.Module()
    build(d, g, *weights)
    real_images, labels, noise = data
    trained, other = (d, g) if of == "discriminator" else (g, d)
    if old_gradient is not None:
        for parameter in trained.parameters():
            parameter.grad = torch.full_like(parameter, old_gradient)
    optimizer = torch.optim.SGD(trained.parameters(), lr=lr)
    if of == "discriminator":
        loss = update_discriminator(d, g, real_images, labels, noise, optimizer)
    else:
        loss = update_generator(d, g, labels, noise, optimizer)
    return {
        "loss": loss,
        "trained": list(trained.parameters()),
        "other": list(other.parameters()),
        "gradients of other": [parameter.grad for parameter in other.parameters()],
        "data": data,
    }


@probe
def rounds_of_both(weights: list[list[Tensor]], batches: list[list[Tensor]], lr: float) -> list[list[Tensor]]:
    from lib.train_conditional_gan import update_discriminator, update_generator

    d, g = nn.Module(), nn.Module()
    build(d, g, *weights)
    of_d, of_g = torch.optim.SGD(d.parameters(), lr=lr), torch.optim.SGD(g.parameters(), lr=lr)
    for real_images, labels, noise in batches:
        update_discriminator(d, g, real_images, labels, noise, of_d)
        update_generator(d, g, labels, noise, of_g)
    return [list(d.parameters()), list(g.parameters())]


@probe
def samples(weight: Tensor, classes: Tensor, noise: Tensor, label: int, training: bool, device: str) -> list[object]:
    """What sample_class makes of a generator that has other pictures in training mode; on "meta" shape and device."""
    from lib.train_conditional_gan import sample_class

    seen: list[str] = []

    class Generator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.classes = nn.Parameter(weight), nn.Parameter(classes)

        def forward(self, z: Tensor, labels: Tensor) -> Tensor:
            seen.append(labels.device.type)
            pictures = torch.tanh(z @ self.weight + self.classes[labels])
            return -pictures.view(-1, 1, 2, 3) if self.training else pictures.view(-1, 1, 2, 3)

    generator = Generator().train(training).to(device)
    pictures = sample_class(generator, label, noise.to(device))
    if device == "meta":
        return [list(pictures.shape), seen]
    return [pictures, getattr(pictures, "requires_grad", None), generator.training]


# ---------------------------------------------------------------- what stays outside


class Case(NamedTuple):
    """Weights of D and of G, and a batch: real images (N, 1, 2, 3), classes (N,), noise (N, LATENT)."""

    weights: list[list[Tensor]]
    data: list[Tensor]


def random_case(seed: int, n: int = N) -> Case:
    source = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=source, dtype=torch.float64)

    d = [normal(PIXELS, 5), normal(CLASSES, 5), normal(5)]
    g = [normal(LATENT, 5), normal(CLASSES, 5), normal(5, PIXELS)]
    # classes of unequal numbers, in no order
    labels = (torch.arange(n) ** 2 + torch.randint(CLASSES, (1,), generator=source)) % CLASSES
    return Case([d, g], [normal(n, 1, 2, 3), labels, normal(n, LATENT)])


def judged(d: list[Tensor], x: Tensor, labels: Tensor) -> Tensor:
    return torch.tanh(x.flatten(1) @ d[0] + d[1][labels]) @ d[2]


def painted(g: list[Tensor], z: Tensor, labels: Tensor) -> Tensor:
    return torch.tanh(torch.tanh(z @ g[0] + g[1][labels]) @ g[2])


def log_sigmoid(logits: Tensor) -> Tensor:
    return -torch.log1p(torch.exp(-logits))


def expected_step(of: str, case: Case) -> tuple[Tensor, list[Tensor]]:
    """The loss before the step, and the weights of the trained network after it."""
    d, g = ([weight.clone().requires_grad_() for weight in one] for one in case.weights)
    real_images, labels, noise = case.data
    on_fake = judged(d, painted(g, noise, labels), labels)
    if of == "discriminator":
        trained, loss = d, -log_sigmoid(judged(d, real_images, labels)).mean() - log_sigmoid(-on_fake).mean()
    else:
        trained, loss = g, -log_sigmoid(on_fake).mean()
    steps = torch.autograd.grad(loss, trained)
    return loss.detach(), [(weight - LR * step).detach() for weight, step in zip(trained, steps, strict=True)]


def assert_weights(found: object, expected: list[Tensor], what: str) -> None:
    assert isinstance(found, list)
    for weight, wanted in zip(found, expected, strict=True):
        assert_close(weight, wanted, what=what)


def draw_logits(seed: int) -> tuple[Tensor, Tensor]:
    """Logits of 5 real and 3 generated pictures: the two means have different denominators."""
    values = 2 * torch.randn(8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return values[:5], values[5:]


@task("cgan-training", hint="-log s(l) for real pictures and -log(1 - s(l)) for generated ones, each averaged.")
def test_the_discriminators_loss_follows_its_formula(fresh_seed: int) -> None:
    for seed in (fresh_seed, fresh_seed + 1):
        real, fake = draw_logits(seed)
        loss = assert_tensor(losses(real, fake)[0], (), what="the discriminator's loss")
        assert_close(loss, -log_sigmoid(real).mean() - log_sigmoid(-fake).mean(), what="the discriminator's loss")


@task("cgan-training", hint="The generator wants its pictures to be taken for real: -log s(l), averaged.")
def test_the_generators_loss_follows_its_formula(fresh_seed: int) -> None:
    for seed in (fresh_seed, fresh_seed + 1):
        real, fake = draw_logits(seed)
        loss = assert_tensor(losses(real, fake)[1], (), what="the generator's loss")
        assert_close(loss, -log_sigmoid(fake).mean(), what="the generator's loss")


@task("cgan-training", hint="What are both losses if every probability is 1/2, whatever the picture?")
def test_losses_at_a_discriminator_that_only_guesses() -> None:
    of_d, of_g = losses(torch.zeros(4), torch.zeros(7))
    assert_close(assert_tensor(of_d, (), what="the discriminator's loss"), 2 * math.log(2), what="its loss at logits 0")
    assert_close(assert_tensor(of_g, (), what="the generator's loss"), math.log(2), what="its loss at logits 0")


@task("cgan-training", hint="A sigmoid rounds to 0 or 1, and log(0) is minus infinity: stay with the logits.")
def test_losses_and_gradients_are_finite_for_logits_of_any_size() -> None:
    certain = torch.full((4,), 300.0)
    for sign in (1.0, -1.0):
        of_d, of_g = losses(sign * certain, -sign * certain)
        wrong = 300.0 if sign < 0 else 0.0
        assert_close(of_d, 2 * wrong, atol=1e-3, what="the discriminator's loss for logits of 300 and -300")
        assert_close(of_g, 300.0 - wrong, atol=1e-3, what="the generator's loss for logits of 300 or -300")
        # a wrong certainty has a gradient of 1 / 4 for each of 4 logits, a right one has none
        slope = 0.25 if sign < 0 else 0.0
        gradients = gradients_of_losses(sign * certain, -sign * certain)
        found = [assert_tensor(one, (4,), what="a gradient of a loss") for one in gradients]
        assert_between(found[0].abs(), slope - 1e-6, slope + 1e-6, "the gradient of D's loss at the real logits")
        assert_between(found[1].abs(), slope - 1e-6, slope + 1e-6, "the gradient of D's loss at the fake logits")
        assert_between(found[2].abs(), 0.25 - slope - 1e-6, 0.25 - slope + 1e-6, "the gradient of G's loss")


@task(
    "cgan-training", hint="The loss comes back as it was before the step; real and generated pictures have one class."
)
def test_updates_return_their_loss_before_the_step(fresh_seed: int) -> None:
    for seed, n in ((fresh_seed, N), (fresh_seed + 1, 1)):
        case = random_case(seed, n)
        for of in ("discriminator", "generator"):
            loss = assert_tensor(one_update(of, *case, LR, None)["loss"], (), what=f"the loss of the {of}'s update")
            assert_close(loss, expected_step(of, case)[0], what=f"the loss of the {of}'s update")


@task("cgan-training", hint="One step of D's optimiser along its loss; each picture is judged with its own class.")
def test_discriminator_takes_one_step_on_its_loss(fresh_seed: int) -> None:
    for seed, n in ((fresh_seed, N), (fresh_seed + 1, 1)):
        case = random_case(seed, n)
        report = one_update("discriminator", *case, LR, None)
        assert_weights(report["trained"], expected_step("discriminator", case)[1], "a weight of D after its step")


@task("cgan-training", hint="One step of G's optimiser: its loss reaches it through the discriminator.")
def test_generator_takes_one_step_on_its_loss(fresh_seed: int) -> None:
    for seed, n in ((fresh_seed, N), (fresh_seed + 1, 1)):
        case = random_case(seed, n)
        report = one_update("generator", *case, LR, None)
        assert_weights(report["trained"], expected_step("generator", case)[1], "a weight of G after its step")


@task("cgan-training", hint="PyTorch adds new gradients to old ones: what has to happen to those first?")
def test_old_gradients_do_not_enter_a_step(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    for of in ("discriminator", "generator"):
        report = one_update(of, *case, LR, POISON)
        assert_weights(report["trained"], expected_step(of, case)[1], f"a weight of the {of} after old gradients")


@task("cgan-training", hint="Which optimiser belongs to which network? Each update trains one of them.")
def test_an_update_leaves_the_other_networks_weights_as_they_are(fresh_seed: int) -> None:
    case = random_case(fresh_seed)
    for of, other in (("discriminator", 1), ("generator", 0)):
        report = one_update(of, *case, LR, None)
        assert_unchanged(case.weights[other], report["other"], f"the other network's weights in the {of}'s update")
        assert_unchanged(case.data, report["data"], f"the batch in the {of}'s update")


@task("cgan-training", hint="The discriminator's loss is no business of the generator's: where can you cut the graph?")
def test_the_discriminators_update_leaves_no_gradient_in_the_generator(fresh_seed: int) -> None:
    gradients = one_update("discriminator", *random_case(fresh_seed), LR, None)["gradients of other"]
    assert isinstance(gradients, list)
    for gradient in gradients:
        assert_no_gradient(gradient, "the generator")


@task("cgan-training", hint="The generator's update leaves gradients in the discriminator: gone before its next loss.")
def test_two_rounds_of_both_updates_follow_the_two_losses(fresh_seed: int) -> None:
    first, second = random_case(fresh_seed), random_case(fresh_seed + 1)
    found = rounds_of_both(first.weights, [first.data, second.data], LR)
    weights = first.weights
    for data in (first.data, second.data):
        weights = [expected_step("discriminator", Case(weights, data))[1], weights[1]]
        weights = [weights[0], expected_step("generator", Case(weights, data))[1]]
    for name, one, expected in zip(("discriminator", "generator"), found, weights, strict=True):
        assert_weights(one, expected, f"a weight of the {name} after two rounds")


@task("cgan-training", hint="Every picture is asked of the same class, and [-1, 1] becomes [0, 1] by a straight line.")
def test_samples_are_pictures_of_the_class_between_0_and_1(fresh_seed: int) -> None:
    weight, classes, z = draw_generator(fresh_seed)
    for label in range(CLASSES):
        for training in (True, False):
            pictures, *_ = samples(weight, classes, z, label, training, "cpu")
            found = assert_tensor(pictures, (N, 1, 2, 3), what="the samples")
            expected = (torch.tanh(z @ weight + classes[label]) + 1) / 2
            assert_close(found.flatten(1), expected, what=f"the samples of class {label}, made in evaluation mode")


@task(
    "cgan-training", hint="Sampling may interrupt a training, and it is none: which mode, which graph is left behind?"
)
def test_sampling_records_no_gradients_and_restores_the_mode(fresh_seed: int) -> None:
    for training in (True, False):
        _, recorded, mode = samples(*draw_generator(fresh_seed), 1, training, "cpu")
        assert_equal(recorded, False, "whether samples require gradients")
        assert_equal(mode, training, "whether the generator is in training mode afterwards")


@task("cgan-training", hint="The classes must be on the device of the noise.")
def test_sampling_works_on_the_device_of_the_noise(fresh_seed: int) -> None:
    # "meta" is a device that every machine has; its tensors have shapes and no values
    shape, seen = samples(*draw_generator(fresh_seed), 1, True, "meta")
    assert_equal(shape, [N, 1, 2, 3], "the shape of samples on another device")
    assert_equal(seen, ["meta"], "the device of the classes")


def draw_generator(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Weights (LATENT, PIXELS), classes (CLASSES, PIXELS) and noise (N, LATENT), in float64."""
    source = torch.Generator().manual_seed(seed)
    shapes = ((LATENT, PIXELS), (CLASSES, PIXELS), (N, LATENT))
    weight, classes, z = (torch.randn(shape, generator=source, dtype=torch.float64) for shape in shapes)
    return weight, classes, z
