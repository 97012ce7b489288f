"""Generator and discriminator: shapes, weights, and the exact function that their layers compute.

The weights are drawn here, laid into the student's networks by their shapes (so that names and order of the layers are
free), and the outputs are compared with the same layers written out with torch.nn.functional in float64.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gapcheck import assert_between, assert_close, assert_equal, assert_tensor, assert_unchanged, probe, task

# One value of the networks' state: the last part of its name, and what it is set to.
Part = tuple[str, Tensor]

M, CHANNELS, LATENT = 4, 3, 64
BN_EPS = 1e-5


# ---------------------------------------------------------------- what runs inside


@probe
def lay_in(network: nn.Module, parts: list[tuple[str, Tensor]]) -> None:
    """Set each parameter and buffer to the part of the same kind and shape."""
    for name, tensor in network.state_dict().items():
        for kind, value in parts:
            if name.rpartition(".")[2] == kind and tensor.shape == value.shape:
                tensor.copy_(value)


@probe
def pictures(parts: list[tuple[str, Tensor]], batches: list[Tensor], training: bool) -> list[object]:
    from lib.model_gan import Generator

    generator = Generator(channels_multiplier=4, num_input_channels=3, latent_size=64)
    lay_in(generator, parts)
    generator.train(training)
    return [generator(batch) for batch in batches]


@probe
def judgements(parts: list[tuple[str, Tensor]], batches: list[Tensor], training: bool) -> list[object]:
    from lib.model_gan import Discriminator

    discriminator = Discriminator(channels_multiplier=4, num_input_channels=3)
    lay_in(discriminator, parts)
    discriminator.train(training)
    return [discriminator(batch) for batch in batches]


@probe
def pictures_of_new_generators(settings: list[tuple[int, int, int]], batches: list[Tensor]) -> list[object]:
    from lib.model_gan import Generator

    return [Generator(*arguments)(batch) for arguments, batch in zip(settings, batches, strict=True)]


@probe
def judgements_of_new_discriminators(settings: list[tuple[int, int]], batches: list[Tensor]) -> list[object]:
    from lib.model_gan import Discriminator

    return [Discriminator(*arguments)(batch) for arguments, batch in zip(settings, batches, strict=True)]


@probe
def generator_parameters(m: int, channels: int, latent: int) -> list[object]:
    from lib.model_gan import Generator

    return list(Generator(m, channels, latent).parameters())


@probe
def discriminator_parameters(m: int, channels: int) -> list[object]:
    from lib.model_gan import Discriminator

    return list(Discriminator(m, channels).parameters())


@probe
def inputs_afterwards(noise: Tensor, images: Tensor) -> list[object]:
    from lib.model_gan import Discriminator, Generator

    Generator(4)(noise)
    Discriminator(4)(images)
    return [noise, images]


# ---------------------------------------------------------------- what stays outside


def random_weight(shape: tuple[int, ...], fan_in: int, source: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=source) * math.sqrt(2 / fan_in)


def random_batch_norm(width: int, source: torch.Generator) -> list[Part]:
    """Scale, shift and running statistics, all far from their initial values."""
    uniform = torch.rand(4, width, generator=source)
    return [
        ("weight", 0.5 + uniform[0]),
        ("bias", uniform[1] - 0.5),
        ("running_mean", uniform[2] - 0.5),
        ("running_var", 0.5 + uniform[3]),
    ]


def random_generator(source: torch.Generator) -> list[Part]:
    """Five convolutions, the first four followed by batch norm, in the order of the layers."""
    widths = [LATENT, 8 * M, 4 * M, 2 * M, M]
    parts: list[Part] = []
    for i in range(4):
        # at stride 2 a pixel is reached by 4 of the 16 entries of a kernel; in the first layer by one
        fan_in = widths[i] * (1 if i == 0 else 4)
        parts += [("weight", random_weight((widths[i], widths[i + 1], 4, 4), fan_in, source))]
        parts += random_batch_norm(widths[i + 1], source)
    return [*parts, ("weight", random_weight((CHANNELS, M, 3, 3), 9 * M, source))]


def random_discriminator(source: torch.Generator) -> list[Part]:
    """Four convolutions, the second and the third followed by batch norm, in the order of the layers."""
    parts: list[Part] = [("weight", random_weight((M, CHANNELS, 4, 4), 16 * CHANNELS, source))]
    for before, after in ((M, 2 * M), (2 * M, 4 * M)):
        parts += [("weight", random_weight((after, before, 4, 4), 16 * before, source))]
        parts += random_batch_norm(after, source)
    return [*parts, ("weight", random_weight((1, 4 * M, 4, 4), 64 * M, source))]


def normalised(x: Tensor, parts: Sequence[Part], training: bool) -> Tensor:
    weight, bias, mean, var = (value.double() for _, value in parts)
    return F.batch_norm(x, mean, var, weight, bias, training=training, eps=BN_EPS)


def expected_pictures(parts: list[tuple[str, Tensor]], z: Tensor, training: bool) -> Tensor:
    x = z.double()
    for i in range(4):
        stride, padding = (1, 0) if i == 0 else (2, 1)
        x = F.conv_transpose2d(x, parts[5 * i][1].double(), stride=stride, padding=padding)
        batch_norm = slice(5 * i + 1, 5 * i + 5)
        x = F.relu(normalised(x, parts[batch_norm], training))
    return torch.tanh(F.conv2d(x, parts[20][1].double(), padding=1))


def expected_judgements(parts: list[tuple[str, Tensor]], x: Tensor, training: bool) -> Tensor:
    x = F.leaky_relu(F.conv2d(x.double(), parts[0][1].double(), stride=2, padding=1), 0.2)
    for i in (1, 6):
        x = F.conv2d(x, parts[i][1].double(), stride=2, padding=1)
        batch_norm = slice(i + 1, i + 5)
        x = F.leaky_relu(normalised(x, parts[batch_norm], training), 0.2)
    return torch.sigmoid(F.conv2d(x, parts[11][1].double()))


def shapes_of(parameters: object, what: str) -> list[tuple[int, ...]]:
    assert isinstance(parameters, list), f"{what} should have parameters, but they cannot be listed."
    assert all(isinstance(parameter, Tensor) for parameter in parameters), f"{what} should be a tensor."
    return sorted(tuple(parameter.shape) for parameter in parameters)


# ---------------------------------------------------------------- generator


@task(
    "gan-models",
    hint="Follow height and width through the transposed convolutions: (in - 1) s - 2 p + k; nothing may be fixed to "
    "one batch size, channel count or latent size.",
)
def test_generator_makes_32_by_32_pictures_for_all_settings(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    settings, sizes = [(4, 3, 64), (2, 1, 10), (3, 5, 7)], [5, 1, 2]
    noise = [torch.randn(n, s[2], 1, 1, generator=source) for s, n in zip(settings, sizes, strict=True)]
    results = pictures_of_new_generators(settings, noise)
    for (_, channels, _), n, result in zip(settings, sizes, results, strict=True):
        assert_tensor(result, (n, channels, 32, 32), what="the generator's output")


@task("gan-models", hint="The table of the generator's layers gives the channels and the kernel of each convolution.")
def test_generator_has_the_five_listed_convolutions() -> None:
    for m, channels, latent in ((4, 3, 64), (3, 1, 10)):
        shapes = shapes_of(generator_parameters(m, channels, latent), "a parameter of the generator")
        wanted = [(latent, 8 * m, 4, 4), (8 * m, 4 * m, 4, 4), (4 * m, 2 * m, 4, 4), (2 * m, m, 4, 4)]
        wanted += [(channels, m, 3, 3)]
        assert_equal([s for s in shapes if len(s) > 1], sorted(wanted), "the shapes of the generator's kernels")


@task(
    "gan-models",
    hint="Beside the kernels there are a scale and a shift for each channel of each batch norm, and nothing else: "
    "batch norm would remove a bias at once.",
)
def test_generator_has_no_vectors_but_those_of_four_batch_norms() -> None:
    for m in (4, 3):
        shapes = shapes_of(generator_parameters(m, 3, 64), "a parameter of the generator")
        wanted = sorted([(8 * m,), (4 * m,), (2 * m,), (m,)] * 2)
        assert_equal([s for s in shapes if len(s) == 1], wanted, "the lengths of the generator's vectors")


@task(
    "gan-models",
    hint="Compare your layers with the table one by one: kernel, stride, padding, then batch norm, then ReLU; "
    "the last convolution is followed by tanh alone.",
)
def test_generator_computes_the_listed_layers_in_training(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    parts, noise = random_generator(source), torch.randn(3, LATENT, 1, 1, generator=source)
    (result,) = pictures(parts, [noise], training=True)
    found = assert_tensor(result, (3, CHANNELS, 32, 32), what="the generator's output")
    assert_close(found, expected_pictures(parts, noise, training=True), atol=1e-4, what="the generator's output")


@task("gan-models", hint="After generator.eval() batch norm must use the means and variances of the training.")
def test_generator_computes_the_listed_layers_in_eval_mode(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    parts, noise = random_generator(source), torch.randn(2, LATENT, 1, 1, generator=source)
    (result,) = pictures(parts, [noise], training=False)
    found = assert_tensor(result, (2, CHANNELS, 32, 32), what="the generator's output")
    assert_close(found, expected_pictures(parts, noise, training=False), atol=1e-4, what="the generator's output")


@task("gan-models", hint="Which function maps every number into the range of the training pictures, [-1, 1]?")
def test_pictures_stay_within_the_range_of_the_training_pictures(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    noise = 100 * torch.randn(2, LATENT, 1, 1, generator=source)
    (result,) = pictures(random_generator(source), [noise], training=False)
    found = assert_tensor(result, (2, CHANNELS, 32, 32), what="the generator's output")
    assert_between(found, -1.0, 1.0, "the pixels")
    assert_between(found.min(), -1.0, -0.99, "the darkest pixel for very large noise")
    assert_between(found.max(), 0.99, 1.0, "the brightest pixel for very large noise")


@task(
    "gan-models",
    hint="Batch norm mixes the pictures of a batch in training mode only; keep it as a layer of the network, so that "
    "train() and eval() reach it.",
)
def test_a_picture_depends_on_its_batch_in_training_mode_only(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    parts, noise = random_generator(source), torch.randn(4, LATENT, 1, 1, generator=source)
    for training in (False, True):
        results = pictures(parts, [noise, noise[:2]], training=training)
        together = assert_tensor(results[0], (4, CHANNELS, 32, 32), what="the generator's output")
        alone = assert_tensor(results[1], (2, CHANNELS, 32, 32), what="the generator's output")
        if training:
            difference = float((together[:2] - alone).abs().max())
            assert difference > 1e-3, "in training mode, the pictures do not depend on their batch: no batch norm acts"
        else:
            assert_close(alone, together[:2], atol=1e-4, what="a picture made in a smaller batch")


# ---------------------------------------------------------------- discriminator


@task(
    "gan-models",
    hint="Follow height and width through the convolutions: floor((in + 2 p - k) / s) + 1; nothing may be fixed to one "
    "batch size or channel count.",
)
def test_discriminator_gives_one_number_a_picture_for_all_settings(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    settings, sizes = [(4, 3), (2, 1), (3, 5)], [5, 1, 2]
    batches = [torch.rand(n, s[1], 32, 32, generator=source) for s, n in zip(settings, sizes, strict=True)]
    for n, result in zip(sizes, judgements_of_new_discriminators(settings, batches), strict=True):
        assert_tensor(result, (n, 1, 1, 1), what="the discriminator's output")


@task(
    "gan-models", hint="The table of the discriminator's layers gives the channels and the kernel of each convolution."
)
def test_discriminator_has_the_four_listed_convolutions() -> None:
    for m, channels in ((4, 3), (3, 1)):
        shapes = shapes_of(discriminator_parameters(m, channels), "a parameter of the discriminator")
        wanted = [(m, channels, 4, 4), (2 * m, m, 4, 4), (4 * m, 2 * m, 4, 4), (1, 4 * m, 4, 4)]
        assert_equal([s for s in shapes if len(s) > 1], sorted(wanted), "the shapes of the discriminator's kernels")


@task(
    "gan-models",
    hint="Beside the kernels there are a scale and a shift for each channel of the two batch norms, and nothing else.",
)
def test_discriminator_has_no_vectors_but_those_of_two_batch_norms() -> None:
    for m in (4, 3):
        shapes = shapes_of(discriminator_parameters(m, 3), "a parameter of the discriminator")
        wanted = sorted([(2 * m,), (4 * m,)] * 2)
        assert_equal([s for s in shapes if len(s) == 1], wanted, "the lengths of the discriminator's vectors")


@task(
    "gan-models",
    hint="Compare your layers with the table one by one: kernel, stride, padding, batch norm (not after the first "
    "convolution), leaky ReLU; the last convolution is followed by the sigmoid alone.",
)
def test_discriminator_computes_the_listed_layers_in_training(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    parts, images = random_discriminator(source), torch.randn(3, CHANNELS, 32, 32, generator=source)
    (result,) = judgements(parts, [images], training=True)
    found = assert_tensor(result, (3, 1, 1, 1), what="the discriminator's output")
    assert_close(found, expected_judgements(parts, images, training=True), what="the discriminator's output")


@task("gan-models", hint="After discriminator.eval() batch norm must use the means and variances of the training.")
def test_discriminator_computes_the_listed_layers_in_eval_mode(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    parts, images = random_discriminator(source), torch.randn(2, CHANNELS, 32, 32, generator=source)
    (result,) = judgements(parts, [images], training=False)
    found = assert_tensor(result, (2, 1, 1, 1), what="the discriminator's output")
    assert_close(found, expected_judgements(parts, images, training=False), what="the discriminator's output")


@task("gan-models", hint="The discriminator answers with a probability: which function maps every number into [0, 1]?")
def test_judgements_are_probabilities_for_any_picture(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    images = 1000 * torch.randn(8, CHANNELS, 32, 32, generator=source)
    (result,) = judgements(random_discriminator(source), [torch.cat([images, -images])], training=False)
    found = assert_tensor(result, (16, 1, 1, 1), what="the discriminator's output")
    assert_between(found, 0.0, 1.0, "the probabilities")
    certain = (found < 0.01) | (found > 0.99)
    assert bool(certain.any()), "very large pixels should make the discriminator certain of some pictures"


@task("gan-models", hint="A leaky ReLU passes negative values on, multiplied by its slope; the table states the slope.")
def test_each_leaky_relu_passes_a_fifth_of_a_negative_value(fresh_seed: int) -> None:
    # positive kernels and batch norms that change nothing: in a bright picture no value is negative, in its negative
    # all are, so that its logit is -(0.2^3) times the other's
    source = torch.Generator().manual_seed(fresh_seed)
    parts = [(kind, value.abs()) for kind, value in random_discriminator(source)]
    neutral = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1 - BN_EPS}
    parts = [(k, torch.full_like(v, neutral[k]) if v.ndim == 1 else v / v.sum((1, 2, 3), True)) for k, v in parts]
    (result,) = judgements(parts, [torch.stack([torch.full((3, 32, 32), sign) for sign in (4.0, -4.0)])], False)
    found = assert_tensor(result, (2, 1, 1, 1), what="the discriminator's output").flatten()
    assert_between(found, 0.01, 0.999, "the probabilities")
    positive, negative = torch.logit(found).tolist()
    assert_close(
        -negative / positive, 0.2**3, rtol=1e-2, what="the logit of a negative picture, relative to its mirror"
    )


@task("gan-models", hint="A network must not write into the tensor that it is given.")
def test_the_networks_do_not_change_their_input(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    noise = torch.randn(2, LATENT, 1, 1, generator=source)
    images = torch.randn(2, CHANNELS, 32, 32, generator=source)
    for before, after in zip((noise, images), inputs_afterwards(noise.clone(), images.clone()), strict=True):
        assert_unchanged(before, after, "the input")
