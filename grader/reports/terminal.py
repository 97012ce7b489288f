"""The report in a terminal: one submission in full, or a class in one table. Reads well at 80 columns, without colour.

Every line stands inside a frame, so that no line of a submission's text begins a line of a log, where GitHub's runner
would obey `::commands`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from grader.reports import text as safe
from grader.reports import words
from grader.reports.advice import next_steps
from grader.reports.failures import Cause, causes, mistakes, waiting
from grader.reports.pen import BAR, Pen
from grader.reports.views import student_view
from grader.result import Result, RuleResult, TaskResult

WIDEST = 100
EVIDENCE = 10  # lines of proof that are shown for a rule
DIFF = 1200  # characters that are shown of a file's edits
NAME, REMARKS = 20, 22  # columns of the class table: names are folded beyond, remarks have at least
UNBOUNDED = 10_000


def print_report(result: Result, console: Console, *, staff: bool) -> None:
    """Print one submission's report; without `staff` only what its student may see."""
    shown = result if staff else student_view(result).shown
    pen = Pen(console)
    parts = [_head(shown, pen)]
    for heading, lines in _sections(shown, pen):
        if lines := list(lines):
            parts += [pen.gap(), *([pen.heading(heading)] if heading else []), *lines]
    frame = Panel(
        Group(*parts, pen.gap(), pen.line(f"sandbox: {shown.sandbox}, graded {shown.graded_at}", "dim")),
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
    pen = Pen(console)
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


def _sections(result: Result, pen: Pen) -> Iterator[tuple[str, Iterable[RenderableType]]]:
    """What counts, what is not right, what to do next; then what waits, and what the rules and the edits are about."""
    yield "", [_points(result, pen)]
    yield "Not yet right", [line for task in result.tasks for line in _not_right(task, pen)]
    yield "What to do next", [pen.item(pen.mark("➜", ">", "cyan"), pen.long_line(step)) for step in next_steps(result)]
    yield "Waits for a person", [_pending(task, pen) for task in result.tasks if task.state == "pending"]
    yield "Rules", [_rule(rule, pen) for rule in result.rules]
    yield "Edits outside the gaps", _edits(result, pen)


def _head(result: Result, pen: Pen) -> RenderableType:
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
    if result.advisory:
        lines.append(pen.long_line(words.ADVISORY, "yellow"))
    return Group(*lines)


def _points(result: Result, pen: Pen) -> RenderableType:
    """A line for each task, and one for each rule that costs points."""
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(width=BAR)
    table.add_column(justify="right", no_wrap=True)
    for task in result.tasks:
        name = pen.line(words.name(task), "bold")
        if task.bonus:
            name.append(" (bonus)", "not bold")
        score = f"{'-' if task.state == 'pending' else words.points(task.score)} / {words.points(task.max_score)}"
        bar = pen.bar(words.share(task))
        table.add_row(name, pen.line(words.state(task), "dim"), bar, pen.line(score))
    for rule in result.rules:
        if rule.deduction:
            table.add_row(pen.line(f"Rule: {rule.id}", "red"), "", "", pen.line(words.points(-rule.deduction), "red"))
    return table


def _not_right(task: TaskResult, pen: Pen) -> Iterator[RenderableType]:
    if task.state == "pending" or words.done(task):
        return
    waits = waiting(task)
    yield pen.line(words.name(task), "bold")
    if task.note:
        yield pen.item(pen.mark("✗", "x", "red"), pen.text(task.note))
    for mistake in mistakes(task):
        yield pen.item(pen.mark("!", "!", "yellow"), pen.long_line(f"It looks as if: {mistake}", "yellow"))
    if waits:
        worth = words.worth(waits.tests, task)
        cost = f" ({words.counted(worth)})" if worth else ""
        yield pen.item(pen.mark("○", "o", "red"), pen.long_line(words.waits_for(waits) + cost))
    for cause in causes(task):
        yield _cause(cause, task, pen)


def _cause(cause: Cause, task: TaskResult, pen: Pen) -> RenderableType:
    title = pen.line(words.alike(cause))
    title.append(f": {words.outcome(cause, task)}", "dim")
    parts: list[RenderableType] = [title]
    if cause.message:
        parts.append(pen.quote(cause.message))
    if len(cause.tests) > 1:
        parts += [pen.item(Text("-"), pen.line(test.title)) for test in cause.tests]
    parts += [pen.long_line(f"Hint: {hint}") for hint in cause.hints]
    for test in cause.tests:
        if test.staff:
            parts += [pen.line(f"staff only: {test.id}", "dim"), pen.quote(test.staff, "dim")]
    return pen.item(pen.mark("✗", "x", "red"), *parts)


def _pending(task: TaskResult, pen: Pen) -> RenderableType:
    worth = f"{words.name(task)}: up to {words.counted(task.max_score)}"
    return pen.item(pen.mark("•", "*", ""), pen.line(worth), *([pen.text(task.note, "dim")] if task.note else []))


def _rule(rule: RuleResult, pen: Pen) -> RenderableType:
    cost = f"{words.points(-rule.deduction)} " if rule.deduction else ""
    parts: list[RenderableType] = [pen.long_line(f"{cost}{rule.id}: {rule.message}", "red" if rule.deduction else "")]
    parts += [pen.long_line(f"- {words.place(one)}{one.text}", "dim") for one in rule.evidence[:EVIDENCE]]
    if len(rule.evidence) > EVIDENCE:
        parts.append(pen.line(f"- and {len(rule.evidence) - EVIDENCE} more", "dim"))
    return pen.item(pen.mark("•", "*", ""), *parts)


def _edits(result: Result, pen: Pen) -> Iterator[RenderableType]:
    for file, diff in result.edits.items():
        yield pen.item(pen.mark("•", "*", ""), pen.line(file), pen.quote(diff, "dim", DIFF))


def _class_table(results: Sequence[Result], columns: Sequence[tuple[str, tuple[str, ...]]], pen: Pen) -> Table:
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


def _passed(result: Result, pen: Pen) -> Text:
    return pen.mark("✓", "ok", "green") if result.passed else pen.mark("✗", "no", "red")


def _heading(name: str, whole: Decimal, pen: Pen) -> Text:
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
    if unread := [task.id for task in result.tasks if words.unreadable(task)]:
        yield f"nothing to read in {', '.join(unread)}"
    if result.edits:
        yield f"{len(result.edits)} edited outside gaps"
    if any(safe.has_invisible(text) for text in [*result.edits, *result.edits.values()]):
        yield "invisible characters"
    if result.advisory:
        yield "advisory"
