"""Public tests of the DCGAN: python -m tests.test_dcgan

They show the way; the hidden tests look at every layer, every gradient and every weight.
"""

import math

import torch
from torch import Tensor, nn

from gapcheck import assert_between, assert_close, assert_std, assert_tensor, assert_unchanged, probe, run_alone, task


@probe
def pictures(noise: Tensor, width: int, channels: int) -> tuple[object, list[Tensor]]:
    """What a new generator makes of the noise, and its parameters."""
    from lib.gan.models import Generator

    generator = Generator(noise.shape[1], width, channels)
    return generator(noise), list(generator.parameters())


@probe
def logits(images: Tensor, width: int) -> tuple[object, list[Tensor]]:
    """What a new discriminator says, and its parameters."""
    from lib.gan.models import Discriminator

    discriminator = Discriminator(width, images.shape[1])
    return discriminator(images), list(discriminator.parameters())


@probe
def initialised_weight() -> Tensor:
    from lib.gan.models import initialise

    network = nn.Sequential(nn.Linear(50, 80))
    initialise(network)
    return network[0].weight


@probe
def loss_of(name: str, batches: list[Tensor]) -> object:
    from lib.gan import losses

    return getattr(losses, name)(*batches)


@probe
def penalty_of_a_plane(slope: Tensor, images: Tensor) -> object:
    """R_1 of a discriminator whose gradient is the same everywhere."""
    from lib.gan.losses import r1_penalty

    class Plane(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1) @ slope

    return r1_penalty(Plane(), images)


@probe
def both_steps(images: Tensor, noise: Tensor) -> list[list[Tensor]]:
    """The weights of both networks before, after the discriminator's step, and after the generator's."""
    from lib.gan.train import discriminator_step, generator_step

    d = nn.Sequential(nn.Flatten(), nn.Linear(images[0].numel(), 1), nn.Flatten(0))
    g = nn.Sequential(nn.Linear(noise.shape[1], images[0].numel()), nn.Unflatten(1, images.shape[1:]))
    of_d, of_g = torch.optim.SGD(d.parameters(), lr=0.1), torch.optim.SGD(g.parameters(), lr=0.1)
    states = [[parameter.detach().clone() for parameter in (*d.parameters(), *g.parameters())]]
    discriminator_step(d, g, images, noise, of_d)
    states.append([parameter.detach().clone() for parameter in (*d.parameters(), *g.parameters())])
    generator_step(d, g, noise, of_g)
    return [*states, [parameter.detach().clone() for parameter in (*d.parameters(), *g.parameters())]]


def number_of_parameters(parameters: list[Tensor]) -> int:
    return sum(parameter.numel() for parameter in parameters)


def random_tensor(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@task("gan-models", hint="Follow the shapes through the table: 7x7, 14x14, 28x28.")
def test_generator_turns_noise_into_pictures(fresh_seed: int) -> None:
    for n, channels in ((2, 1), (3, 3)):
        output, _ = pictures(100 * random_tensor(fresh_seed, n, 10), 2, channels)
        found = assert_tensor(output, (n, channels, 28, 28), what="the generator's output")
        assert_between(found, -1.0, 1.0, "the pixels")


@task("gan-models", hint="Too many parameters: a bias too much? Too few: a batch norm too few? The table says where.")
def test_generator_has_533889_parameters_at_its_default_size(fresh_seed: int) -> None:
    number = number_of_parameters(pictures(random_tensor(fresh_seed, 2, 64), 32, 1)[1])
    assert number == 533_889, f"the generator should have 533,889 parameters, but it has {number:,}."


@task("gan-models", hint="The linear layer gives (N, 1); what is wanted has one axis.")
def test_discriminator_gives_one_logit_for_each_picture(fresh_seed: int) -> None:
    for n, channels in ((2, 3), (3, 1)):
        output, _ = logits(random_tensor(fresh_seed, n, channels, 28, 28), 2)
        assert_tensor(output, (n,), what="the discriminator's output")


@task("gan-models", hint="Too many parameters: a bias or a batch norm too much? The table says which layers have one.")
def test_discriminator_has_36577_parameters_at_its_default_size(fresh_seed: int) -> None:
    number = number_of_parameters(logits(random_tensor(fresh_seed, 2, 1, 28, 28), 32)[1])
    assert number == 36_577, f"the discriminator should have 36,577 parameters, but it has {number:,}."


@task("gan-models", hint="0.02 is the standard deviation, not the variance.")
def test_initial_weights_have_standard_deviation_0_02() -> None:
    assert_std(assert_tensor(initialised_weight(), (80, 50), what="the weight"), 0.02, mean=0.0, what="the weight")


@task("gan-losses", hint="A logit of 0 means D = 1/2, and -log(1/2) = log 2.")
def test_losses_of_a_discriminator_that_cannot_tell() -> None:
    zeros = [torch.zeros(3), torch.zeros(5)]
    assert_close(loss_of("discriminator_loss", zeros), 2 * math.log(2), what="discriminator_loss")
    assert_close(loss_of("generator_loss", zeros[:1]), math.log(2), what="generator_loss")
    assert_close(loss_of("saturating_generator_loss", zeros[:1]), -math.log(2), what="saturating_generator_loss")
    assert_close(loss_of("ls_discriminator_loss", zeros), 0.5, what="ls_discriminator_loss")
    assert_close(loss_of("ls_generator_loss", zeros[:1]), 0.5, what="ls_generator_loss")


@task(
    "gan-losses", hint="Real pictures with large logits and generated ones with small logits: nothing is left to learn."
)
def test_loss_of_a_discriminator_that_is_right_and_certain_is_zero() -> None:
    real, fake = torch.full((3,), 200.0), torch.full((4,), -200.0)
    assert_close(loss_of("discriminator_loss", [real, fake]), 0.0, what="discriminator_loss")
    assert_close(loss_of("generator_loss", [fake]), 200.0, what="generator_loss")


@task("gan-losses", hint="Half of the squared length of the gradient, averaged over the batch.")
def test_penalty_of_a_plane_is_half_its_squared_slope(fresh_seed: int) -> None:
    slope = random_tensor(fresh_seed, 8)
    found = penalty_of_a_plane(slope, random_tensor(fresh_seed + 1, 3, 2, 2, 2))
    assert_close(found, float(slope.double().square().sum()) / 2, what="the penalty")


@task("gan-steps", hint="Each optimizer holds the parameters of one network; each step changes that network alone.")
def test_each_step_changes_its_own_network_alone(fresh_seed: int) -> None:
    before, between, after = both_steps(random_tensor(fresh_seed, 4, 1, 3, 3), random_tensor(fresh_seed + 1, 4, 5))
    assert not torch.equal(before[0], between[0]), "the discriminator's weights did not change in its step."
    assert_unchanged(before[2:], between[2:], "the generator's weights, in the discriminator's step,")
    assert not torch.equal(between[2], after[2]), "the generator's weights did not change in its step."
    assert_unchanged(between[:2], after[:2], "the discriminator's weights, in the generator's step,")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
