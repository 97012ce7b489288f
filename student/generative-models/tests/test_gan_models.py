"""Public tests of the generator and the discriminator: python -m tests.test_gan_models

They show the way; the hidden tests look at every layer.
"""

import torch
from torch import Tensor

from gapcheck import assert_between, assert_close, assert_tensor, probe, run_alone, task


@probe
def pictures(m: int, batches: list[Tensor], training: bool, factor: float) -> list[object]:
    """What a new generator makes of the noise, after all of its weights were multiplied by a factor."""
    from lib.model_gan import Generator

    channels_of_noise = batches[0].shape[1]
    generator = Generator(channels_multiplier=m, num_input_channels=3, latent_size=channels_of_noise)
    generator.train(training)
    for parameter in generator.parameters():
        parameter.data *= factor
    return [generator(noise) for noise in batches]


@probe
def judgements(m: int, images: Tensor, factor: float) -> object:
    """What a new discriminator says, after all of its weights were multiplied by a factor."""
    from lib.model_gan import Discriminator

    discriminator = Discriminator(channels_multiplier=m, num_input_channels=images.shape[1])
    for parameter in discriminator.parameters():
        parameter.data *= factor
    return discriminator(images)


@probe
def generator_parameters(m: int) -> list[Tensor]:
    from lib.model_gan import Generator

    return list(Generator(channels_multiplier=m).parameters())


@probe
def discriminator_parameters(m: int) -> list[Tensor]:
    from lib.model_gan import Discriminator

    return list(Discriminator(channels_multiplier=m).parameters())


def number_of_parameters(parameters: list[Tensor]) -> int:
    return sum(parameter.numel() for parameter in parameters)


def random_tensor(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@task("gan-models", hint="Each transposed convolution makes (in - 1) s - 2 p + k pixels: 1, 4, 8, 16, 32.")
def test_generator_turns_noise_into_pictures(fresh_seed: int) -> None:
    for n, latent_size in ((2, 64), (3, 10)):
        (result,) = pictures(4, [random_tensor(fresh_seed, n, latent_size, 1, 1)], training=True, factor=1.0)
        assert_tensor(result, (n, 3, 32, 32), what="the generator's output")


@task("gan-models", hint="Too many parameters: a bias too much? Too few: a batch norm too few? The table says where.")
def test_generator_has_43748_parameters() -> None:
    number = number_of_parameters(generator_parameters(4))
    assert number == 43_748, f"the generator should have 43,748 parameters with m = 4, but it has {number:,}."


@task("gan-models", hint="Which function maps every number into the range of the training pictures, [-1, 1]?")
def test_pictures_lie_between_minus_one_and_one(fresh_seed: int) -> None:
    (result,) = pictures(4, [random_tensor(fresh_seed, 2, 64, 1, 1)], training=True, factor=10.0)
    assert_between(assert_tensor(result, (2, 3, 32, 32), what="the generator's output"), -1.0, 1.0, "the pixels")


@task("gan-models", hint="In eval mode batch norm uses the statistics of the training instead of the batch's.")
def test_a_picture_does_not_depend_on_its_batch_in_eval_mode(fresh_seed: int) -> None:
    noise = random_tensor(fresh_seed, 4, 64, 1, 1)
    results = pictures(4, [noise, noise[:2]], training=False, factor=1.0)
    together = assert_tensor(results[0], (4, 3, 32, 32), what="the generator's output")
    assert_close(results[1], together[:2], what="the first two pictures, made without the others")


@task("gan-models", hint="Each convolution makes floor((in + 2 p - k) / s) + 1 pixels: 32, 16, 8, 4, 1.")
def test_discriminator_gives_one_number_for_each_picture(fresh_seed: int) -> None:
    for n, channels in ((2, 3), (3, 1)):
        result = judgements(4, random_tensor(fresh_seed, n, channels, 32, 32), factor=1.0)
        assert_tensor(result, (n, 1, 1, 1), what="the discriminator's output")


@task("gan-models", hint="Too many parameters: a bias or a batch norm too much? The table says which layers have one.")
def test_discriminator_has_3056_parameters() -> None:
    number = number_of_parameters(discriminator_parameters(4))
    assert number == 3_056, f"the discriminator should have 3,056 parameters with m = 4, but it has {number:,}."


@task("gan-models", hint="The discriminator answers with a probability: which function maps every number into [0, 1]?")
def test_judgements_are_probabilities(fresh_seed: int) -> None:
    result = judgements(4, random_tensor(fresh_seed, 16, 3, 32, 32), factor=10.0)
    found = assert_tensor(result, (16, 1, 1, 1), what="the discriminator's output")
    assert_between(found, 0.0, 1.0, "the probabilities")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
