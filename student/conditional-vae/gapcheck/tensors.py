"""Readable checks of what a probe returned: its type, shape, dtype, and that it is finite.

What comes back from student code may be anything: None, a string, a list of lists, NaN, a scalar where a vector
belongs. Every assertion takes it as `object`, and raises an AssertionError that says what is expected and what came.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = tuple[int | None, ...]  # None stands for any length
Expected: TypeAlias = float | Tensor | NDArray[np.floating]  # made by a test, hence trusted


def assert_tensor(
    value: object, shape: Shape, *, dtype: torch.dtype | None = None, finite: bool = True, what: str = "the result"
) -> Tensor:
    """The tensor that `value` is, if it is one of this shape and dtype.

    Args:
        shape: the lengths of the axes; None stands for any length.
        dtype: the only dtype allowed; without it any real floating dtype.
        finite: whether NaN and infinity are refused.

    Returns:
        A detached tensor: float64 if it is floating, else as it came.
    """
    wanted = f"a torch.Tensor of shape {shape_text(shape)}"
    assert type(value) is Tensor, f"{what} should be {wanted}, but {came(value)} came back."
    assert _fits(tuple(value.shape), shape), f"{what} should be {wanted}, but its shape is {shape_text(value.shape)}."
    if dtype is None:
        assert value.dtype.is_floating_point, f"{what} should have a floating dtype, but {value.dtype} came back."
    else:
        assert value.dtype == dtype, f"{what} should have dtype {dtype}, but {value.dtype} came back."
    result = value.detach().cpu()
    if not result.dtype.is_floating_point:
        return result
    result = result.to(torch.float64)
    if finite:
        assert_finite(result.numpy(), what)
    return result


def assert_array(
    value: object, shape: Shape, *, dtype: type[np.generic] | None = None, finite: bool = True, what: str = "the result"
) -> NDArray[np.generic]:
    """The numpy array that `value` is; as `assert_tensor`, for numpy."""
    wanted = f"a numpy array of shape {shape_text(shape)}"
    assert type(value) is np.ndarray, f"{what} should be {wanted}, but {came(value)} came back."
    assert _fits(value.shape, shape), f"{what} should be {wanted}, but its shape is {shape_text(value.shape)}."
    if dtype is None:
        assert value.dtype.kind == "f", f"{what} should have a floating dtype, but {value.dtype} came back."
    else:
        assert value.dtype == np.dtype(dtype), (
            f"{what} should have dtype {np.dtype(dtype)}, but {value.dtype} came back."
        )
    if value.dtype.kind != "f":
        return value
    result = value.astype(np.float64)
    if finite:
        assert_finite(result, what)
    return result


def assert_number(value: object, *, what: str = "the result") -> float:
    """The number that `value` is: a finite int or float of Python or numpy, or a tensor or array without axes."""
    if type(value) in (Tensor, np.ndarray) and value.ndim == 0:  # type: ignore[attr-defined]  # both have it
        value = value.item()  # type: ignore[attr-defined]  # both have it
    if isinstance(value, np.floating | np.integer):
        value = value.item()
    assert type(value) in (int, float), f"{what} should be a single number, but {came(value)} came back."
    number = _as_float(value)
    assert math.isfinite(number), f"{what} should be a finite number, but {number} came back."
    return number


def numbers(value: object, what: str) -> Array:
    """What the statistical assertions start from: two or more finite real numbers, in float64 and in their shape."""
    wanted = "a tensor or numpy array of floating-point numbers"
    if type(value) is Tensor:
        assert value.dtype.is_floating_point, f"{what} should be {wanted}, but dtype {value.dtype} came back."
        result = value.detach().to("cpu", torch.float64).numpy()
    else:
        assert type(value) is np.ndarray, f"{what} should be {wanted}, but {came(value)} came back."
        assert value.dtype.kind == "f", f"{what} should be {wanted}, but dtype {value.dtype} came back."
        result = value.astype(np.float64)
    assert result.ndim > 0, f"{what} should be {wanted}, but a single number without axes came back."
    assert result.size > 1, f"{what} should be many numbers, but shape {shape_text(result.shape)} holds {result.size}."
    assert_finite(result, what)
    return result


def trusted(value: Expected) -> Array:
    """A number, tensor or array that a test made, as float64."""
    return np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value, dtype=np.float64)


def describe(value: object) -> str:
    """What came back, in a few words and at most some 60 characters."""
    if value is None:
        return "None"
    if isinstance(value, Tensor):
        return f"a tensor of shape {shape_text(value.shape)} and dtype {value.dtype}"
    if isinstance(value, np.ndarray):
        return f"a numpy array of shape {shape_text(value.shape)} and dtype {value.dtype}"
    if isinstance(value, list | tuple | dict | str | bytes):
        return f"a {type(value).__name__} of length {len(value)}"
    return f"the {type(value).__name__} {_shortened(value)}"


def came(value: object) -> str:
    """As `describe`, for a value that a function of the student should have returned."""
    return "None (is there a return statement?)" if value is None else describe(value)


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _as_float(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # the caller has checked that it is an int or a float
    except OverflowError:
        return math.inf


def _fits(found: tuple[int, ...], wanted: Shape) -> bool:
    return len(found) == len(wanted) and all(w is None or w == f for f, w in zip(found, wanted, strict=True))


def shape_text(shape: Shape | torch.Size) -> str:
    """A shape as one writes it: `(128, any)`."""
    return str(tuple(shape)).replace("None", "any")


def assert_finite(array: Array, what: str) -> None:
    """No NaN and no infinity in a float64 array; what would overflow in later arithmetic counts as infinite."""
    bad = ~(np.abs(array) <= 1e100)
    if bad.any():
        first = np.unravel_index(int(bad.argmax()), array.shape)
        where = f" (the first at index {index_text(first)})" if array.ndim else ""
        assert not bad.any(), f"{bad.sum():,} of {array.size:,} values of {what} are NaN or infinite{where}."


def index_text(index: tuple[object, ...]) -> str:
    """An index as one writes it: `[3, 0]`."""
    return "[" + ", ".join(str(i) for i in index) + "]"
