"""Writes safe text on a console, in characters that its encoding has and in styles that it may leave out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from grader.reports import text as safe

BAR = 10


@dataclass(frozen=True)
class Pen:
    """Writes on one console: safe text, in characters that its encoding has."""

    console: Console

    def text(self, text: str, style: str = "", limit: int = safe.LONG) -> Text:
        return Text(self._written(safe.plain(text, limit)), style, overflow="fold")

    def line(self, text: str, style: str = "") -> Text:
        return Text(self._written(safe.line(text)), style, overflow="fold")

    def long_line(self, text: str, style: str = "") -> Text:
        return Text(self._written(safe.line(text, safe.LONG)), style, overflow="fold")

    def heading(self, text: str) -> Text:
        return self.line(text, "bold")

    def gap(self) -> Text:
        return Text("")

    def quote(self, text: str, style: str = "", limit: int = safe.LONG) -> RenderableType:
        """Somebody's own words, behind a line of their own."""
        return _Quote(self.text(text.strip("\n"), style, limit), "| " if self.console.options.ascii_only else "│ ")

    def mark(self, sign: str, plain_sign: str, style: str) -> Text:
        return Text(plain_sign if self.console.options.ascii_only else sign, style)

    def item(self, mark: Text, *body: RenderableType) -> RenderableType:
        """A mark, and what hangs behind it."""
        row = Table.grid(padding=(0, 1))
        row.add_column(no_wrap=True)
        row.add_column(overflow="fold")
        row.add_row(mark, Group(*body))
        return row

    def bar(self, share: Decimal) -> Text:
        filled = max(0, min(BAR, int(BAR * share)))
        full, empty = ("#", ".") if self.console.options.ascii_only else ("━", "╌")
        return Text.assemble((full * filled, "green"), (empty * (BAR - filled), "dim"))

    def _written(self, text: str) -> str:
        encoding = self.console.encoding
        return text.encode(encoding, "backslashreplace").decode(encoding)


@dataclass(frozen=True)
class _Quote:
    """A text with a line on its left, wrapped lines too."""

    text: Text
    edge: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(1, options.max_width - len(self.edge))
        for line in console.render_lines(self.text, options.update(width=width), pad=False):
            yield Segment(self.edge, Style(dim=True))
            yield from line
            yield Segment.line()
