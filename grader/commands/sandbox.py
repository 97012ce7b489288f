"""The option `--sandbox` of every command that grades."""

from __future__ import annotations

from enum import StrEnum


class Sandbox(StrEnum):
    """How strong the wall is; `auto` takes the strongest that works here and refuses where none does."""

    auto = "auto"
    nested = "nested"
    fresh = "fresh"
    container = "container"
    none = "none"
