"""Task "cgan-training": losses, updates and samples. The networks are the tests' own."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gapcheck import assert_close, assert_tensor, assert_unchanged, probe, run_alone, task


@probe
def losses(real_logits: Tensor, fake_logits: Tensor) -> list[object]:
    from lib.train_conditional_gan import discriminator_loss, generator_loss

    return [discriminator_loss(real_logits, fake_logits), generator_loss(fake_logits)]


@probe
def update(of: str, real_images: Tensor, labels: Tensor, noise: Tensor) -> dict[str, object]:
    """One update of the "discriminator" or of the "generator", and the weights of both before and after it."""
    from lib.train_conditional_gan import update_discriminator, update_generator

    class Discriminator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.classes = nn.Linear(6, 1), nn.Embedding(3, 6)

        def forward(self, x: Tensor, labels: Tensor) -> Tensor:
            return self.layer(torch.tanh(x.flatten(1) + self.classes(labels))).squeeze(1)

    class Generator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.classes = nn.Linear(4, 6), nn.Embedding(3, 6)

        def forward(self, z: Tensor, labels: Tensor) -> Tensor:
            return torch.tanh(self.layer(z) + self.classes(labels)).view(-1, 1, 2, 3)

    networks = {"discriminator": Discriminator(), "generator": Generator()}
    d, g = networks.values()
    before = {name: [p.detach().clone() for p in network.parameters()] for name, network in networks.items()}
    optimizer = torch.optim.SGD(networks[of].parameters(), lr=0.5)
    if of == "discriminator":
        update_discriminator(d, g, real_images, labels, noise, optimizer)
    else:
        update_generator(d, g, labels, noise, optimizer)
    return {"before": before, "after": {name: list(network.parameters()) for name, network in networks.items()}}


@probe
def samples(label: int, noise: Tensor) -> object:
    from lib.train_conditional_gan import sample_class

    class ShowsClass(nn.Module):
        def forward(self, z: Tensor, labels: Tensor) -> Tensor:
            return (labels.view(-1, 1) / 2 - 1).expand(-1, 4).reshape(-1, 1, 2, 2)  # 0 is black, 4 is white

    return sample_class(ShowsClass(), label, noise)


def random_batch(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures (5, 1, 2, 3), classes (5,), noise (5, 4)."""
    source = torch.Generator().manual_seed(seed)
    return torch.randn(5, 1, 2, 3, generator=source), torch.arange(5) % 3, torch.randn(5, 4, generator=source)


@task("cgan-training", hint="Real pictures have the label 1, generated ones the label 0; the losses take logits.")
def test_losses_of_logits_that_are_all_the_same() -> None:
    for real_logit, fake_logit in ((0.0, 0.0), (1.5, -0.5)):
        of_d, of_g = losses(torch.full((4,), real_logit), torch.full((3,), fake_logit))
        real, fake = (1 / (1 + math.exp(-logit)) for logit in (real_logit, fake_logit))
        assert_close(assert_tensor(of_d, (), what="the loss"), -math.log(real) - math.log(1 - fake), what="D's loss")
        assert_close(assert_tensor(of_g, (), what="the loss"), -math.log(fake), what="G's loss")


@task("cgan-training", hint="Each update takes one step of one optimiser, and that one holds one network's weights.")
def test_each_update_changes_its_own_network_alone(fresh_seed: int) -> None:
    for of, other in (("discriminator", "generator"), ("generator", "discriminator")):
        report = update(of, *random_batch(fresh_seed))
        before, after = report["before"], report["after"]
        assert_unchanged(before[other], after[other], f"the {other}'s weights in the {of}'s update")
        changed = any(not torch.equal(one, two) for one, two in zip(before[of], after[of], strict=True))
        assert changed, f"the {of}'s weights did not change: was a step taken?"


@task("cgan-training", hint="The generator is asked for one class, and [-1, 1] becomes [0, 1].")
def test_samples_are_of_the_class_and_between_0_and_1(fresh_seed: int) -> None:
    noise = random_batch(fresh_seed)[2]
    for label in (0, 1, 4):
        pictures = assert_tensor(samples(label, noise), (5, 1, 2, 2), what="the samples")
        assert_close(pictures, torch.full((5, 1, 2, 2), label / 4), what=f"the samples of class {label}")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
