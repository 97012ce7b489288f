"""Readable comparisons of values: close, between, equal, unchanged; for whatever a probe returned."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gapcheck.tensors import (
    Array,
    Expected,
    assert_finite,
    assert_number,
    came,
    describe,
    index_text,
    shape_text,
    trusted,
)


def assert_close(
    actual: object, expected: Expected, *, rtol: float = 1e-4, atol: float = 1e-5, what: str = "the result"
) -> None:
    """The same shape, and abs(actual - expected) <= atol + rtol * abs(expected) for each element.

    The message names the worst element, and a common explanation where one fits: a constant factor or offset, a
    transposed result, a shape that came from broadcasting.
    """
    wanted = trusted(expected)
    if wanted.ndim == 0:
        _assert_close_number(assert_number(actual, what=what), float(wanted), float(atol + rtol * abs(wanted)), what)
        return
    found = _real_array(actual, what, floating=_is_floating(expected))
    assert found.shape == wanted.shape, (
        f"{what} should have shape {shape_text(wanted.shape)}, but its shape is {shape_text(found.shape)}."
        f"{_explained_shape(found, wanted)}"
    )
    assert_finite(found, what)
    allowed = atol + rtol * np.abs(wanted)
    off = np.abs(found - wanted)
    wrong = ~(off <= allowed)
    if wrong.any():
        worst = np.unravel_index(int((off - allowed).argmax()), found.shape)
        raise AssertionError(
            f"{wrong.sum():,} of {wrong.size:,} values of {what} are wrong, most so at index {index_text(worst)}: "
            f"{found[worst]:.6g} came, {wanted[worst]:.6g} is expected.{_explained(found, wanted, allowed)}"
        )


def _assert_close_number(found: float, wanted: float, allowed: float, what: str) -> None:
    factor = f", {found / wanted:.4g} times as much" if wanted != 0 else ""
    assert abs(found - wanted) <= allowed, f"{what} should be {wanted:.6g}, but {found:.6g} came back{factor}."


def _is_floating(expected: Expected) -> bool:
    if isinstance(expected, Tensor):
        return expected.dtype.is_floating_point
    return bool(np.asarray(expected).dtype.kind == "f")


def _real_array(value: object, what: str, *, floating: bool) -> Array:
    kind = "floating-point numbers" if floating else "numbers"
    wanted = f"{what} should be a tensor or numpy array of {kind}, but {came(value)} came back."
    assert type(value) in (Tensor, np.ndarray), wanted
    array = _as_numpy(value)
    assert array.dtype.kind in ("f" if floating else "fiu"), wanted
    return array.astype(np.float64)


def _as_numpy(value: object) -> NDArray[np.generic]:
    """A tensor or an array as a numpy array; numpy has no bfloat16, so floating tensors become float64."""
    if isinstance(value, Tensor):
        plain = value.detach().cpu()
        array: NDArray[np.generic] = (plain.to(torch.float64) if plain.dtype.is_floating_point else plain).numpy()
        return array
    return np.asarray(value)


def _explained_shape(found: Array, wanted: Array) -> str:
    if found.size == wanted.size:
        if found.ndim == 2 and found.T.shape == wanted.shape and _near(found.T, wanted):
            return " It is transposed."
        if _near(found.ravel(), wanted.ravel()):
            return " The values are the expected ones, in another shape."
    if wanted.ndim == 1 and found.shape == wanted.shape * 2:
        n = wanted.size
        return f" Did shapes ({n},) and ({n}, 1) broadcast against each other?"
    if found.ndim == 0:
        return " Is a sum or mean taken over an axis too many?"
    return ""


def _explained(found: Array, wanted: Array, allowed: Array) -> str:
    """The simplest relation between what came and what is expected, as a sentence, or nothing."""
    square, offset = float((wanted**2).sum()), float((found - wanted).mean())
    factor = float((found * wanted).sum()) / square if square > 0 else 0.0
    relations = {
        " Every value is zero.": not found.any(),
        f" Every value is {factor:.4g} times the expected one.": _within(found, factor * wanted, abs(factor) * allowed),
        f" Every value is off by {offset:+.4g}.": _within(found, wanted + offset, allowed),
        " It is transposed.": found.ndim == 2 and found.T.shape == found.shape and _within(found.T, wanted, allowed),
        " The values are the expected ones, in another order.": _near(
            np.sort(found, axis=None), np.sort(wanted, axis=None)
        ),
    }
    return next((text for text, holds in relations.items() if holds), "") if found.size > 1 else ""


def _within(found: Array, wanted: Array, allowed: Array) -> bool:
    return bool((np.abs(found - wanted) <= allowed).all())


def _near(found: Array, wanted: Array) -> bool:
    return bool(np.allclose(found, wanted, rtol=1e-4, atol=1e-5))


def assert_between(value: object, low: float, high: float, what: str = "the result") -> None:
    """low <= value <= high, for a number or for every element of a tensor or array."""
    if type(value) not in (Tensor, np.ndarray) or _as_numpy(value).ndim == 0:
        number = assert_number(value, what=what)
        assert low <= number <= high, f"{what} should lie between {low:g} and {high:g}, but {number:.6g} came back."
        return
    array = _real_array(value, what, floating=False)
    assert array.size > 0, f"there is nothing in {what}."
    assert_finite(array, what)
    outside = ~((low <= array) & (array <= high))
    if outside.any():
        first = np.unravel_index(int(outside.argmax()), array.shape)
        raise AssertionError(
            f"{what} should lie between {low:g} and {high:g}, but {outside.sum():,} of {array.size:,} values do not, "
            f"the first at index {index_text(first)}: {array[first]:.6g}."
        )


def assert_equal(actual: object, expected: object, what: str = "the result") -> None:
    """The same types and values: numbers, strings, lists, tuples, dicts, and tensors and arrays in them."""
    difference = _difference(actual, expected, "")
    assert difference is None, f"a difference in {what}: {difference}."


def assert_unchanged(before: object, after: object, what: str = "the value") -> None:
    """`after` equals `before`: tensors, or plain data with tensors in them, as a state_dict is."""
    assert before is not None, f"{what} should be there, but None came back."
    assert not (isinstance(before, list | tuple | dict) and not before), (
        f"there is nothing in {what} that could have changed."
    )
    difference = _difference(after, before, "")
    assert difference is None, f"{what} should not change: {difference}."


def _difference(found: object, wanted: object, where: str) -> str | None:
    """The first difference in one clause, or None; numpy's scalars count as Python's numbers."""
    found = found.item() if isinstance(found, np.generic) else found
    wanted = wanted.item() if isinstance(wanted, np.generic) else wanted
    place = f" at {where}" if where else ""
    if type(found) is not type(wanted):
        return f"{describe(found)} came{place}, {describe(wanted)} is expected"
    if isinstance(wanted, Tensor | np.ndarray):
        return _array_difference(found, wanted, place)
    if isinstance(wanted, dict) and isinstance(found, dict):
        if set(found) != set(wanted):
            return f"the keys{place} are {sorted(map(repr, found))}, expected {sorted(map(repr, wanted))}"
        parts = [(found[key], wanted[key], f"{where}[{key!r}]") for key in wanted]
    elif isinstance(wanted, list | tuple) and isinstance(found, list | tuple):
        if len(found) != len(wanted):
            return f"{len(found)} values came{place}, {len(wanted)} are expected"
        parts = [(one, other, f"{where}[{i}]") for i, (one, other) in enumerate(zip(found, wanted, strict=True))]
    else:
        # what differs from itself is NaN
        same = found == wanted or (found != found and wanted != wanted)  # noqa: PLR0124
        return None if same else f"{_shown(found)} came{place}, {_shown(wanted)} is expected"
    return next((text for part in parts if (text := _difference(*part)) is not None), None)


def _array_difference(found: object, wanted: Tensor | NDArray[np.generic], place: str) -> str | None:
    if describe(found) != describe(wanted):
        return f"{describe(found)} came{place}, {describe(wanted)} is expected"
    one, other = _as_numpy(found), _as_numpy(wanted)
    wrong = (one != other) & ~(np.isnan(one) & np.isnan(other))
    if not wrong.any():
        return None
    first = np.unravel_index(int(wrong.argmax()), wrong.shape)
    at = f", the first at index {index_text(first)}: {one[first]} came, {other[first]} is expected"
    return f"{wrong.sum():,} of {wrong.size:,} values{place} differ{at}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."
