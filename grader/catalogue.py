"""An exercise's catalogue: the mistakes that its tests must catch, and the variants that must get full marks."""

from __future__ import annotations

import difflib
import itertools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader import GapgradeError
from grader.gaps import find_gaps
from grader.lines import split_lines

Entry = TypeVar("Entry", bound="Variant")


class CatalogueError(GapgradeError):
    """A catalogue that cannot be used: file, entry, and what to change."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Edit(_Model):
    """A text that stands exactly once in a gap of the solution, and what stands there instead."""

    file: str
    find: str = Field(min_length=1)
    replace: str


class Variant(_Model):
    """A different but right solution."""

    id: str
    title: str
    edit: tuple[Edit, ...] = Field(min_length=1)


class Mistake(Variant):
    """A wrong solution, the names of the tests that must catch it, and what to tell who made it."""

    hint: str
    tests: tuple[str, ...] = Field(min_length=1)


def load_mistakes(exercise: Path) -> list[Mistake]:
    """All `[[mistake]]` of `solutions/<exercise>/mistakes/*.toml`, in the order of the files."""
    return _load(exercise / "mistakes", "mistake", Mistake)


def load_variants(exercise: Path) -> list[Variant]:
    """All `[[variant]]` of `solutions/<exercise>/variants/*.toml`, in the order of the files."""
    return _load(exercise / "variants", "variant", Variant)


def _load(folder: Path, key: str, model: type[Entry]) -> list[Entry]:
    entries: list[Entry] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            data = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CatalogueError(f"{file}: {error}") from None
        if set(data) - {key}:
            raise CatalogueError(
                f"{file}: unknown table {sorted(set(data) - {key})[0]!r}; this file holds [[{key}]] only"
            )
        for number, entry in enumerate(data.get(key, []), 1):
            try:
                entries.append(model.model_validate(entry))
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"])
                raise CatalogueError(f"{file}: {key} {entry.get('id', number)!r}: {where}: {first['msg']}") from None
    ids = [entry.id for entry in entries]
    for name in ids:
        if ids.count(name) > 1:
            raise CatalogueError(f"{folder}: two entries have the id {name!r}")
    return entries


def apply_edits(entry: Variant, solution: Mapping[str, str]) -> dict[str, str]:
    """The solution's files with an entry's edits made; an edit counts only inside a gap.

    Raises `CatalogueError` where a text is not found exactly once.
    """
    files = dict(solution)
    for edit in entry.edit:
        if edit.file not in files:
            near = difflib.get_close_matches(edit.file, files, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise CatalogueError(f"{entry.id}: there is no file {edit.file} in the solution{meant}")
        text = files[edit.file]
        inside = [at for start, end in _gap_ranges(text, edit.file) for at in _places(text[:end], edit.find, start)]
        if len(inside) != 1:
            raise CatalogueError(
                f"{entry.id}: {edit.find!r} stands {len(inside)} times in the gaps of {edit.file}; it must once"
            )
        files[edit.file] = text[: inside[0]] + edit.replace + text[inside[0] + len(edit.find) :]
    return files


def _gap_ranges(text: str, name: str) -> list[tuple[int, int]]:
    """Where each gap's content begins and ends, in characters."""
    ends = list(itertools.accumulate((len(line) for line in split_lines(text)), initial=0))
    return [(ends[gap.start], ends[gap.end - 1]) for gap in find_gaps(text, name)]


def _places(text: str, wanted: str, start: int) -> list[int]:
    return [at for at in range(start, len(text) - len(wanted) + 1) if text.startswith(wanted, at)]
