"""The way back: single steps, whole paths, DDIM, and sampling in a VAE's latent space.

Models are linear and record how they are called, so that every step can be computed again outside, in float64.
"""

import itertools

import torch
from torch import Tensor, nn

from gapcheck import (
    assert_between,
    assert_close,
    assert_independent_calls,
    assert_number,
    assert_standard_normal,
    assert_tensor,
    assert_unchanged,
    probe,
    task,
)

STEPS = 5
Clip = tuple[float, float] | None


@probe
def steps_back(
    values: list[Tensor],
    x_t: Tensor,
    cases: list[tuple[int, tuple[float, float] | None]],
    noise: Tensor,
    w: list[Tensor],
) -> tuple[list[object], list[list[Tensor]], list[Tensor]]:
    """x_{t-1} for each (t, clip), the model's calls, and the arguments afterwards."""
    from lib.ddpm.sampling import p_sample
    from lib.ddpm.schedule import Schedule

    calls: list[list[Tensor]] = []

    class Recorder(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            calls.append([x.detach().clone(), torch.as_tensor(t).clone()])
            return x * w[0] + t.reshape(-1, *[1] * (x.dim() - 1)) * w[1]

    schedule = Schedule(*values)
    results = [p_sample(Recorder(), x_t, t, noise, schedule, clip) for t, clip in cases]
    return results, calls, [*values, x_t, noise]


@probe
def paths(
    values: list[Tensor],
    start: Tensor,
    w: list[Tensor],
    clip: tuple[float, float] | None,
    keep_every: int,
    seeds: list[int],
) -> list[tuple[list[object], list[list[Tensor]]]]:
    """The way back from one start, once for each seed of the generator: the result and the model's calls."""
    from lib.ddpm.sampling import sample
    from lib.ddpm.schedule import Schedule

    calls: list[list[Tensor]] = []

    class Recorder(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            calls.append([x.detach().clone(), torch.as_tensor(t).clone()])
            return x * w[0] + t.reshape(-1, *[1] * (x.dim() - 1)) * w[1]

    reports = []
    for seed in seeds:
        calls.clear()
        source = torch.Generator().manual_seed(seed)
        result = sample(Recorder(), start, Schedule(*values), clip=clip, generator=source, keep_every=keep_every)
        reports.append((result, list(calls)))
    return reports


@probe
def chosen_steps(arguments: list[tuple[int, int]]) -> list[object]:
    from lib.ddpm.sampling import ddim_steps

    return [ddim_steps(steps, n) for steps, n in arguments]


@probe
def jumps(
    values: list[Tensor], x_t: Tensor, predicted: Tensor, cases: list[tuple[int, int, tuple[float, float] | None]]
) -> tuple[list[object], list[Tensor]]:
    from lib.ddpm.sampling import ddim_step
    from lib.ddpm.schedule import Schedule

    schedule = Schedule(*values)
    return [ddim_step(x_t, predicted, t, s, schedule, clip) for t, s, clip in cases], [*values, x_t, predicted]


@probe
def ddim_paths(
    values: list[Tensor], start: Tensor, w: list[Tensor], chosen: list[list[int]], clip: tuple[float, float] | None
) -> list[tuple[object, list[list[Tensor]]]]:
    from lib.ddpm.sampling import sample_ddim
    from lib.ddpm.schedule import Schedule

    calls: list[list[Tensor]] = []

    class Recorder(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            calls.append([x.detach().clone(), torch.as_tensor(t).clone()])
            return x * w[0] + t.reshape(-1, *[1] * (x.dim() - 1)) * w[1]

    reports = []
    for steps in chosen:
        calls.clear()
        reports.append((sample_ddim(Recorder(), start, steps, Schedule(*values), clip), list(calls)))
    return reports


@probe
def encoded(batches: list[Tensor], weight: Tensor) -> tuple[object, bool]:
    """All pictures encoded by a VAE that has dropout, and whether a graph was recorded."""
    from lib.ddpm.latent import encode_all

    class Vae(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.dropout = nn.Parameter(weight.clone()), nn.Dropout(0.5)

        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            mean = self.dropout(x.flatten(1) @ self.weight)
            return mean, mean.abs() + 3

    vae = Vae()
    result = encode_all(vae, [(x, torch.zeros(len(x))) for x in batches])
    return result, bool(result.requires_grad)


@probe
def scales(latents: list[Tensor]) -> list[object]:
    from lib.ddpm.latent import latent_scale

    return [latent_scale(z) for z in latents]


@probe
def through_vae(
    values: list[Tensor], start: Tensor, w: list[Tensor], weight: Tensor, scale: float, seeds: list[int]
) -> list[tuple[object, list[Tensor], list[list[Tensor]]]]:
    """Pictures from latents, what the decoder got, and the model's calls; once for each seed of the generator."""
    from lib.ddpm.latent import sample_through_vae
    from lib.ddpm.schedule import Schedule

    decoded: list[Tensor] = []
    calls: list[list[Tensor]] = []

    class Vae(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dropout = nn.Dropout(0.5)

        def decode(self, z: Tensor) -> Tensor:
            decoded.append(z.clone())
            return self.dropout(z @ weight)

    class Recorder(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            calls.append([x.detach().clone(), torch.as_tensor(t).clone()])
            return x * w[0] + t.reshape(-1, *[1] * (x.dim() - 1)) * w[1]

    reports = []
    for seed in seeds:
        decoded.clear()
        calls.clear()
        source = torch.Generator().manual_seed(seed)
        pictures = sample_through_vae(Vae(), Recorder(), start, Schedule(*values), scale, source)
        reports.append((pictures, list(decoded), list(calls)))
    return reports


# ---------------------------------------------------------------- what stays outside


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def linear_model(seed: int, *shape: int) -> list[Tensor]:
    """The weights of the model x * w[0] + t * w[1]."""
    return [drawn(seed, *shape) / 3, drawn(seed + 1, *shape) / 3]


def steep_schedule() -> list[Tensor]:
    """betas, alphas, alpha_bars, alpha_bars_before in float64; an index that is off by one shows."""
    alpha_bars = torch.tensor([0.97, 0.8, 0.5, 0.2, 0.03], dtype=torch.float64)
    before = torch.cat([torch.ones(1), alpha_bars[:-1]])
    alphas = alpha_bars / before
    return [1 - alphas, alphas, alpha_bars, before]


def single(values: list[Tensor]) -> list[Tensor]:
    return [value.float() for value in values]


def predicted_noise(x: Tensor, t: int, w: list[Tensor]) -> Tensor:
    return x.double() * w[0] + t * w[1].double()


def mean_and_std(x_t: Tensor, t: int, w: list[Tensor], clip: Clip) -> tuple[Tensor, Tensor]:
    """Of x_{t-1}, as p_sample describes it."""
    betas, alphas, alpha_bars, before = (value[t] for value in steep_schedule())
    x_0 = (x_t.double() - (1 - alpha_bars).sqrt() * predicted_noise(x_t, t, w)) / alpha_bars.sqrt()
    if clip is not None:
        x_0 = x_0.clamp(*clip)
    of_x_0, of_x_t = before.sqrt() * betas / (1 - alpha_bars), alphas.sqrt() * (1 - before) / (1 - alpha_bars)
    return of_x_0 * x_0 + of_x_t * x_t.double(), ((1 - before) / (1 - alpha_bars) * betas).sqrt()


def jumped(x_t: Tensor, predicted: Tensor, t: int, s: int, clip: Clip) -> Tensor:
    """x_s, as ddim_step describes it."""
    alpha_bars = steep_schedule()[2]
    now, then = alpha_bars[t], alpha_bars[s] if s >= 0 else torch.ones((), dtype=torch.float64)
    x_0 = (x_t.double() - (1 - now).sqrt() * predicted) / now.sqrt()
    x_0 = x_0.clamp(*clip) if clip is not None else x_0
    noise = (x_t.double() - now.sqrt() * x_0) / (1 - now).sqrt()
    return then.sqrt() * x_0 + (1 - then).sqrt() * noise


def called(calls: object, steps: list[int], n: int) -> list[Tensor]:
    """What the model saw at each call, after checking the steps that it was told."""
    assert isinstance(calls, list)
    told = []
    for _, t in calls:
        told.append(assert_tensor(t, (n,), dtype=torch.int64, what="the model's t").unique().tolist())
    assert told == [[step] for step in steps], f"the model should be told the steps {steps}, but it was told {told}."
    return [x for x, _ in calls]


# ---------------------------------------------------------------- one step back


@task("ddpm-sampling", hint="Predict the noise, then x_0, clip it if there is a range, then take the posterior mean.")
def test_step_back_follows_its_three_lines(fresh_seed: int) -> None:
    x_t, noise, w = 2 * drawn(fresh_seed, 4, 2, 4), drawn(fresh_seed + 1, 4, 2, 4), linear_model(fresh_seed + 2, 2, 4)
    cases: list[tuple[int, Clip]] = [(t, clip) for t in range(STEPS) for clip in (None, (-1.0, 1.0), (0.0, 0.5))]
    results, calls, _ = steps_back(single(steep_schedule()), x_t, cases, noise, w)
    for seen in called(calls, [t for t, _ in cases], 4):
        assert_close(seen, x_t, what="what the model sees")
    for (t, clip), result in zip(cases, results, strict=True):
        mean, std = mean_and_std(x_t, t, w, clip)
        found = assert_tensor(result, (4, 2, 4), what=f"the result of step {t}")
        assert_close(found, mean + std * noise, rtol=1e-3, atol=1e-3, what=f"the result of step {t} with clip {clip}")


@task(
    "ddpm-sampling", hint="At t = 0 the variance is 0: the result is the clipped prediction of x_0, whatever the noise."
)
def test_last_step_back_adds_no_noise(fresh_seed: int) -> None:
    x_t, w = drawn(fresh_seed, 4, 3), linear_model(fresh_seed + 2, 3)
    noise = [1000 * drawn(fresh_seed + 1, 4, 3), torch.zeros(4, 3)]
    found = [steps_back(single(steep_schedule()), x_t, [(0, (-1.0, 1.0))], one, w)[0][0] for one in noise]
    expected = mean_and_std(x_t, 0, w, (-1.0, 1.0))[0]
    for result in found:
        pictures = assert_tensor(result, (4, 3), what="the finished pictures")
        assert_close(pictures, expected, atol=1e-3, what="the finished pictures")
        assert_between(pictures, -1.0 - 1e-4, 1.0 + 1e-4, "the finished pictures")


@task("ddpm-sampling", hint="Make new tensors: x_t, the noise and the schedule belong to the caller.")
def test_step_back_leaves_its_arguments_as_they_are(fresh_seed: int) -> None:
    x_t, noise, w = drawn(fresh_seed, 3, 2), drawn(fresh_seed + 1, 3, 2), linear_model(fresh_seed + 2, 2)
    given = [*single(steep_schedule()), x_t.clone(), noise.clone()]
    _, _, after = steps_back(single(steep_schedule()), x_t, [(4, (-1.0, 1.0)), (0, None)], noise, w)
    assert_unchanged(given, after, "an argument of p_sample")


# ---------------------------------------------------------------- the whole way


@task("ddpm-sampling", hint="The steps go from T - 1 to 0, both included, and each begins where the one before ended.")
def test_sampling_visits_every_step_and_ends_with_the_mean(fresh_seed: int) -> None:
    start, w = drawn(fresh_seed, 6, 3), linear_model(fresh_seed + 1, 3)
    ((result, calls),) = paths(single(steep_schedule()), start, w, None, 0, [fresh_seed])
    seen = called(calls, [4, 3, 2, 1, 0], 6)
    assert_close(seen[0], start, what="what the model sees first")
    assert isinstance(result, list)
    assert len(result) == 1, f"with keep_every = 0 one batch should come back, but {len(result)} did."
    expected = mean_and_std(seen[-1], 0, w, None)[0]
    assert_close(assert_tensor(result[0], (6, 3), what="the pictures"), expected, atol=1e-3, what="the pictures")


@task("ddpm-sampling", hint="Every step draws noise of its own, from the generator that is passed in.")
def test_sampling_adds_fresh_noise_of_the_right_size(fresh_seed: int) -> None:
    start, w = drawn(fresh_seed, 1000, 3), linear_model(fresh_seed + 1, 3)
    ((_, calls),) = paths(single(steep_schedule()), start, w, None, 0, [fresh_seed])
    seen = [assert_tensor(x, (1000, 3), what="what the model sees") for x in called(calls, [4, 3, 2, 1, 0], 1000)]
    noise = []
    for before, after, t in zip(seen, seen[1:], (4, 3, 2, 1), strict=False):
        mean, std = mean_and_std(before, t, w, None)
        noise.append((after - mean) / std)
    # side by side: noise that two steps share would show as columns that are correlated
    assert_standard_normal(torch.cat(noise, dim=1), what="the noise of the steps")
    for earlier, later in itertools.pairwise(noise):
        assert_independent_calls(earlier, later, what="the noise of neighbouring steps")


@task(
    "ddpm-sampling",
    hint="All noise comes from the generator: the same seed gives the same pictures, another seed others.",
)
def test_sampling_draws_from_the_generator(fresh_seed: int) -> None:
    start, w = drawn(fresh_seed, 5, 3), linear_model(fresh_seed + 1, 3)
    reports = paths(single(steep_schedule()), start, w, (-1.0, 1.0), 0, [fresh_seed, fresh_seed, fresh_seed + 1])
    # the last step only: the clipped mean may hide a difference, so look at what the model saw before it
    first, again, other = (assert_tensor(calls[-1][0], (5, 3), what="x_1") for _, calls in reports)
    assert_close(again, first, what="x_1, drawn again with the same seed")
    assert not torch.equal(other, first), "another seed of the generator gives the same pictures."


# ---------------------------------------------------------------- DDIM


@task("ddpm-ddim", hint="From T - 1 to 0, both included, at distances that differ by at most one.")
def test_ddim_chooses_steps_at_equal_distances() -> None:
    arguments = [(1000, 50), (200, 20), (10, 10), (11, 6), (7, 2), (2, 2), (100, 7)]
    for (steps, n), found in zip(arguments, chosen_steps(arguments), strict=True):
        what = f"ddim_steps({steps}, {n})"
        assert isinstance(found, list), f"{what} should be a list, but a {type(found).__name__} came back."
        assert all(type(step) is int for step in found), f"{what} should hold Python's whole numbers."
        assert len(found) == n, f"{what} should hold {n} steps, but it holds {len(found)}."
        assert (found[0], found[-1]) == (steps - 1, 0), f"{what} goes from {found[0]} to {found[-1]}."
        distances = {earlier - later for earlier, later in itertools.pairwise(found)}
        assert min(distances) > 0, f"{what} should fall."
        assert max(distances) - min(distances) <= 1, f"{what} has distances from {min(distances)} to {max(distances)}."


@task("ddpm-ddim", hint="Compute x_0, clip it, find the noise that goes with it, and mix both as step s has them.")
def test_ddim_step_has_the_values_of_its_formula(fresh_seed: int) -> None:
    x_t, predicted = 2 * drawn(fresh_seed, 4, 2, 3), drawn(fresh_seed + 1, 4, 2, 3)
    cases: list[tuple[int, int, Clip]] = [
        (t, s, clip) for t, s in ((4, 3), (4, 0), (3, 1), (2, -1), (0, -1)) for clip in (None, (-1.0, 1.0), (0.0, 0.5))
    ]
    results, after = jumps(single(steep_schedule()), x_t, predicted, cases)
    assert_unchanged([*single(steep_schedule()), x_t, predicted], after, "an argument of ddim_step")
    for (t, s, clip), result in zip(cases, results, strict=True):
        found = assert_tensor(result, (4, 2, 3), what="x_s")
        expected = jumped(x_t, predicted.double(), t, s, clip)
        assert_close(found, expected, rtol=1e-3, atol=1e-3, what=f"the jump from {t} to {s} with clip {clip}")


@task("ddpm-ddim", hint="The model is told the step that x_t belongs to; the last jump leads to -1.")
def test_ddim_sampling_jumps_along_the_chosen_steps(fresh_seed: int) -> None:
    start, w, clip = drawn(fresh_seed, 7, 3), linear_model(fresh_seed + 1, 3), (-1.5, 1.5)
    chosen = [[4, 2, 0], [4, 3, 2, 1, 0], [4, 1]]
    for steps, (result, calls) in zip(
        chosen, ddim_paths(single(steep_schedule()), start, w, chosen, clip), strict=True
    ):
        called(calls, steps, 7)
        expected = start.double()
        for t, s in zip(steps, [*steps[1:], -1], strict=True):
            expected = jumped(expected, predicted_noise(expected, t, w), t, s, clip)
        found = assert_tensor(result, (7, 3), what="the pictures")
        assert_close(found, expected, rtol=1e-3, atol=1e-3, what=f"the pictures after the steps {steps}")


# ---------------------------------------------------------------- latent space


@task("ddpm-latent", hint="The means of all batches, in their order, from a VAE in evaluation mode, without a graph.")
def test_all_pictures_are_encoded_as_means_in_evaluation_mode(fresh_seed: int) -> None:
    weight, batches = drawn(fresh_seed, 8, 3), [drawn(fresh_seed + n, n, 2, 4) for n in (4, 1, 3)]
    result, graph = encoded(batches, weight)
    found = assert_tensor(result, (8, 3), what="the latents")
    expected = torch.cat(batches).flatten(1).double() @ weight.double()
    assert_close(found, expected, atol=1e-4, what="the latents")
    assert not graph, "the latents carry a graph; what keeps PyTorch from recording one?"


@task("ddpm-latent", hint="One factor for all latents: 1 over their standard deviation around their mean.")
def test_scale_gives_the_latents_variance_one(fresh_seed: int) -> None:
    latents = [5 + 3 * drawn(fresh_seed, 4, 2), 0.1 * drawn(fresh_seed + 1, 3, 2, 2) - 1]
    for z, found in zip(latents, scales(latents), strict=True):
        exact = z.double()
        expected = 1 / (exact - exact.mean()).square().mean().sqrt()
        assert type(found) is float, "latent_scale should return a plain number."
        assert_close(assert_number(found, what="the scale"), expected, rtol=1e-4, what="the scale")


@task("ddpm-latent", hint="The decoder gets latents as the encoder gives them: undo the scaling; nothing is clipped.")
def test_sampled_latents_are_unscaled_and_decoded(fresh_seed: int) -> None:
    start, w, weight = 3 * drawn(fresh_seed, 5, 3), linear_model(fresh_seed + 1, 3), drawn(fresh_seed + 3, 3, 4)
    for scale in (0.4, 2.5):
        ((pictures, decoded, calls),) = through_vae(single(steep_schedule()), start, w, weight, scale, [fresh_seed])
        seen = called(calls, [4, 3, 2, 1, 0], 5)
        assert_close(seen[0], start, what="what the model sees first")
        expected = mean_and_std(seen[-1], 0, w, None)[0] / scale
        assert len(decoded) == 1, f"the decoder should be called once, but it was called {len(decoded)} times."
        assert_close(decoded[0], expected, rtol=1e-3, atol=1e-3, what="what the decoder gets")
        found = assert_tensor(pictures, (5, 4), what="the pictures")
        assert_close(found, expected @ weight.double(), rtol=1e-3, atol=1e-2, what="the decoded pictures")


@task("ddpm-latent", hint="Hand the generator on: the same seed gives the same pictures.")
def test_latent_sampling_draws_from_the_generator(fresh_seed: int) -> None:
    start, w, weight = drawn(fresh_seed, 5, 3), linear_model(fresh_seed + 1, 3), drawn(fresh_seed + 3, 3, 4)
    seeds = [fresh_seed, fresh_seed, fresh_seed + 1]
    reports = through_vae(single(steep_schedule()), start, w, weight, 2.0, seeds)
    first, again, other = (assert_tensor(pictures, (5, 4), what="the pictures") for pictures, _, _ in reports)
    assert_close(again, first, what="the pictures, drawn again with the same seed")
    assert not torch.equal(other, first), "another seed of the generator gives the same pictures."
