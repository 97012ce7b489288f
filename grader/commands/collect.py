"""`python -m grader collect`: fetch what was pushed in time, with the host's log of pushes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from grader.collect import IN_WORDS, RECORD, Collected, CollectError, Source, Wanted
from grader.collect import collect as collect_all
from grader.commands.completion import sheet_names
from grader.github.activity import list_repositories
from grader.github.client import PUBLIC_API, Client
from grader.github.clone import MAX_BYTES, MAX_SECONDS, Limits
from grader.github.source import GitHubSource
from grader.reflog import FolderSource
from grader.reports.text import LONG, line
from grader.roster import Person, is_repository, read_people
from grader.sheet import load_sheet
from grader.wanted import Deadline, by_name, by_roster, strangers

TOKEN = "GITHUB_TOKEN"


def collect(
    out: Annotated[Path, typer.Argument(help="The folder to fill; `grader batch` grades it.")],
    org: Annotated[str, typer.Option(help="The organisation or account that owns the repositories.")] = "",
    assignment: Annotated[str, typer.Option(help="What the repositories' names begin with.")] = "",
    roster: Annotated[
        Path | None, typer.Option(help="Who takes part: ours, Classroom's or Classroom 50's CSV.")
    ] = None,
    extensions: Annotated[Path | None, typer.Option(help="A CSV `username,extension`: a time, or days.")] = None,
    repositories: Annotated[Path | None, typer.Option(help="A list: one `owner/name` a line.")] = None,
    from_dir: Annotated[Path | None, typer.Option(help="Bare repositories on this machine, with reflogs.")] = None,
    sheet: Annotated[
        str | None,
        typer.Option(autocompletion=sheet_names, help="Take due date, late days and branch from this sheet."),
    ] = None,
    due: Annotated[str | None, typer.Option(help="When it is due, like 2027-01-16T23:59:00+01:00.")] = None,
    branch: Annotated[str | None, typer.Option(help="The branch that counts; `main` where no sheet names one.")] = None,
    api_url: Annotated[str, typer.Option(help="An Enterprise server: https://HOST/api/v3.")] = PUBLIC_API,
    jobs: Annotated[int, typer.Option(min=1, max=16, help="Repositories at a time.")] = 4,
    refresh: Annotated[bool, typer.Option("--refresh", help="Fetch again what is there already.")] = False,
    course: Annotated[Path, typer.Option(help="The folder that holds sheets/.")] = Path(),
) -> None:
    """Fetch, for each student or team, the last commit that was pushed in time by the host's clock.

    The token is read from the environment variable GITHUB_TOKEN. Run the same command again to go on after an
    interruption.

    Example:

        python -m grader collect out/vae --org my-course --assignment vae --roster roster.csv --sheet generative-models
    """
    deadline, sheet_branch = _deadline(sheet, due, course)
    branch = branch or sheet_branch
    console = Console(stderr=True)
    limits = Limits(MAX_BYTES, MAX_SECONDS)
    client = None if from_dir else make_client(api_url, console)
    source: Source = FolderSource(from_dir, limits) if from_dir else GitHubSource(_given(client), limits)
    listed = _listed(from_dir, repositories, client, org, assignment)
    people = read_people(roster, extensions)
    if roster is None:
        wanted = [*by_name(listed, assignment, deadline)]
    else:
        wanted = by_roster(people, "" if from_dir else org, assignment, deadline)
        _tell_left_out(people, strangers(wanted, listed), teller(console))
    _check(wanted, need_owner=from_dir is None)
    record = _with_progress(source, wanted, branch, out, jobs=jobs, refresh=refresh, console=console)
    counts = Counter(one.state for one in record)
    summary = ", ".join(f"{count} {IN_WORDS[state]}" for state, count in counts.items())
    print(f"{summary}; recorded in {out / RECORD}")
    if counts["failed"]:
        raise CollectError(f"{counts['failed']} of {len(record)} failed; run the same command again, it goes on")


def make_client(api_url: str, console: Console) -> Client:
    """A client with the token of the environment; it never stands in an option, where other users could read it."""
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise CollectError(f"the environment variable {TOKEN} is not set; put a token that may read them there")
    return Client(api_url, token, say=teller(console))


def teller(console: Console) -> Callable[[str], None]:
    """Prints a line as it is, whatever it holds."""
    return lambda message: console.print(line(message, LONG), markup=False, highlight=False, soft_wrap=True)


def _tell_left_out(people: list[Person], others: list[str], tell: Callable[[str], None]) -> None:
    for person in people:
        if not person.submission:
            tell(f"no account: {person.name or person.identifier}")
    for name in others:
        tell(f"not on the roster: {name}")


def _given(client: Client | None) -> Client:
    assert client is not None
    return client


def _deadline(sheet: str | None, due: str | None, course: Path) -> tuple[Deadline, str]:
    """The due date and the late days, and the branch that counts."""
    try:
        given = datetime.fromisoformat(due) if due else None
    except ValueError:
        given = None
    if due and (given is None or given.tzinfo is None):
        raise CollectError(f"--due {due!r} is no time with a time zone; write it like 2027-01-16T23:59:00+01:00")
    if sheet is None:
        return Deadline(given), "main"
    chosen = load_sheet(sheet, course)
    rules = chosen.rules
    late_days = rules.late.at_most_days if rules.late else 0
    return Deadline(given or chosen.due, late_days), rules.pushes.branch if rules.pushes else "main"


def _listed(
    from_dir: Path | None, repositories: Path | None, client: Client | None, org: str, assignment: str
) -> list[str]:
    """All repositories that may belong to the assignment."""
    try:
        if from_dir is not None:
            names = sorted(path.name.removesuffix(".git") for path in from_dir.iterdir() if path.is_dir())
            return [name for name in names if name.lower().startswith(assignment.lower())]
        if repositories is not None:
            lines = (one.partition("#")[0].strip() for one in repositories.read_text(encoding="utf-8").splitlines())
            return [one if "/" in one else f"{org}/{one}" for one in lines if one]
    except (OSError, UnicodeDecodeError) as error:
        raise CollectError(f"{from_dir or repositories} cannot be read ({error}); check the path") from None
    if not org:
        return []
    prefix = f"{assignment.rstrip('-')}-" if assignment else ""
    return [one.full_name for one in list_repositories(_given(client), org, prefix)]


def _check(wanted: list[Wanted], *, need_owner: bool) -> None:
    if not wanted:
        raise CollectError("there is nothing to collect; give --org with --assignment, --roster or --repositories")
    for one in wanted:
        if need_owner and not (is_repository(one.repository) and "/" in one.repository):
            raise CollectError(f"{one.repository!r:.100} is no owner/name; correct it, or give --org")


def _with_progress(
    source: Source, wanted: list[Wanted], branch: str, out: Path, *, jobs: int, refresh: bool, console: Console
) -> tuple[Collected, ...]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Collecting", total=len(wanted))

        def done(one: Collected) -> None:
            progress.advance(task)
            if one.state != "collected" or one.note:
                note = f": {one.note}" if one.note else ""
                teller(progress.console)(f"{one.name}: {IN_WORDS[one.state]}{note}")

        return collect_all(source, wanted, branch, out, jobs=jobs, refresh=refresh, done=done).submissions
