"""Parts of a solution that are handed out on purpose: `solutions/<exercise>/shown.toml` says which, where and why."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader import GapgradeError

FILE = "shown.toml"


class ShownError(GapgradeError):
    """A list that cannot be read: file, entry, and what to change."""


class Shown(BaseModel):
    """A file of the release that may hold what stands in a gap."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gap: str
    file: str
    reason: str = Field(min_length=10)


def load_shown(exercise: Path) -> list[Shown]:
    """All `[[shown]]` of an exercise; none where there is no file."""
    file = exercise / FILE
    if not file.is_file():
        return []
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8")).get("shown", [])
        return [Shown.model_validate(entry) for entry in entries]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ShownError(f"{file}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ShownError(f"{file}: {first['input']!r}: {where}: {first['msg']}") from None
