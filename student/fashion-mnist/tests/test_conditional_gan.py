"""Task "cgan-models": shapes and ranges of your two networks, and that the class matters to both.

Your layers are your own: these tests know no names and no sizes of them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gapcheck import assert_between, assert_tensor, probe, run_alone, task


@probe
def painted(num_classes: int, z: Tensor, labels: Tensor, factor: float) -> object:
    """Pictures of a new generator, after all of its weights were multiplied by a factor."""
    from lib.model_conditional_gan import ConditionalGenerator

    generator = ConditionalGenerator(num_classes, z.shape[1]).eval()
    for parameter in generator.parameters():
        parameter.data *= factor
    return generator(z, labels)


@probe
def judged(num_classes: int, x: Tensor, labels: Tensor) -> object:
    from lib.model_conditional_gan import ConditionalDiscriminator

    return ConditionalDiscriminator(num_classes).eval()(x, labels)


def random_tensor(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@task("cgan-models", hint="Noise and class of one picture lie in one row, whatever the sizes.")
def test_generator_makes_28_by_28_pictures(fresh_seed: int) -> None:
    for num_classes, latent_size, n in ((10, 32, 4), (3, 5, 1)):
        labels = torch.arange(n) % num_classes
        result = painted(num_classes, random_tensor(fresh_seed, n, latent_size), labels, 1.0)
        assert_tensor(result, (n, 1, 28, 28), what="the generator's output")


@task("cgan-models", hint="Which function maps every number into [-1, 1]?")
def test_pictures_lie_between_minus_one_and_one(fresh_seed: int) -> None:
    pictures = painted(10, 100 * random_tensor(fresh_seed, 4, 32), torch.arange(4), 10.0)
    assert_between(assert_tensor(pictures, (4, 1, 28, 28), what="the generator's output"), -1.0, 1.0, "the pixels")


@task("cgan-models", hint="The class has to reach the generator's layers.")
def test_the_same_noise_makes_another_picture_for_another_class(fresh_seed: int) -> None:
    z = random_tensor(fresh_seed, 1, 32).repeat(2, 1)
    pictures = assert_tensor(painted(10, z, torch.tensor([2, 7]), 1.0), (2, 1, 28, 28), what="the generator's output")
    assert float((pictures[0] - pictures[1]).abs().max()) > 1e-6, (
        "classes 2 and 7 get the same picture of the same noise."
    )


@task("cgan-models", hint="One number for each picture: the result has one axis.")
def test_discriminator_gives_one_number_for_each_picture(fresh_seed: int) -> None:
    for num_classes, n in ((10, 4), (3, 1)):
        labels = torch.arange(n) % num_classes
        assert_tensor(judged(num_classes, random_tensor(fresh_seed, n, 1, 28, 28), labels), (n,), what="the output")


@task("cgan-models", hint="The class has to reach the discriminator's layers.")
def test_the_same_picture_is_judged_differently_as_another_class(fresh_seed: int) -> None:
    x = random_tensor(fresh_seed, 1, 1, 28, 28).repeat(10, 1, 1, 1)
    logits = assert_tensor(judged(10, x, torch.arange(10)), (10,), what="the discriminator's output")
    # that all ten lie within 1e-7 by chance is less probable than 1e-30
    assert float(logits.max() - logits.min()) > 1e-7, "a picture is judged alike as every class."


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
