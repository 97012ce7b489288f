"""The report in a terminal: one submission in full, or a class in one table. Reads well at 80 columns, without colour.

Every line stands inside a frame, so that no line of a submission's text begins a line of a log, where GitHub's runner
would obey `::commands`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.panel import Panel
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from grader.reports import text as safe
from grader.reports import words
from grader.reports.views import student_view
from grader.result import Result, RuleResult, TaskResult, TestResult

WIDEST = 100
BAR = 10
EVIDENCE = 10  # lines of proof that are shown for a rule
DIFF = 1200  # characters that are shown of a file's edits
NAME, REMARKS = 20, 22  # columns of the class table: names are folded beyond, remarks have at least
UNBOUNDED = 10_000


def print_report(result: Result, console: Console, *, staff: bool) -> None:
    """Print one submission's report; without `staff` only what its student may see."""
    shown = result if staff else student_view(result).shown
    pen = _Pen(console)
    parts = [_head(shown, pen)]
    for task in shown.tasks:
        parts += [pen.gap(), _task(task, pen)]
    if shown.rules:
        parts += [pen.gap(), pen.heading("Rules"), *(_rule(rule, pen) for rule in shown.rules)]
    if shown.edits:
        parts += [pen.gap(), pen.heading("Edits outside the gaps"), *_edits(shown, pen)]
    frame = Panel(
        Group(*parts),
        title=pen.line(shown.title, "bold"),
        title_align="left",
        width=min(console.width, WIDEST),
        box=box.ROUNDED,
        padding=(1, 2),
    )
    console.print(frame)


def print_summary(results: Iterable[Result], console: Console) -> None:
    """Print a class in one table, for the staff: a row a submission.

    Where the tasks take too much room they are summed by number (1.1 and 1.2 as 1), or left to the total.
    """
    rows = list(results)
    pen = _Pen(console)
    tasks = list(dict.fromkeys(task.id for result in rows for task in result.tasks))
    numbers = list(dict.fromkeys(task.partition(".")[0] for task in tasks))
    each = [(task, (task,)) for task in tasks]
    summed = [(number, tuple(task for task in tasks if task.partition(".")[0] == number)) for number in numbers]
    unbounded = console.options.update(max_width=UNBOUNDED)
    for columns in (each, summed, []):
        table = _class_table(rows, columns, pen)
        if Measurement.get(console, unbounded, table).minimum <= console.width:
            break
    console.print(table)


@dataclass(frozen=True)
class _Pen:
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

    def bar(self, score: Decimal, whole: Decimal) -> Text:
        filled = min(BAR, int(BAR * score / whole)) if whole else 0
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


def _head(result: Result, pen: _Pen) -> RenderableType:
    score = Text(f"{words.points(result.score)} / {words.points(result.max_score)} points", "bold")
    if result.max_bonus:
        score.append(f"   bonus {words.points(result.bonus)} / {words.points(result.max_bonus)}", "not bold")
    lines: list[RenderableType] = [
        pen.line(result.submission),
        score,
        pen.line(words.verdict(result), "green" if result.passed else "red"),
    ]
    if result.pending:
        lines.append(pen.line(words.waiting(result)))
    lines.append(pen.line(f"sandbox: {result.sandbox}, graded {result.graded_at}", "dim"))
    if result.advisory:
        lines.append(pen.long_line(words.ADVISORY, "yellow"))
    return Group(*lines)


def _task(task: TaskResult, pen: _Pen) -> RenderableType:
    row = Table.grid(expand=True, padding=(0, 1))
    row.add_column(ratio=1, overflow="fold")
    row.add_column(width=BAR)
    row.add_column(justify="right", no_wrap=True)
    title = pen.line(words.name(task), "bold")
    if task.bonus:
        title.append(" (bonus)", "not bold")
    score = f"{words.points(task.score)} / {words.points(task.max_score)}"
    row.add_row(title, pen.bar(task.score, task.max_score), pen.line("waits" if task.state == "pending" else score))
    below: list[RenderableType] = []
    if task.note:
        below.append(pen.text(task.note, "red" if task.state == "refused" else ""))
    if task.state == "pending":
        below.append(pen.line(f"a person gives up to {words.counted(task.max_score)}"))
    elif task.tests:
        passed = len(task.tests) - len(words.failures(task))
        below.append(pen.line(f"{passed} of {len(task.tests)} tests passed", "dim"))
    below += [_failure(test, task, pen) for test in words.failures(task)]
    return Group(row, Padding(Group(*below), (0, 0, 0, 2)))


def _failure(test: TestResult, task: TaskResult, pen: _Pen) -> RenderableType:
    hidden = ", hidden test" if test.visibility == "hidden" else ""
    title = pen.line(test.title)
    title.append(f": {words.OUTCOMES[test.outcome]} ({words.counted(words.worth(test, task))}{hidden})", "dim")
    parts: list[RenderableType] = [title]
    if test.hint:
        parts.append(pen.long_line(f"Hint: {test.hint}"))
    if test.mistake:
        parts.append(pen.long_line(f"Recognised: {test.mistake}", "yellow"))
    if test.message:
        parts.append(pen.quote(test.message))
    if test.staff:
        parts += [pen.line(f"staff only: {test.id}", "dim"), pen.quote(test.staff, "dim")]
    return _item(pen.mark("✗", "x", "red"), Group(*parts))


def _rule(rule: RuleResult, pen: _Pen) -> RenderableType:
    cost = f"{words.points(-rule.deduction)} " if rule.deduction else ""
    parts: list[RenderableType] = [pen.long_line(f"{cost}{rule.id}: {rule.message}", "red" if rule.deduction else "")]
    for one in rule.evidence[:EVIDENCE]:
        place = f"{one.file}:{one.line}: " if one.line else f"{one.file}: " if one.file else ""
        parts.append(pen.long_line(f"- {place}{one.text}", "dim"))
    if len(rule.evidence) > EVIDENCE:
        parts.append(pen.line(f"- and {len(rule.evidence) - EVIDENCE} more", "dim"))
    return _item(pen.mark("•", "*", ""), Group(*parts))


def _edits(result: Result, pen: _Pen) -> Iterator[RenderableType]:
    for file, diff in result.edits.items():
        yield _item(pen.mark("•", "*", ""), Group(pen.line(file), pen.quote(diff, "dim", DIFF)))


def _item(mark: Text, body: RenderableType) -> RenderableType:
    row = Table.grid(padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(mark, body)
    return row


def _class_table(results: Sequence[Result], columns: Sequence[tuple[str, tuple[str, ...]]], pen: _Pen) -> Table:
    table = Table(box=box.ROUNDED, expand=True)
    longest = max((pen.line(result.submission).cell_len for result in results), default=0)
    table.add_column("submission", overflow="fold", width=min(NAME, max(longest, len("submission"))))
    wholes = {task.id: task.max_score for result in results for task in result.tasks}
    for heading, tasks in columns:
        whole = sum((wholes[task] for task in tasks), Decimal(0))
        table.add_column(_heading(heading, whole, pen), justify="right", no_wrap=True)
    table.add_column("rules", justify="right", no_wrap=True)
    whole = max((result.max_score for result in results), default=Decimal(0))
    table.add_column(_heading("total", whole, pen), justify="right", no_wrap=True)
    table.add_column("remarks", overflow="fold", min_width=REMARKS, ratio=1)
    for result in results:
        by_id = {task.id: task for task in result.tasks}
        deducted = sum((rule.deduction for rule in result.rules), Decimal(0))
        table.add_row(
            pen.line(result.submission),
            *(_points_of([by_id[task] for task in tasks if task in by_id]) for _, tasks in columns),
            words.points(-deducted),
            Text.assemble((f"{words.points(result.score)} ", "bold"), _passed(result, pen)),
            pen.long_line("; ".join(_remarks(result))),
        )
    return table


def _passed(result: Result, pen: _Pen) -> Text:
    return pen.mark("✓", "ok", "green") if result.passed else pen.mark("✗", "no", "red")


def _heading(name: str, whole: Decimal, pen: _Pen) -> Text:
    return Text.assemble(pen.line(name), (f"\n/ {words.points(whole)}", "dim"))


def _points_of(tasks: Sequence[TaskResult]) -> Text:
    if not tasks or all(task.state == "pending" for task in tasks):
        return Text("-", "dim")
    score = sum((task.score for task in tasks), Decimal(0))
    whole = sum((task.max_score for task in tasks), Decimal(0))
    return Text(words.points(score), "green" if score == whole else "")


def _remarks(result: Result) -> Iterator[str]:
    """What one should look at: how tests ended, what was refused, which mistakes were recognised."""
    ended = Counter[str](test.outcome for test in words.tests(result))
    for outcome, word in (("crashed", "crashed"), ("timeout", "too slow"), ("refused", "refused values")):
        if ended[outcome]:
            yield f"{ended[outcome]} {word}"
    if refused := sum(task.state == "refused" for task in result.tasks):
        yield f"{refused} of {len(result.tasks)} tasks refused"
    yield from dict.fromkeys(test.mistake for test in words.tests(result) if test.mistake)
    if result.pending:
        yield f"{words.points(result.pending)} pending"
    if result.edits:
        yield f"{len(result.edits)} edited outside gaps"
    if any(safe.has_invisible(text) for text in [*result.edits, *result.edits.values()]):
        yield "invisible characters"
    if result.advisory:
        yield "advisory"
