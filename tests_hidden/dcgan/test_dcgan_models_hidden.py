"""Generator, discriminator and the start of their weights.

The weights are drawn here and laid into the student's networks by kind and shape, so that names and order of the layers
are free; what the networks compute is compared with the same layers written out in float64.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gapcheck import assert_between, assert_close, assert_equal, assert_normal, assert_tensor, probe, task

# One value of a network's state: the last part of its name, and what it is set to.
Part = tuple[str, Tensor]

# Widths, noise and channels are chosen so that no two tensors of one kind have the same shape.
NOISE, WIDTH, CHANNELS = 6, 2, 3


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
    from lib.gan.models import Generator

    generator = Generator(noise_size=6, width=2, channels=3)
    lay_in(generator, parts)
    generator.train(training)
    return [generator(batch) for batch in batches]


@probe
def logits(parts: list[tuple[str, Tensor]], batches: list[Tensor], training: bool) -> list[object]:
    from lib.gan.models import Discriminator

    discriminator = Discriminator(width=2, channels=3)
    lay_in(discriminator, parts)
    discriminator.train(training)
    return [discriminator(batch) for batch in batches]


@probe
def new_generators(
    settings: list[tuple[int, int, int]], batches: list[Tensor]
) -> tuple[list[object], list[list[object]]]:
    """What new generators make, and their parameters."""
    from lib.gan.models import Generator

    generators = [Generator(*arguments) for arguments in settings]
    outputs = [generator(batch) for generator, batch in zip(generators, batches, strict=True)]
    return outputs, [list(generator.parameters()) for generator in generators]


@probe
def new_discriminators(
    settings: list[tuple[int, int]], batches: list[Tensor]
) -> tuple[list[object], list[list[object]]]:
    """What new discriminators say, and their parameters."""
    from lib.gan.models import Discriminator

    discriminators = [Discriminator(*arguments) for arguments in settings]
    outputs = [discriminator(batch) for discriminator, batch in zip(discriminators, batches, strict=True)]
    return outputs, [list(discriminator.parameters()) for discriminator in discriminators]


@probe
def initialised(fill: float) -> dict[str, Tensor]:
    """The state of a network of all kinds of layers, some inside others, after all was set to `fill`."""
    from lib.gan.models import initialise

    inner = nn.Sequential(nn.ConvTranspose2d(20, 30, 4, bias=False), nn.BatchNorm2d(400), nn.PReLU())
    network = nn.Sequential(nn.Linear(60, 90), nn.Sequential(nn.Conv2d(10, 20, 5), inner), nn.LayerNorm(5))
    for tensor in network.parameters():
        tensor.data.fill_(fill)
    initialise(network)
    return dict(network.state_dict())


# ---------------------------------------------------------------- what stays outside


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
    """The state in the order of the layers."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=source) / 2

    return [
        ("weight", normal(4 * WIDTH * 49, NOISE)),
        *random_batch_norm(4 * WIDTH, source),
        ("weight", normal(4 * WIDTH, 2 * WIDTH, 4, 4)),
        *random_batch_norm(2 * WIDTH, source),
        ("weight", normal(2 * WIDTH, CHANNELS, 4, 4)),
        ("bias", normal(CHANNELS)),
    ]


def random_discriminator(source: torch.Generator) -> list[Part]:
    """The state in the order of the layers."""

    def normal(*shape: int, inputs: int) -> Tensor:
        return torch.randn(shape, generator=source) / math.sqrt(inputs)

    return [
        ("weight", normal(WIDTH, CHANNELS, 4, 4, inputs=16 * CHANNELS)),
        ("bias", normal(WIDTH, inputs=1)),
        ("weight", normal(2 * WIDTH, WIDTH, 4, 4, inputs=16 * WIDTH)),
        *random_batch_norm(2 * WIDTH, source),
        ("weight", normal(1, 2 * WIDTH * 49, inputs=2 * WIDTH * 49)),
        ("bias", normal(1, inputs=1)),
    ]


def normalised(x: Tensor, parts: list[Part], training: bool) -> Tensor:
    weight, bias, mean, var = (value.double() for _, value in parts)
    return F.batch_norm(x, mean, var, weight, bias, training=training, eps=1e-5)


def expected_pictures(parts: list[Part], z: Tensor, training: bool) -> Tensor:
    values = [value.double() for _, value in parts]
    x = (z.double() @ values[0].T).view(len(z), 4 * WIDTH, 7, 7)
    x = F.relu(normalised(x, parts[1:5], training))
    x = F.conv_transpose2d(x, values[5], stride=2, padding=1)
    x = F.relu(normalised(x, parts[6:10], training))
    return torch.tanh(F.conv_transpose2d(x, values[10], values[11], stride=2, padding=1))


def expected_logits(parts: list[Part], x: Tensor, training: bool) -> Tensor:
    values = [value.double() for _, value in parts]
    x = F.leaky_relu(F.conv2d(x.double(), values[0], values[1], stride=2, padding=1), 0.2)
    x = F.conv2d(x, values[2], stride=2, padding=1)
    x = F.leaky_relu(normalised(x, parts[3:7], training), 0.2)
    return (x.flatten(1) @ values[7].T + values[8]).squeeze(1)


def shapes_of(parameters: object, what: str) -> list[tuple[int, ...]]:
    assert isinstance(parameters, list)
    assert all(isinstance(parameter, Tensor) for parameter in parameters), f"{what} should be a tensor."
    return sorted(tuple(parameter.shape) for parameter in parameters)


# ---------------------------------------------------------------- generator


@task("gan-models", hint="Follow the shapes through the table; nothing may be fixed to one batch size, width or noise.")
def test_generator_makes_28_by_28_pictures_for_all_settings(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    settings, sizes = [(6, 2, 3), (64, 4, 1), (3, 1, 5)], [5, 2, 3]
    noise = [torch.randn(n, s[0], generator=source) for s, n in zip(settings, sizes, strict=True)]
    outputs, _ = new_generators(settings, noise)
    for (_, _, channels), n, output in zip(settings, sizes, outputs, strict=True):
        assert_tensor(output, (n, channels, 28, 28), what="the generator's output")


@task("gan-models", hint="The table says which layers have a bias; each batch norm has a scale and a shift a channel.")
def test_generator_has_the_listed_parameters() -> None:
    settings = [(6, 2, 3), (5, 3, 1)]
    _, found = new_generators(settings, [torch.zeros(2, noise) for noise, _, _ in settings])
    for (noise, w, channels), parameters in zip(settings, found, strict=True):
        wanted = [(196 * w, noise), (4 * w, 2 * w, 4, 4), (2 * w, channels, 4, 4), (channels,)]
        wanted += [(4 * w,), (4 * w,), (2 * w,), (2 * w,)]
        assert_equal(shapes_of(parameters, "a parameter"), sorted(wanted), "the shapes of the generator's parameters")


@task(
    "gan-models", hint="Compare your layers with the table: reshape, batch norm, ReLU, kernel, stride, then tanh alone."
)
def test_generator_computes_the_listed_layers_in_training(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    parts, noise = random_generator(source), torch.randn(4, NOISE, generator=source)
    (output,) = pictures(parts, [noise], training=True)
    found = assert_tensor(output, (4, CHANNELS, 28, 28), what="the generator's output")
    assert_close(found, expected_pictures(parts, noise, training=True), atol=1e-4, what="the generator's output")


@task(
    "gan-models", hint="After eval() a picture depends on its own noise alone, through the statistics of the training."
)
def test_generator_computes_the_listed_layers_in_eval_mode(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    parts, noise = random_generator(source), torch.randn(3, NOISE, generator=source)
    outputs = pictures(parts, [noise, noise[:1]], training=False)
    expected = expected_pictures(parts, noise, training=False)
    for n, output in zip((3, 1), outputs, strict=True):
        found = assert_tensor(output, (n, CHANNELS, 28, 28), what="the generator's output")
        assert_close(found, expected[:n], atol=1e-4, what="the generator's output")


@task("gan-models", hint="Which function maps every number into the range [-1, 1] of the training pictures?")
def test_pictures_fill_the_range_of_the_training_pictures_and_do_not_leave_it(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    parts = random_generator(source)
    (output,) = pictures(parts, [1000 * torch.randn(2, NOISE, generator=source)], training=False)
    found = assert_tensor(output, (2, CHANNELS, 28, 28), what="the generator's output")
    assert_between(found, -1.0, 1.0, "the pixels")
    assert_between(found.min(), -1.0, -0.99, "the darkest pixel for very large noise")
    assert_between(found.max(), 0.99, 1.0, "the brightest pixel for very large noise")


# ---------------------------------------------------------------- discriminator


@task("gan-models", hint="One logit for each picture: (N,), for every N, also for a single picture in eval mode.")
def test_discriminator_gives_one_logit_a_picture_for_all_settings(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    settings, sizes = [(2, 3), (4, 1), (1, 5)], [5, 2, 3]
    batches = [torch.randn(n, s[1], 28, 28, generator=source) for s, n in zip(settings, sizes, strict=True)]
    outputs, _ = new_discriminators(settings, batches)
    for n, output in zip(sizes, outputs, strict=True):
        assert_tensor(output, (n,), what="the discriminator's output")
    (alone,) = logits(random_discriminator(source), [batches[0][:1]], training=False)
    assert_tensor(alone, (1,), what="the discriminator's output for one picture")


@task("gan-models", hint="The table says which layers have a bias; there is one batch norm.")
def test_discriminator_has_the_listed_parameters() -> None:
    settings = [(2, 3), (3, 1)]
    _, found = new_discriminators(settings, [torch.zeros(2, channels, 28, 28) for _, channels in settings])
    for (w, channels), parameters in zip(settings, found, strict=True):
        wanted = [(w, channels, 4, 4), (w,), (2 * w, w, 4, 4), (2 * w,), (2 * w,), (1, 98 * w), (1,)]
        assert_equal(shapes_of(parameters, "a parameter"), sorted(wanted), "the discriminator's parameters' shapes")


@task("gan-models", hint="Compare your layers with the table; what comes after the linear layer?")
def test_discriminator_computes_the_listed_layers_in_training(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    parts, images = random_discriminator(source), 3 * torch.randn(4, CHANNELS, 28, 28, generator=source)
    (output,) = logits(parts, [images], training=True)
    found = assert_tensor(output, (4,), what="the logits")
    assert_close(found, expected_logits(parts, images, training=True), atol=1e-4, what="the logits")


@task(
    "gan-models", hint="After eval() a logit depends on its own picture alone, through the statistics of the training."
)
def test_discriminator_computes_the_listed_layers_in_eval_mode(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    parts, images = random_discriminator(source), 3 * torch.randn(4, CHANNELS, 28, 28, generator=source)
    (output,) = logits(parts, [images], training=False)
    found = assert_tensor(output, (4,), what="the logits")
    assert_close(found, expected_logits(parts, images, training=False), atol=1e-4, what="the logits")


# ---------------------------------------------------------------- the start


@task("gan-models", hint="Weights of linear and convolutional layers, transposed ones too, come from N(0, 0.02^2).")
def test_initial_weights_are_normal_with_standard_deviation_0_02() -> None:
    state = initialised(7.0)
    shapes = {"0.weight": (90, 60), "1.0.weight": (20, 10, 5, 5), "1.1.0.weight": (20, 30, 4, 4)}
    for name, shape in shapes.items():
        weight = assert_tensor(state[name], shape, what=f"the weight {name}")
        assert_normal(weight.flatten(1), 0.0, 0.02, what=f"the weight {name}")


@task(
    "gan-models", hint="A batch norm begins almost as the identity: scales around 1, with a small standard deviation."
)
def test_initial_scales_of_batch_norms_are_normal_around_one() -> None:
    scale = assert_tensor(initialised(7.0)["1.1.1.weight"], (400,), what="the scale of the batch norm")
    assert_normal(scale, 1.0, 0.02, what="the scale of the batch norm")


@task("gan-models", hint="Biases and shifts begin at 0; layers of other kinds keep what they have.")
def test_initial_biases_are_zero_and_other_layers_are_left_alone() -> None:
    state = initialised(7.0)
    for name, shape in {"0.bias": (90,), "1.0.bias": (20,), "1.1.1.bias": (400,)}.items():
        bias = assert_tensor(state[name], shape, what=name)
        assert bool((bias == 0).all()), f"{name} should be zero everywhere, but it is not."
    for name in ("2.weight", "2.bias", "1.1.2.weight"):
        kept = assert_tensor(state[name], (None,), what=name)
        assert bool((kept == 7.0).all()), f"{name} belongs to a layer that is not named, but it was changed."
