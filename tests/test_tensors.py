"""What the deterministic assertions accept, what they refuse, and that a student can read why."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gapcheck import (
    assert_array,
    assert_between,
    assert_close,
    assert_equal,
    assert_gradient,
    assert_gradient_flows,
    assert_no_gradient,
    assert_number,
    assert_reparameterised,
    assert_tensor,
    assert_unchanged,
)

WANTED = torch.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, -1.5]])


def refusal(check: Callable[..., object], *args: object, **kwargs: object) -> str:
    """The message with which an assertion fails."""
    with pytest.raises(AssertionError) as caught:
        check(*args, **kwargs)
    return str(caught.value)


def test_a_tensor_comes_back_detached_and_in_float64() -> None:
    value = torch.ones(2, 3, dtype=torch.bfloat16, requires_grad=True)
    result = assert_tensor(value, (None, 3))
    assert result.dtype == torch.float64
    assert not result.requires_grad


def test_integers_come_back_as_they_are() -> None:
    labels = torch.tensor([1, 2])
    assert assert_tensor(labels, (2,), dtype=torch.int64).dtype == torch.int64


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "None (is there a return statement?) came back"),
        ("0.5", "a str of length 3 came back"),
        ([[1.0, 2.0]], "a list of length 1 came back"),
        (np.ones((2, 3)), "a numpy array of shape (2, 3) and dtype float64 came back"),
        (1.0, "the float 1.0 came back"),
        (torch.tensor(1.0), "its shape is ()"),
        (torch.ones(3, 2), "its shape is (3, 2)"),
        (torch.ones(2, 3, dtype=torch.int64), "torch.int64 came back"),
        (torch.ones(2, 3, dtype=torch.complex64), "torch.complex64 came back"),
        (torch.full((2, 3), math.nan), "6 of 6 values of the latents are NaN or infinite (the first at index [0, 0])"),
    ],
)
def test_what_is_no_such_tensor_is_named(value: object, said: str) -> None:
    message = refusal(assert_tensor, value, (2, 3), what="the latents")
    assert said in message
    assert "the latents" in message


def test_the_asked_dtype_is_the_only_one() -> None:
    assert "torch.float32 came back" in refusal(assert_tensor, torch.ones(1), (1,), dtype=torch.float64)


def test_infinity_passes_where_it_is_allowed() -> None:
    assert assert_tensor(torch.tensor([math.inf]), (1,), finite=False).isinf().all()


def test_a_subclass_of_tensor_is_no_tensor() -> None:
    assert "came back" in refusal(assert_tensor, torch.nn.Parameter(torch.ones(2)), (2,))


def test_arrays_are_checked_as_tensors_are() -> None:
    assert assert_array(np.ones((2, 3), dtype=np.float32), (2, None)).dtype == np.float64
    assert "a tensor of shape (2,)" in refusal(assert_array, torch.ones(2), (2,))
    assert "its shape is (3,)" in refusal(assert_array, np.ones(3), (2,))
    assert "int64 came back" in refusal(assert_array, np.ones(2, dtype=np.int64), (2,))
    assert "NaN" in refusal(assert_array, np.array([1.0, math.nan]), (2,))


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2), torch.tensor(2.0), np.array(2)])
def test_a_number_may_come_in_many_dresses(value: object) -> None:
    assert assert_number(value) == 2.0


@pytest.mark.parametrize("value", [None, True, "2", [2.0], torch.ones(1), torch.tensor(True), 2j, math.nan, math.inf])
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    assert "number" in refusal(assert_number, value)


def test_close_values_pass_whatever_their_precision() -> None:
    assert_close((WANTED * (1 + 1e-6)).double().requires_grad_(), WANTED)
    assert_close(WANTED.numpy(), WANTED)
    assert_close(torch.tensor(0.5), 0.5)
    assert_close(torch.tensor([1, 2]), torch.tensor([1, 2]))


@pytest.mark.parametrize(
    ("actual", "said"),
    [
        (None, "None (is there a return statement?) came back"),
        ([1.0], "a list of length 1 came back"),
        (WANTED.long(), "dtype torch.int64 came back"),
        (torch.full((2, 3), math.nan), "are NaN or infinite"),
        (torch.ones(()), "Is a sum or mean taken over an axis too many?"),
        (WANTED * 0.5, "Every value is 0.5 times the expected one."),
        (-WANTED, "Every value is -1 times the expected one."),
        (WANTED + 1, "Every value is off by +1."),
        (WANTED * 0, "Every value is zero."),
        (WANTED.T, "its shape is (3, 2). It is transposed."),
        (WANTED.reshape(3, 2), "The values are the expected ones, in another shape."),
        (WANTED.flip(0), "The values are the expected ones, in another order."),
        (
            torch.tensor([[1.0, -2.0, 3.0], [0.5, 7.0, -1.5]]),
            "1 of 6 values of the loss are wrong, most so at index [1, 1]: 7 came, 4 is expected.",
        ),
    ],
)
def test_what_differs_is_explained(actual: object, said: str) -> None:
    assert said in refusal(assert_close, actual, WANTED, what="the loss")


def test_a_square_matrix_can_be_transposed_and_a_vector_broadcast() -> None:
    square = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert "It is transposed." in refusal(assert_close, square.T, square)
    assert "broadcast" in refusal(assert_close, torch.ones(3, 3), torch.ones(3))


def test_a_number_that_differs_is_compared_as_a_ratio() -> None:
    assert "should be 2, but 1 came back, 0.5 times as much" in refusal(assert_close, 1.0, 2.0)
    assert "single number" in refusal(assert_close, torch.ones(1), 1.0)
    assert "finite" in refusal(assert_close, math.nan, 1.0)


def test_between_takes_numbers_and_tensors() -> None:
    assert_between(0.5, 0, 1)
    assert_between(torch.tensor([0, 1]), 0, 1)
    assert "should lie between 0 and 1, but 2 came back" in refusal(assert_between, 2.0, 0, 1)
    assert "2 of 3 values do not, the first at index [1]: 5" in refusal(assert_between, torch.tensor([0, 5, 6.0]), 0, 1)
    for bad in (None, math.nan, torch.tensor([math.nan]), torch.ones(0), torch.tensor([True])):
        assert refusal(assert_between, bad, 0, 1)


def test_equal_data_are_equal_in_type_and_value() -> None:
    data = {"shape": (2, 3), "losses": [0.5, math.nan], "weight": torch.tensor([1.0, math.nan])}
    assert_equal(data, {**data, "weight": torch.tensor([1.0, math.nan])})
    assert_equal(np.int64(3), 3)


@pytest.mark.parametrize(
    ("actual", "expected", "said"),
    [
        ({"a": [1, 2]}, {"a": [1, 3]}, "2 came at ['a'][1], 3 is expected"),
        ({"a": 1}, {"b": 1}, "the keys are"),
        ((1, 2), (1, 2, 3), "2 values came, 3 are expected"),
        (True, 1, "the bool True came, the int 1 is expected"),
        (3.0, 3, "the float 3.0 came, the int 3 is expected"),
        (None, 3, "None came"),
        (torch.ones(2), torch.tensor([1.0, 2.0]), "1 of 2 values differ, the first at index [1]"),
        (torch.ones(2), torch.ones(2).double(), "torch.float64 is expected"),
    ],
)
def test_a_difference_is_named_with_its_place(actual: object, expected: object, said: str) -> None:
    assert said in refusal(assert_equal, actual, expected)


def test_a_change_is_seen_and_nothing_is_no_proof() -> None:
    weights = {"weight": torch.ones(2)}
    assert_unchanged(weights, {"weight": torch.ones(2)})
    assert "should not change" in refusal(assert_unchanged, weights, {"weight": torch.tensor([1.0, 1.0000001])})
    assert "should not change" in refusal(assert_unchanged, weights, None)
    assert "None came back" in refusal(assert_unchanged, None, None)
    assert "nothing" in refusal(assert_unchanged, {}, {})


def test_a_gradient_is_compared_and_a_missing_one_named() -> None:
    assert_gradient(WANTED, WANTED)
    assert "the gradient of the mean are wrong" in refusal(assert_gradient, WANTED * 2, WANTED, "the mean")
    assert "no gradient reached the mean" in refusal(assert_gradient, None, WANTED, "the mean")
    assert "should be a tensor, but the float 1.0" in refusal(assert_gradient, 1.0, WANTED, "the mean")


def test_a_gradient_flows_if_it_is_finite_and_not_zero() -> None:
    assert assert_gradient_flows(WANTED).dtype == torch.float64
    assert "zero everywhere" in refusal(assert_gradient_flows, torch.zeros(3), "the encoder")
    assert "no gradient reached the encoder" in refusal(assert_gradient_flows, None, "the encoder")
    assert "NaN" in refusal(assert_gradient_flows, torch.tensor([math.nan]))
    assert "came back" in refusal(assert_gradient_flows, [1.0])


def test_no_gradient_is_none_or_zeros() -> None:
    assert_no_gradient(None)
    assert_no_gradient(torch.zeros(3))
    assert "a gradient as large as 4 reached the generator" in refusal(assert_no_gradient, WANTED, "the generator")
    assert "NaN" in refusal(assert_no_gradient, torch.tensor([math.nan]))
    assert "came back" in refusal(assert_no_gradient, 0.0)


Sampler = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def reparameterised(sampler: Sampler) -> None:
    """Judge a sampler as a hidden test would."""
    generator = torch.Generator().manual_seed(3)
    mean, logvar, upstream = (torch.randn(16, 3, generator=generator) for _ in range(3))
    leaves = mean.clone().requires_grad_(), logvar.clone().requires_grad_()
    z = sampler(*leaves)
    if z.requires_grad:
        (upstream * z).sum().backward()
    grads = [leaf.grad for leaf in leaves]
    assert_reparameterised(z.detach(), mean, logvar, grads[0], grads[1], upstream=upstream)


def test_the_reparameterisation_holds_for_any_noise() -> None:
    reparameterised(lambda mean, logvar: mean + torch.exp(logvar / 2) * torch.randn_like(mean))
    reparameterised(lambda mean, logvar: mean + logvar.mul(0.5).exp() * torch.rand_like(mean))


@pytest.mark.parametrize(
    "sampler",
    [
        lambda mean, logvar: mean + torch.exp(logvar) * torch.randn_like(mean),
        lambda mean, logvar: mean + logvar * torch.randn_like(mean),
        lambda mean, logvar: mean + torch.exp(logvar / 2).detach() * torch.randn_like(mean),
        lambda mean, logvar: mean.detach() + torch.exp(logvar / 2) * torch.randn_like(mean),
        lambda mean, logvar: torch.normal(mean, torch.exp(logvar / 2)).detach(),
        lambda mean, logvar: mean + 0 * logvar,
        lambda mean, logvar: (mean + torch.exp(logvar / 2) * torch.randn_like(mean))[:1],
    ],
    ids=["variance as std", "logvar as std", "detached std", "detached mean", "detached draw", "no noise", "one row"],
)
def test_a_wrong_reparameterisation_is_caught(sampler: Sampler) -> None:
    assert refusal(reparameterised, sampler)
