"""Our own pages: PDFs that an exercise explains something with, set from their sources by typst."""

from __future__ import annotations

from pathlib import Path

import typst

from grader import GapgradeError


class PageError(GapgradeError):
    """A page that cannot be set: file, and typst's reason."""


def render_page(source: Path, exercise: Path) -> bytes:
    """The PDF of a page of an exercise, which may show the exercise's figures; the same bytes at every call.

    Fonts are typst's own, so that they are the same on every machine.
    """
    if "date: none" not in source.read_text(encoding="utf-8"):
        raise PageError(f"{source}:1: write #set document(date: none), or the page differs each time it is made")
    try:
        pdf = typst.compile(str(source), root=str(exercise), format="pdf", ignore_system_fonts=True)
    except typst.TypstError as error:
        raise PageError(f"{source}: {error}") from None
    if not isinstance(pdf, bytes):
        raise PageError(f"{source}: typst made no single PDF")
    return pdf
