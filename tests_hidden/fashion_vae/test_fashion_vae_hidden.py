"""Task "fashion-model", what decides: shapes, ranges, what depends on what, and the law of the noise.

The networks are the students' own, so nothing is compared with a reference: the weights are filled with fresh random
numbers, and the outputs must have the properties that every design has.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

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
def encoded(seed: int, latent_size: int, batches: list[Tensor], gain: float) -> list[object]:
    from lib.model_fashion_vae import FashionVAE

    model = FashionVAE(latent_size).eval()
    fill(model, seed, gain)
    return [model.encode(batch) for batch in batches]


@probe
def decoded(seed: int, batches: list[Tensor]) -> list[object]:
    from lib.model_fashion_vae import FashionVAE

    model = FashionVAE(batches[0].shape[1]).eval()
    fill(model, seed, 1.0)
    return [model.decode(batch) for batch in batches]


@probe
def decoded_with_large_weights(seed: int, z: Tensor, n_draws: int) -> list[object]:
    from lib.model_fashion_vae import FashionVAE

    pictures = []
    for i in range(n_draws):
        model = FashionVAE(z.shape[1]).eval()
        fill(model, seed + i, 10.0)
        with torch.no_grad():
            pictures.append(model.decode(z))
    return pictures


@probe
def forward_and_its_parts(seed: int, x: Tensor, training: bool) -> list[object]:
    from lib.model_fashion_vae import FashionVAE

    model = FashionVAE(6).train(training)
    fill(model, seed, 1.0)
    torch.manual_seed(seed)
    whole = model(x)
    torch.manual_seed(seed)
    mean, logvar = model.encode(x)
    parts = [model.decode(model.sample_latent(mean, logvar)), mean, logvar]
    return [whole, parts, model.decode(mean), model(x)[0]]


@probe
def gradients(seed: int, x: Tensor, upstream: Tensor) -> list[Tensor | None]:
    from lib.model_fashion_vae import FashionVAE

    model = FashionVAE(4).eval()
    fill(model, seed, 1.0)
    (upstream * model(x)[0]).sum().backward()
    return [parameter.grad for parameter in model.parameters()]


@probe
def samples(mean: Tensor, logvar: Tensor, training: bool, n_calls: int) -> list[Tensor]:
    from lib.model_fashion_vae import FashionVAE

    model = FashionVAE(mean.shape[1]).train(training)
    return [model.sample_latent(mean, logvar) for _ in range(n_calls)] + [mean, logvar]


@probe
def sample_with_gradients(
    mean: Tensor, logvar: Tensor, upstream: Tensor, training: bool
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    from lib.model_fashion_vae import FashionVAE

    mean, logvar = mean.clone().requires_grad_(), logvar.clone().requires_grad_()
    z = FashionVAE(mean.shape[1]).train(training).sample_latent(mean, logvar)
    if z.requires_grad:
        (upstream * z).sum().backward()
    return z, mean.grad, logvar.grad


# ---------------------------------------------------------------- what stays outside


def some_pictures(seed: int, n: int) -> Tensor:
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


def parts(result: object, names: str) -> tuple[object, ...]:
    """The values that a method returned together, as many as there are names."""
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == names.count(",") + 1, f"({names}) should come back; the number of values is {len(values)}."
    return values


def heads(result: object, n: int, latent_size: int) -> tuple[Tensor, Tensor]:
    mean, logvar = parts(result, "mean, logvar")
    return assert_tensor(mean, (n, latent_size), what="mean"), assert_tensor(logvar, (n, latent_size), what="logvar")


def assert_differs(one: Tensor, other: Tensor, sentence: str) -> None:
    assert float((one - other).abs().max()) > 1e-4, sentence


@task("fashion-model", hint="All sizes follow from latent_size and from the batch that comes; none is fixed.")
def test_encode_gives_a_mean_and_a_logvar_for_all_sizes(fresh_seed: int) -> None:
    for latent_size, n in ((1, 3), (7, 1), (16, 4)):
        heads(encoded(fresh_seed, latent_size, [some_pictures(fresh_seed, n)], 1.0)[0], n, latent_size)


@task("fashion-model", hint="A batch of n rows of latent variables becomes n pictures, for every n.")
def test_decode_gives_a_picture_for_each_row_for_all_sizes(fresh_seed: int) -> None:
    source = torch.Generator().manual_seed(fresh_seed)
    for latent_size, n in ((1, 3), (7, 1), (16, 4)):
        z = torch.randn(n, latent_size, generator=source)
        assert_tensor(decoded(fresh_seed, [z])[0], (n, 1, 28, 28), what="the decoded pictures")


@task("fashion-model", hint="Which function maps every number into [0, 1], and how far does it reach?")
def test_decoded_pictures_use_the_range_from_0_to_1(fresh_seed: int) -> None:
    z = torch.randn(2, 5, generator=torch.Generator().manual_seed(fresh_seed))
    # weights of both signs make any design reach both ends, in one draw or another: activations before may be bounded
    draws = [
        assert_tensor(draw, (2, 1, 28, 28), what="the decoded pictures")
        for draw in decoded_with_large_weights(fresh_seed, z, 20)
    ]
    pictures = torch.stack(draws)
    assert_between(pictures, 0.0, 1.0, "the pixels")
    assert_between(pictures.min(), 0.0, 0.1, "the darkest pixel for very large weights")
    assert_between(pictures.max(), 0.9, 1.0, "the brightest pixel for very large weights")


@task("fashion-model", hint="A mean may be any real number, and so may the logarithm of a variance.")
def test_mean_and_logvar_have_no_limits(fresh_seed: int) -> None:
    results = [encoded(fresh_seed + i, 16, [some_pictures(fresh_seed, 4)], 3.0)[0] for i in range(4)]
    means, logvars = zip(*(heads(result, 4, 16) for result in results), strict=True)
    for what, values in (("mean", torch.cat(means)), ("logvar", torch.cat(logvars))):
        assert float(values.min()) < -1.5, f"{what} never falls below {float(values.min()):.3g}, whatever the weights."
        assert float(values.max()) > 1.5, f"{what} never rises above {float(values.max()):.3g}, whatever the weights."


@task("fashion-model", hint="mean and logvar are two different outputs of the encoder, both made of the picture.")
def test_mean_and_logvar_are_different_functions_of_the_picture(fresh_seed: int) -> None:
    x = some_pictures(fresh_seed, 2)
    mean, logvar = heads(encoded(fresh_seed, 6, [x], 1.0)[0], 2, 6)
    assert_differs(mean, logvar, "mean and logvar are the same numbers.")
    assert_differs(mean[0], mean[1], "mean is the same for two different pictures.")
    assert_differs(logvar[0], logvar[1], "logvar is the same for two different pictures.")


@task("fashion-model", hint="Each latent variable reaches the decoder: compare the sizes of its first layer.")
def test_the_picture_depends_on_every_latent_variable(fresh_seed: int) -> None:
    # below 0, where a ReLU in front would hide them
    z = -0.5 - torch.randn(1, 6, generator=torch.Generator().manual_seed(fresh_seed)).abs()
    moved = z - 3 * torch.eye(6)
    base, changed = decoded(fresh_seed, [z, moved])
    picture = assert_tensor(base, (1, 1, 28, 28), what="the decoded pictures")
    for k, other in enumerate(assert_tensor(changed, (6, 1, 28, 28), what="the decoded pictures")):
        assert_differs(other, picture[0], f"the picture does not change with latent variable {k}.")


@task("fashion-model", hint="In evaluation mode a picture does not depend on the others of its batch, nor on chance.")
def test_each_picture_is_treated_on_its_own_in_evaluation_mode(fresh_seed: int) -> None:
    x = some_pictures(fresh_seed, 4)
    together, alone = (heads(one, n, 5) for one, n in zip(encoded(fresh_seed, 5, [x, x[:1]], 1.0), (4, 1), strict=True))
    assert_close(alone[0], together[0][:1], what="the mean of a picture without the others of its batch")
    assert_close(alone[1], together[1][:1], what="logvar of a picture without the others of its batch")
    z = torch.randn(4, 5, generator=torch.Generator().manual_seed(fresh_seed))
    many, one = decoded(fresh_seed, [z, z[:1]])
    pictures = assert_tensor(many, (4, 1, 28, 28), what="the decoded pictures")
    assert_close(one, pictures[:1], what="a picture decoded without the others of its batch")


@task("fashion-model", hint="forward is encode, sample_latent and decode, one after the other.")
def test_forward_is_the_three_methods_one_after_the_other(fresh_seed: int) -> None:
    x = some_pictures(fresh_seed, 3)
    whole, single, *_ = forward_and_its_parts(fresh_seed, x, False)
    found = parts(whole, "reconstruction, mean, logvar")
    shapes = ((3, 1, 28, 28), (3, 6), (3, 6))
    for name, value, wanted, shape in zip(
        ("reconstruction", "mean", "logvar"), found, parts(single, "a, b, c"), shapes, strict=True
    ):
        expected = assert_tensor(wanted, shape, what=f"{name} by the single methods")
        assert_close(assert_tensor(value, shape, what=name), expected, what=f"{name} of forward")


@task("fashion-model", hint="The decoder sees a sample and not the mean, drawn anew at each call.")
def test_forward_decodes_a_new_sample_at_each_call(fresh_seed: int) -> None:
    for training in (True, False):
        whole, _, of_mean, again = forward_and_its_parts(fresh_seed, some_pictures(fresh_seed, 4), training)
        first = assert_tensor(parts(whole, "reconstruction, mean, logvar")[0], (4, 1, 28, 28), what="reconstruction")
        for other, what in ((of_mean, "what the mean decodes to"), (again, "that of the call before")):
            second = assert_tensor(other, (4, 1, 28, 28), what="reconstruction")
            assert_differs(first, second, f"the reconstruction is {what}.")


@task("fashion-model", hint="Every layer that is created has a part in the reconstruction.")
def test_every_weight_learns_from_the_reconstruction(fresh_seed: int) -> None:
    x, upstream = some_pictures(fresh_seed, 8), some_pictures(fresh_seed + 1, 8)
    found = gradients(fresh_seed, x, upstream)
    assert len(found) >= 6, "an encoder and a decoder need more weights than that."
    for gradient in found:
        assert_gradient_flows(gradient, what="a layer's weights or bias")


@task("fashion-model", hint="z = mean + sigma * epsilon: gradients reach both arguments, and sigma = exp(logvar / 2).")
def test_gradients_pass_through_the_sample_to_mean_and_logvar(fresh_seed: int) -> None:
    mean, logvar, upstream = torch.randn(3, 16, 5, generator=torch.Generator().manual_seed(fresh_seed))
    for training in (True, False):
        z, grad_mean, grad_logvar = sample_with_gradients(mean, logvar, upstream, training)
        assert_reparameterised(z, mean, logvar, grad_mean, grad_logvar, upstream=upstream)


@task("fashion-model", hint="epsilon is standard normal: each latent variable of each picture has its own.")
def test_the_noise_is_standard_normal_for_each_picture_and_latent_variable(fresh_seed: int) -> None:
    mean, logvar = torch.randn(2, 512, 32, generator=torch.Generator().manual_seed(fresh_seed))
    for training in (True, False):
        z, *_ = samples(mean, logvar, training, n_calls=1)
        assert_tensor(z, (512, 32), what="z")
        assert_standard_normal(standardised(z, mean, torch.exp(logvar.double() / 2)), what="the noise of z")


@task("fashion-model", hint="Each call draws new noise, and changes neither of its arguments.")
def test_each_call_draws_new_noise_and_leaves_its_arguments(fresh_seed: int) -> None:
    mean, logvar = torch.randn(2, 64, 32, generator=torch.Generator().manual_seed(fresh_seed))
    first, second, mean_after, logvar_after = samples(mean.clone(), logvar.clone(), True, n_calls=2)
    sigma = torch.exp(logvar.double() / 2)
    for z in (first, second):
        assert_tensor(z, (64, 32), what="z")
    assert_independent_calls(standardised(first, mean, sigma), standardised(second, mean, sigma))
    assert_equal(mean_after, mean, what="mean after the call")
    assert_equal(logvar_after, logvar, what="logvar after the call")
