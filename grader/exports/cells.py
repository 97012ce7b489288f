"""CSV that a spreadsheet opens without running anything of it, and numbers that stay exact."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from grader import GapgradeError

# Where a spreadsheet could see a formula begin: at the start of a cell, and behind a sign at which it may part a row
# when its own list separator is another than the file's. It reads the wide signs alike, and skips blanks and quotes.
_BEGINS = r"=+\-@\t\r\n＝＋－＠"
_FORMULA = re.compile(rf"(\A|[;,|\t\r\n])(?='*[ \"]*[{_BEGINS}])")
_GUARDED = re.compile(rf"(\A|[;,|\t\r\n])'(?='*[ \"]*[{_BEGINS}])")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
MAX_BYTES = 64 * 1024**2


class ExportError(GapgradeError):
    """An export that cannot be made: what is missing or does not fit, and what to do."""


@dataclass(frozen=True)
class Table:
    """A CSV file that a system gave out and takes back: its header, its rows, how it is written, each row's line."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str = ","
    lines: tuple[int, ...] = ()


def safe(text: str) -> str:
    """A cell as text: an apostrophe keeps a spreadsheet from reading a formula; `unsafe` takes it away again.

    It also stands behind a `;`, a `,` or a tab inside the cell: a spreadsheet that separates by semicolons parts
    `x;=1+1` although it is quoted, for its row began with another sign. Plain numbers stay numbers, and a lone `-`,
    which is no formula, stays Moodle's word for "no grade".
    """
    shown = text.replace("\0", "")
    if shown == "-" or _NUMBER.fullmatch(shown):
        return shown
    return _FORMULA.sub(r"\1'", shown)


def unsafe(cell: str) -> str:
    """The text that `safe` made a cell of."""
    return _GUARDED.sub(r"\1", cell)


def number(value: Decimal) -> str:
    """The exact decimal, never in powers of ten: 12.5, 3, 0."""
    return f"{value.normalize():f}" if value else "0"


def write_csv(header: Sequence[str], rows: Iterable[Mapping[str, str]], delimiter: str = ",") -> str:
    """Rows by their columns' names; every cell is made safe, and quoted."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(safe(name) for name in header)
    for row in rows:
        writer.writerow(safe(row.get(name, "")) for name in header)
    return stream.getvalue()


def write_table(table: Table) -> str:
    """A file to give back; every cell is made safe, since people choose their own names in these systems."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=table.delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerows([safe(cell) for cell in row] for row in (table.header, *table.rows))
    return stream.getvalue()


def read_table(file: Path) -> Table:
    """Read a CSV file that a system gave out. Raises `ExportError`."""
    try:
        data = file.read_bytes()
        if len(data) > MAX_BYTES:
            raise ExportError(f"{file} is larger than {MAX_BYTES // 1024**2} MiB; give the file that the system wrote")
        text = data.decode("utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        (_, header), *rows = _placed(text, delimiter)
    except OSError as error:
        raise ExportError(f"{file}: it cannot be opened ({error.strerror}); check the path") from None
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise ExportError(f"{file}: it is no CSV in UTF-8 ({error}); download it again") from None
    full = [(line, (*row, *[""] * (len(header) - len(row)))) for line, row in rows if any(row)]
    for line, row in full:
        if len(row) != len(header):
            raise ExportError(f"{file}:{line}: this row has more cells than the header; download the file again")
    return Table(tuple(header), tuple(row for _, row in full), delimiter, tuple(line for line, _ in full))


def _placed(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line that it begins in: a cell may hold several."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    for row in reader:
        yield line, row
        line = reader.line_num + 1


def column(table: Table, name: str, file: Path) -> int:
    """Where a column is, by its name in lower or upper case."""
    names = [one.strip().lower() for one in table.header]
    if name.lower() not in names:
        raise ExportError(f"{file}: it has no column {name!r}; found {', '.join(table.header)}")
    return names.index(name.lower())
