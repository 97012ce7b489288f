"""The codec: what crosses is plain data, and every frame that is not is refused without harm outside."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from pathlib import Path

import torch

from gapcheck import codec
from tests.attacks.kinds import Attack, Outside, Probe


def _frame(structure: object, arrays: bytes = b"\x02\0\0\0\0\0\0\0{}") -> bytes:
    text = structure if isinstance(structure, bytes) else json.dumps(structure).encode()
    return len(text).to_bytes(4, "big") + text + arrays


def _arrays(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def _forged(id_: str, row: str, frame: bytes) -> Probe:
    """A frame that no codec writes, sent from inside."""
    code = f"def attack():\n    import zlib\n    answer(b'V' + zlib.decompress({_packed(frame)!r}))"
    return Probe(f"frame-{id_}", row, "F", code, ends=("refused",))


def _packed(data: bytes) -> bytes:
    import zlib

    return zlib.compress(data)


def _value(id_: str, row: str, code: str, *ends: str, sees: object = True) -> Probe:
    return Probe(id_, row, "F" if ends else "N", f"def attack():\n{code}", sees, ends=ends)


def _array(**changes: object) -> bytes:
    """A frame of one tensor, with changes to what its header declares."""
    header = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}
    return _frame({"tensor": ["0"]}, _arrays({"0": header}, bytes(8)))


def _mutations(count: int) -> Callable[[Path], str]:
    """Frames with random damage: read, or refused; nothing else may be raised."""

    def check(folder: Path) -> str:
        generator = random.Random(1)
        good = codec.encode({"a": torch.ones(2, 3), "b": [1, 2.5, None, True, b"x", 2**100], ("c", 1)[0]: "text"})
        for _ in range(count):
            frame = bytearray(good)
            for _ in range(generator.randrange(1, 6)):
                place = generator.randrange(len(frame))
                match generator.randrange(3):
                    case 0:
                        frame[place] = generator.randrange(256)
                    case 1:
                        del frame[place : place + generator.randrange(1, 9)]
                    case _:
                        frame[place:place] = generator.randbytes(generator.randrange(1, 9))
                if not frame:
                    break
            try:
                codec.decode(bytes(frame))
            except codec.Refused:
                continue
            except Exception as error:
                return f"{type(error).__name__}: {error} at {bytes(frame)!r:.200}"
        return ""

    return check


ATTACKS: tuple[Attack, ...] = (
    _forged(
        "pickle", "a pickle whose __reduce__ would run a command", b"\x80\x04cposix\nsystem\n(S'touch /tmp/x'\ntR."
    ),
    _forged("nothing", "a frame of no bytes", b""),
    _forged("too-long", "a structure that declares 4 GiB", b"\xff\xff\xff\xff{}"),
    _forged("nested", "nesting of 100,000", _frame(b"[" * 100_000 + b"]" * 100_000)),
    _forged("nested-kinds", "nesting of 100 known kinds", _frame(json.loads('{"list":[' * 100 + "]}" * 100))),
    _forged("many-parts", "a million parts in 2 MB", _frame(b'{"list":[' + b"1," * 10**6 + b"1]}")),
    _forged("constant", "NaN as JSON writes it", _frame(b"NaN")),
    _forged("infinity", "a number that overflows", _frame(b"1e999")),
    _forged("digits", "an integer of a million digits", _frame(b"9" * 10**6)),
    _forged("long-integer", "an integer of 53 bits and more as a plain number", _frame(2**60)),
    _forged("hexadecimal", "a hexadecimal integer of 4,000 digits", _frame({"int": "0x" + "f" * 4000})),
    _forged("float-text", "a float that is written oddly", _frame({"float": "1e3"})),
    _forged("base64", "bytes that are no base64", _frame({"bytes": "a$"})),
    _forged("duplicate-keys", "a dict with a key twice", _frame({"dict": [["a", 1], ["a", 2]]})),
    _forged("equal-keys", "a dict with True and 1", _frame({"dict": [[True, 1], [1, 2]]})),
    _forged("key-list", "a dict with a list as a key", _frame({"dict": [[{"list": []}, 1]]})),
    _forged(
        "key-tensor",
        "a dict with a tensor as a key",
        _frame(
            {"dict": [[{"tensor": ["0"]}, 1]]},
            _arrays({"0": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}, bytes(4)),
        ),
    ),
    _forged(
        "json-duplicates", "an object whose kind stands twice", _frame(b'{"int":"0x20000000000000","float":"nan"}')
    ),
    _forged("surrogate", "a lone surrogate", _frame(b'"\\ud800"')),
    _forged("not-utf8", "a structure that is not UTF-8", _frame(b'"\xff\xfe"')),
    _forged("unknown-kind", "a part of an unknown kind", _frame({"object": ["os.system"]})),
    _forged("plain-list", "a list that is none of the codec's", _frame([1, 2])),
    _forged("extra", "bytes behind the frame", codec.encode(1) + b"more"),
    _forged("truncated", "a frame cut off", codec.encode(torch.ones(9))[:-1]),
    _forged("missing-array", "an array that is not there", _frame({"tensor": ["7"]})),
    _forged(
        "unnamed-array",
        "an array that nothing names",
        _frame(1, _arrays({"0": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4))),
    ),
    _forged(
        "aliased",
        "two parts that name one array",
        _frame(
            {"list": [{"tensor": ["0"]}, {"tensor": ["0"]}]},
            _arrays({"0": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
        ),
    ),
    _forged("header-length", "an array header that declares 2^60 bytes", _frame(1, struct.pack("<Q", 2**60) + b"{}")),
    _forged("header-json", "an array header that is no JSON", _frame(1, _arrays(b"{{{"))),
    _forged("shape-overflow", "a shape whose product overflows", _array(shape=[2**32, 2**32])),
    _forged("shape-large", "a shape beyond the bytes that are there", _array(shape=[2**40])),
    _forged("shape-negative", "a negative shape", _array(shape=[-2])),
    _forged("offsets", "offsets beyond the end", _array(data_offsets=[0, 2**50])),
    _forged("offsets-backwards", "offsets that run backwards", _array(data_offsets=[8, 0])),
    _forged("dtype", "an unknown dtype", _array(dtype="PICKLE")),
    _forged("dtype-f8", "a dtype that must not cross", _array(dtype="F8_E4M3", shape=[8])),
    _forged("dimensions", "a hundred dimensions", _array(shape=[1] * 99 + [2])),
    _forged(
        "metadata",
        "metadata in place of arrays",
        _frame({"tensor": ["__metadata__"]}, _arrays({"__metadata__": {"a": "b"}})),
    ),
    _value("object-array", "an array of objects", "    import numpy\n    return numpy.array([object()])", "refused"),
    _value("text-array", "an array of texts", "    import numpy\n    return numpy.array(['x'])", "refused"),
    _value(
        "record-array",
        "an array of records",
        "    import numpy\n    return numpy.zeros(1, dtype=[('a', 'f4')])",
        "refused",
    ),
    _value(
        "array-subclass", "a subclass of numpy's array", "    import numpy\n    return numpy.matrix([[1.0]])", "refused"
    ),
    _value("sparse", "a sparse tensor", "    import torch\n    return torch.eye(3).to_sparse()", "refused"),
    _value(
        "quantised",
        "a quantised tensor",
        "    import torch\n    return torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)",
        "refused",
    ),
    _value(
        "meta", "a tensor without storage", "    import torch\n    return torch.empty(10**12, device='meta')", "refused"
    ),
    _value(
        "complex-128",
        "a dtype that must not cross",
        "    import torch\n    return torch.ones(1, dtype=torch.complex128)",
        "refused",
    ),
    _value("cycle", "a list that holds itself", "    x = []\n    x.append(x)\n    return x", "refused"),
    _value(
        "deep",
        "nesting of 100,000",
        "    x = []\n    for _ in range(100_000):\n        x = [x]\n    return x",
        "refused",
    ),
    _value("surrogate", "a lone surrogate", "    return '\\ud800'", "refused"),
    _value(
        "bool-subclass",
        "an int of a class of its own",
        "    import enum\n    return enum.IntEnum('Five', 'five').five",
        "refused",
    ),
    _value(
        "ordered-dict",
        "a dict of another class",
        "    import collections\n    return collections.OrderedDict(a=1)",
        "refused",
    ),
    _value(
        "named-tuple",
        "a tuple of another class",
        "    import collections\n    return collections.namedtuple('P', 'x')(1)",
        "refused",
    ),
    _value("huge-integer", "an integer of a million bits", "    return 1 << 10**6", "refused"),
    _value(
        "numbers",
        "bool, int and -0.0 keep their types",
        "    return [True, 1, 2**200, -0.0]",
        sees=lambda seen: [type(one) for one in seen] == [bool, int, int, float] and str(seen[3]) == "-0.0",
    ),
    _value("nul", "a text with NUL", "    return 'a\\0b'", sees="a\0b"),
    _value(
        "strides",
        "negative strides, views and expanded tensors cross as plain copies",
        """
    import numpy, torch
    x = torch.arange(6.0).reshape(2, 3)
    return [numpy.arange(3)[::-1], x.T, torch.ones(1).expand(4), x[:, ::2]]""",
        sees=lambda seen: (
            [list(seen[0]), seen[1].shape, seen[2].tolist(), seen[3].is_contiguous()]
            == [[2, 1, 0], (3, 2), [1.0] * 4, True]
        ),
    ),
    _value(
        "shared-storage",
        "two tensors that share storage cross as two",
        "    import torch\n    x = torch.zeros(3)\n    return [x, x]",
        sees=lambda seen: seen[0].data_ptr() != seen[1].data_ptr(),
    ),
    _value(
        "requires-grad",
        "a tensor with a graph behind it",
        "    import torch\n    return torch.ones(2, requires_grad=True) * 2",
        sees=lambda seen: seen.grad_fn is None and not seen.requires_grad,
    ),
    _value(
        "passed-descriptor",
        "a descriptor passed through the channel of results",
        """
    import socket
    channel = tried(lambda: socket.socket(fileno=3))
    return channel""",
        sees=lambda seen: seen in ("ENOTSOCK", "EPERM"),
    ),
    _value(
        "reduce",
        "an object that would unpickle to a command",
        "    class Bomb:\n        def __reduce__(self):\n"
        "            return os.system, ('touch /tmp/x',)\n    return Bomb()",
        "refused",
    ),
    Probe(
        "malicious-checkpoint",
        "a checkpoint that runs code when it is loaded: inside, where it harms nobody",
        "N",
        """
def attack():
    import torch
    class Bomb:
        def __reduce__(self):
            return os.mkdir, ("/tmp/loaded",)
    torch.save({"w": Bomb()}, "/tmp/x.pt")
    refused = tried(torch.load, "/tmp/x.pt")
    tried(torch.load, "/tmp/x.pt", weights_only=False)
    return refused != "done", os.path.isdir("/tmp/loaded")""",
        (True, True),
    ),
    Outside("mutations", "five thousand frames with random damage", "F", _mutations(5000)),
)
