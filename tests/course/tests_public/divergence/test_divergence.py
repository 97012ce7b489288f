"""The divergence of one normal law from another."""

from torch import Tensor, full, zeros

from gapcheck import assert_close, assert_tensor, probe, run_alone, task


@probe
def divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    from notebook import kl_loss

    return kl_loss(mean, logvar)


@task("divergence", hint="A law does not diverge from itself.")
def test_the_standard_normal_law_has_no_divergence() -> None:
    assert_close(assert_tensor(divergence(zeros(3), zeros(3)), (), what="the divergence"), zeros(()))


@task("divergence", hint="What is the square of the mean worth?")
def test_the_divergence_grows_with_the_mean() -> None:
    far, near = (assert_tensor(divergence(full((3,), mean), zeros(3)), ()) for mean in (2.0, 1.0))
    assert far > near


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
