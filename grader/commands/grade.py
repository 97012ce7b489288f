"""`python -m grader grade`: one submission, its report on the terminal and its result as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.batching.terms import last_due
from grader.commands.completion import sheet_names
from grader.commands.sandbox import Sandbox
from grader.handin import Handin
from grader.intake import check_complete, take_in
from grader.pushes import count_pushes, last_push, read_activity
from grader.reports.files import write_reports
from grader.reports.terminal import print_report
from grader.roster import due_of, identifiers, read_people
from grader.sheet import load_sheet
from grader.wall.choose import choose_wall


def grade(
    submission: Annotated[
        Path, typer.Argument(help="A directory, a git repository, a .zip or .tar archive, or one notebook.")
    ],
    sheet: Annotated[
        str, typer.Option(autocompletion=sheet_names, help="The sheet's name, or the path of its folder.")
    ],
    sandbox: Annotated[
        Sandbox, typer.Option(help="The wall. `none` is advisory: student code can forge.")
    ] = Sandbox.auto,
    pushes: Annotated[Path | None, typer.Option(help="The host's activity log, as GitHub's endpoint gives it.")] = None,
    roster: Annotated[
        Path | None, typer.Option(help="Who takes part: the numbers that the PDF should name, and extensions.")
    ] = None,
    extensions: Annotated[Path | None, typer.Option(help="A CSV `username,extension`: a time, or days.")] = None,
    ref: Annotated[str | None, typer.Option(help="Grade this branch, tag or commit of a git repository.")] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the result object (with what only staff may see) here.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write all reports into this folder.")] = None,
    seed: Annotated[int | None, typer.Option(help="Repeat a grading: the seed in its result.")] = None,
    staff: Annotated[bool, typer.Option("--staff", help="Show what only staff may see.")] = False,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Show what the code draws, beside the solution's pictures.")
    ] = False,
    course: Annotated[Path, typer.Option(help="The folder that holds sheets/, solutions/ and the tests.")] = Path(),
) -> None:
    """Grade one submission and print its score report.

    Example:

        python -m grader grade teams/team-07 --sheet generative-models --out out/team-07
    """
    chosen = load_sheet(sheet, course)
    handed = take_in(submission, ref=ref)
    if chosen.submission:
        check_complete(handed, chosen.submission.files)
    activity = read_activity(pushes) if pushes else None
    branch = chosen.rules.pushes.branch if chosen.rules.pushes else "main"
    people = read_people(roster, extensions)
    due = due_of(people, handed.name, chosen.due)
    handin = Handin(
        submission=handed,
        pushes=count_pushes(activity, branch, due) if activity is not None else None,
        handed_in_at=last_push(activity, branch, handed.commit) if activity is not None else None,
        seed=seed,
        members=identifiers(people, handed.name),
        due=None if due == chosen.due else due,
        last_due=last_due(chosen, people),
    )
    wall = choose_wall(sandbox.value)
    console = Console()
    try:
        from grader.grade import with_bench  # torch comes with it, and loads while the sandbox starts

        with Console(stderr=True).status(f"Grading {handed.name} ..."):
            result = with_bench(chosen, wall, lambda bench: bench.grade(handin), pictures=pictures)
    finally:
        wall.close()
    print_report(result, console, staff=staff)
    if json is not None:
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_text(result.to_json(), encoding="utf-8")
    if out is not None:
        write_reports(result, out)
