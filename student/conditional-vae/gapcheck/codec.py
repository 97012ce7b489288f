"""The only way across the wall: plain data as a JSON structure, arrays as safetensors.

A frame is `length of the structure (4 bytes, big-endian) | structure | safetensors`. The structure holds numbers,
strings and null as they are, and everything else as `{"kind": [...]}`. Nothing is ever unpickled, no size in a frame is
believed before it was compared with the bytes that are there, and how many parts it has is counted before it is parsed:
reading a frame takes memory in proportion to its length, whatever is in it.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors
import torch
from torch import Tensor

MAX_DEPTH = 50
MAX_NODES = 100_000
MAX_STRUCTURE = 8 * 2**20  # bytes of JSON
MAX_ARRAYS = 10_000
MAX_DIMENSIONS = 16
MAX_INT_BITS = 256
TENSORS = {  # a dtype's name in safetensors
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
    "C64": torch.complex64,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
ARRAYS = {name: np.dtype(str(dtype).removeprefix("torch.")) for name, dtype in TENSORS.items() if name != "BF16"}
TENSOR_NAMES = {dtype: name for name, dtype in TENSORS.items()}
ARRAY_NAMES = {dtype: name for name, dtype in ARRAYS.items()}
# a string of JSON, or what there is of one at the end of a text: each byte is looked at once
STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
KEY_TYPES = (str, int, float, bool, bytes, type(None))


class Refused(Exception):
    """A value or a frame that is no plain data; the text says what was found."""


def encode(value: Any) -> bytes:
    """One frame for `value`; raises `Refused` for anything that is no plain data."""
    arrays: list[_Stored] = []
    structure = _to_json(_pack(value, arrays, 0, [MAX_NODES])).encode()
    if len(structure) > MAX_STRUCTURE:
        raise Refused(
            f"the value takes {len(structure):,} bytes beside its arrays, at most {MAX_STRUCTURE:,} may cross"
        )
    return len(structure).to_bytes(4, "big") + structure + _safetensors(arrays)


@dataclass(frozen=True, slots=True)
class _Stored:
    """An array as safetensors has it: the name of its dtype, its shape, its numbers row by row."""

    dtype: str
    shape: tuple[int, ...]
    content: bytes


def _safetensors(arrays: Sequence[_Stored]) -> bytes:
    """`length of the header (8 bytes, little-endian) | header | the arrays' numbers`, the arrays named 0, 1, ...

    The library's own writer takes longer for a small array than everything else here together.
    Source: the format's description, https://huggingface.co/docs/safetensors.
    """
    header, end = {}, 0
    for number, array in enumerate(arrays):
        begin, end = end, end + len(array.content)
        header[str(number)] = {"dtype": array.dtype, "shape": array.shape, "data_offsets": (begin, end)}
    text = _to_json(header).encode()
    return b"".join([len(text).to_bytes(8, "little"), text, *[array.content for array in arrays]])


def _pack(value: Any, arrays: list[_Stored], depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if depth > MAX_DEPTH or left[0] < 0:
        raise Refused(f"the value is nested deeper than {MAX_DEPTH} or has more than {MAX_NODES:,} parts")
    kind = type(value)  # the exact type: a subclass can behave as it likes
    if value is None or kind in (bool, str):
        return _checked_text(value) if kind is str else value
    if kind is int:
        if value.bit_length() > MAX_INT_BITS:
            raise Refused(f"an int of {value.bit_length():,} bits; at most {MAX_INT_BITS} may cross")
        return value if value.bit_length() < 53 else {"int": hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if kind is bytes:
        return {"bytes": base64.b64encode(value).decode()}
    if kind in (list, tuple):
        return {kind.__name__: [_pack(part, arrays, depth + 1, left) for part in value]}
    if kind is dict:
        pairs = [(_checked_key(key), part) for key, part in value.items()]
        return {"dict": [[_pack(part, arrays, depth + 1, left) for part in pair] for pair in pairs]}
    return _pack_array(value, arrays)


def _checked_key(key: Any) -> Any:
    if type(key) not in KEY_TYPES:
        raise Refused(f"a dict with a key of type {type(key).__name__}; numbers, strings and bytes may be keys")
    if type(key) is float and math.isnan(key):
        raise Refused("a dict with the key NaN, which equals no other key")
    return key


def _checked_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused("a string with a lone surrogate, which is no text") from None
    return text


def _pack_array(value: Any, arrays: list[_Stored]) -> dict[str, list[str]]:
    if type(value) in (Tensor, torch.nn.Parameter):
        kind, array = "tensor", _tensor_bytes(value)
    elif type(value) is np.ndarray or isinstance(value, np.generic):
        kind, array = "ndarray" if type(value) is np.ndarray else "scalar", _numpy_bytes(value)
    else:
        raise Refused(
            f"a {type(value).__module__}.{type(value).__qualname__}; numbers, strings, bytes, lists, tuples, dicts, "
            f"numpy arrays and torch tensors may cross"
        )
    if len(array.shape) > MAX_DIMENSIONS or len(arrays) >= MAX_ARRAYS:
        raise Refused(f"more than {MAX_ARRAYS:,} arrays, or one of more than {MAX_DIMENSIONS} dimensions")
    arrays.append(array)
    return {kind: [str(len(arrays) - 1)]}


def _tensor_bytes(tensor: Tensor) -> _Stored:
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise Refused("a tensor that is sparse, quantised or without storage; plain tensors may cross")
    if tensor.dtype not in TENSOR_NAMES:
        raise Refused(f"a tensor of dtype {tensor.dtype}, which cannot cross")
    plain = tensor.detach().cpu().resolve_conj().resolve_neg()
    if plain.dtype == torch.bfloat16:
        plain = plain.view(torch.int16)  # numpy has no bfloat16; the bits are what crosses
    return _Stored(TENSOR_NAMES[tensor.dtype], tuple(tensor.shape), plain.numpy().tobytes())


def _numpy_bytes(array: np.ndarray[Any, Any] | np.generic) -> _Stored:
    dtype = array.dtype.newbyteorder("=")
    if dtype not in ARRAY_NAMES:
        raise Refused(f"a numpy array of dtype {array.dtype}, which cannot cross")
    return _Stored(ARRAY_NAMES[dtype], array.shape, np.asarray(array, dtype).tobytes())


def decode(frame: bytes) -> Any:
    """The value of a frame; raises `Refused` for anything that `encode` could not have written."""
    if len(frame) < 4:
        raise Refused(f"a frame of {len(frame)} bytes")
    size = int.from_bytes(frame[:4], "big")
    if size > min(len(frame) - 4, MAX_STRUCTURE):
        raise Refused(f"a frame that promises {size:,} bytes of structure and has {len(frame) - 4:,}")
    end = 4 + size
    content, stored = frame[4:end], bytes(frame[end:])
    _count_parts(content, stored)
    try:
        structure = _from_json(content.decode())
        arrays = dict(safetensors.deserialize(stored))  # type: ignore[no-untyped-call]
    except (ValueError, RecursionError, safetensors.SafetensorError) as error:
        raise Refused(f"a frame that cannot be read: {type(error).__name__}") from None
    value = _unpack(structure, arrays, 0, [MAX_NODES])
    if arrays:
        raise Refused("a frame with an array that nothing names")
    return value


def _count_parts(content: bytes, stored: bytes) -> None:
    """Refuse, before anything is built from it, what has more parts than `encode` would write."""
    marks = STRING.sub(b"", content)
    # a part takes two brackets at most, and a comma; a pair of a dict one of each more
    if marks.count(b"[") + marks.count(b"{") + marks.count(b",") > 5 * MAX_NODES:
        raise Refused(f"a frame with more than {MAX_NODES:,} parts")
    end = 8 + int.from_bytes(stored[:8], "little")
    if end > MAX_STRUCTURE or stored[8:end].count(b"{") > MAX_ARRAYS + 2:
        raise Refused(f"a frame with more than {MAX_ARRAYS:,} arrays")


class _Tagged(tuple[str, Any]):
    """A kind and its content, from a JSON object that holds nothing else."""

    __slots__ = ()

    @classmethod
    def of(cls, pairs: list[tuple[str, Any]]) -> _Tagged:
        if len(pairs) != 1:
            raise ValueError("an object with more or less than one kind")
        return cls(pairs[0])


def _no_constant(text: str) -> Any:
    raise ValueError(text)


_to_json = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_from_json = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_Tagged.of).decode

Arrays = dict[str, dict[str, Any]]  # what safetensors found: shape, dtype and data by name


def _unpack(node: Any, arrays: Arrays, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if depth > MAX_DEPTH or left[0] < 0:
        raise Refused(f"a frame nested deeper than {MAX_DEPTH} or with more than {MAX_NODES:,} parts")
    if node is None or isinstance(node, bool | str):
        return _checked_text(node) if isinstance(node, str) else node
    if isinstance(node, int) and node.bit_length() < 53:
        return node
    if isinstance(node, float) and math.isfinite(node):
        return node
    if not isinstance(node, _Tagged):
        raise Refused("a frame with a part of no known kind")
    kind, content = node
    if kind in ("list", "tuple") and isinstance(content, list):
        parts = [_unpack(part, arrays, depth + 1, left) for part in content]
        return parts if kind == "list" else tuple(parts)
    if kind == "dict" and isinstance(content, list):
        return _unpack_dict(content, arrays, depth, left)
    if kind in ("int", "float", "bytes") and isinstance(content, str):
        return _unpack_text(kind, content)
    if kind in ("tensor", "ndarray", "scalar") and isinstance(content, list) and len(content) == 1:
        return _unpack_array(kind, content[0], arrays)
    raise Refused("a frame with a part of no known kind")


def _unpack_dict(pairs: list[Any], arrays: Arrays, depth: int, left: list[int]) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2:
            raise Refused("a frame with a dict that is none")
        key = _checked_key(_unpack(pair[0], arrays, depth + 1, left))
        if key in result:
            raise Refused("a dict with a key twice")
        result[key] = _unpack(pair[1], arrays, depth + 1, left)
    return result


def _unpack_text(kind: str, content: str) -> int | float | bytes:
    try:
        if kind == "int" and len(content) <= MAX_INT_BITS // 4 + 3:
            number = int(content, 16)
            if 53 <= number.bit_length() <= MAX_INT_BITS:
                return number
        elif kind == "float" and content in ("nan", "inf", "-inf"):
            return float(content)
        elif kind == "bytes":
            return base64.b64decode(content, validate=True)
    except ValueError:
        pass
    raise Refused(f"a frame with {kind} that cannot be read")


def _unpack_array(kind: str, name: Any, arrays: Arrays) -> Any:
    found = arrays.pop(name, None) if isinstance(name, str) else None
    known = TENSORS if kind == "tensor" else ARRAYS
    if found is None or found["dtype"] not in known or len(found["shape"]) > MAX_DIMENSIONS:
        raise Refused("a frame with an array that is missing, of a dtype that cannot cross, or of too many dimensions")
    dtype, shape, content = found["dtype"], found["shape"], found["data"]
    if dtype == "BOOL" and content.strip(b"\0\1"):
        raise Refused("a frame with a truth value that is neither true nor false")
    if kind == "scalar" and shape:
        raise Refused("a numpy scalar with a shape")
    try:
        if kind == "tensor":
            return _tensor(content, TENSORS[dtype], shape)
        array = np.frombuffer(content, ARRAYS[dtype]).reshape(shape)
    except (ValueError, RuntimeError, TypeError):
        raise Refused("a frame with an array of a shape that it cannot have") from None
    return array[()] if kind == "scalar" else array


def _tensor(content: bytearray, dtype: torch.dtype, shape: list[int]) -> Tensor:
    # `frombuffer` takes no buffer of no bytes
    return torch.frombuffer(content, dtype=dtype).reshape(shape) if content else torch.empty(shape, dtype=dtype)
