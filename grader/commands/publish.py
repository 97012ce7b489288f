"""`python -m grader publish`: post the students' reports to their repositories."""

from __future__ import annotations

import html
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.collect import read_record
from grader.commands.collect import make_client
from grader.commands.places import Course, SheetName
from grader.commands.results import Places, results_in
from grader.github.client import PUBLIC_API
from grader.github.posting import Target, who_am_i
from grader.publish import Action, Options, PublishError
from grader.publish import publish as publish_all
from grader.reports.text import plain

DONE: dict[Action, str] = {"new": "posted", "changed": "updated", "same": "up to date", "failed": "failed"}
PLANNED: dict[Action, str] = {**DONE, "new": "would be posted", "changed": "would be updated"}


def publish(
    results: Places,
    collected: Annotated[Path, typer.Option(help="The folder that `grader collect` filled: who belongs where.")],
    to: Annotated[Target, typer.Option(help="Where the report goes; `check` is for Apps.")] = Target.comment,
    send: Annotated[bool, typer.Option("--send", help="Write; otherwise only show what would be written.")] = False,
    status: Annotated[bool, typer.Option(help="Set the commit's status, too.")] = True,
    login: Annotated[str, typer.Option(help="The account that posts, where the token cannot tell: 'NAME[bot]'.")] = "",
    app_id: Annotated[int | None, typer.Option(help="The App's id, for check runs.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Post where everyone can read it.")] = False,
    advisory: Annotated[bool, typer.Option("--advisory", help="Post results that were graded without a wall.")] = False,
    api_url: Annotated[str, typer.Option(help="An Enterprise server: https://HOST/api/v3.")] = PUBLIC_API,
    sheet: SheetName = None,
    course: Course = Path(),
) -> None:
    """Post each report, without what only staff may see, to the repository that it belongs to.

    The token is read from the environment variable GITHUB_TOKEN. A second run updates what differs and posts nothing
    twice.

    Example:

        python -m grader publish out --collected out/vae --to comment --send
    """
    found = results_in(results, sheet, course)
    record = read_record(collected)
    if not record.submissions:
        raise PublishError(f"{collected} holds no record of a collection; run `python -m grader collect` first")
    log = Console(stderr=True)
    client = make_client(api_url, log)
    author = who_am_i(client, login, app_id)
    options = Options(to, send=send, status=status, public=public, advisory=advisory)
    words = DONE if send else PLANNED
    counts: Counter[Action] = Counter()
    for posted in publish_all(client, found, record, author, options):
        counts[posted.action] += 1
        failed = posted.action == "failed"
        typer.echo(f"{posted.name}: {plain(posted.diff) if failed else f'{posted.where}: {words[posted.action]}'}")
        if posted.diff and not send and not failed:
            readable = plain(html.unescape(posted.diff), 20_000)  # as GitHub will show it
            typer.echo("".join(f"  | {one}\n" for one in readable.splitlines()))  # none begins as a command would
    typer.echo(", ".join(f"{count} {words[action]}" for action, count in counts.items()))
    if not send and counts["new"] + counts["changed"]:
        typer.echo("nothing was written; add --send")
    if counts["failed"]:
        raise PublishError(f"{counts['failed']} of {len(found)} failed; run the same command again, it goes on")
