"""The first half of the notebook: the VAE, its loss, its training and its latent space."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gapcheck import (
    assert_array,
    assert_between,
    assert_close,
    assert_mean,
    assert_number,
    assert_std,
    assert_tensor,
    probe,
    run_alone,
    task,
)


@probe
def call(latent_size: int, method: str, argument: Tensor) -> object:
    from notebook import VAE

    return getattr(VAE(latent_size=latent_size), method)(argument)


@probe
def number_of_parameters(latent_size: int) -> int:
    from notebook import VAE

    return sum(parameter.numel() for parameter in VAE(latent_size=latent_size).parameters())


@probe
def sample(mean_z: Tensor, logvar_z: Tensor, training: bool, seed: int) -> Tensor:
    from notebook import VAE

    torch.manual_seed(seed)
    return VAE(latent_size=mean_z.shape[1]).train(training).sample_latent(mean_z, logvar_z)


@probe
def losses(reconstruction: Tensor, x: Tensor, mean_z: Tensor, logvar_z: Tensor) -> object:
    from notebook import loss_function

    return loss_function(reconstruction, x, mean_z, logvar_z)


@probe
def train_and_test(images: Tensor, seed: int) -> tuple[object, object, object, list[Tensor], list[Tensor]]:
    """Test, train for ten epochs on these images, test again, and the parameters before and after the last test."""
    import notebook

    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.heads, self.decoder = nn.Linear(784, 4), nn.Linear(2, 784)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            mean_z, logvar_z = self.heads(x.flatten(start_dim=1) / 10).chunk(2, dim=1)
            z = mean_z + torch.exp(logvar_z / 2) * torch.randn_like(mean_z)
            return torch.sigmoid(self.decoder(z)).view_as(x), mean_z, logvar_z

    torch.manual_seed(seed)
    batches = [(images[:16], torch.zeros(16, dtype=torch.long)), (images[16:], torch.zeros(4, dtype=torch.long))]
    notebook.train_loader = notebook.test_loader = batches
    model = Small()
    first = notebook.test(model)
    history = notebook.train(model, num_epochs=10, lr=0.02)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    return first, history, notebook.test(model), before, list(model.parameters())


@probe
def grid(grid_size: int, limit: float) -> object:
    """Of a decoder whose images hold z0 in all pixels of the left half and z1 in those of the right half."""
    import matplotlib.pyplot as plt
    from notebook import plot_latent

    class ShowsLatents(nn.Module):
        latent_size = 2

        def decode(self, z: Tensor) -> Tensor:
            return z.repeat_interleave(14, dim=1).view(-1, 1, 1, 28).expand(-1, -1, 28, -1)

    result = plot_latent(ShowsLatents(), grid_size=grid_size, limit=limit)
    plt.close("all")
    return result


@probe
def means_and_labels(images: Tensor, labels: Tensor) -> object:
    """Of an encoder that takes the first pixels of an image for its mean."""
    import matplotlib.pyplot as plt
    import notebook

    class FirstPixels(nn.Module):
        latent_size = 2

        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            flat = x.flatten(start_dim=1)
            return flat[:, :2], flat[:, 2:4]

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return x, *self.encode(x)

    notebook.test_loader = [(images[:3], labels[:3]), (images[3:], labels[3:])]
    result = notebook.scatterplot_latent(FirstPixels())
    plt.close("all")
    return result


def parts(result: object, names: str) -> tuple[object, ...]:
    """The values that a function returned together, as many as there are names."""
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == names.count(",") + 1, f"({names}) should come back; the number of values is {len(values)}."
    return values


@task("cvae-vae", hint="Compare your layers with the table: channels, kernels, biases.")
def test_the_vae_has_97237_parameters() -> None:
    found = number_of_parameters(latent_size=2)
    assert found == 97_237, f"The model should have 97,237 parameters, but it has {found:,}."


@task("cvae-vae", hint="Each head gives one number for each latent variable; an image has one channel.")
def test_forward_returns_the_reconstruction_and_both_heads(fresh_seed: int) -> None:
    images = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(fresh_seed))
    reconstruction, mean_z, logvar_z = parts(call(3, "forward", images), "reconstruction, mean_z, logvar_z")
    assert_tensor(reconstruction, (5, 1, 28, 28), what="the reconstruction")
    assert_tensor(mean_z, (5, 3), what="mean_z")
    assert_tensor(logvar_z, (5, 3), what="logvar_z")


@task("cvae-vae", hint="Each pixel is a probability.")
def test_decoded_pixels_lie_between_0_and_1(fresh_seed: int) -> None:
    z = 100 * torch.randn(4, 2, generator=torch.Generator().manual_seed(fresh_seed))
    images = assert_tensor(call(2, "decode", z), (4, 1, 28, 28), what="the decoded batch")
    assert_between(images, 0.0, 1.0, what="the decoded batch")


@task("cvae-vae", hint="How do you get the standard deviation sigma from log(sigma^2)? And is it drawn in every mode?")
def test_samples_have_the_mean_and_the_standard_deviation_in_both_modes(fresh_seed: int) -> None:
    for training in (True, False):
        z = sample(torch.full((2000, 2), -1.0), torch.full((2000, 2), 2.0), training, fresh_seed)
        assert_tensor(z, (2000, 2), what="z")
        assert_mean(z, -1.0, np.exp(1.0), what="z for a mean of -1 and a log variance of 2")
        assert_std(z, np.exp(1.0), mean=-1.0, what="z for a mean of -1 and a log variance of 2")


@task("cvae-loss", hint="Summed within an image, averaged over the images; the total comes first.")
def test_the_loss_of_grey_reconstructions_is_known(fresh_seed: int) -> None:
    x = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(fresh_seed))
    result = losses(torch.full((3, 1, 28, 28), 0.5), x, torch.full((3, 4), 2.0), torch.zeros(3, 4))
    total, reconstruction_term, kl_term = parts(result, "total, reconstruction, kl")
    # 784 pixels cost log 2 each, four means of 2 cost 2 each
    assert_close(assert_tensor(reconstruction_term, (), what="the reconstruction term"), 543.4274, what="the second")
    assert_close(assert_tensor(kl_term, (), what="the KL term"), 8.0, what="the third value")
    assert_close(assert_tensor(total, (), what="the total"), 551.4274, what="the first value")


@task("cvae-training", hint="Is the loss passed backward, and is a step taken, for each batch?")
def test_training_lowers_the_loss_and_testing_changes_nothing(fresh_seed: int) -> None:
    # dark images with a bright bar each, which an untrained model cannot know
    images = torch.zeros(20, 1, 28, 28)
    for i, image in enumerate(images):
        image[0].narrow(0, i, 4).fill_(1.0)
    first, history, last, before, after = train_and_test(images, fresh_seed)
    assert_array(history, (10, 3), what="the history")
    total_before, *_ = parts(first, "total, reconstruction, kl")
    total_after, *_ = parts(last, "total, reconstruction, kl")
    loss_before = assert_number(total_before, what="the loss before the training")
    loss_after = assert_number(total_after, what="the loss after the training")
    assert loss_after < loss_before, f"The loss went from {loss_before:.1f} to {loss_after:.1f}."
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one, other), "test should leave the parameters as they are."


@task("cvae-grid", hint="Rows are counted from the top of the picture, where z1 is largest.")
def test_the_corners_of_the_grid_are_where_they_belong() -> None:
    array = assert_array(grid(grid_size=4, limit=1.5), (4, 4, 28, 28), what="the grid")
    corners = {"upper left": (0, 0, -1.5, 1.5), "upper right": (0, 3, 1.5, 1.5), "lower left": (3, 0, -1.5, -1.5)}
    for name, (row, column, z0, z1) in corners.items():
        found = array[row, column, 0, [0, 27]]
        assert_close(found, np.array([z0, z1]), what=f"z of the {name} corner")


@task("cvae-scatter", hint="One row for each test image, in the loader's order.")
def test_means_and_labels_of_all_batches_are_joined(fresh_seed: int) -> None:
    images = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(fresh_seed))
    labels = torch.tensor([3, 1, 4, 1, 5])
    means, found = parts(means_and_labels(images, labels), "means, labels")
    assert_close(assert_array(means, (5, 2), what="the means"), images.flatten(1)[:, :2], what="the means")
    assert_close(assert_array(found, (5,), dtype=np.int64, what="the labels"), labels, what="the labels")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
