"""`python -m grader doctor`: what this machine can do, and the command that mends what it cannot."""

from __future__ import annotations

import json as to_json
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.commands.exits import UNSAFE
from grader.doctor import Finding, findings
from grader.facts import collect

MARKS = {"ok": ("✓", "green"), "weak": ("!", "yellow"), "missing": ("✗", "red")}
YES = "Gradings that count can run here."
NO = "No grading that counts can run here; an advisory one runs with --sandbox none."


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Look at this machine: exit status 0 where gradings that count can run, 3 where they cannot.

    Example:

        python -m grader doctor
    """
    with Console(stderr=True).status("Looking at this machine ..."):
        facts = collect()
        found = findings(facts)
    if json:
        print(to_json.dumps({"counts": facts.counts, "findings": [asdict(finding) for finding in found]}, indent=2))
    else:
        _show(found, Console())
        print(YES if facts.counts else NO)
    if not facts.counts:
        sys.exit(UNSAFE)


def _show(found: list[Finding], console: Console) -> None:
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    for title in ("", "what", "finding"):
        table.add_column(title)
    for finding in found:
        mark, style = MARKS[finding.status]
        table.add_row(Text(mark, style), finding.name, Text(finding.says))
    console.print(table)
    for finding in found:
        if finding.mend:  # outside the table, where no line is broken: it is there to be copied
            console.print(Text(f"\n{finding.name}:"))
            console.print(Text(f"    {finding.mend}"), soft_wrap=True)
