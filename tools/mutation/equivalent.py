"""Mutants that are no mistakes: `solutions/<exercise>/equivalent_mutants.toml` says of each why."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader import GapgradeError
from tools.mutation.mutants import Mutant

FILE = "equivalent_mutants.toml"


class EquivalentError(GapgradeError):
    """A list that cannot be read: file, entry, and what to change."""


class Equivalent(BaseModel):
    """A mutant that the tests may not notice, and why that is right."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    gap: str
    original: str
    mutated: str
    reason: str = Field(min_length=10)

    def is_of(self, mutant: Mutant) -> bool:
        here = (self.file, self.gap, self.original.strip(), self.mutated.strip())
        return here == (mutant.file, mutant.gap, mutant.before, mutant.after)


def load_equivalents(exercise: Path) -> list[Equivalent]:
    """All `[[mutant]]` of an exercise; none where there is no file."""
    file = exercise / FILE
    if not file.is_file():
        return []
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8")).get("mutant", [])
        return [Equivalent.model_validate(entry) for entry in entries]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EquivalentError(f"{file}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise EquivalentError(f"{file}: {first['input']!r}: {where}: {first['msg']}") from None
