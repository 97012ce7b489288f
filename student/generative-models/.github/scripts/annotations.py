"""Lines that GitHub's runner shows beside the code, and the notices that score readers look for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from results import Results, number

MOST = 10  # GitHub shows so many of a kind for a step
LONGEST = 2000
STYLE = re.compile(r"(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<finding>.*)")


def annotations(results: Results) -> Iterator[str]:
    """An error for each failed test, a warning for each finding of pycodestyle, at most ten of both."""
    failed = [test for test in results.tests if test.failed]
    for test in failed[:MOST]:
        yield command("error", test.message or "This test failed.", file=test.file, title=test.name)
    found = [match for match in map(STYLE.fullmatch, results.style) if match]
    for match in found[:MOST]:
        file = match["file"].removeprefix("./")
        yield command("warning", match["finding"], file=file, line=match["line"], col=match["column"], title="style")


def notices(results: Results) -> Iterator[str]:
    """The two notices that carried a score to GitHub Classroom, and the count of pushes."""
    score, most = number(results.score), number(results.most)
    yield f"::notice title=Autograding complete::Points {score}/{most}"
    yield f'::notice title=Autograding report::{{"totalPoints":{score},"maxPoints":{most}}}'
    if results.pushes:
        yield command("notice", results.pushes_in_words, title=f"Pushes to {results.pushes['branch']}")


def command(kind: str, message: str, **properties: str) -> str:
    """One command to the runner; nothing in it can begin another."""
    pairs = ",".join(
        f"{name}={escaped(value).replace(':', '%3A').replace(',', '%2C')}" for name, value in properties.items()
    )
    return f"::{kind} {pairs}::{escaped(message[:LONGEST])}"


def escaped(raw: str) -> str:
    """A text on one line, as the runner reads it back."""
    return raw.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace("##[", "##%5B")
