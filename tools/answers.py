"""Puts the `answers.toml` of a release together from those of its exercises."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from grader import GapgradeError


class AnswersError(GapgradeError):
    """Answer boxes that do not go together: which files, and what to change."""


def join_answers(parts: Mapping[str, bytes]) -> bytes:
    """One file of all parts, in their order.

    Args:
        parts: what each `answers.toml` holds, by its path in the course.

    Raises:
        AnswersError: a part is no TOML, two have a table of the same name, or an answer stands outside all tables.
    """
    if len(parts) == 1:
        return next(iter(parts.values()))
    owners: dict[str, str] = {}
    for source, data in parts.items():
        for name, value in _tables(source, data).items():
            if not isinstance(value, dict):
                raise AnswersError(f"{source}: {name!r} stands outside all tables; name one above it, such as [quiz]")
            owner = owners.setdefault(name, source)
            if owner != source:
                raise AnswersError(f"{owner} and {source} both have the table [{name}]; rename one of them")
    return b"\n".join(data.strip() + b"\n" for data in parts.values())


def _tables(source: str, data: bytes) -> dict[str, object]:
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AnswersError(f"{source}: {error}") from None
