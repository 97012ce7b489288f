"""What crosses the wall comes out as it went in, or not at all."""

from __future__ import annotations

import base64
import json
import math
import struct
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gapcheck.codec import MAX_DEPTH, MAX_INT_BITS, MAX_NODES, MAX_STRUCTURE, Refused, decode, encode

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | st.binary()
DTYPES = [np.float16, np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.bool_, np.complex64]
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
)
LEAVES = KEYS | st.floats() | ARRAYS | ARRAYS.map(lambda array: torch.from_numpy(np.array(array)))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.lists(st.tuples(KEYS, inner), max_size=5).map(dict),
    max_leaves=30,
)


def same(one: Any, other: Any) -> bool:
    """Whether two values are of the same types throughout and equal bit by bit, NaN as well."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        one, other = one.numpy(), other.numpy()
    if isinstance(one, np.ndarray | np.generic):
        return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or struct.pack("d", one) == struct.pack("d", other)
    return bool(one == other)


def frame(structure: str | bytes, stored: bytes | None = None) -> bytes:
    """A frame with this text as its structure, whatever it is."""
    content = structure.encode() if isinstance(structure, str) else structure
    return struct.pack(">I", len(content)) + content + (safetensors.torch.save({}) if stored is None else stored)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(VALUES)
def test_a_value_comes_out_as_it_went_in(value: Any) -> None:
    if any(bits > MAX_INT_BITS for bits in _bits(value)):
        with pytest.raises(Refused, match="bits"):
            encode(value)
    else:
        assert same(decode(encode(value)), value)


def _bits(value: Any) -> list[int]:
    if isinstance(value, dict):
        return [bits for pair in value.items() for part in pair for bits in _bits(part)]
    if isinstance(value, list | tuple):
        return [bits for part in value for bits in _bits(part)]
    return [value.bit_length()] if type(value) is int else []


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    with pytest.raises(Refused):
        decode(data)


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(VALUES, st.data())
def test_a_changed_frame_is_a_plain_value_or_refused(value: Any, data: st.DataObject) -> None:
    try:
        whole = bytearray(encode(value))
    except Refused:
        return
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode(bytes(whole[: data.draw(st.integers(len(whole) // 2, len(whole)))]))
    except Refused:
        return
    assert same(decode(encode(found)), found)


@pytest.mark.parametrize(
    "hostile",
    [
        frame("[" * MAX_STRUCTURE),
        frame('{"list":' * 500_000),
        frame("[" + "[]," * 2_500_000 + "[]]"),
        frame('{"list": [' + "0," * 4_000_000 + "0]}"),
        frame('"' + '\\"' * 4_000_000),
        frame("9" * 5_000),
        frame("1e999"),
        frame("-1e999"),
        frame("NaN"),
        frame("Infinity"),
        frame('{"float": "1.5"}'),
        frame('{"float": "-nan"}'),
        frame('{"int": "0x1"}'),
        frame('{"int": "' + "f" * 10_000 + '"}'),
        frame('{"bytes": "="}'),
        frame('"\\ud800"'),
        frame('"\x00'),
        frame(b'"\xff\xfe"'),
        frame('{"list": [], "list": []}'),
        frame('{"list": [], "tuple": []}'),
        frame("{}"),
        frame("[]"),
        frame('{"list": {"list": []}}'),
        frame('{"dict": [["a", 1], ["a", 2]]}'),
        frame('{"dict": [[1, 1], [true, 2]]}'),
        frame('{"dict": [[{"float": "nan"}, 1]]}'),
        frame('{"dict": [[{"list": []}, 1]]}'),
        frame('{"dict": [[1]]}'),
        frame('{"object": []}'),
        frame('{"tensor": ["0"]}'),
        frame('{"tensor": "0"}'),
        frame("1", b""),
        frame("1", struct.pack("<Q", 2**63) + b"{}"),
        frame("1", struct.pack("<Q", 2) + b"{}" + b"surplus"),
        struct.pack(">I", 2**32 - 1) + b"1",
        b"",
    ],
    ids=lambda whole: f"{bytes(whole[4:24])!r}",
)
def test_a_hostile_frame_is_refused_in_little_memory(hostile: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Refused):
            decode(hostile)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 24 * MAX_STRUCTURE  # 200 MiB; a list of eight million lists takes three times that


def stored(dtype: str, shape: list[int], offsets: list[int], data: bytes, name: str = "0") -> bytes:
    header = json.dumps({name: {"dtype": dtype, "shape": shape, "data_offsets": offsets}}).encode()
    return struct.pack("<Q", len(header)) + header + data


@pytest.mark.parametrize(
    "arrays_of_frame",
    [
        stored("F32", [2**62, 4], [0, 4], bytes(4)),
        stored("F32", [2**31, 2**31, 4], [0, 0], b""),
        stored("F32", [-1], [0, 4], bytes(4)),
        stored("F32", [1000], [0, 4], bytes(4)),
        stored("F32", [1], [4, 8], bytes(8)),
        stored("F32", [1], [0, 2**40], bytes(4)),
        stored("F32", [1] * 40, [0, 4], bytes(4)),
        stored("F8_E4M3", [4], [0, 4], bytes(4)),
        stored("U16", [2], [0, 4], bytes(4)),
        stored("F32", [1], [0, 4], bytes(4), name="1"),
        stored("BOOL", [4], [0, 4], b"\0\1\2\xff"),
    ],
)
def test_an_array_that_is_not_what_it_says_is_refused(arrays_of_frame: bytes) -> None:
    with pytest.raises(Refused):
        decode(frame('{"tensor": ["0"]}', arrays_of_frame))


def test_one_array_is_named_once() -> None:
    twice = frame('{"list": [{"tensor": ["0"]}, {"tensor": ["0"]}]}', safetensors.torch.save({"0": torch.ones(1)}))
    with pytest.raises(Refused):
        decode(twice)


class Claims(float):
    """Equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class Overrides(torch.Tensor):
    """A tensor that may answer as it likes."""


def _cycle() -> list[Any]:
    one: list[Any] = []
    one.append(one)
    return one


def _deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        Claims(1),
        torch.ones(2).as_subclass(Overrides),
        torch.eye(2).to_sparse(),
        torch.ones(2, device="meta"),
        torch.ones(2, dtype=torch.complex128),
        torch.ones([1] * 17),
        np.array([object()]),
        np.array(["text"]),
        np.ma.masked_array([1.0]),
        {(1, 2): 3},
        {float("nan"): 1},
        {1, 2},
        object(),
        "\ud800",
        2**300,
        [0] * (MAX_NODES + 1),
        "x" * (MAX_STRUCTURE + 1),
        _cycle(),
        _deep(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_plain_data_does_not_cross(value: Any) -> None:
    with pytest.raises(Refused):
        encode(value)


def test_views_and_shared_storage_cross_as_plain_copies() -> None:
    base = torch.arange(6.0).reshape(2, 3)
    flipped = np.arange(4)[::-1]
    one, two, three = decode(encode((base.T, base[0].expand(4, 3), flipped)))
    assert torch.equal(one, base.T)
    assert torch.equal(two, base[0].expand(4, 3))
    assert three.tolist() == [3, 2, 1, 0]
    assert two.is_contiguous()


def test_what_a_machine_may_keep_otherwise_crosses_with_its_numbers() -> None:
    other_order = np.array([1.0, -2.5], dtype=np.dtype("float32").newbyteorder())
    short = torch.tensor([1.5, -0.0, math.inf], dtype=torch.bfloat16)
    conjugate = torch.tensor([1 + 2j], dtype=torch.complex64).conj()
    order, scalar, bits, conj, imag = decode(encode((other_order, other_order[1], short, conjugate, conjugate.imag)))
    assert order.tolist() == [1.0, -2.5]
    assert order.dtype == np.float32
    assert type(scalar) is np.float32
    assert scalar == -2.5
    assert torch.equal(bits.view(torch.int16), short.view(torch.int16))
    assert conj.tolist() == [1 - 2j]
    assert imag.tolist() == [-2.0]


def test_the_deepest_value_that_may_cross_does() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert decode(encode(value)) == value
    with pytest.raises(Refused):
        encode([value])


def test_a_call_from_deep_recursion_refuses_rather_than_overflows() -> None:
    def descend(left: int) -> None:
        if left:
            descend(left - 1)
        else:
            decode(frame("[" * 100_000))

    with pytest.raises(Refused):
        descend(sys.getrecursionlimit() - 250)


def test_bytes_are_read_strictly() -> None:
    with pytest.raises(Refused):
        decode(frame(json.dumps({"bytes": base64.b64encode(b"abc").decode() + "\n"})))
