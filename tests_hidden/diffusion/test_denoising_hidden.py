"""The loss, the training and the way back, seen by models that record how they are called."""

from __future__ import annotations

import itertools
from argparse import Namespace

import torch
from torch import Tensor, nn

from gapcheck import (
    assert_between,
    assert_bins,
    assert_close,
    assert_independent_calls,
    assert_number,
    assert_standard_normal,
    assert_std,
    assert_tensor,
    assert_unchanged,
    assert_uncorrelated,
    probe,
    task,
)

# With a steep schedule an index that is off by one shows in a single call.
STEEP = torch.tensor([0.97, 0.8, 0.5, 0.2, 0.03])
STEPS = len(STEEP)


@probe
def losses(x_0: Tensor, baralphas: Tensor, weight: Tensor, slope: Tensor) -> list[tuple[Tensor, list[list[Tensor]]]]:
    """Two losses of the model weight * x + slope * t, each with the (x_t, t) of the model's calls."""
    from lib.train_diffusion import noise_prediction_loss

    class Recorder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls: list[list[Tensor]] = []

        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            self.calls.append([x.detach().clone(), torch.as_tensor(t).clone()])
            return x @ weight + t * slope

    results = []
    for _ in range(2):
        model = Recorder()
        results.append((noise_prediction_loss(model, x_0, baralphas), model.calls))
    return results


@probe
def training(
    data: Tensor, baralphas: Tensor, weight: Tensor, slope: Tensor, lr: float
) -> tuple[float, list[list[Tensor]], list[Tensor]]:
    """The last loss, each call's (x_t, t, weight, slope), and the weight and the slope in the end; batches of 4."""
    from lib.train_diffusion import train

    class Recorder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.slope = nn.Parameter(weight), nn.Parameter(slope)
            self.calls: list[list[Tensor]] = []

        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            now = (x, torch.as_tensor(t), self.weight, self.slope)
            self.calls.append([value.detach().clone() for value in now])
            return x @ self.weight + t * self.slope

    model = Recorder()
    args = Namespace(epochs=2, batch_size=4, device="cpu", diffusion_steps=len(baralphas), verbose=False)
    last_loss = train(data, args, model, torch.optim.SGD(model.parameters(), lr=lr), baralphas)
    return last_loss, model.calls, [model.weight, model.slope]


@probe
def learned_tables(data: Tensor, baralphas: Tensor, epochs: int, seed: int) -> tuple[Tensor, Tensor]:
    """The scale (T, 1) and the shift (T, F) of a model that predicts scale[t] * x + shift[t], after training."""
    from lib.train_diffusion import train

    class Tables(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.zeros(len(baralphas), 1))
            self.shift = nn.Parameter(torch.zeros(len(baralphas), data.shape[1]))

        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            step = t[:, 0].long()
            return self.scale[step] * x + self.shift[step]

    torch.manual_seed(seed)
    model = Tables()
    args = Namespace(epochs=epochs, batch_size=len(data), device="cpu", diffusion_steps=len(baralphas), verbose=False)
    train(data, args, model, torch.optim.Adam(model.parameters(), lr=0.1), baralphas)
    return model.scale, model.shift


@probe
def network_before_and_after(data: Tensor, baralphas: Tensor, seed: int) -> list[dict[str, Tensor]]:
    from lib.model_diffusion import SimpleDiffusion
    from lib.train_diffusion import train

    torch.manual_seed(seed)
    model = SimpleDiffusion(data.shape[1], nblocks=1, nunits=8)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    args = Namespace(epochs=1, batch_size=6, device="cpu", diffusion_steps=len(baralphas), verbose=False)
    train(data, args, model, torch.optim.Adam(model.parameters()), baralphas)
    return [before, dict(model.state_dict())]


@probe
def denoised(
    x_t: Tensor, steps: list[int], schedule: tuple[Tensor, Tensor, Tensor], weight: Tensor, slope: Tensor
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """x_{t-1} for each of the steps, the steps that the model was told, and the arguments afterwards."""
    from lib.train_diffusion import denoise

    told = []

    class Recorder(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            told.append(torch.as_tensor(t).clone())
            return x @ weight + t * slope

    results = [denoise(Recorder(), x_t, t, schedule) for t in steps]
    return results, told, [x_t, *schedule]


@probe
def sampled(
    n_samples: int, schedule: tuple[Tensor, Tensor, Tensor], weight: Tensor, slope: Tensor
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """The states, and the points and steps that the model was called with."""
    from lib.train_diffusion import sample

    seen, told = [], []

    class Recorder(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            seen.append(x.clone())
            told.append(torch.as_tensor(t).clone())
            return x @ weight + t * slope

    return sample(Recorder(), n_samples, len(slope), schedule), seen, told


def drawn(seed: int, *shape: int) -> Tensor:
    """Normal numbers of this seed, not centred at zero."""
    return 1 + 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def linear_model(seed: int, n_features: int) -> tuple[Tensor, Tensor]:
    """The weight (F, F) and the slope (F,) of the prediction x @ weight + t * slope."""
    numbers = drawn(seed, n_features + 1, n_features) / 4
    return numbers[:-1], numbers[-1]


def exact_schedule() -> tuple[Tensor, Tensor, Tensor]:
    """baralphas, alphas, betas in float64."""
    baralphas = STEEP.double()
    alphas = baralphas / torch.cat([torch.ones(1), baralphas[:-1]])
    return baralphas, alphas, 1 - alphas


def steep_schedule() -> tuple[Tensor, Tensor, Tensor]:
    """baralphas, alphas, betas in float32, as the student's code gets them."""
    baralphas, alphas, betas = exact_schedule()
    return baralphas.float(), alphas.float(), betas.float()


def steps_told(t: object, n: int) -> Tensor:
    """The step that the model was told for each of n points, as (n, 1) Long."""
    assert isinstance(t, Tensor), "the model should be told the steps as a tensor of shape (N, 1)."
    assert tuple(t.shape) in {(n, 1), (1, 1), ()}, f"the model's t should have shape ({n}, 1), not {tuple(t.shape)}."
    return t.expand(n, 1).long()


def noise_in(x_t: Tensor, x_0: Tensor, t: Tensor) -> Tensor:
    """eps, from x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps, in float64."""
    alpha_bar = STEEP.double()[t]
    return (x_t.double() - alpha_bar.sqrt() * x_0) / (1 - alpha_bar).sqrt()


def mean_back(x_t: Tensor, t: int, weight: Tensor, slope: Tensor) -> Tensor:
    """The mean of x_{t-1} for the linear model, in float64 (Ho et al. 2020, eq. 11)."""
    baralphas, alphas, betas = exact_schedule()
    predicted = x_t.double() @ weight.double() + t * slope.double()
    return (x_t.double() - betas[t] / (1 - baralphas[t]).sqrt() * predicted) / alphas[t].sqrt()


def one_call(calls: object, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """(x_t, t) of the model's only call."""
    assert isinstance(calls, list), "the model was not called."
    assert len(calls) == 1, f"the model should be called once for a batch, but it was called {len(calls)} times."
    return assert_tensor(calls[0][0], shape, what="the model's x_t"), steps_told(calls[0][1], shape[0])


@task("diffusion", hint="The target is the noise that is in x_t; the loss is the mean over all points and coordinates.")
def test_loss_compares_the_prediction_with_the_noise_in_x_t(fresh_seed: int) -> None:
    x_0, (weight, slope) = drawn(fresh_seed, 7, 3), linear_model(fresh_seed + 1, 3)
    for loss, calls in losses(x_0, STEEP, weight, slope):
        x_t, t = one_call(calls, (7, 3))
        prediction = x_t @ weight.double() + t * slope.double()
        expected = (prediction - noise_in(x_t, x_0, t)).square().mean()
        assert_close(assert_tensor(loss, (), what="the loss"), expected, rtol=1e-3, what="the loss")


@task("diffusion", hint="Each point of a batch gets its own step, and all steps from 0 to T - 1 are equally likely.")
def test_steps_are_drawn_for_each_point_from_all_steps(fresh_seed: int) -> None:
    x_0, (weight, slope) = drawn(fresh_seed, 2000, 2), linear_model(fresh_seed + 1, 2)
    drawn_steps = [one_call(calls, (2000, 2))[1] for _, calls in losses(x_0, STEEP, weight, slope)]
    for t in drawn_steps:
        assert_between(t, 0, STEPS - 1, what="the steps")
        assert_bins(t[:, 0].double(), [0.5, 1.5, 2.5, 3.5], [0.2] * STEPS, what="the steps")
    assert not torch.equal(*drawn_steps), "two calls drew the very same steps."


@task("diffusion", hint="The noise in x_t is standard normal and new for each batch, for every step.")
def test_noise_in_training_is_standard_normal_and_new(fresh_seed: int) -> None:
    x_0, (weight, slope) = drawn(fresh_seed, 2000, 2), linear_model(fresh_seed + 1, 2)
    noise = []
    for _, calls in losses(x_0, STEEP, weight, slope):
        x_t, t = one_call(calls, (2000, 2))
        noise.append(noise_in(x_t, x_0, t))
        assert_standard_normal(noise[-1], what="the noise in x_t")
    assert_independent_calls(*noise, what="the noise in x_t")


def trained(fresh_seed: int) -> tuple[object, list[tuple[Tensor, ...]], list[Tensor], float, Tensor]:
    """One training on 12 copies of one point: last loss, calls, final parameters, learning rate, the point."""
    point, (weight, slope), lr = drawn(fresh_seed, 3), linear_model(fresh_seed + 1, 3), 0.05
    last_loss, calls, final = training(point.expand(12, 3).clone(), STEEP, weight, slope, lr)
    assert len(calls) == 6, f"2 epochs of 3 batches are 6 calls of the model, but it was called {len(calls)} times."
    checked = []
    for x_t, t, *parameters in calls:
        checked.append((assert_tensor(x_t, (4, 3), what="the model's x_t"), steps_told(t, 4), *parameters))
    return last_loss, checked, final, lr, point


def loss_of(x_t: Tensor, t: Tensor, weight: Tensor, slope: Tensor, point: Tensor) -> Tensor:
    """The loss of one recorded call, in float64."""
    return (x_t @ weight + t * slope - noise_in(x_t, point, t)).square().mean()


@task("diffusion", hint="Only the gradient of the present batch may move the parameters, and in every batch it must.")
def test_every_update_follows_the_gradient_of_its_batch(fresh_seed: int) -> None:
    _, calls, final, lr, point = trained(fresh_seed)
    following = [list(parameters) for _, _, *parameters in calls[1:]] + [final]
    for (x_t, t, *parameters), after in zip(calls, following, strict=True):
        weight, slope = (parameter.double().requires_grad_() for parameter in parameters)
        loss_of(x_t, t, weight, slope, point).backward()
        for parameter, new in zip((weight, slope), after, strict=True):
            step = parameter.grad
            assert step is not None
            assert_close(new, parameter.detach() - lr * step, rtol=1e-3, atol=1e-4, what="a parameter after its update")


@task("diffusion", hint="The loss of the last batch is returned as a number.")
def test_training_returns_the_loss_of_the_last_batch(fresh_seed: int) -> None:
    last_loss, calls, _, _, point = trained(fresh_seed)
    x_t, t, weight, slope = calls[-1]
    assert type(last_loss) is float, "train should return a plain number."
    expected = float(loss_of(x_t, t, weight.double(), slope.double(), point))
    assert_close(assert_number(last_loss), expected, rtol=1e-3, what="the last loss")


@task("diffusion", hint="Training on copies of one point must make the predictions good at every step.")
def test_a_short_training_learns_every_step(fresh_seed: int) -> None:
    point, baralphas = torch.tensor([1.5, -0.5]), STEEP[1:]
    alpha_bar = baralphas.double().reshape(-1, 1)
    # one training fails with a probability of at most 1e-3 (none of 3,000 did), so three do in at most 1 of 10^9 runs
    for attempt in range(3):
        scale, shift = learned_tables(point.expand(64, 2).clone(), baralphas, 60, fresh_seed + attempt)
        scale, shift = assert_tensor(scale, (4, 1), what="scale"), assert_tensor(shift, (4, 2), what="shift")
        # the expected loss at each step, 1 before training: E || bias + spread * eps ||^2
        bias = scale * alpha_bar.sqrt() * point + shift
        spread = scale * (1 - alpha_bar).sqrt() - 1
        loss = (bias.square() + spread.square()).mean(dim=1)
        if bool((loss < 0.5).all()):
            return
    raise AssertionError(f"after three trainings the loss at each step is {[round(float(v), 3) for v in loss]}.")


@task("diffusion", hint="All parameters of the network take part in the prediction, so each of them must change.")
def test_training_moves_every_parameter_of_the_network(fresh_seed: int) -> None:
    before, after = network_before_and_after(drawn(fresh_seed, 12, 3), STEEP, fresh_seed)
    for name, value in before.items():
        moved = assert_tensor(after[name], tuple(value.shape), what=name)
        assert not torch.equal(moved, value.double()), f"training left the parameter {name} as it was."


@task("diffusion", hint="The result of the last step, t = 0, is the mean itself.")
def test_last_step_returns_the_mean(fresh_seed: int) -> None:
    x_t, (weight, slope) = drawn(fresh_seed, 6, 3), linear_model(fresh_seed + 1, 3)
    results, _, _ = denoised(x_t, [0, 0], steep_schedule(), weight, slope)
    for result in results:
        assert_tensor(result, (6, 3), what="the result of the last step")
        assert_close(result, mean_back(x_t, 0, weight, slope), what="the result of the last step")


@task(
    "diffusion",
    hint="Compare the mean with its formula: which of beta, alpha and alpha_bar stands where, and at which t?",
)
def test_mean_of_a_step_back_follows_its_formula(fresh_seed: int) -> None:
    # for points this far out the noise is too small to matter: a check of the mean without statistics
    far, noise_bound = 1e6, 12.0
    x_t, (weight, slope) = far * drawn(fresh_seed, 6, 3).double(), linear_model(fresh_seed + 1, 3)
    slope = far * slope  # so that a wrong step shows as well
    steps = list(range(STEPS))
    results, told, _ = denoised(x_t, steps, exact_schedule(), weight.double(), slope.double())
    assert len(told) == STEPS, f"{STEPS} steps are {STEPS} calls of the model, but it was called {len(told)} times."
    for t, result, step in zip(steps, results, told, strict=True):
        assert bool((steps_told(step, 6) == t).all()), f"in step {t} the model was told another step."
        assert_tensor(result, (6, 3), what=f"the result of step {t}")
        assert_close(result, mean_back(x_t, t, weight, slope), rtol=1e-5, atol=noise_bound, what=f"step {t}")


@task("diffusion", hint="The noise of a step back is standard normal times sigma_t, with sigma_t^2 = beta_t.")
def test_noise_of_a_step_back_has_variance_beta(fresh_seed: int) -> None:
    x_t, (weight, slope) = drawn(fresh_seed, 3000, 3), linear_model(fresh_seed + 1, 3)
    steps = list(range(1, STEPS))
    results, _, _ = denoised(x_t, steps, steep_schedule(), weight, slope)
    betas = exact_schedule()[2]
    for t, result in zip(steps, results, strict=True):
        noise = assert_tensor(result, (3000, 3), what=f"the result of step {t}") - mean_back(x_t, t, weight, slope)
        assert_std(noise, float(betas[t].sqrt()), mean=0.0, what=f"the noise of step {t}")
        assert_standard_normal(noise / betas[t].sqrt(), what=f"the noise of step {t}, divided by sigma,")


@task("diffusion", hint="Each step back draws its own noise, which has nothing to do with the predicted noise.")
def test_noise_of_a_step_back_is_new(fresh_seed: int) -> None:
    x_t, (weight, slope) = drawn(fresh_seed, 1000, 3), linear_model(fresh_seed + 1, 3)
    results, _, _ = denoised(x_t, [3, 3], steep_schedule(), weight, slope)
    sigma, mean = exact_schedule()[2][3].sqrt(), mean_back(x_t, 3, weight, slope)
    first, second = ((assert_tensor(result, (1000, 3)) - mean) / sigma for result in results)
    assert_independent_calls(first, second, what="the noise of a step back")
    predicted = x_t.double() @ weight.double() + 3 * slope.double()
    assert_uncorrelated(predicted, first, what="the predicted and the added noise")


@task("diffusion", hint="Make new tensors: x_t and the schedule are used again by the caller.")
def test_a_step_back_leaves_its_inputs_as_they_are(fresh_seed: int) -> None:
    x_t, (weight, slope) = drawn(fresh_seed, 4, 3), linear_model(fresh_seed + 1, 3)
    given = [x_t.clone(), *(values.clone() for values in steep_schedule())]
    _, _, afterwards = denoised(x_t, [4, 2, 0], steep_schedule(), weight, slope)
    assert_unchanged(given, afterwards, what="the arguments")


@task("diffusion", hint="The steps go from T - 1 down to 0, both included, and each starts where the one before ended.")
def test_sampling_takes_every_step_from_the_last_to_the_first(fresh_seed: int) -> None:
    weight, slope = linear_model(fresh_seed, 3)
    states, seen, told = sampled(8, steep_schedule(), weight, slope)
    states = assert_tensor(states, (STEPS + 1, 8, 3), what="the states")
    steps = [sorted(set(steps_told(t, 8).flatten().tolist())) for t in told]
    assert steps == [[4], [3], [2], [1], [0]], f"with T = 5 the steps should be 4, 3, 2, 1, 0, but they are {steps}."
    for k, x_t in enumerate(seen):
        assert_close(x_t, states[k], what=f"the points that the model sees in step {STEPS - 1 - k}")


@task("diffusion", hint="At the start nothing but standard normal noise is there.")
def test_sampling_starts_from_standard_normal_noise(fresh_seed: int) -> None:
    weight, slope = linear_model(fresh_seed, 3)
    states, _, _ = sampled(1500, steep_schedule(), weight, slope)
    assert_standard_normal(assert_tensor(states, (STEPS + 1, 1500, 3), what="the states")[0], what="the start")


@task("diffusion", hint="Each step but the last adds fresh noise of variance beta_t; the last one adds none.")
def test_sampling_adds_fresh_noise_in_each_step_but_the_last(fresh_seed: int) -> None:
    weight, slope = linear_model(fresh_seed, 3)
    states, _, _ = sampled(1500, steep_schedule(), weight, slope)
    states = assert_tensor(states, (STEPS + 1, 1500, 3), what="the states")
    betas, noise = exact_schedule()[2], [states[0]]
    for k, t in enumerate(range(STEPS - 1, 0, -1)):
        noise.append((states[k + 1] - mean_back(states[k], t, weight, slope)) / betas[t].sqrt())
    # side by side, noise that one step shares with another would show as columns that are correlated
    assert_standard_normal(torch.cat(noise, dim=1), what="the noise of all steps")
    for earlier, later in itertools.pairwise(noise):
        assert_independent_calls(earlier, later, what="the noise of neighbouring steps")
    # the states may be as large as 100, where float32 is exact to 1e-5
    expected = mean_back(states[-2], 0, weight, slope)
    assert_close(states[-1], expected, atol=1e-3, what="the generated points")
