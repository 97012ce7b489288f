"""`python -m grader batch`: a folder of submissions, graded by many workers, into a gradebook and reports."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from grader.batch import REPORTS, Tally, grade_all, only_batch, plan
from grader.batching.crew import Stop, work
from grader.batching.find import find_submissions, parse_shard
from grader.batching.job import Job, Outcome, Settings
from grader.batching.progress import shown_progress
from grader.batching.terms import Terms, last_due, outdated, terms_of
from grader.collect import RECORD, read_record
from grader.commands.completion import sheet_names
from grader.commands.sandbox import Sandbox
from grader.gradebook import Gradebook, open_gradebook
from grader.reports.terminal import print_summary
from grader.reports.text import LONG, line
from grader.roster import read_people
from grader.sheet import Sheet, load_sheet

LONGEST_TABLE = 200  # submissions; a larger class has `python -m grader stats`
DEFECT, STOPPED = 1, 130


def batch(
    folder: Annotated[
        Path, typer.Argument(help="A folder with a folder, archive, repository or notebook for each submission.")
    ],
    sheet: Annotated[
        str, typer.Option(autocompletion=sheet_names, help="The sheet's name, or the path of its folder.")
    ],
    out: Annotated[Path, typer.Option(help="Where the gradebook and the reports go.")],
    jobs: Annotated[int, typer.Option(min=0, help="How many workers; 0 is one for each core.")] = 0,
    scheduler: Annotated[
        str | None, typer.Option(help="A Dask scheduler, tcp://HOST:PORT, whose workers grade.")
    ] = None,
    shard: Annotated[
        str, typer.Option(help="Grade only the I-th of N parts: I/N. `merge` puts them together.")
    ] = "1/1",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a batch that was stopped; only `--again` needs it.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Grade what did not change, too.")] = False,
    sandbox: Annotated[
        Sandbox, typer.Option(help="The wall. `none` is advisory: student code can forge.")
    ] = Sandbox.auto,
    gradebook: Annotated[
        str | None, typer.Option(help="Another gradebook: a file, or postgresql://USER@HOST/NAME.")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(help="Who takes part: the numbers that PDFs should name, and extensions.")
    ] = None,
    extensions: Annotated[Path | None, typer.Option(help="A CSV `username,extension`: a time, or days.")] = None,
    ref: Annotated[str | None, typer.Option(help="Grade this branch, tag or commit of each repository.")] = None,
    seed: Annotated[int | None, typer.Option(help="Each submission's seed follows from this one and its name.")] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Show what the code draws, beside the solution's pictures.")
    ] = False,
    course: Annotated[Path, typer.Option(help="The folder that holds sheets/, solutions/ and the tests.")] = Path(),
) -> None:
    """Grade every submission of a folder.

    `NAME.activity.json` beside a submission is its activity log, and `collect.json` tells who has an extension. Each
    result is committed to `OUT/gradebook.sqlite` when it is there; its reports lie in `OUT/reports/NAME`. A batch that
    was stopped goes on where it was, and what did not change is not graded again.

    Example:

        python -m grader batch teams --sheet generative-models --out out
    """
    chosen = load_sheet(sheet, course)
    found, others = find_submissions(folder)
    part = parse_shard(shard)
    found = [each for each in found if part.holds(each.name) and each.path.resolve() != out.resolve()]
    console, log = Console(), Console(stderr=True)
    record, people = read_record(folder), read_people(roster, extensions)
    terms = terms_of([each.name for each in found], chosen, record, people)
    _tell_due_dates(terms, outdated(record, chosen), log)
    last = last_due(chosen, people, record)
    settings = Settings(str(chosen.folder), str(course.resolve()), sandbox.value, seed, ref, last, pictures)
    others = [name for name in others if name != RECORD]
    if others:
        log.print(line(f"left out, no submissions: {', '.join(others)}"), markup=False, highlight=False)
    with only_batch(out), open_gradebook(gradebook or out) as book:
        planned = plan(found, book, chosen.name, terms, again=again, resume=resume)
        if resume:
            kept = sum(bool(job.known) for job in planned)
            log.print(f"resuming: {kept} of {len(planned)} have a result", highlight=False)
        with _stopping(log) as stop, shown_progress(len(planned), log) as tell:
            outcomes = _outcomes(planned, chosen, settings, jobs, scheduler, stop)
            tally = grade_all(outcomes, book, chosen.name, out, tell)
        _print_class(book, chosen, {job.name for job in planned}, console)
    _print_problems(tally, log)
    for said in (tally.in_words(), f"gradebook: {book.place}", f"reports: {out / REPORTS}"):
        console.print(line(said), markup=False, highlight=False, soft_wrap=True)
    if stop.wish and tally.done < len(planned):
        typer.echo(f"stopped: {tally.done} of {len(planned)} are kept; go on with: {_same_call()}", err=True)
        raise SystemExit(STOPPED)
    if tally.failed:
        raise SystemExit(DEFECT)


def _tell_due_dates(terms: Mapping[str, Terms], outdated: list[str], log: Console) -> None:
    """Who has an extension, and what was collected for another due date than the sheet's."""
    extended = [f"{name} until {one.due:%Y-%m-%d %H:%M:%S %z}" for name, one in terms.items() if one.due]
    for what, names in (("with an extension", extended), ("the due date has changed, collect again", outdated)):
        if names:
            log.print(line(f"{what}: {', '.join(names)}", LONG), markup=False, highlight=False, soft_wrap=True)


def _outcomes(
    planned: Sequence[Job], sheet: Sheet, settings: Settings, jobs: int, scheduler: str | None, stop: Stop
) -> Iterator[tuple[Job, Outcome]]:
    if scheduler is None:
        return work(planned, settings, sheet.limits, jobs or len(os.sched_getaffinity(0)), stop)
    from grader.distributed import work_on

    return work_on(scheduler, planned, settings, sheet.limits, stop)


@contextmanager
def _stopping(log: Console) -> Iterator[Stop]:
    """Ctrl-C finishes what has begun; a second one, or the order to end, drops it."""
    stop = Stop()

    def hear(number: int, _: FrameType | None) -> None:
        stop.wish += 1 if number == signal.SIGINT else 2
        if stop.wish == 1:
            log.print("stopping: what has begun is finished; Ctrl-C again drops it", highlight=False)

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_class(book: Gradebook, sheet: Sheet, names: set[str], console: Console) -> None:
    if len(names) > LONGEST_TABLE:
        console.print("a large class: python -m grader stats", highlight=False)
        return
    results = [record.result for record in book.records(sheet.name) if record.name in names and record.result]
    if results:
        print_summary(results, console)


def _print_problems(tally: Tally, log: Console) -> None:
    """Every submission without a result, with its reason in one line."""
    for state, reasons in (("refused", tally.refused), ("GRADER'S ERROR, not graded", tally.failed)):
        for name, reason in reasons.items():
            first = reason.partition("\n")[0].removeprefix(f"{name}: ")
            log.print(line(f"{name}: {state}: {first}", LONG), markup=False, highlight=False, soft_wrap=True)


def _same_call() -> str:
    """The command line that goes on with this batch."""
    given = [one for one in sys.argv[1:] if one != "--resume"]
    return shlex.join(["python", "-m", "grader", *given, "--resume"])
