"""The second half of the notebook: the conditional VAE, its training and its latent space."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gapcheck import assert_array, assert_between, assert_close, assert_number, assert_tensor, probe, run_alone, task


@probe
def one_hot_labels(labels: Tensor, num_classes: int) -> Tensor:
    from notebook import one_hot

    return one_hot(labels, num_classes)


@probe
def number_of_parameters() -> int:
    from notebook import ConditionalVAE

    return sum(parameter.numel() for parameter in ConditionalVAE(latent_size=2, num_classes=10).parameters())


@probe
def call(method: str, arguments: list[Tensor]) -> object:
    from notebook import ConditionalVAE

    return getattr(ConditionalVAE(latent_size=2, num_classes=4), method)(*arguments)


@probe
def train_and_test(images: Tensor, labels: Tensor, seed: int) -> tuple[object, object, object]:
    """Test, train for ten epochs on these images, test again."""
    import notebook

    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.heads, self.decoder = nn.Linear(794, 4), nn.Linear(12, 784)

        def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            mean_z, logvar_z = self.heads(torch.cat([x.flatten(start_dim=1) / 10, y], dim=1)).chunk(2, dim=1)
            z = mean_z + torch.exp(logvar_z / 2) * torch.randn_like(mean_z)
            return torch.sigmoid(self.decoder(torch.cat([z, y], dim=1))).view_as(x), mean_z, logvar_z

    torch.manual_seed(seed)
    notebook.train_loader = notebook.test_loader = [(images[:16], labels[:16]), (images[16:], labels[16:])]
    model = Small()
    return notebook.test_cvae(model), notebook.train_cvae(model, num_epochs=10, lr=0.02), notebook.test_cvae(model)


@probe
def grid(label: int, limit: float) -> object:
    """Of a decoder whose images hold z0, z1 and the label's ten numbers in their first pixels."""
    import matplotlib.pyplot as plt
    from notebook import plot_latent_cvae

    class ShowsInputs(nn.Module):
        latent_size, num_classes = 2, 10

        def decode(self, z: Tensor, y: Tensor) -> Tensor:
            return torch.cat([z, y, torch.zeros(len(z), 772)], dim=1).view(-1, 1, 28, 28)

    result = plot_latent_cvae(ShowsInputs(), label, grid_size=3, limit=limit)
    plt.close("all")
    return result


@probe
def means_and_labels(images: Tensor, labels: Tensor) -> object:
    """Of an encoder whose mean is the first pixel and the number of the class."""
    import matplotlib.pyplot as plt
    import notebook

    class FirstPixelAndClass(nn.Module):
        latent_size, num_classes = 2, 10

        def encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            mean_z = torch.stack([x[:, 0, 0, 0], y.argmax(dim=1).float()], dim=1)
            return mean_z, torch.zeros(len(x), 2)

        def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return x, *self.encode(x, y)

    notebook.test_loader = [(images[:3], labels[:3]), (images[3:], labels[3:])]
    result = notebook.scatterplot_latent_cvae(FirstPixelAndClass())
    plt.close("all")
    return result


def parts(result: object, names: str) -> tuple[object, ...]:
    """The values that a function returned together, as many as there are names."""
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == names.count(",") + 1, f"({names}) should come back; the number of values is {len(values)}."
    return values


@task("cvae-model", hint="A row for each label, with a single 1 in it, as float32.")
def test_labels_become_one_hot_vectors() -> None:
    vectors = assert_tensor(
        one_hot_labels(torch.tensor([2, 0]), 3), (2, 3), dtype=torch.float32, what="the one-hot labels"
    )
    assert_close(vectors, torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), what="the one-hot labels")


@task("cvae-model", hint="Two layers have ten inputs more than those of the VAE.")
def test_the_conditional_vae_has_128757_parameters() -> None:
    found = number_of_parameters()
    assert found == 128_757, f"The model should have 128,757 parameters, but it has {found:,}."


@task("cvae-model", hint="Images and labels of a batch stay side by side, row by row.")
def test_the_conditional_forward_returns_the_reconstruction_and_both_heads(fresh_seed: int) -> None:
    images = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(fresh_seed))
    result = call("forward", [images, torch.eye(4)[[0, 1, 2, 3, 1]]])
    reconstruction, mean_z, logvar_z = parts(result, "reconstruction, mean_z, logvar_z")
    assert_tensor(reconstruction, (5, 1, 28, 28), what="the reconstruction")
    assert_between(reconstruction, 0.0, 1.0, what="the reconstruction")
    assert_tensor(mean_z, (5, 2), what="mean_z")
    assert_tensor(logvar_z, (5, 2), what="logvar_z")


@task("cvae-model", hint="What does the decoder do with the label?")
def test_another_label_gives_another_image() -> None:
    images = assert_tensor(call("decode", [torch.zeros(4, 2), torch.eye(4)]), (4, 1, 28, 28), what="the decoded batch")
    assert len(images.flatten(start_dim=1).unique(dim=0)) == 4, "One z gives the same image under different labels."


@task("cvae-conditional-training", hint="Is the loss passed backward, and is a step taken, for each batch?")
def test_the_conditional_training_lowers_the_loss(fresh_seed: int) -> None:
    # dark images with a bright bar each, whose place the label tells
    labels = torch.arange(20) % 10
    images = torch.zeros(20, 1, 28, 28)
    for image, label in zip(images, labels.tolist(), strict=True):
        image[0].narrow(0, 2 * label, 4).fill_(1.0)
    first, history, last = train_and_test(images, labels, fresh_seed)
    assert_array(history, (10, 3), what="the history")
    total_before, *_ = parts(first, "total, reconstruction, kl")
    total_after, *_ = parts(last, "total, reconstruction, kl")
    before, after = assert_number(total_before, what="the loss"), assert_number(total_after, what="the loss")
    assert after < before, f"The training should lower the loss, but it went from {before:.1f} to {after:.1f}."


@task("cvae-conditional-grid", hint="Rows are counted from the top, where z1 is largest; all points have one label.")
def test_the_conditional_grid_has_its_corners_and_its_label() -> None:
    array = assert_array(grid(label=7, limit=1.5), (3, 3, 28, 28), what="the grid").reshape(3, 3, 784)
    assert_close(array[0, 0, :2], np.array([-1.5, 1.5]), what="z of the upper left corner")
    assert_close(array[2, 0, :2], np.array([-1.5, -1.5]), what="z of the lower left corner")
    assert_close(array[1, 2, 2:12], np.eye(10)[7], what="the label of a point at the right edge")


@task("cvae-conditional-scatter", hint="Each image is encoded with its own label, in the loader's order.")
def test_means_of_images_with_their_labels_are_joined(fresh_seed: int) -> None:
    images = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(fresh_seed))
    labels = torch.tensor([3, 1, 4, 1, 5])
    means, found = parts(means_and_labels(images, labels), "means, labels")
    expected = torch.stack([images[:, 0, 0, 0], labels.float()], dim=1)
    assert_close(assert_array(means, (5, 2), what="the means"), expected, what="the means")
    assert_close(assert_array(found, (5,), dtype=np.int64, what="the labels"), labels, what="the labels")


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
