"""Task "vae-model", what decides: the model's formulas on fresh weights and images, and the law of its noise.

Weights are drawn here and laid into the model by shape, so nothing depends on names, on the order of declaration, or on
whether the two heads are one layer or two. The expected outputs are computed here from the weights that come back.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gapcheck import (
    assert_between,
    assert_close,
    assert_equal,
    assert_gradient_flows,
    assert_independent_calls,
    assert_reparameterised,
    assert_standard_normal,
    assert_tensor,
    probe,
    standardised,
    task,
)

SIZES = {"in_channels": 2, "in_height": 5, "in_width": 3, "hidden_size": 7, "latent_size": 4}
IMAGE, PIXELS, HIDDEN, LATENT = (2, 5, 3), 30, 7, 4

Layer = tuple[Tensor, Tensor]  # weight (out, in) and bias (out,)


@probe
def call(sizes: dict[str, int], weights: list[Tensor], training: bool, method: str, argument: Tensor) -> object:
    from lib.model_vae import VAE

    model = VAE(**sizes).train(training)
    unused = list(weights)
    with torch.no_grad():
        for parameter in model.parameters():
            fitting = [i for i, weight in enumerate(unused) if weight.shape == parameter.shape]
            if fitting:
                parameter.copy_(unused.pop(fitting[0]))
    return list(model.parameters()), getattr(model, method)(argument)


@probe
def parameters(sizes: dict[str, int]) -> list[Tensor]:
    from lib.model_vae import VAE

    return list(VAE(**sizes).parameters())


@probe
def gradients(sizes: dict[str, int], x: Tensor, upstream: Tensor) -> list[Tensor | None]:
    from lib.model_vae import VAE

    model = VAE(**sizes).train()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()  # so that no hidden unit is cut off by its ReLU for all images
    (upstream * model(x)[0]).sum().backward()
    return [parameter.grad for parameter in model.parameters()]


@probe
def samples(mu: Tensor, logvar: Tensor, training: bool, n_calls: int) -> list[Tensor]:
    from lib.model_vae import VAE

    model = VAE(latent_size=mu.shape[1]).train(training)
    return [model.reparameterize(mu, logvar) for _ in range(n_calls)] + [mu, logvar]


@probe
def sample_with_gradients(mu: Tensor, logvar: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
    from lib.model_vae import VAE

    mu, logvar = mu.clone().requires_grad_(), logvar.clone().requires_grad_()
    z = VAE(latent_size=mu.shape[1]).train().reparameterize(mu, logvar)
    if z.requires_grad:
        (upstream * z).sum().backward()
    return z, mu.grad, logvar.grad


def draw_weights(generator: torch.Generator) -> list[Tensor]:
    """Enough tensors of each shape that the model may have, uniform between -1 and 1."""
    shapes: list[tuple[int, ...]] = [(HIDDEN, PIXELS), (HIDDEN, LATENT), (PIXELS, HIDDEN), (2 * LATENT, HIDDEN)]
    shapes += [(LATENT, HIDDEN), (LATENT, HIDDEN), (LATENT,), (LATENT,), (2 * LATENT,), (HIDDEN,), (HIDDEN,), (PIXELS,)]
    return [2 * torch.rand(shape, generator=generator) - 1 for shape in shapes]


def draw_weights_to_invert_decode(generator: torch.Generator) -> list[Tensor]:
    """Small weights and positive biases: the decoder's hidden units stay above 0 for abs(z) < 14, so no ReLU bends."""
    shift = {(HIDDEN,): 1.0, (LATENT,): 0.5, (2 * LATENT,): 0.5}
    scale = {(HIDDEN, LATENT): 1 / 60}
    return [
        scale.get(tuple(weight.shape), 0.1) * weight + shift.get(tuple(weight.shape), 0.0)
        for weight in draw_weights(generator)
    ]


def layers_of(values: object) -> list[Layer]:
    """The linear layers among a model's parameters: each weight is followed by its bias."""
    assert isinstance(values, list)
    tensors = [assert_tensor(value, tuple(value.shape), what="a parameter") for value in values]
    layers = []
    for i, weight in enumerate(tensors):
        if weight.dim() == 2:
            bias = tensors[i + 1] if i + 1 < len(tensors) else weight
            assert bias.shape == weight.shape[:1], "Each linear layer should have a bias."
            layers.append((weight, bias))
    assert 2 * len(layers) == len(tensors), "The model should have linear layers only."
    return layers


def the_layer(layers: list[Layer], n_out: int, n_in: int) -> Layer:
    fitting = [layer for layer in layers if tuple(layer[0].shape) == (n_out, n_in)]
    assert len(fitting) == 1, f"There should be one layer from {n_in} to {n_out} units, but there are {len(fitting)}."
    return fitting[0]


def the_heads(layers: list[Layer]) -> Layer:
    """Both heads as one layer (2 * latent, hidden), in any order."""
    heads = [layer for layer in layers if layer[0].shape[1] == HIDDEN and layer[0].shape[0] != PIXELS]
    assert sum(len(bias) for _, bias in heads) == 2 * LATENT, "The heads should give mu and logvar, and nothing else."
    return torch.cat([weight for weight, _ in heads]), torch.cat([bias for _, bias in heads])


def assert_same_columns(actual: Tensor, expected: Tensor, what: str) -> None:
    """Each column of `actual` is one column of `expected`, and each of these is used once."""
    distance = (actual[:, :, None] - expected[:, None, :]).abs().amax(0)  # (columns, columns)
    nearest = distance.argmin(dim=1)
    assert_close(actual, expected[:, nearest], atol=1e-4, what=what)
    assert len(nearest.unique()) == len(nearest), f"{what}: two of them come from the same unit of a head."


def reference_decode(layers: list[Layer], z: Tensor) -> Tensor:
    """sigmoid(W_o relu(W_h z + b_h) + b_o) as images; the bias of the layer is known by its weight."""
    hidden_weight, hidden_bias = the_layer(layers, HIDDEN, LATENT)
    output_weight, output_bias = the_layer(layers, PIXELS, HIDDEN)
    hidden = (z.double() @ hidden_weight.T + hidden_bias).clamp(min=0)
    return torch.sigmoid(hidden @ output_weight.T + output_bias).view(-1, *IMAGE)


def invert_decode(layers: list[Layer], images: Tensor) -> Tensor:
    """The z that was decoded, where no hidden unit is cut by its ReLU: decode is then linear before the sigmoid."""
    hidden_weight, hidden_bias = the_layer(layers, HIDDEN, LATENT)
    output_weight, output_bias = the_layer(layers, PIXELS, HIDDEN)
    # a wrong decoder may reach 0 or 1 itself, where the logit is infinite
    logits = torch.logit(images.flatten(start_dim=1), eps=1e-9) - (output_weight @ hidden_bias + output_bias)
    return torch.linalg.lstsq(output_weight @ hidden_weight, logits.T).solution.T


def parts(result: object, names: str) -> tuple[object, ...]:
    """The values that a function returned together, as many as there are names."""
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == names.count(",") + 1, f"({names}) should come back; the number of values is {len(values)}."
    return values


@task(
    "vae-model",
    hint="One hidden layer on each side and two heads, all sizes from the arguments, every layer with a bias.",
)
def test_the_layers_follow_the_sizes_that_are_asked_for() -> None:
    layers = layers_of(parameters(SIZES))
    the_layer(layers, HIDDEN, PIXELS)
    the_layer(layers, HIDDEN, LATENT)
    the_layer(layers, PIXELS, HIDDEN)
    the_heads(layers)
    total = sum(weight.numel() + bias.numel() for weight, bias in layers)
    expected = HIDDEN * (PIXELS + 1) + 2 * LATENT * (HIDDEN + 1) + HIDDEN * (LATENT + 1) + PIXELS * (HIDDEN + 1)
    assert total == expected, f"The model should have {expected} parameters, but it has {total}."


@task(
    "vae-model", hint="The hidden layer has a ReLU; mu and logvar may be any real numbers, each from a head of its own."
)
def test_encode_is_a_hidden_layer_with_relu_and_two_linear_heads(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    x = torch.rand(32, *IMAGE, generator=generator)
    values, result = call(SIZES, draw_weights(generator), True, "encode", x)
    mu, logvar = parts(result, "mu, logvar")
    means = assert_tensor(mu, (32, LATENT), what="mu")
    logvars = assert_tensor(logvar, (32, LATENT), what="logvar")
    layers = layers_of(values)
    weight, bias = the_layer(layers, HIDDEN, PIXELS)
    head_weight, head_bias = the_heads(layers)
    hidden = (x.double().flatten(start_dim=1) @ weight.T + bias).clamp(min=0)
    assert_same_columns(torch.cat([means, logvars], dim=1), hidden @ head_weight.T + head_bias, "mu and logvar")


@task(
    "vae-model",
    hint="The hidden layer has a ReLU, the output layer a sigmoid; the vector becomes channels, rows, columns.",
)
def test_decode_is_a_hidden_layer_with_relu_and_an_output_layer_with_sigmoid(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    z = torch.randn(32, LATENT, generator=generator)
    values, result = call(SIZES, draw_weights(generator), True, "decode", z)
    images = assert_tensor(result, (32, *IMAGE), what="the decoded batch")
    assert_close(images, reference_decode(layers_of(values), z), what="the decoded batch")


@task("vae-model", hint="In evaluation mode nothing is random: the decoder sees mu.")
def test_forward_reconstructs_from_mu_in_evaluation_mode(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    x, weights = torch.rand(8, *IMAGE, generator=generator), draw_weights(generator)
    _, encoded = call(SIZES, weights, False, "encode", x)
    values, result = call(SIZES, weights, False, "forward", x)
    x_reconstructed, mu, logvar = parts(result, "x_reconstructed, mu, logvar")
    images = assert_tensor(x_reconstructed, (8, *IMAGE), what="x_reconstructed")
    means = assert_tensor(mu, (8, LATENT), what="mu")
    encoded_mu, encoded_logvar = parts(encoded, "mu, logvar")
    assert_close(encoded_mu, means, what="mu of encode, compared with forward's,")
    assert_close(
        encoded_logvar,
        assert_tensor(logvar, (8, LATENT)),
        what="logvar of encode, compared with forward's,",
    )
    assert_close(images, reference_decode(layers_of(values), means), what="x_reconstructed")


@task("vae-model", hint="In training mode the decoder sees a sample of N(mu, sigma^2), drawn anew for each image.")
def test_forward_reconstructs_from_a_sample_in_training_mode(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    x, weights = torch.rand(1000, *IMAGE, generator=generator), draw_weights_to_invert_decode(generator)
    values, result = call(SIZES, weights, True, "forward", x)
    x_reconstructed, mu, logvar = parts(result, "x_reconstructed, mu, logvar")
    images = assert_tensor(x_reconstructed, (1000, *IMAGE), what="x_reconstructed")
    assert_between(images, 0.0, 1.0, what="x_reconstructed")
    means = assert_tensor(mu, (1000, LATENT), what="mu")
    logvars = assert_tensor(logvar, (1000, LATENT), what="logvar")
    z = invert_decode(layers_of(values), images)
    assert_standard_normal(standardised(z, means, torch.exp(logvars / 2)), what="the noise of what is decoded")


@task("vae-model", hint="z = mu + sigma * epsilon: gradients reach mu and logvar, and sigma = exp(logvar / 2).")
def test_gradients_pass_through_the_sample_to_mu_and_logvar(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    mu, logvar, upstream = torch.randn(3, 16, LATENT, generator=generator)
    z, grad_mu, grad_logvar = sample_with_gradients(mu, logvar, upstream)
    assert_reparameterised(z, mu, logvar, grad_mu, grad_logvar, upstream=upstream)


@task("vae-model", hint="The reconstruction depends on every layer of the encoder and of the decoder.")
def test_every_layer_learns_from_the_reconstruction(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    x, upstream = torch.rand(2, 64, *IMAGE, generator=generator)
    for grad in gradients(SIZES, x, upstream):
        assert_gradient_flows(grad, what="a layer's weights or bias")


@task(
    "vae-model", hint="epsilon is standard normal: every image and every latent variable has its own, with variance 1."
)
def test_the_noise_is_standard_normal_for_each_image_and_latent_variable(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    mu, logvar = torch.randn(2, 512, 32, generator=generator)
    z, *_ = samples(mu, logvar, training=True, n_calls=1)
    assert_tensor(z, (512, 32), what="z")
    assert_standard_normal(standardised(z, mu, torch.exp(logvar.double() / 2)), what="the noise of z")


@task("vae-model", hint="Each call draws new noise, and leaves the random generator's seed alone.")
def test_each_call_draws_new_noise(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    mu, logvar = torch.randn(2, 64, 32, generator=generator)
    first, second, *_ = samples(mu, logvar, training=True, n_calls=2)
    sigma = torch.exp(logvar.double() / 2)
    assert_tensor(first, (64, 32), what="z")
    assert_tensor(second, (64, 32), what="z")
    assert_independent_calls(standardised(first, mu, sigma), standardised(second, mu, sigma))


@task("vae-model", hint="In evaluation mode z is mu itself, whatever the variance.")
def test_evaluation_mode_returns_the_mean_for_any_variance(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    mu, logvar = torch.randn(2, 16, LATENT, generator=generator)
    z, *_ = samples(mu, logvar + 3, training=False, n_calls=1)
    assert_close(z, mu, what="z in evaluation mode")


@task("vae-model", hint="Methods that end with an underscore change the tensor itself, and the caller's with it.")
def test_reparameterize_leaves_its_arguments_as_they_are(fresh_seed: int) -> None:
    generator = torch.Generator().manual_seed(fresh_seed)
    mu, logvar = torch.randn(2, 16, LATENT, generator=generator)
    _, mu_after, logvar_after = samples(mu.clone(), logvar.clone(), training=True, n_calls=1)
    assert_equal(mu_after, mu, what="mu after the call")
    assert_equal(logvar_after, logvar, what="logvar after the call")
