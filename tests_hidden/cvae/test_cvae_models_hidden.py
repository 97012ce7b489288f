"""Tasks "cvae-vae" and "cvae-model", what decides: both models' formulas on fresh weights, images and labels.

Weights are drawn here and laid into the model by shape, so nothing depends on names, on the order of declaration, on
whether the two heads are one layer or two, or on which side of a joined vector the label stands. The expected outputs
are computed here from the weights that come back. The output activation is the student's choice: any increasing
function onto the numbers between 0 and 1 will do.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from gapcheck import assert_between, assert_close, assert_gradient_flows, assert_tensor, probe, task

LATENT, CLASSES, FEATURES = 3, 5, 64 * 7 * 7
VAE_SIZES = {"latent_size": LATENT}
CVAE_SIZES = {"latent_size": LATENT, "num_classes": CLASSES}

Layer = tuple[Tensor, Tensor]  # weight and bias


@probe
def new_model(sizes: dict[str, int], weights: list[Tensor]) -> object:
    """A VAE, or a conditional one where the sizes have a number of classes, with these weights where shapes fit.

    The conditional one borrows the VAE's sample_latent, whose mistakes are none of its own: here it has another.
    """
    from notebook import VAE, ConditionalVAE

    if "num_classes" in sizes:
        ConditionalVAE.sample_latent = lambda self, mean_z, logvar_z: mean_z + 3 * logvar_z
    model = ConditionalVAE(**sizes) if "num_classes" in sizes else VAE(**sizes)
    unused = list(weights)
    with torch.no_grad():
        for parameter in model.parameters():
            fitting = [i for i, weight in enumerate(unused) if weight.shape == parameter.shape]
            if fitting:
                parameter.copy_(unused.pop(fitting[0]))
    return model


@probe
def parameters(sizes: dict[str, int]) -> list[Tensor]:
    return list(new_model(sizes, []).parameters())


@probe
def call(sizes: dict[str, int], weights: list[Tensor], method: str, arguments: list[Tensor]) -> object:
    model = new_model(sizes, weights)
    return list(model.parameters()), getattr(model, method)(*arguments)


@probe
def forward_shapes(cases: list[tuple[dict[str, int], list[Tensor]]]) -> list[object]:
    return [new_model(sizes, [])(*arguments) for sizes, arguments in cases]


@probe
def forward_with_known_sample(
    sizes: dict[str, int], weights: list[Tensor], training: bool, arguments: list[Tensor]
) -> tuple[object, object, object]:
    """What forward returns, what encode returns, and the decoded z where z is no sample but a known function."""
    model = new_model(sizes, weights).train(training)
    type(model).sample_latent = lambda self, mean_z, logvar_z: 2 * mean_z - logvar_z
    mean_z, logvar_z = model.encode(*arguments)
    decoded = model.decode(2 * mean_z - logvar_z, *arguments[1:])
    return model(*arguments), (mean_z, logvar_z), decoded


@probe
def reconstructions(sizes: dict[str, int], training: bool, n_calls: int, arguments: list[Tensor]) -> list[object]:
    model = new_model(sizes, []).train(training)
    return [model(*arguments)[0] for _ in range(n_calls)]


@probe
def gradients(
    sizes: dict[str, int], weights: list[Tensor], upstream: Tensor, arguments: list[Tensor]
) -> list[Tensor | None]:
    model = new_model(sizes, weights)
    (upstream * model(*arguments)[0]).sum().backward()
    return [parameter.grad for parameter in model.parameters()]


@probe
def one_hot_labels(cases: list[tuple[Tensor, int]]) -> list[object]:
    from notebook import one_hot

    return [one_hot(labels, n) for labels, n in cases] + [one_hot(cases[0][0])]


def shapes_of_parameters(classes: int) -> list[tuple[int, ...]]:
    """Each shape that the model may have, as often as it may have it; without classes those of the VAE."""
    heads = [(LATENT, 16), (LATENT, 16), (LATENT,), (LATENT,), (2 * LATENT, 16), (2 * LATENT,)]
    joined = [(16, FEATURES + classes), (16,), (FEATURES, LATENT + classes), (FEATURES,)]
    convolutions = [(32, 1, 3, 3), (32, 1, 3, 3), (64, 32, 3, 3), (64, 32, 3, 3), (32,), (32,), (64,), (1,)]
    return [*heads, *joined, *convolutions]


def draw_weights(generator: torch.Generator, classes: int = 0) -> list[Tensor]:
    """Weights that keep the size of what goes through the layers, and biases, all of both signs."""
    drawn = []
    for shape in shapes_of_parameters(classes):
        uniform = 2 * torch.rand(shape, generator=generator) - 1
        drawn.append(uniform * (math.sqrt(6 / math.prod(shape[1:])) if len(shape) > 1 else 0.3))
    return drawn


def draw_positive_weights(generator: torch.Generator, classes: int = 0) -> list[Tensor]:
    """Positive weights, so small that everything between the layers lies between 0 and 2: no ReLU cuts anything off."""
    shapes = shapes_of_parameters(classes)
    return [torch.rand(shape, generator=generator) / math.prod(shape[1:]) for shape in shapes]


def draw_labels(generator: torch.Generator, batch: int, classes: int = CLASSES) -> Tensor:
    """One-hot labels in which every class occurs where the batch is large enough."""
    return torch.eye(classes)[torch.randperm(batch, generator=generator) % classes]


def layers_of(values: object) -> list[Layer]:
    """The layers among a model's parameters: each weight is followed by its bias."""
    assert isinstance(values, list)
    tensors = [assert_tensor(value, tuple(value.shape), what="a parameter") for value in values]
    layers = []
    for i, weight in enumerate(tensors):
        if weight.dim() > 1:
            bias = tensors[i + 1] if i + 1 < len(tensors) else weight
            assert bias.dim() == 1, "Each layer should have a bias."
            layers.append((weight, bias))
    assert 2 * len(layers) == len(tensors), "The model should have convolutions and linear layers only."
    return layers


def the_layer(layers: list[Layer], weight: tuple[int, ...], n_out: int, name: str) -> Layer:
    """The layer of this shape; a transposed convolution and a convolution differ in the length of their biases."""
    fitting = [layer for layer in layers if tuple(layer[0].shape) == weight and len(layer[1]) == n_out]
    assert len(fitting) == 1, f"There should be one {name} with weights {weight}, but there are {len(fitting)}."
    return fitting[0]


def the_heads(layers: list[Layer]) -> Layer:
    """Both heads as one layer (2 * latent, 16), in any order."""
    heads = [layer for layer in layers if tuple(layer[0].shape) in ((LATENT, 16), (2 * LATENT, 16))]
    assert sum(len(bias) for _, bias in heads) == 2 * LATENT, "The heads should give the mean and logvar, no more."
    return torch.cat([weight for weight, _ in heads]), torch.cat([bias for _, bias in heads])


def joined(values: Tensor, y: Tensor | None) -> list[Tensor]:
    """The values with the label on either side."""
    return [values] if y is None else [torch.cat([values, y], dim=1), torch.cat([y, values], dim=1)]


def reference_encode(layers: list[Layer], x: Tensor, y: Tensor | None) -> list[Tensor]:
    """Both heads' outputs (batch, 2 * latent), for each side on which the label may stand."""
    first = the_layer(layers, (32, 1, 3, 3), 32, "convolution")
    second = the_layer(layers, (64, 32, 3, 3), 64, "convolution")
    extra = 0 if y is None else y.shape[1]
    weight, bias = the_layer(layers, (16, FEATURES + extra), 16, "linear layer")
    head_weight, head_bias = the_heads(layers)
    maps = F.relu(F.conv2d(x.double(), *first, stride=2, padding=1))
    features = F.relu(F.conv2d(maps, *second, stride=2, padding=1)).flatten(start_dim=1)
    inputs = joined(features, None if y is None else y.double())
    return [(one @ weight.T + bias) @ head_weight.T + head_bias for one in inputs]


def reference_logits(layers: list[Layer], z: Tensor, y: Tensor | None) -> list[Tensor]:
    """What the output activation is applied to (batch, 1, 28, 28), for each side on which the label may stand."""
    extra = 0 if y is None else y.shape[1]
    weight, bias = the_layer(layers, (FEATURES, LATENT + extra), FEATURES, "linear layer")
    first = the_layer(layers, (64, 32, 3, 3), 32, "transposed convolution")
    second = the_layer(layers, (32, 1, 3, 3), 1, "transposed convolution")
    logits = []
    for inputs in joined(z.double(), None if y is None else y.double()):
        maps = F.relu(inputs @ weight.T + bias).view(-1, 64, 7, 7)
        maps = F.relu(F.conv_transpose2d(maps, *first, stride=2, padding=1, output_padding=1))
        logits.append(F.conv_transpose2d(maps, *second, stride=2, padding=1, output_padding=1))
    return logits


def assert_same_columns(actual: Tensor, expected: list[Tensor], what: str) -> None:
    """Each column is one column of the nearest of the expected matrices, and each of these is used once."""
    distances = [(actual[:, :, None] - one[:, None, :]).abs().amax(0) for one in expected]  # (columns, columns)
    best = min(range(len(expected)), key=lambda i: float(distances[i].amin(dim=1).sum()))
    nearest = distances[best].argmin(dim=1)
    assert_close(actual, expected[best][:, nearest], atol=1e-3, what=what)
    assert len(nearest.unique()) == len(nearest), f"{what}: two of them come from the same unit of a head."


def assert_increasing_function(pixels: Tensor, logits: list[Tensor]) -> None:
    """The pixels are an increasing function of the last layer's output, the same one for all pixels."""
    for one in logits:
        order = one.flatten().argsort()
        steps = torch.searchsorted(one.flatten()[order], torch.arange(-4, 4, 0.05, dtype=torch.float64))
        picked = order[steps.clamp(max=len(order) - 1).unique()]
        rises = pixels.flatten()[picked].diff() > 0
        # neighbours nearer than this may change places by rounding
        far = one.flatten()[picked].diff() > 1e-3
        if len(picked) > 100 and bool(rises[far].all()):
            return
    raise AssertionError(
        "the decoded batch does not follow from the layers of the table and an output activation that grows with them."
    )


def parts(result: object, names: str) -> tuple[object, ...]:
    """The values that a function returned together, as many as there are names."""
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == names.count(",") + 1, f"({names}) should come back; the number of values is {len(values)}."
    return values


def assert_heads(result: object, layers: list[Layer], x: Tensor, y: Tensor | None) -> None:
    """What encode returned follows from the layers."""
    mean_z, logvar_z = parts(result, "mean_z, logvar_z")
    means = assert_tensor(mean_z, (len(x), LATENT), what="mean_z")
    logvars = assert_tensor(logvar_z, (len(x), LATENT), what="logvar_z")
    assert_same_columns(torch.cat([means, logvars], dim=1), reference_encode(layers, x, y), "mean_z and logvar_z")


def assert_forward_is_encode_sample_decode(
    sizes: dict[str, int], weights: list[Tensor], training: bool, arguments: list[Tensor]
) -> None:
    """forward returns what encode returns, and the decoded result of sample_latent."""
    result, encoded, decoded = forward_with_known_sample(sizes, weights, training, arguments)
    reconstruction, mean_z, logvar_z = parts(result, "reconstruction, mean_z, logvar_z")
    batch = len(arguments[0])
    expected_mean, expected_logvar = parts(encoded, "mean_z, logvar_z")
    means = assert_tensor(expected_mean, (batch, LATENT), what="mean_z of encode")
    logvars = assert_tensor(expected_logvar, (batch, LATENT), what="logvar_z of encode")
    assert_close(mean_z, means, what="mean_z of forward")
    assert_close(logvar_z, logvars, what="logvar_z of forward")
    images = assert_tensor(decoded, (batch, 1, 28, 28), what="the decoded batch")
    assert_close(reconstruction, images, what="the reconstruction")


@task(
    "cvae-vae", hint="Two convolutions, a linear layer and two heads; a linear layer and two transposed convolutions."
)
def test_the_layers_are_those_of_the_table() -> None:
    layers = layers_of(parameters(VAE_SIZES))
    reference_encode(layers, torch.zeros(1, 1, 28, 28), None)
    reference_logits(layers, torch.zeros(1, LATENT), None)
    total = sum(weight.numel() + bias.numel() for weight, bias in layers)
    expected = 90_897 + 34 * LATENT + FEATURES * LATENT
    assert total == expected, f"With {LATENT} latent variables there should be {expected:,} parameters, not {total:,}."


@task("cvae-vae", hint="ReLU after both convolutions, but neither after the linear layer to 16 nor after the heads.")
def test_encode_follows_the_table(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    x = torch.rand(6, 1, 28, 28, generator=generator)
    values, result = call(VAE_SIZES, draw_weights(generator), "encode", [x])
    assert_heads(result, layers_of(values), x, None)


@task("cvae-vae", hint="ReLU after all layers but the last; the 3136 numbers are 64 channels of 7 x 7.")
def test_decode_follows_the_table_up_to_an_increasing_activation(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    z = torch.randn(6, LATENT, generator=generator)
    values, result = call(VAE_SIZES, draw_weights(generator), "decode", [z])
    pixels = assert_tensor(result, (6, 1, 28, 28), what="the decoded batch")
    assert_increasing_function(pixels, reference_logits(layers_of(values), z, None))


@task(
    "cvae-vae", hint="A pixel is a probability: which functions map every real number there, and reach black and white?"
)
def test_pixels_reach_from_0_to_1_and_no_further(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    z = 100 * torch.randn(6, LATENT, generator=generator)
    _, result = call(VAE_SIZES, draw_weights(generator), "decode", [z])
    pixels = assert_between_0_and_1(result, 6)
    assert_between(pixels.min().item(), 0.0, 0.05, what="the darkest pixel of very different images")
    assert_between(pixels.max().item(), 0.95, 1.0, what="the brightest pixel of very different images")


def assert_between_0_and_1(result: object, batch: int) -> Tensor:
    pixels = assert_tensor(result, (batch, 1, 28, 28), what="the decoded batch")
    assert_between(pixels, 0.0, 1.0, what="the decoded batch")
    return pixels


@task(
    "cvae-vae",
    hint="Both sizes are arguments: the number of latent variables, and the batch, which may be a single image.",
)
def test_forward_has_the_right_shapes_for_any_latent_size_and_batch(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    pairs = [(1, 3), (2, 1), (7, 2)]
    cases = [({"latent_size": size}, [torch.rand(n, 1, 28, 28, generator=generator)]) for size, n in pairs]
    for (size, batch), result in zip(pairs, forward_shapes(cases), strict=True):
        reconstruction, mean_z, logvar_z = parts(result, "reconstruction, mean_z, logvar_z")
        assert_between_0_and_1(reconstruction, batch)
        assert_tensor(mean_z, (batch, size), what="mean_z")
        assert_tensor(logvar_z, (batch, size), what="logvar_z")


@task(
    "cvae-vae", hint="forward encodes, samples with sample_latent, decodes the sample, and returns in the given order."
)
def test_forward_puts_encode_sample_latent_and_decode_together(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    x, weights = torch.rand(4, 1, 28, 28, generator=generator), draw_weights(generator)
    assert_forward_is_encode_sample_decode(VAE_SIZES, weights, training=True, arguments=[x])
    assert_forward_is_encode_sample_decode(VAE_SIZES, weights, training=False, arguments=[x])


@task("cvae-vae", hint="forward samples in evaluation mode, too, and nothing sets a seed in between.")
def test_forward_reconstructs_anew_at_each_call(fresh_seed: int) -> None:
    x = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(fresh_seed))
    for training in (True, False):
        first, second = reconstructions(VAE_SIZES, training, 2, [x])
        difference = assert_between_0_and_1(first, 4) - assert_between_0_and_1(second, 4)
        assert bool((difference != 0).any()), "Two calls of forward gave the very same reconstruction."


@task("cvae-vae", hint="The reconstruction depends on every layer, and nothing is detached on the way.")
def test_every_layer_learns_from_the_reconstruction(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    x, upstream = torch.rand(2, 4, 1, 28, 28, generator=generator)
    for grad in gradients(VAE_SIZES, draw_positive_weights(generator), upstream, [x]):
        assert_gradient_flows(grad, what="a layer's weights or bias")


@task("cvae-model", hint="Two layers are wider than those of the VAE by the length of a label.")
def test_the_conditional_layers_are_those_of_the_table() -> None:
    layers = layers_of(parameters(CVAE_SIZES))
    reference_encode(layers, torch.zeros(1, 1, 28, 28), torch.zeros(1, CLASSES))
    reference_logits(layers, torch.zeros(1, LATENT), torch.zeros(1, CLASSES))
    total = sum(weight.numel() + bias.numel() for weight, bias in layers)
    expected = 90_897 + 34 * LATENT + FEATURES * LATENT + (16 + FEATURES) * CLASSES
    assert total == expected, f"There should be {expected:,} parameters, but there are {total:,}."


@task("cvae-model", hint="The label joins the 3136 features of its image, before the linear layer to 16.")
def test_the_conditional_encode_follows_the_table(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    x, y = torch.rand(6, 1, 28, 28, generator=generator), draw_labels(generator, 6)
    values, result = call(CVAE_SIZES, draw_weights(generator, CLASSES), "encode", [x, y])
    assert_heads(result, layers_of(values), x, y)


@task("cvae-model", hint="The label joins the latent variables of its image, before the first layer of the decoder.")
def test_the_conditional_decode_follows_the_table(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    z, y = torch.randn(6, LATENT, generator=generator), draw_labels(generator, 6)
    values, result = call(CVAE_SIZES, draw_weights(generator, CLASSES), "decode", [z, y])
    pixels = assert_between_0_and_1(result, 6)
    assert_increasing_function(pixels, reference_logits(layers_of(values), z, y))


@task("cvae-model", hint="The same image must be able to mean something else under another label.")
def test_the_encoder_depends_on_the_label_of_each_image(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    x = torch.rand(1, 1, 28, 28, generator=generator).expand(CLASSES, -1, -1, -1).contiguous()
    _, result = call(CVAE_SIZES, draw_positive_weights(generator, CLASSES), "encode", [x, torch.eye(CLASSES)])
    for values, name in zip(parts(result, "mean_z, logvar_z"), ("mean_z", "logvar_z"), strict=True):
        rows = assert_tensor(values, (CLASSES, LATENT), what=name)
        assert len(rows.unique(dim=0)) == CLASSES, f"{name} of one image is the same under different labels."


@task("cvae-model", hint="The decoder is told the digit; the same z must give another image under another label.")
def test_the_decoder_depends_on_the_label_of_each_image(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    z = torch.rand(1, LATENT, generator=generator).expand(CLASSES, -1).contiguous()
    _, result = call(CVAE_SIZES, draw_positive_weights(generator, CLASSES), "decode", [z, torch.eye(CLASSES)])
    rows = assert_between_0_and_1(result, CLASSES).flatten(start_dim=1)
    assert len(rows.unique(dim=0)) == CLASSES, "One z gives the same image under different labels."


@task(
    "cvae-model",
    hint="All three sizes are arguments: latent variables, classes, and the batch, which may be one image.",
)
def test_the_conditional_forward_has_the_right_shapes_for_any_sizes(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    triples = [(2, 10, 3), (1, 4, 1), (6, 2, 2)]
    cases = [
        (
            {"latent_size": size, "num_classes": classes},
            [torch.rand(n, 1, 28, 28, generator=generator), draw_labels(generator, n, classes)],
        )
        for size, classes, n in triples
    ]
    for (size, _, batch), result in zip(triples, forward_shapes(cases), strict=True):
        reconstruction, mean_z, logvar_z = parts(result, "reconstruction, mean_z, logvar_z")
        assert_between_0_and_1(reconstruction, batch)
        assert_tensor(mean_z, (batch, size), what="mean_z")
        assert_tensor(logvar_z, (batch, size), what="logvar_z")


@task(
    "cvae-model",
    hint="The decoder gets the sample, not the mean and not the features, and the label of the same image.",
)
def test_the_conditional_forward_decodes_the_sample_with_the_same_labels(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    arguments = [torch.rand(4, 1, 28, 28, generator=generator), draw_labels(generator, 4)]
    weights = draw_weights(generator, CLASSES)
    assert_forward_is_encode_sample_decode(CVAE_SIZES, weights, training=True, arguments=arguments)
    assert_forward_is_encode_sample_decode(CVAE_SIZES, weights, training=False, arguments=arguments)


@task("cvae-model", hint="The reconstruction depends on every layer, and nothing is detached on the way.")
def test_every_conditional_layer_learns_from_the_reconstruction(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    x, upstream = torch.rand(2, CLASSES, 1, 28, 28, generator=generator)
    weights = draw_positive_weights(generator, CLASSES)
    for grad in gradients(CVAE_SIZES, weights, upstream, [x, draw_labels(generator, CLASSES)]):
        assert_gradient_flows(grad, what="a layer's weights or bias")


@task("cvae-model", hint="One row a label, one column a class, and numbers that a linear layer can multiply with.")
def test_one_hot_labels_are_rows_of_float32_zeros_and_a_one(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    # the last class does not occur, so that the number of classes does not follow from the labels
    cases = [(torch.randint(0, n - 1, (size,), generator=generator), n) for n, size in [(10, 6), (7, 1), (3, 9)]]
    *given, default = one_hot_labels(cases)
    for (labels, n), result in zip([*cases, cases[0]], [*given, default], strict=True):
        vectors = assert_tensor(result, (len(labels), n), dtype=torch.float32, what="the one-hot labels")
        assert_close(vectors, torch.eye(n)[labels], what="the one-hot labels")
