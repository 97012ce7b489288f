"""The README of a release: the sheet's text, and what follows from `sheet.toml`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import jinja2

from grader import GapgradeError
from grader.sheet import Sheet

TEMPLATE = Path(__file__).parent / "release_files" / "README.md.j2"


class TextError(GapgradeError):
    """A sheet's text that cannot be rendered: file, line, and what to change."""


def render_readme(sheet: Sheet, text: str, file: str, test_modules: list[str], notebooks: list[str]) -> str:
    """Render a sheet's text, which knows `sheet` and `task_table`, and the sections that every release has.

    Args:
        text, file: the text of `sheet.md`, and how messages name it.
        test_modules: the names of the public test files, without `.py`.
        notebooks: the paths of the release's notebooks.
    """
    body = _render(text, file, sheet=sheet, task_table=task_table(sheet))
    return _render(
        TEMPLATE.read_text(encoding="utf-8"),
        str(TEMPLATE),
        text=body.strip(),
        sheet=sheet,
        due=_due(sheet),
        rules=sheet.rules,
        rule_lines=list(_rules(sheet)),
        a_test=next(iter(test_modules), "test_NAME"),
        notebooks=" and ".join(f"`{path}`" for path in notebooks),
        code=any(task.kind == "code" for task in sheet.tasks),
        feedback=any(task.kind == "feedback" for task in sheet.tasks),
        written=sheet.rules.submission_pdf.file if sheet.rules.submission_pdf else "",
        archive=f"{sheet.name}.zip" if sheet.submission else "",
    )


def _render(template: str, file: str, **names: object) -> str:
    # The text becomes Markdown, and its author is the instructor: nothing is escaped.
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
    try:
        return environment.from_string(template).render(**names)
    except jinja2.TemplateSyntaxError as error:
        raise TextError(f"{file}:{error.lineno}: {error.message}") from None
    except jinja2.UndefinedError as error:
        raise TextError(f"{file}:{_line_of(error)}: {error.message}; known are sheet and task_table") from None


def _line_of(error: jinja2.UndefinedError) -> int:
    """The template's line: jinja2 rewrites the traceback so that its last entry lies there."""
    line, step = 1, error.__traceback__
    while step:
        line, step = step.tb_lineno, step.tb_next
    return line


def task_table(sheet: Sheet) -> str:
    """The tasks, their points and kinds as a Markdown table."""
    rows = ["| task | points | kind | where |", "| --- | --- | --- | --- |"]
    for task in sheet.tasks:
        points = f"+{number(task.points)}" if task.bonus else number(task.points)
        cells = [f"{task.id} {task.title}".strip(), points, task.kind, task.where]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def points(sheet: Sheet) -> str:
    """`16 points + 2 bonus`"""
    bonus = f" + {number(sheet.max_bonus)} bonus" if sheet.max_bonus else ""
    return f"{_points(sheet.max_score)}{bonus}"


def number(value: Decimal) -> str:
    """Without trailing zeros: 4, 2.5."""
    return f"{value.normalize():f}"


def _points(value: Decimal) -> str:
    return f"{number(value)} point{'' if value == 1 else 's'}"


def _percent(share: Decimal) -> str:
    return f"{number(share * 100)} %"


def _due(sheet: Sheet) -> str:
    if sheet.due is None:
        return ""
    zone = sheet.due.strftime("%z")
    offset = f" (UTC{zone[:3]}:{zone[3:5]})" if zone else ""
    return f"{sheet.due.day} {sheet.due.strftime('%B %Y, %H:%M')}{offset}"


def _rules(sheet: Sheet) -> Iterator[str]:
    rules = sheet.rules
    needed = f"{number(sheet.max_score * sheet.pass_mark)} of {_points(sheet.max_score)}"
    yield f"You pass with {needed} ({_percent(sheet.pass_mark)}); bonus points count."
    if rules.pushes:
        pushes = "1 push is" if rules.pushes.limit == 1 else f"{rules.pushes.limit} pushes are"
        cost = f"{_points(rules.pushes.deduct)}{_at_most(rules.pushes.at_most)}"
        yield f"{pushes} free on `{rules.pushes.branch}`; each further one costs {cost}."
    if rules.gaps.mode == "splice":
        cost = f" and cost {_points(rules.gaps.deduct)}" if rules.gaps.deduct else ""
        yield f"Only the gaps are graded: edits outside them are undone and noted{cost}."
    if rules.comments:
        price = f"{_points(rules.comments.deduct)}{_at_most(rules.comments.at_most)}"
        cost = f" and costs {price}" if rules.comments.deduct else ""
        yield f"Each gap holds a comment of your own; one without it is noted{cost}."
    if any(task.kind == "code" for task in sheet.tasks):
        yield "A loop over tensors is noted, and costs nothing: look for a vectorised form."
        yield "What stands in gaps may be compared between submissions."
    if rules.late:
        lost = f"loses {_percent(rules.late.per_day)} of its points for each day begun"
        days = f"{rules.late.at_most_days} day{'' if rules.late.at_most_days == 1 else 's'}"
        yield f"Late work {lost}; after {days} it counts nothing."
    if rules.submission_pdf:
        file = f"`{rules.submission_pdf.file}`"
        deduct = rules.submission_pdf.deduct
        cost = f"; one that does not, or is missing, costs {_points(deduct)}" if deduct else ""
        yield f"{file} names the matriculation number of each of you on its first page{cost}."
    if sheet.runs_all:
        cost = ""
        if rules.run_all and rules.run_all.deduct:
            cost = f"; one that does not costs {_points(rules.run_all.deduct)}"
        yield f"A notebook runs from its first cell to its last{cost}."


def _at_most(most: Decimal | None) -> str:
    return "" if most is None else f", at most {_points(most)} in all"
