"""Makes forks of a large process cheap.

A fork copies one page table entry for every page that its parent has written: 60,000 for a Python with torch loaded,
which costs more than all else that a probe does. Laid together into huge pages (2 MiB each), the same memory needs a
few hundred.
"""

from __future__ import annotations

import ctypes
import gc

HUGE = 2 * 2**20
MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25  # include/uapi/asm-generic/mman-common.h; COLLAPSE since Linux 6.1


def settle() -> None:
    """Call once everything is loaded, before the first fork. Where the kernel cannot do it, forks only cost more."""
    gc.collect()
    gc.freeze()  # the collector would write to every object's header, and so copy its page
    try:
        with open("/proc/self/maps", encoding="utf-8") as file:
            maps = file.read().splitlines()
        madvise = ctypes.CDLL(None).madvise
    except (OSError, AttributeError):
        return
    for line in maps:
        span, access, _, _, inode, *name = line.split()
        if access.startswith("rw") and inode == "0" and name != ["[stack]"]:
            start, end = (int(address, 16) for address in span.split("-"))
            start, end = -(-start // HUGE) * HUGE, end // HUGE * HUGE
            if start < end:
                place = ctypes.c_void_p(start), ctypes.c_size_t(end - start)
                madvise(*place, MADV_HUGEPAGE)
                madvise(*place, MADV_COLLAPSE)
