"""Task "fashion-interpolation", what decides: which points are decoded, and which pictures are paired.

The models are the tests' own, with fresh weights; in training mode they add noise, as dropout does.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from gapcheck import (
    assert_close,
    assert_equal,
    assert_independent_calls,
    assert_standard_normal,
    assert_tensor,
    probe,
    task,
)

# ---------------------------------------------------------------- what runs inside


@probe
def generated(n_pictures: int, latent_size: int, n_calls: int) -> list[object]:
    """What comes back from a decoder that shows its latent variables, and whether gradients are recorded."""
    from lib.explore_fashion_vae import generate

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Parameter(torch.ones(1))

        def decode(self, z: Tensor) -> Tensor:
            pictures = (self.one * z).view(len(z), 1, 2, -1)
            return pictures * 0 if self.training else pictures

    results = [generate(Model().train(), n_pictures, latent_size) for _ in range(n_calls)]
    return [results, [getattr(result, "requires_grad", None) for result in results]]


@probe
def device_of_draws(device: str) -> list[str]:
    from lib.explore_fashion_vae import generate

    seen: list[str] = []

    class Model(nn.Module):
        def decode(self, z: Tensor) -> Tensor:
            seen.append(z.device.type)
            return z

    generate(Model(), 3, 2, device)
    return seen


@probe
def pairs_of(labels: Tensor, first_class: int, second_class: int, n_pairs: int) -> object:
    from lib.explore_fashion_vae import draw_pairs

    return draw_pairs(labels, first_class, second_class, n_pairs)


@probe
def ways(
    encoder: Tensor, decoder: Tensor, ends: list[tuple[Tensor, Tensor]], n_steps: int, device: str
) -> list[object]:
    """Interpolations of a model with a linear encoder and a decoder tanh(z @ decoder); on "meta" only their shapes."""
    from lib.explore_fashion_vae import interpolate

    shape = ends[0][0].shape[1:]

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.decoder = nn.Parameter(encoder), nn.Parameter(decoder)

        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            mean = x.flatten(1) @ self.encoder
            return mean + torch.randn_like(mean) if self.training else mean, torch.ones_like(mean)

        def sample_latent(self, mean: Tensor, logvar: Tensor) -> Tensor:
            return mean + torch.exp(logvar / 2) * torch.randn_like(mean)

        def decode(self, z: Tensor) -> Tensor:
            pictures = torch.tanh(z @ self.decoder)
            if self.training:
                pictures = pictures + torch.randn_like(pictures)
            return pictures.view(len(z), *shape)

    model = Model().to(device)
    results = [interpolate(model.train(), *(end.to(device) for end in pair), n_steps) for pair in ends]
    if device == "meta":
        return [list(result.shape) for result in results]
    return [results, [getattr(result, "requires_grad", None) for result in results]]


# ---------------------------------------------------------------- what stays outside


def draw_model(seed: int) -> tuple[Tensor, Tensor]:
    """Encoder (24, 5) and decoder (5, 24) of pictures (2, 3, 4), in float64."""
    source = torch.Generator().manual_seed(seed)
    shapes = ((24, 5), (5, 24))
    encoder, decoder = (torch.randn(shape, generator=source, dtype=torch.float64) / 3 for shape in shapes)
    return encoder, decoder


def draw_ends(seed: int, n: int) -> tuple[Tensor, Tensor]:
    first, second = torch.rand(2, n, 2, 3, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return first, second


def interpolated(seed: int, n_pairs: int, n_steps: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The pictures that came back, and decoder and means that they should have been made of."""
    encoder, decoder = draw_model(seed)
    first, second = draw_ends(seed, n_pairs)
    (result,), _ = ways(encoder, decoder, [(first, second)], n_steps, "cpu")
    pictures = assert_tensor(result, (n_pairs, n_steps, 2, 3, 4), what="the interpolation")
    return pictures, decoder, first.flatten(1) @ encoder, second.flatten(1) @ encoder


@task("fashion-interpolation", hint="The decoder learnt to read standard normal numbers, each picture its own.")
def test_generated_pictures_are_decoded_standard_normal_draws() -> None:
    (result,), _ = generated(512, 32, n_calls=1)
    z = assert_tensor(result, (512, 1, 2, 16), what="the generated pictures")
    assert_standard_normal(z.flatten(1), what="what is decoded")


@task("fashion-interpolation", hint="Each call makes new pictures: no seed is set, and nothing is kept.")
def test_each_call_generates_new_pictures() -> None:
    (first, second), _ = generated(64, 32, n_calls=2)
    one = assert_tensor(first, (64, 1, 2, 16), what="the generated pictures")
    other = assert_tensor(second, (64, 1, 2, 16), what="the generated pictures")
    assert_independent_calls(one.flatten(1), other.flatten(1))


@task("fashion-interpolation", hint="Nothing is trained here, so PyTorch need not remember how pictures came about.")
def test_no_gradients_are_recorded(fresh_seed: int) -> None:
    _, recorded = generated(3, 4, n_calls=1)
    assert_equal(recorded, [False], "whether generated pictures require gradients")
    _, recorded = ways(*draw_model(fresh_seed), [draw_ends(fresh_seed, 2)], 3, "cpu")
    assert_equal(recorded, [False], "whether interpolated pictures require gradients")


@task("fashion-interpolation", hint="What is made here must be on the device of the model: that of its arguments.")
def test_latent_variables_are_on_the_models_device(fresh_seed: int) -> None:
    # "meta" is a device that every machine has; its tensors have shapes and no values
    assert_equal(device_of_draws("meta"), ["meta"], "the device of the latent variables")
    shapes = ways(*draw_model(fresh_seed), [draw_ends(fresh_seed, 3)], 4, "meta")
    assert_equal(shapes, [[3, 4, 2, 3, 4]], "the shape of an interpolation on another device")


@task("fashion-interpolation", hint="Look up the class of both pictures of each pair in labels.")
def test_pairs_have_the_classes_that_are_asked_for(fresh_seed: int) -> None:
    labels = torch.randperm(60, generator=torch.Generator().manual_seed(fresh_seed)) % 5
    for first_class, second_class in ((0, 3), (4, 1), (2, 2)):
        result = pairs_of(labels, first_class, second_class, 200)
        pairs = assert_tensor(result, (200, 2), dtype=torch.int64, what="the pairs")
        assert_equal(bool(((pairs >= 0) & (pairs < 60)).all()), True, "whether all positions lie in labels")
        assert_equal(labels[pairs[:, 0]].unique().tolist(), [first_class], "the classes of the first pictures")
        assert_equal(labels[pairs[:, 1]].unique().tolist(), [second_class], "the classes of the second pictures")


@task("fashion-interpolation", hint="Within one class, what must not happen to the two positions of a pair?")
def test_no_picture_is_paired_with_itself(fresh_seed: int) -> None:
    # of two pictures there are two pairs: a careless draw fails with a probability of 1 - 2 ** -400
    labels = torch.randperm(9, generator=torch.Generator().manual_seed(fresh_seed)) // 2
    pairs = assert_tensor(pairs_of(labels, 1, 1, 400), (400, 2), dtype=torch.int64, what="the pairs")
    assert int((pairs[:, 0] == pairs[:, 1]).sum()) == 0, "some pictures are paired with themselves."


@task("fashion-interpolation", hint="Each pair is drawn on its own: every possible one comes up sooner or later.")
def test_every_pair_is_possible_whatever_the_others_are(fresh_seed: int) -> None:
    # the rarest of 12 pairs is missing in 600 draws with a probability of 12 * (11 / 12) ** 600 < 1e-21
    order = torch.randperm(12, generator=torch.Generator().manual_seed(fresh_seed))
    labels = torch.tensor([0] * 4 + [1] * 3 + [2] * 5)[order]
    members = {label: torch.nonzero(labels == label).flatten().tolist() for label in (0, 1)}
    for one, other in ((0, 1), (1, 0), (0, 0)):
        pairs = assert_tensor(pairs_of(labels, one, other, 600), (600, 2), dtype=torch.int64, what="the pairs")
        found = {tuple(pair) for pair in pairs.tolist()}
        wanted = {(i, j) for i, j in itertools.product(members[one], members[other]) if i != j}
        assert len(found & wanted) == len(wanted), f"only {len(found & wanted)} of {len(wanted)} pairs ever come up."


@task("fashion-interpolation", hint="The ends are decoded from the encoded means, whatever lies between them.")
def test_both_ends_are_the_decodings_of_the_encoded_means(fresh_seed: int) -> None:
    for n_steps in (2, 5):
        pictures, decoder, start, end = interpolated(fresh_seed, 3, n_steps)
        assert_close(pictures[:, 0].flatten(1), torch.tanh(start @ decoder), what="the first pictures")
        assert_close(pictures[:, -1].flatten(1), torch.tanh(end @ decoder), what="the last pictures")


@task("fashion-interpolation", hint="n points have n - 1 steps between them, all of the same length in latent space.")
def test_the_points_between_are_evenly_spaced_in_latent_space(fresh_seed: int) -> None:
    pictures, decoder, start, end = interpolated(fresh_seed, 3, 7)
    for k in range(7):
        z = start + k / 6 * (end - start)
        assert_close(pictures[:, k].flatten(1), torch.tanh(z @ decoder), what=f"picture {k} of each way")


@task("fashion-interpolation", hint="Nothing is random in evaluation mode, where the mean is encoded and not a sample.")
def test_the_same_pictures_give_the_same_way(fresh_seed: int) -> None:
    ends = draw_ends(fresh_seed, 2)
    (one, other, back, stay), _ = ways(
        *draw_model(fresh_seed), [ends, ends, (ends[1], ends[0]), (ends[0], ends[0])], 4, "cpu"
    )
    first = assert_tensor(one, (2, 4, 2, 3, 4), what="the interpolation")
    assert_close(other, first, what="the same interpolation once more")
    assert_close(back, first.flip(1), what="the way back")
    assert_close(stay, first[:, :1].expand(-1, 4, -1, -1, -1), what="the way from a picture to itself")
