"""Which sheet the nightly run grades: the one whose last late day ended within the last 24 hours.

Prints `sheet=NAME`, with no name where there is none; a name in the environment variable SHEET goes before. Needs
nothing but Python, since it runs before anything is installed.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

NIGHT = timedelta(days=1)


def over_since(folder: Path, now: datetime) -> Iterator[str]:
    """The sheets in a folder that could be handed in a day ago, and cannot any more."""
    for file in sorted(folder.glob("*/sheet.toml")):
        sheet = tomllib.loads(file.read_text(encoding="utf-8"))
        due = sheet.get("due")
        if due is not None:
            end = due + timedelta(days=sheet.get("rules", {}).get("late", {}).get("at_most_days", 0))
            if timedelta(0) < now - end <= NIGHT:
                yield file.parent.name


def main() -> str:
    """The line for GITHUB_OUTPUT; an error in one sentence where the sheet is not clear."""
    sheets = [os.environ["SHEET"]] if os.environ.get("SHEET") else [*over_since(Path("sheets"), datetime.now(UTC))]
    if len(sheets) > 1:
        sys.exit(f"::error title=Grade::{' and '.join(sheets)} ended in the same night; start this by hand for each")
    if any(not re.fullmatch(r"[\w./-]+", sheet) for sheet in sheets):
        sys.exit("::error title=Grade::a sheet's name has letters, digits, '.', '-' and '_' only")
    return f"sheet={''.join(sheets)}"


if __name__ == "__main__":
    print(main())
