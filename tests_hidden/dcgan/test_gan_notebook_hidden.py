"""The two functions of the GAN notebook, computed anew in float64."""

import torch
from torch import Tensor

from gapcheck import assert_close, assert_tensor, assert_unchanged, probe, task


@probe
def walks(starts: list[Tensor], ends: list[Tensor], weights: Tensor) -> tuple[list[object], list[Tensor]]:
    from notebooks.gan import interpolate

    return [interpolate(start, end, weights) for start, end in zip(starts, ends, strict=True)], [*starts, *ends]


@probe
def neighbours(pictures: Tensor, others: Tensor) -> object:
    from notebooks.gan import nearest

    return nearest(pictures, others)


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@task("gan-notebook", hint="The angle is that between both vectors, whatever their lengths; one row for each weight.")
def test_walk_has_the_values_of_its_formula(fresh_seed: int) -> None:
    starts, ends = [drawn(fresh_seed, 6), 3 * drawn(fresh_seed + 1, 64)], [drawn(fresh_seed + 2, 6), drawn(9, 64)]
    weights = torch.rand(5, generator=torch.Generator().manual_seed(fresh_seed))
    found, after = walks(starts, ends, weights)
    assert_unchanged([*starts, *ends], after, "the two vectors")
    for start, end, result in zip(starts, ends, found, strict=True):
        a, b, w = start.double(), end.double(), weights.double()[:, None]
        angle = torch.arccos(a @ b / (a.norm() * b.norm()))
        expected = torch.sin((1 - w) * angle) / angle.sin() * a + torch.sin(w * angle) / angle.sin() * b
        walk = assert_tensor(result, (5, len(start)), what="the walk")
        # near 0 and pi the sine of the angle is small, and float32 loses digits
        allowed = 1e-4 * float((a.norm() + b.norm()) / angle.sin() ** 2)
        assert_close(walk, expected, atol=allowed, what="the walk")


@task("gan-notebook", hint="Between vectors of one length all vectors have that length: no straight line has.")
def test_walk_between_vectors_of_one_length_keeps_the_length() -> None:
    # at right angles, so that nothing is lost by rounding
    start, end = torch.zeros(8), torch.zeros(8)
    start[1], end[6] = 2.5, 2.5
    (result,), _ = walks([start], [end], torch.linspace(0, 1, 7))
    walk = assert_tensor(result, (7, 8), what="the walk")
    assert_close(walk.norm(dim=1), torch.full((7,), 2.5), what="the lengths on the walk")


@task("gan-notebook", hint="The sum of squared differences over all pixels of a picture, the smallest in each row.")
def test_nearest_picture_has_the_smallest_sum_of_squares(fresh_seed: int) -> None:
    pictures, others = drawn(fresh_seed, 20, 2, 3, 3), drawn(fresh_seed + 1, 30, 2, 3, 3)
    found = assert_tensor(neighbours(pictures, others), (20,), dtype=torch.int64, what="the indices")
    distances = (pictures.double()[:, None] - others.double()).square().flatten(2).sum(dim=2)
    assert bool(((found >= 0) & (found < 30)).all()), "an index is none of a picture."
    chosen = distances[torch.arange(20), found]
    assert_close(chosen, distances.min(dim=1).values, atol=1e-3, what="the distances to the chosen pictures")


@task("gan-notebook", hint="One wrong pixel that is far off weighs more than many that are a little off: squares.")
def test_nearest_picture_is_chosen_by_squares() -> None:
    others = torch.zeros(2, 1, 3, 3)
    others[0] += 0.5  # nine times 0.25
    others[1, 0, 0, 0] = 2.0  # once 4
    found = assert_tensor(neighbours(torch.zeros(1, 1, 3, 3), others), (1,), dtype=torch.int64, what="the index")
    assert found.tolist() == [0], "the picture with the larger sum of squares was chosen."
