"""Numbers and names of limits that both sides of the wall use."""

from __future__ import annotations

FILES_PER_MB = 64


def memory_text(memory_mb: int) -> str:
    """2048 -> `2 GiB`; 1500 -> `1500 MiB`."""
    return f"{memory_mb // 1024} GiB" if memory_mb % 1024 == 0 else f"{memory_mb} MiB"


def files_text(disk_mb: int) -> str:
    """64 -> `64 MiB or 4,096 files`."""
    return f"{disk_mb} MiB or {disk_mb * FILES_PER_MB:,} files"
