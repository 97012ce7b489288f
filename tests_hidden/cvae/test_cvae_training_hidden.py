"""Tasks "cvae-training" and "cvae-conditional-training", what decides: every update, and every average.

The models, the data and the losses are the tests' own: small functions in float64, so that the parameters after some
epochs are known to many digits. Here the same training runs a second time, as the task describes it. In training mode
the models double what they encode, as dropout would change it, so that the mode shows.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gapcheck import (
    assert_array,
    assert_close,
    assert_equal,
    assert_no_gradient,
    assert_number,
    assert_tensor,
    probe,
    task,
)

PIXELS, LATENT, CLASSES = 12, 2, 10

Batches = list[tuple[Tensor, Tensor]]  # images (batch, 1, 3, 4) in float64 and labels


@probe
def put_in_place(batches: list[tuple[Tensor, Tensor]], factors: list[float]) -> None:
    """The tests' data and losses take the place of the notebook's."""
    import notebook

    def reconstruction_loss(reconstruction: Tensor, x: Tensor) -> Tensor:
        return factors[0] * ((reconstruction - 2 * x) ** 2).flatten(start_dim=1).sum(dim=1).mean()

    def kl_loss(mean_z: Tensor, logvar_z: Tensor) -> Tensor:
        return (factors[1] * mean_z**2 + factors[2] * logvar_z**2 + logvar_z).sum(dim=1).mean(dim=0)

    def loss_function(
        reconstruction: Tensor, x: Tensor, mean_z: Tensor, logvar_z: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        parts = reconstruction_loss(reconstruction, x), kl_loss(mean_z, logvar_z)
        return parts[0] + parts[1], *parts

    notebook.train_loader = notebook.test_loader = batches
    notebook.reconstruction_loss, notebook.kl_loss = reconstruction_loss, kl_loss
    notebook.loss_function = loss_function
    notebook.one_hot = lambda labels, num_classes=10: torch.eye(num_classes)[labels]


@probe
def small_model(start: list[Tensor], seen: list[object]) -> object:
    """A linear encoder and a decoder of one number, which notes the labels and whether gradients are recorded."""

    class Model(nn.Module):
        latent_size, num_classes = 2, 10

        def __init__(self) -> None:
            super().__init__()
            self.heads, self.labels, self.scale, self.shift = (nn.Parameter(tensor.clone()) for tensor in start)

        def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
            seen.append((y, torch.is_grad_enabled()))
            heads = x.flatten(start_dim=1) @ self.heads
            if y is not None:
                heads = heads + y.to(heads.dtype) @ self.labels
            mean_z, logvar_z = (2 * heads if self.training else heads).chunk(2, dim=1)
            return torch.sigmoid(self.scale * x + self.shift), mean_z, logvar_z

    return Model()


@probe
def run_train(
    function: str, batches: list[tuple[Tensor, Tensor]], factors: list[float], start: list[Tensor], settings: dict
) -> tuple[object, list[Tensor], list[object]]:
    import notebook

    put_in_place(batches, factors)
    seen: list[object] = []
    model = small_model(start, seen).eval()
    history = getattr(notebook, function)(model, **settings)
    return history, list(model.parameters()), seen


@probe
def run_test(
    function: str, batches: list[tuple[Tensor, Tensor]], factors: list[float], start: list[Tensor]
) -> tuple[object, list[Tensor], list[Tensor | None], list[object]]:
    import notebook

    put_in_place(batches, factors)
    seen: list[object] = []
    model = small_model(start, seen).train()
    result = getattr(notebook, function)(model)
    return result, list(model.parameters()), [parameter.grad for parameter in model.parameters()], seen


def draw(fresh_seed: int) -> tuple[Batches, list[float], list[Tensor]]:
    """Three batches, the last one smaller, the factors of the losses, and parameters to start from."""
    generator = torch.Generator().manual_seed(fresh_seed)
    batches = [
        (
            torch.rand(n, 1, 3, 4, generator=generator, dtype=torch.float64),
            torch.randperm(CLASSES, generator=generator)[:n],  # no two are the same, so that none can be exchanged
        )
        for n in (5, 5, 2)
    ]
    factors = (torch.rand(3, generator=generator, dtype=torch.float64) + 0.5).tolist()
    shapes = [(PIXELS, 2 * LATENT), (CLASSES, 2 * LATENT), (1, 3, 4), (1, 3, 4)]
    return batches, factors, [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def losses_of(
    parameters: list[Tensor], x: Tensor, labels: Tensor | None, factors: list[float], doubled: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The three losses of a batch, as model and losses above make them."""
    heads = x.flatten(start_dim=1) @ parameters[0]
    if labels is not None:
        heads = heads + parameters[1][labels]
    heads = 2 * heads if doubled else heads
    mean_z, logvar_z = heads[:, :LATENT], heads[:, LATENT:]
    reconstruction = torch.sigmoid(parameters[2] * x + parameters[3])
    first = factors[0] * ((reconstruction - 2 * x) ** 2).sum() / len(x)
    second = (factors[1] * mean_z**2 + factors[2] * logvar_z**2 + logvar_z).sum() / len(x)
    return first + second, first, second


def reference_training(
    batches: Batches, factors: list[float], start: list[Tensor], conditional: bool, epochs: int, lr: float
) -> tuple[list[Tensor], np.ndarray]:
    """The parameters after Adam's steps, and the mean losses of an image in each epoch."""
    parameters = [nn.Parameter(tensor.clone()) for tensor in start]
    optimizer, history = torch.optim.Adam(parameters, lr=lr), []
    for _ in range(epochs):
        sums = np.zeros(3)
        for x, labels in batches:
            losses = losses_of(parameters, x, labels if conditional else None, factors, doubled=True)
            optimizer.zero_grad()
            losses[0].backward()
            optimizer.step()
            sums += len(x) * np.array([loss.item() for loss in losses])
        history.append(sums / sum(len(x) for x, _ in batches))
    return [parameter.detach() for parameter in parameters], np.array(history)


def assert_trained_as_described(fresh_seed: int, function: str, epochs: int, lr: float) -> None:
    """Parameters and history after the training are those of the reference."""
    batches, factors, start = draw(fresh_seed)
    history, parameters, _ = run_train(function, batches, factors, start, {"num_epochs": epochs, "lr": lr})
    expected, mean_losses = reference_training(batches, factors, start, function == "train_cvae", epochs, lr)
    for found, before, wanted in zip(parameters, start, expected, strict=True):
        after = assert_tensor(found, tuple(wanted.shape), what="a parameter after the training")
        assert not (torch.equal(after, before) and not torch.equal(wanted, before)), "A parameter was not trained."
        assert_close(after, wanted, what="a parameter after the training")
    assert_close(assert_array(history, (epochs, 3), what="the history"), mean_losses, what="the history")


def assert_tested_as_described(fresh_seed: int, function: str) -> None:
    """The three results are the mean losses of an image in evaluation mode."""
    batches, factors, start = draw(fresh_seed)
    result, *_ = run_test(function, batches, factors, start)
    values = tuple(result) if isinstance(result, tuple | list) else (result,)
    assert len(values) == 3, f"(total, reconstruction, kl) should come back; the number of values is {len(values)}."
    conditional = function == "test_cvae"
    sums = [
        [len(x) * loss.item() for loss in losses_of(start, x, labels if conditional else None, factors, doubled=False)]
        for x, labels in batches
    ]
    expected = np.array(sums).sum(axis=0) / sum(len(x) for x, _ in batches)
    names = ("the total", "the reconstruction term", "the KL term")
    for value, wanted, what in zip(values, expected, names, strict=True):
        assert_close(assert_number(value, what=what), float(wanted), what=what)


def assert_testing_changes_nothing(fresh_seed: int, function: str) -> None:
    batches, factors, start = draw(fresh_seed)
    _, parameters, grads, seen = run_test(function, batches, factors, start)
    assert_equal(parameters, start, what="the parameters after the test")
    for grad in grads:
        assert_no_gradient(grad, what="a parameter")
    assert seen, "The model was not called."
    assert not any(recorded for _, recorded in seen), "Gradients are recorded while the model is tested."


@task(
    "cvae-training", hint="Adam with the given learning rate; for each batch: old gradients away, backward, one step."
)
def test_a_single_epoch_takes_one_step_of_adam_for_each_batch(fresh_seed: int) -> None:
    assert_trained_as_described(fresh_seed, "train", epochs=1, lr=0.02)


@task("cvae-training", hint="The optimizer lives as long as the training; gradients of one batch end with its step.")
def test_several_epochs_go_on_with_the_same_optimizer(fresh_seed: int) -> None:
    assert_trained_as_described(fresh_seed, "train", epochs=4, lr=0.005)


@task("cvae-training", hint="Nothing is learned from the test images: no gradients, no step.")
def test_testing_leaves_the_model_alone_and_records_no_gradients(fresh_seed: int) -> None:
    assert_testing_changes_nothing(fresh_seed, "test")


@task("cvae-training", hint="In evaluation mode; each image counts the same, whatever the size of its batch.")
def test_testing_averages_all_three_losses_over_the_images(fresh_seed: int) -> None:
    assert_tested_as_described(fresh_seed, "test")


@task(
    "cvae-conditional-training", hint="As train, but the model sees the labels as well; Adam with the learning rate lr."
)
def test_the_conditional_training_takes_the_steps_of_adam(fresh_seed: int) -> None:
    assert_trained_as_described(fresh_seed, "train_cvae", epochs=3, lr=0.01)


@task(
    "cvae-conditional-training",
    hint="Each image goes in with its own label, as a one-hot vector of floating-point numbers.",
)
def test_the_conditional_model_sees_one_hot_labels_of_the_batch(fresh_seed: int) -> None:
    batches, factors, start = draw(fresh_seed)
    *_, seen_in_training = run_train("train_cvae", batches, factors, start, {"num_epochs": 1})
    *_, seen_in_test = run_test("test_cvae", batches, factors, start)
    for seen in (seen_in_training, seen_in_test):
        assert len(seen) == len(batches), "The model should be called once for each batch."
        for (y, _), (x, labels) in zip(seen, batches, strict=True):
            vectors = assert_tensor(y, (len(x), CLASSES), what="the label that the model sees")
            assert_close(vectors, torch.eye(CLASSES)[labels], what="the label that the model sees")


@task("cvae-conditional-training", hint="Nothing is learned from the test images: no gradients, no step.")
def test_the_conditional_testing_leaves_the_model_alone(fresh_seed: int) -> None:
    assert_testing_changes_nothing(fresh_seed, "test_cvae")


@task(
    "cvae-conditional-training", hint="In evaluation mode; each image counts the same, whatever the size of its batch."
)
def test_the_conditional_testing_averages_all_three_losses(fresh_seed: int) -> None:
    assert_tested_as_described(fresh_seed, "test_cvae")
