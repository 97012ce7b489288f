"""Public tests of the two updates: python -m tests.test_gan_training

They use small networks of their own, so they work before your generator and discriminator do.
"""

import contextlib
import math

import torch
from torch import Tensor, nn

from gapcheck import assert_close, assert_gradient_flows, assert_tensor, assert_unchanged, probe, run_alone, task


@probe
def discriminator_step(answer: float, real_images: Tensor, noise: Tensor) -> dict[str, object]:
    """Update a discriminator that answers every picture with the same probability, whatever the generator does."""
    from lib.train_gan import update_discriminator

    discriminator, generator = nn.Sequential(nn.Conv2d(3, 1, 8), nn.Sigmoid()), nn.ConvTranspose2d(5, 3, 8)
    nn.init.zeros_(discriminator[0].weight)
    nn.init.constant_(discriminator[0].bias, torch.logit(torch.tensor(answer)).item())
    optimizer = torch.optim.SGD(discriminator.parameters(), lr=0.1)
    before = [[p.detach().clone() for p in network.parameters()] for network in (discriminator, generator)]
    returned = update_discriminator(
        discriminator, generator, real_images, noise, torch.zeros(len(real_images)), optimizer
    )
    after = [[p.detach().clone() for p in network.parameters()] for network in (discriminator, generator)]
    generator.zero_grad()
    with contextlib.suppress(RuntimeError):  # without detach the update has used up the graph: no gradient then
        returned[4].square().sum().backward()
    return {"returned": returned, "before": before, "after": after, "g_gradient": generator.weight.grad}


@probe
def generator_step(answer: float, noise: Tensor) -> dict[str, object]:
    """Update a generator whose pictures get probabilities around `answer`."""
    from lib.train_gan import update_generator

    discriminator, generator = nn.Sequential(nn.Conv2d(3, 1, 8), nn.Sigmoid()), nn.ConvTranspose2d(5, 3, 8)
    nn.init.normal_(discriminator[0].weight, std=1e-6)
    nn.init.constant_(discriminator[0].bias, torch.logit(torch.tensor(answer)).item())
    optimizer = torch.optim.SGD(generator.parameters(), lr=1e4)
    before = [[p.detach().clone() for p in network.parameters()] for network in (discriminator, generator)]
    returned = update_generator(discriminator, generator, generator(noise), torch.zeros(len(noise)), optimizer)
    after = [[p.detach().clone() for p in network.parameters()] for network in (discriminator, generator)]
    return {"returned": returned, "before": before, "after": after}


def random_batch(seed: int) -> tuple[Tensor, Tensor]:
    """(4, 3, 8, 8) pictures and (4, 5, 1, 1) noise."""
    source = torch.Generator().manual_seed(seed)
    return torch.randn(4, 3, 8, 8, generator=source), torch.randn(4, 5, 1, 1, generator=source)


@task(
    "gan-training", hint="Real pictures have label 1 and give -log D(x), generated ones label 0 and -log(1 - D(G(z)))."
)
def test_losses_of_a_discriminator_that_always_gives_the_same_answer(fresh_seed: int) -> None:
    for answer in (0.5, 0.2):
        errD_real, D_x, errD_fake, D_G_z1, _ = discriminator_step(answer, *random_batch(fresh_seed))["returned"]
        assert_close(errD_real, -math.log(answer), what="errD_real")
        assert_close(D_x, answer, what="D_x")
        assert_close(errD_fake, -math.log(1 - answer), what="errD_fake")
        assert_close(D_G_z1, answer, what="D_G_z1")


@task("gan-training", hint="Each optimiser holds the parameters of one network; here only the discriminator learns.")
def test_discriminator_step_changes_the_discriminator_alone(fresh_seed: int) -> None:
    step = discriminator_step(0.3, *random_batch(fresh_seed))
    (d_before, g_before), (d_after, g_after) = step["before"], step["after"]
    assert not torch.equal(d_before[0], d_after[0]), "the discriminator's weights did not change: was a step taken?"
    assert_unchanged(g_before, g_after, "the generator's weights")


@task("gan-training", hint="The generator's update needs the graph of fake_images: what exactly has to be detached?")
def test_fake_images_carry_gradients_to_the_generator(fresh_seed: int) -> None:
    step = discriminator_step(0.3, *random_batch(fresh_seed))
    assert_tensor(step["returned"][4], (4, 3, 8, 8), what="fake_images")
    assert_gradient_flows(step["g_gradient"], "the generator, from fake_images,")


@task("gan-training", hint="The generator's loss is -log D(G(z)): which label does that ask for?")
def test_loss_of_the_generator(fresh_seed: int) -> None:
    for answer in (0.5, 0.2):
        errG, D_G_z2 = generator_step(answer, random_batch(fresh_seed)[1])["returned"]
        assert_close(errG, -math.log(answer), rtol=1e-3, what="errG")
        assert_close(D_G_z2, answer, rtol=1e-3, what="D_G_z2")


@task("gan-training", hint="The gradient passes through the discriminator, but only the generator's optimiser steps.")
def test_generator_step_changes_the_generator_alone(fresh_seed: int) -> None:
    step = generator_step(0.3, random_batch(fresh_seed)[1])
    (d_before, g_before), (d_after, g_after) = step["before"], step["after"]
    assert not torch.equal(g_before[0], g_after[0]), "the generator's weights did not change: does its loss reach them?"
    assert_unchanged(d_before, d_after, "the discriminator's weights")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
