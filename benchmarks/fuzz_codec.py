"""Throws hostile frames at the codec: `python -m benchmarks.fuzz_codec --cases 200000 [--seed N]`.

Four families, in turn: random bytes, valid frames with bytes changed, valid frames cut or repeated, and frames whose
declared lengths, offsets and shapes were replaced by extreme ones. Each case has to be refused, or to come out as plain
data that crosses again unchanged; anything else (another exception, another type) ends the run with its frame.

The last line says how many cases ran, how many came through, the slowest one and the peak of memory.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
from typing import Any

import numpy as np
import torch

from gapcheck.codec import Refused, decode, encode

PLAIN = (type(None), bool, int, float, str, bytes, list, tuple, dict, np.ndarray, np.generic, torch.Tensor)
EXTREMES = [b"0", b"-1", b"1e999", b"9" * 30, b"18446744073709551615", b"4611686018427387904", b"null", b"[]", b"{}"]


def leaf(rng: random.Random) -> Any:
    return rng.choice(
        [
            lambda: None,
            lambda: rng.random() < 0.5,
            lambda: rng.getrandbits(rng.choice([4, 52, 53, 64, 255])),
            lambda: rng.choice([0.0, -0.0, 1.5, float("nan"), float("inf"), 5e-324]),
            lambda: "".join(chr(rng.choice([0, 34, 92, 65, 233, 0x1F600])) for _ in range(rng.randrange(6))),
            lambda: rng.randbytes(rng.randrange(6)),
            lambda: torch.zeros([rng.randrange(3) for _ in range(rng.randrange(4))], dtype=torch.float16),
            lambda: np.zeros([rng.randrange(3)], dtype=rng.choice(["<i8", ">f4", "?", "c8"])),
            lambda: np.float64(2.0),
        ]
    )()


def value(rng: random.Random, depth: int = 3) -> Any:
    kind = rng.randrange(6) if depth else 0
    if kind < 3:
        return leaf(rng)
    parts = [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return [parts, tuple(parts), dict(enumerate(parts))][kind - 3]


def changed(rng: random.Random, frame: bytes) -> bytes:
    whole = bytearray(frame)
    for _ in range(rng.randrange(1, 5)):
        whole[rng.randrange(len(whole))] = rng.choice([rng.randrange(256), *b'{}[]",:0-\\'])
    return bytes(whole)


def cut(rng: random.Random, frame: bytes) -> bytes:
    start, end = sorted(rng.randrange(len(frame) + 1) for _ in range(2))
    return rng.choice([frame[:start], frame[start:], frame[:start] + frame[end:], frame + frame[start:end]])


def extreme(rng: random.Random, frame: bytes) -> bytes:
    """A run of digits, or one of the two lengths, replaced."""
    if rng.random() < 0.3:
        return rng.randbytes(4) + frame[4:]
    size = int.from_bytes(frame[:4], "big")
    if rng.random() < 0.3:
        return frame[: 4 + size] + rng.choice([bytes(8), b"\xff" * 8, rng.randbytes(8)]) + frame[12 + size :]
    digits = [i for i in range(4, len(frame)) if frame[i : i + 1].isdigit()]
    if not digits:
        return frame
    at = rng.choice(digits)
    new = frame[4:at] + rng.choice(EXTREMES) + frame[at + 1 :]
    longer = len(new) - len(frame) + 4
    return ((size + longer) if at < 4 + size else size).to_bytes(4, "big") + new


def plain(found: Any) -> bool:
    if isinstance(found, list | tuple):
        return all(map(plain, found))
    if isinstance(found, dict):
        return all(plain(key) and plain(part) for key, part in found.items())
    return isinstance(found, PLAIN)


def run(cases: int, seed: int) -> str:
    """Run the cases; raises what a case raised that is no `Refused`. Returns the line that says how it went."""
    rng = random.Random(seed)
    through, slowest = 0, 0.0
    for case in range(cases):
        frame = encode(value(rng))
        hostile = [lambda _, f: rng.randbytes(rng.randrange(len(f) + 1)), changed, cut, extreme][case % 4](rng, frame)
        started = time.perf_counter()
        try:
            found = decode(hostile)
        except Refused:
            found = None
        except BaseException:
            print(f"case {case} of seed {seed}: {hostile!r}", file=sys.stderr)
            raise
        else:
            through += 1
            if not plain(found) or encode(decode(encode(found))) != encode(found):
                raise SystemExit(f"case {case} of seed {seed} came out as no plain data: {hostile!r}")
        slowest = max(slowest, time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return f"{cases:,} cases, {through:,} came through as plain data, slowest {slowest * 1000:.1f} ms, peak {peak} MiB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(run(options.cases, options.seed))


if __name__ == "__main__":
    main()
