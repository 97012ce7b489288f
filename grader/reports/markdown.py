"""The report as a GitHub job summary: Markdown of at most 1 MiB, for the student."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grader.reports import words
from grader.reports.advice import next_steps
from grader.reports.failures import Cause, causes, mistakes, waiting
from grader.reports.text import SHORT, code_block, markdown
from grader.reports.views import StudentResult
from grader.result import Evidence, Result, RuleResult, TaskResult

LIMIT = 1024 * 1024
"""GitHub refuses a step's summary that has more bytes."""
_RESERVE = 1024
DIFF = 8000


def summary(student: StudentResult, limit: int = LIMIT) -> str:
    """The job summary of one submission, in at most `limit` bytes: what does not fit is left out whole, and counted."""
    kept: list[str] = []
    size = left_out = 0
    for block in _blocks(student.shown):
        bytes_ = len(block.encode()) + 2
        if size + bytes_ > limit - _RESERVE:
            left_out += 1
            continue
        kept.append(block)
        size += bytes_
    if left_out:
        kept.append(f"_The report is too long for this page: {left_out} of its parts are left out._")
    return "\n\n".join(kept) + "\n"


def _blocks(result: Result) -> Iterator[str]:
    """The parts of the report; each stands alone, so that any of them may be left out."""
    yield f"# {_line(result.title)}: {words.points(result.score)} / {words.points(result.max_score)} points"
    yield _head(result)
    if result.advisory:
        yield f"> [!IMPORTANT]\n> {markdown(words.ADVISORY)}"
    yield _table(result)
    for task in result.tasks:
        if task.note:
            yield f"**{_line(words.name(task))}:** {markdown(task.note)}"
        if task.evidence:
            yield _details(f"{_line(words.name(task))}: the findings", _places(task.evidence))
    if any(words.failures(task) for task in result.tasks):
        yield "## Not yet right"
    for task in result.tasks:
        yield from _not_right(task)
    if steps := next_steps(result):
        yield "## What to do next"
        yield "\n".join(f"- {markdown(step)}" for step in steps)
    for request in result.requests:
        answer = f"answered: {request.answer}" if request.answer else "nobody has answered yet"
        asked = f"You asked to look again at task {request.task}: {request.text}"
        yield f"> [!NOTE]\n> {markdown(f'{asked} - {answer}')}"
    if result.rules:
        yield "## Rules"
    for rule in result.rules:
        yield _rule(rule)
    if result.edits:
        yield "## Edits outside the gaps"
    for file, diff in result.edits.items():
        yield _details(f"<code>{_line(file)}</code>", code_block(diff, "diff", DIFF))
    yield f"<sub>{_line(f'sandbox: {result.sandbox}, graded {result.graded_at}')}</sub>"


def _head(result: Result) -> str:
    parts = [f"**{_line(words.verdict(result))}**", _line(result.submission)]
    if result.max_bonus:
        parts.append(f"bonus {words.points(result.bonus)} / {words.points(result.max_bonus)}")
    if result.pending:
        parts.append(words.waiting(result))
    return " · ".join(parts)


def _table(result: Result) -> str:
    rows = ["| Task | Points | |", "| --- | ---: | --- |"]
    for task in result.tasks:
        bonus = " (bonus)" if task.bonus else ""
        score = f"{'-' if task.state == 'pending' else words.points(task.score)} / {words.points(task.max_score)}"
        rows.append(f"| {_line(words.name(task))}{bonus} | {score} | {words.state(task)} |")
    rows += [
        f"| Rule: {_line(rule.id)} | {words.points(-rule.deduction)} | {_line(rule.message)} |"
        for rule in result.rules
        if rule.deduction
    ]
    return "\n".join(rows)


def _not_right(task: TaskResult) -> Iterator[str]:
    name = _line(words.name(task))
    for mistake in mistakes(task):
        yield f"> [!TIP]\n> {name}: it looks as if: {markdown(mistake)}"
    if waits := waiting(task):
        yield f"{name}: **{_line(words.waits_for(waits))}**"
    for cause in causes(task):
        yield _cause(cause, task)


def _cause(cause: Cause, task: TaskResult) -> str:
    title = f"{_line(task.id)}: <b>{_line(words.alike(cause))}</b>, {_line(words.outcome(cause, task))}"
    body = [code_block(cause.message)] if cause.message else []
    if len(cause.tests) > 1:
        body.append("\n".join(f"- {_line(test.title)}" for test in cause.tests))
    body += [f"Hint: {markdown(hint)}" for hint in cause.hints]
    return _details(title, *body) if body else title


def _rule(rule: RuleResult) -> str:
    cost = f", {words.points(-rule.deduction)}" if rule.deduction else ""
    title = f"<b>{_line(rule.id)}</b>{cost}: {_line(rule.message)}"
    return _details(title, _places(rule.evidence)) if rule.evidence else title


def _places(evidence: Iterable[Evidence]) -> str:
    return "\n".join(f"- {_line(words.place(one) + one.text)}" for one in evidence)


def _details(title: str, *body: str) -> str:
    """A part that opens on a click; the empty lines make GitHub read the body as Markdown."""
    return "\n\n".join([f"<details><summary>{title}</summary>", *body, "</details>"])


def _line(text: str) -> str:
    """Untrusted text in one line of Markdown."""
    return markdown(text.replace("\n", " "), SHORT)
