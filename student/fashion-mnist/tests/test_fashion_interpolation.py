"""Task "fashion-interpolation": new pictures, pairs, and ways between two pictures. The models are the tests' own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gapcheck import assert_close, assert_tensor, probe, run_alone, task


@probe
def generated(n_pictures: int, latent_size: int) -> Tensor:
    from lib.explore_fashion_vae import generate

    class ShowsLatents(nn.Module):
        def decode(self, z: Tensor) -> Tensor:
            return z.view(len(z), 1, 1, -1)  # a picture of one row: the latent variables

    return generate(ShowsLatents(), n_pictures, latent_size)


@probe
def pairs_of(labels: Tensor, first_class: int, second_class: int, n_pairs: int) -> object:
    from lib.explore_fashion_vae import draw_pairs

    return draw_pairs(labels, first_class, second_class, n_pairs)


@probe
def way(first: Tensor, second: Tensor, n_steps: int) -> object:
    from lib.explore_fashion_vae import interpolate

    class Squares(nn.Module):
        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x.flatten(1).sqrt(), torch.zeros(len(x), 4)

        def decode(self, z: Tensor) -> Tensor:
            return z.square().view(-1, 1, 2, 2)

    return interpolate(Squares(), first, second, n_steps)


@task("fashion-interpolation", hint="One row of latent variables for each picture.")
def test_as_many_pictures_are_generated_as_are_asked_for() -> None:
    for n_pictures, latent_size in ((5, 3), (1, 8)):
        assert_tensor(generated(n_pictures, latent_size), (n_pictures, 1, 1, latent_size), what="generated pictures")


@task("fashion-interpolation", hint="Look up the class of both pictures of each pair in labels.")
def test_pairs_have_the_classes_that_are_asked_for(fresh_seed: int) -> None:
    labels = torch.randperm(30, generator=torch.Generator().manual_seed(fresh_seed)) % 3
    pairs = assert_tensor(pairs_of(labels, 2, 1, 40), (40, 2), dtype=torch.int64, what="the pairs")
    assert labels[pairs[:, 0]].unique().tolist() == [2], "the first picture of each pair should be of the first class."
    assert labels[pairs[:, 1]].unique().tolist() == [1], (
        "the second picture of each pair should be of the second class."
    )


@task("fashion-interpolation", hint="Both ends are encoded and decoded; the mean is what is encoded.")
def test_the_way_begins_and_ends_with_the_two_pictures(fresh_seed: int) -> None:
    first, second = torch.rand(2, 3, 1, 2, 2, generator=torch.Generator().manual_seed(fresh_seed))
    pictures = assert_tensor(way(first, second, 5), (3, 5, 1, 2, 2), what="the interpolation")
    assert_close(pictures[:, 0], first, what="the first pictures")  # this model reconstructs without any error
    assert_close(pictures[:, -1], second, what="the last pictures")


@task("fashion-interpolation", hint="The way is straight in latent space, and not between the pictures.")
def test_the_middle_of_three_is_decoded_from_the_middle_of_the_means(fresh_seed: int) -> None:
    first, second = torch.rand(2, 3, 1, 2, 2, generator=torch.Generator().manual_seed(fresh_seed))
    pictures = assert_tensor(way(first, second, 3), (3, 3, 1, 2, 2), what="the interpolation")
    assert_close(pictures[:, 1], ((first.sqrt() + second.sqrt()) / 2).square(), what="the pictures in the middle")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
