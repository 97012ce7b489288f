"""The job summary: Markdown in which everything that a submission could have written shows as plain text."""

from __future__ import annotations

import string

from results import Results, number

SHOWN = 20
LONGEST = 300
ENTITIES = {ord(character): f"&#{ord(character)};" for character in string.punctuation}


def text(raw: str) -> str:
    """Any text on one line: punctuation as entities, nothing invisible."""
    line = " ".join(raw.split())[:LONGEST]
    return "".join(character if character.isprintable() else "?" for character in line).translate(ENTITIES)


def summary(results: Results) -> str:
    """The page that GitHub shows for the run."""
    lines = [f"# {text(results.title)}", "", "| task | points |", "| --- | ---: |"]
    for task in results.tasks:
        bonus = " (bonus)" if task.bonus else ""
        lines.append(f"| {text(task.name)}{bonus} | {number(task.earned)} of {number(task.points)} |")
    lines += [
        f"| **together** | **{number(results.score)} of {number(results.most)}** |",
        "",
        "This score is advisory: it counts the public tests and the style check only. "
        "Your instructors run further tests; their score counts.",
        "",
        *tests(results),
        *style(results),
        *pushes(results),
    ]
    if results.open_gaps:
        labels = ", ".join(text(label) for label in results.open_gaps)
        one = len(results.open_gaps) == 1
        lines += [f"{len(results.open_gaps)} {'gap is' if one else 'gaps are'} still open: {labels}.", ""]
    return "\n".join(lines)


def tests(results: Results) -> list[str]:
    """Which public tests fail, those of open gaps in optional tasks left out."""
    if not results.tests:
        return ["The tests did not run; the log of their step says why.", ""]
    needed = [test for test in results.tests if not test.left_out]
    failed = [test for test in needed if test.failed]
    left_out = len(results.tests) - len(needed)
    belong = "belongs" if left_out == 1 else "belong"
    rest = [f"{left_out} more {belong} to optional tasks with open gaps.", ""] if left_out else []
    if not failed:
        return [f"All {len(needed)} public tests pass.", "", *rest]
    lines = [f"{len(failed)} of {len(needed)} public tests fail:", ""]
    return [*lines, *(f"- {text(test.name)}: {text(test.message)}" for test in failed), "", *rest]


def style(results: Results) -> list[str]:
    """The first findings of pycodestyle."""
    if not results.style:
        return ["pycodestyle has no findings.", ""]
    lines = [f"pycodestyle has {len(results.style)} findings:", ""]
    lines += [f"- {text(line)}" for line in results.style[:SHOWN]]
    left = len(results.style) - SHOWN
    return [*lines, *([f"- and {left} more"] if left > 0 else []), ""]


def pushes(results: Results) -> list[str]:
    """How many pushes GitHub counts so far, and how many are free."""
    if not results.pushes:
        return []
    return [f"Pushes to `{results.pushes['branch']}`: {results.pushes_in_words}.", ""]
