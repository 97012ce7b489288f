"""Task "cgan-models", what decides: shapes, ranges, and what depends on noise, picture and class.

The networks are the students' own, so nothing is compared with a reference: the weights are filled with fresh random
numbers, and the outputs must have the properties that every design has.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gapcheck import assert_between, assert_close, assert_gradient_flows, assert_tensor, probe, task

CLASSES = 5

# ---------------------------------------------------------------- what runs inside


@probe
def fill(model: nn.Module, seed: int, gain: float) -> None:
    """Random weights that keep the size of what passes (times `gain` in each layer), and biases near their own."""
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=source)
            if parameter.dim() > 1:
                parameter.copy_(gain * noise / parameter[0].numel() ** 0.5)
            else:
                parameter.add_(0.1 * noise)


@probe
def painted(
    seed: int, num_classes: int, batches: list[tuple[Tensor, Tensor]], gain: float, training: bool
) -> list[object]:
    from lib.model_conditional_gan import ConditionalGenerator

    generator = ConditionalGenerator(num_classes, batches[0][0].shape[1]).train(training)
    fill(generator, seed, gain)
    return [generator(z, labels) for z, labels in batches]


@probe
def judged(
    seeds: list[int], num_classes: int, batches: list[tuple[Tensor, Tensor]], gain: float, training: bool
) -> list[object]:
    """The judgements of each batch by each filling, the batches of one filling together."""
    from lib.model_conditional_gan import ConditionalDiscriminator

    results = []
    for seed in seeds:
        discriminator = ConditionalDiscriminator(num_classes).train(training)
        fill(discriminator, seed, gain)
        results += [discriminator(x, labels) for x, labels in batches]
    return results


@probe
def numbers_of_weights(num_classes: int) -> list[list[int]]:
    from lib.model_conditional_gan import ConditionalDiscriminator, ConditionalGenerator

    networks = (ConditionalGenerator(num_classes, 6), ConditionalDiscriminator(num_classes))
    return [[parameter.numel() for parameter in network.parameters()] for network in networks]


@probe
def gradients(seed: int, z: Tensor, x: Tensor, labels: Tensor, upstream: Tensor) -> list[list[Tensor | None]]:
    from lib.model_conditional_gan import ConditionalDiscriminator, ConditionalGenerator

    generator, discriminator = ConditionalGenerator(5, z.shape[1]).eval(), ConditionalDiscriminator(5).eval()
    for network in (generator, discriminator):
        fill(network, seed, 1.0)
    (upstream * generator(z, labels)).sum().backward()
    (upstream[:, 0, 0, 0] * discriminator(x, labels)).sum().backward()
    return [[parameter.grad for parameter in network.parameters()] for network in (generator, discriminator)]


# ---------------------------------------------------------------- what stays outside


def noise(seed: int, n: int, latent_size: int) -> Tensor:
    return torch.randn(n, latent_size, generator=torch.Generator().manual_seed(seed))


def some_pictures(seed: int, n: int) -> Tensor:
    return 2 * torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(seed)) - 1


def fillings(seed: int) -> list[int]:
    """Seeds of four fillings: where one number depends on something, its changes, of some 0.02 and more, are all
    four below 1e-5 with a probability of less than 1e-12."""
    return [seed + i for i in range(4)]


def differ(one: Tensor, other: Tensor) -> bool:
    return float((one - other).abs().max()) > 1e-5


def of_every_class(batch: Tensor) -> tuple[Tensor, Tensor]:
    """The first row of a batch once for each class, and the classes."""
    return batch[:1].repeat(CLASSES, *[1] * (batch.dim() - 1)), torch.arange(CLASSES)


SIZES = ((10, 3, 3), (2, 1, 1), (5, 17, 4))  # num_classes, latent_size, n


@task("cgan-models", hint="All sizes follow from the arguments and from the batch that comes; none is fixed.")
def test_generator_makes_a_picture_for_each_row_for_all_sizes(fresh_seed: int) -> None:
    for num_classes, latent_size, n in SIZES:
        labels = torch.arange(n) % num_classes
        (result,) = painted(fresh_seed, num_classes, [(noise(fresh_seed, n, latent_size), labels)], 1.0, False)
        assert_tensor(result, (n, 1, 28, 28), what="the generator's output")


@task("cgan-models", hint="Which function maps every number into [-1, 1], and how far does it reach?")
def test_pictures_use_the_range_from_minus_one_to_one(fresh_seed: int) -> None:
    z, labels = 1000 * noise(fresh_seed, 8, 6), torch.arange(8) % CLASSES
    (result,) = painted(fresh_seed, CLASSES, [(z, labels)], 1.0, False)
    pictures = assert_tensor(result, (8, 1, 28, 28), what="the generator's output")
    assert_between(pictures, -1.0, 1.0, "the pixels")
    assert_between(pictures.min(), -1.0, -0.9, "the darkest pixel for very large noise")
    assert_between(pictures.max(), 0.9, 1.0, "the brightest pixel for very large noise")


@task("cgan-models", hint="The class has to reach the layers: the same noise makes another picture for another class.")
def test_every_class_gets_another_picture_of_the_same_noise(fresh_seed: int) -> None:
    for training in (False, True):
        batch = of_every_class(noise(fresh_seed, 1, 6))
        (result,) = painted(fresh_seed, CLASSES, [batch], 1.0, training)
        pictures = assert_tensor(result, (CLASSES, 1, 28, 28), what="the generator's output")
        for i in range(CLASSES):
            for j in range(i):
                assert differ(pictures[i], pictures[j]), f"classes {j} and {i} get the same picture of the same noise."


@task("cgan-models", hint="Each number of the noise reaches the layers: compare the sizes of the first one.")
def test_the_picture_depends_on_every_number_of_the_noise(fresh_seed: int) -> None:
    z = noise(fresh_seed, 1, 6)
    batches = [(z, torch.tensor([2])), (z + 3 * torch.eye(6), torch.full((6,), 2))]
    base, moved = painted(fresh_seed, CLASSES, batches, 1.0, False)
    picture = assert_tensor(base, (1, 1, 28, 28), what="the generator's output")
    for k, other in enumerate(assert_tensor(moved, (6, 1, 28, 28), what="the generator's output")):
        assert differ(other, picture[0]), f"the picture does not change with number {k} of the noise."


@task("cgan-models", hint="Row i of the noise belongs to class i of labels, and in evaluation mode to nothing else.")
def test_a_picture_depends_on_its_own_noise_and_class_alone(fresh_seed: int) -> None:
    z, labels = noise(fresh_seed, 4, 6), torch.tensor([3, 0, 1, 0])
    other = torch.tensor([4, 0, 1, 0])
    batches = [(z, labels), (z, other), (z[:1], labels[:1]), (z, labels)]
    shapes = ((4, 1, 28, 28), (4, 1, 28, 28), (1, 1, 28, 28), (4, 1, 28, 28))
    found = painted(fresh_seed, CLASSES, batches, 1.0, False)
    first, changed, alone, again = (
        assert_tensor(one, shape, what="the generator's output") for one, shape in zip(found, shapes, strict=True)
    )
    assert differ(changed[0], first[0]), "a picture does not change with its class."
    assert_close(changed[1:], first[1:], what="the pictures whose classes stayed the same")
    assert_close(alone, first[:1], what="a picture made without the others of its batch")
    assert_close(again, first, what="the same pictures once more")


@task("cgan-models", hint="One logit for each picture: the result has one axis, for a batch of one as well.")
def test_discriminator_gives_one_number_for_each_picture_for_all_sizes(fresh_seed: int) -> None:
    for num_classes, _, n in SIZES:
        labels = torch.arange(n) % num_classes
        (result,) = judged([fresh_seed], num_classes, [(some_pictures(fresh_seed, n), labels)], 1.0, False)
        assert_tensor(result, (n,), what="the discriminator's output")


@task("cgan-models", hint="A logit may be any real number; the sigmoid is part of the loss.")
def test_judgements_are_logits_without_limits(fresh_seed: int) -> None:
    # each filling has logits of some 3 or more: all 48 stay below 1 with a probability of 0.63 ** 48 < 1e-9
    x, labels = some_pictures(fresh_seed, 2), torch.tensor([0, 3])
    found = judged([fresh_seed + i for i in range(48)], CLASSES, [(x, labels)], 3.0, False)
    logits = torch.cat([assert_tensor(one, (2,), what="the discriminator's output") for one in found])
    assert float(logits.min()) < 0, f"no logit falls below {float(logits.min()):.3g}, whatever the weights."
    assert float(logits.max()) > 1, f"no logit rises above {float(logits.max()):.3g}, whatever the weights."


@task("cgan-models", hint="The class has to reach the layers: the same picture is judged differently as another class.")
def test_the_judgement_depends_on_the_class(fresh_seed: int) -> None:
    batch = of_every_class(some_pictures(fresh_seed, 1))
    for training in (False, True):
        found = judged(fillings(fresh_seed), CLASSES, [batch], 1.0, training)
        logits = torch.stack([assert_tensor(one, (CLASSES,), what="the discriminator's output") for one in found])
        for i in range(CLASSES):
            for j in range(i):
                assert differ(logits[:, i], logits[:, j]), f"a picture is judged alike as class {j} and as class {i}."


@task("cgan-models", hint="The judgement is one of the picture: all of it has to reach the layers.")
def test_the_judgement_depends_on_every_quarter_of_the_picture(fresh_seed: int) -> None:
    x = some_pictures(fresh_seed, 1).repeat(5, 1, 1, 1)
    for k, (row, column) in enumerate(((0, 0), (0, 14), (14, 0), (14, 14))):
        x[k, 0, row : row + 14, column : column + 14] *= -1
    found = judged(fillings(fresh_seed), CLASSES, [(x, torch.full((5,), 1))], 1.0, False)
    logits = torch.stack([assert_tensor(one, (5,), what="the discriminator's output") for one in found])
    for k in range(4):
        assert differ(logits[:, k], logits[:, 4]), f"the judgement does not change with quarter {k} of the picture."


@task("cgan-models", hint="Picture i belongs to class i of labels, and in evaluation mode to nothing else.")
def test_a_judgement_depends_on_its_own_picture_and_class_alone(fresh_seed: int) -> None:
    x, labels, other = some_pictures(fresh_seed, 4), torch.tensor([3, 0, 1, 0]), torch.tensor([4, 0, 1, 0])
    found = judged([fresh_seed], CLASSES, [(x, labels), (x, other), (x[:1], labels[:1]), (x, labels)], 1.0, False)
    first, changed, alone, again = (
        assert_tensor(one, (n,), what="the discriminator's output") for one, n in zip(found, (4, 4, 1, 4), strict=True)
    )
    assert_close(changed[1:], first[1:], what="the judgements of the pictures whose classes stayed the same")
    assert_close(alone, first[:1], what="the judgement of a picture without the others of its batch")
    assert_close(again, first, what="the same judgements once more")


@task("cgan-models", hint="One-hot or embedded, each class brings weights of its own; a class is no quantity.")
def test_each_class_has_weights_of_its_own() -> None:
    few, many = numbers_of_weights(3), numbers_of_weights(7)
    for name, one, other in zip(("generator", "discriminator"), few, many, strict=True):
        grown = sum(other) - sum(one)
        assert grown > 0, f"the {name} has as many weights for 7 classes as for 3: where does the class enter?"


@task("cgan-models", hint="Every layer that is created, the one for the class too, has a part in the output.")
def test_every_weight_learns(fresh_seed: int) -> None:
    labels, upstream = torch.arange(10) % CLASSES, some_pictures(fresh_seed + 1, 10)
    found = gradients(fresh_seed, noise(fresh_seed, 10, 6), some_pictures(fresh_seed, 10), labels, upstream)
    for name, of_network in zip(("generator", "discriminator"), found, strict=True):
        assert of_network, f"the {name} has no weights."
        for gradient in of_network:
            assert_gradient_flows(gradient, what=f"a layer's weights or bias in the {name}")
