"""What must not be handed out, as tokens, so that spaces, line ends and indentation hide nothing."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from grader.cells import TEXT_SUFFIX
from grader.lines import scan, split_lines
from tools.checks.subject import Subject
from tools.notebook import answers_of

WINDOW = 16  # tokens of a solution that in a row are no idiom: `model.eval()`, `with torch.no_grad():`, a loop's head
SHORTEST = 10  # a gap or comment with fewer tokens (`return self.layers(x)` has 7) says nothing
HIDDEN_WINDOW = 60  # hidden and public tests of one function are alike
SIZES = (SHORTEST, 12, 14, WINDOW, HIDDEN_WINDOW)  # few, since every file is cut into windows of each size

_TOKEN = re.compile(rb"[A-Za-z_]\w*|\d[\w.]*|[^\s\w]")


@dataclass(frozen=True)
class Secret:
    """Tokens that must not stand in a release.

    Attributes:
        place: where they come from, for the finding.
        window: how many tokens in a row give them away.
        gap: the label of the gap that they come from; empty for a test.
    """

    tokens: tuple[bytes, ...]
    window: int
    place: str
    gap: str = ""

    @functools.cached_property
    def windows(self) -> frozenset[tuple[bytes, ...]]:
        count = len(self.tokens) - self.window + 1
        return frozenset(self.tokens[i : i + self.window] for i in range(count))


def tokens_of(text: bytes) -> list[tuple[bytes, int]]:
    """Each token with its place in the text."""
    return [(match[0], match.start()) for match in _TOKEN.finditer(text)]


def secrets_of(subject: Subject) -> list[Secret]:
    """What the exercise's gaps, model answers and hidden tests hold."""
    return [*gap_secrets(subject), *_answer_secrets(subject), *_test_secrets(subject)]


def gap_secrets(subject: Subject) -> Iterator[Secret]:
    """The code in the exercise's gaps, and each comment in it."""
    for path in subject.own:
        text = subject.solution[path]
        comments = {comment.line: comment.text for comment in scan(text).comments}
        for gap in subject.gaps(path):
            place = f"the gap ({gap.label}) of {subject.source(path)}:{gap.start}"
            body = split_lines(gap.body)  # without the instructions, which are handed out
            code = ""
            for row, line in enumerate(body, gap.end - len(body)):
                comment = comments.get(row, "")
                code += line.replace(comment, "") if comment else line
                if not comment.startswith("# STUDENT:"):
                    yield from _secret(comment.strip("# "), WINDOW, f"a comment in {place}", gap.label)
            yield from _secret(code, WINDOW, place, gap.label)


def _answer_secrets(subject: Subject) -> Iterator[Secret]:
    for path, text in subject.solution.items():
        if path.endswith(TEXT_SUFFIX):
            for name, answer in answers_of(text).items():
                yield from _secret(answer, WINDOW, f'the model answer "{name}" of {subject.source(path)}')


def _secret(text: str, window: int, place: str, gap: str = "") -> Iterator[Secret]:
    tokens = tuple(token for token, _ in tokens_of(text.encode()))
    if len(tokens) >= SHORTEST:
        fitting = max(size for size in SIZES if size <= min(window, len(tokens)))
        yield Secret(tokens, fitting, place, gap)


def _test_secrets(subject: Subject) -> Iterator[Secret]:
    for file in sorted((subject.course / "tests_hidden" / subject.name).rglob("*.py")):
        where = file.relative_to(subject.course).as_posix()
        text = file.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                body = ast.get_source_segment(text, node) or ""
                yield from _secret(body, HIDDEN_WINDOW, f"the hidden test {node.name} of {where}:{node.lineno}")
