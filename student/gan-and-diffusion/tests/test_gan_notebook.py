"""Public tests of the GAN notebook's functions: python -m tests.test_gan_notebook"""

import torch
from torch import Tensor

from gapcheck import assert_close, assert_tensor, probe, run_alone, task


@probe
def walk(start: Tensor, end: Tensor, weights: Tensor) -> object:
    from notebooks.gan import interpolate

    return interpolate(start, end, weights)


@probe
def neighbours(pictures: Tensor, others: Tensor) -> object:
    from notebooks.gan import nearest

    return nearest(pictures, others)


@task("gan-notebook", hint="At weight 0 the second sine is 0, and at weight 1 the first one is.")
def test_a_walk_begins_at_the_start_and_ends_at_the_end(fresh_seed: int) -> None:
    start, end = torch.randn(2, 10, generator=torch.Generator().manual_seed(fresh_seed))
    found = assert_tensor(walk(start, end, torch.tensor([0.0, 1.0])), (2, 10), what="the walk")
    assert_close(found, torch.stack([start, end]), atol=1e-3, what="the walk")


@task("gan-notebook", hint="The distance of a picture to itself is 0.")
def test_the_nearest_picture_to_a_copy_is_its_original(fresh_seed: int) -> None:
    others = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(fresh_seed))
    chosen = torch.tensor([4, 0, 5])
    found = assert_tensor(neighbours(others[chosen], others), (3,), dtype=torch.int64, what="the indices")
    assert found.tolist() == chosen.tolist(), (
        f"copies of the pictures {chosen.tolist()} were found at {found.tolist()}."
    )


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
