"""How often the tests fail what is right: the solution of a sheet graded many times, and its variants in turn.

    python -m benchmarks.false_failures --sheet generative-models --gradings 10000 --variants 1000

Every grading has seeds of its own. Counts are written after each batch and a second call goes on where the first one
ended, so a long run may be stopped at any time, and `--start` leaves out gradings that were counted elsewhere. Counts
belong to a version of the tests and the solution, and begin anew when one of these changes. The code is the course's
own: it runs without a wall, in one process.
"""

from __future__ import annotations

import gc
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from grader.catalogue import apply_edits, load_variants
from grader.commands.exits import new_app, run_app
from grader.sheet import load_sheet
from tools.checks.places import function_of
from tools.checks.subject import Subject, Trials, load_subject, with_trials
from tools.checks.trusted import TrustedWall

FIRST_SEED = 10**9  # other runs of the tests draw below
BATCH = 25

app = new_app("Count false failures.")


@dataclass(frozen=True)
class Batch:
    """Gradings of one exercise with the seeds from `first` on.

    Attributes:
        version: of the tests and the solution.
        of: `solution` or `variants`; the n-th grading of the variants takes the n-th of them, in a circle.
    """

    exercise: str
    version: str
    of: str
    first: int
    count: int


@app.command()
def main(
    sheet: Annotated[str, typer.Option(help="The sheet's name, or the path of its folder.")],
    gradings: Annotated[int, typer.Option(min=0, help="How often the solution is graded.")] = 10_000,
    variants: Annotated[int, typer.Option(min=0, help="How often variants are graded, in turn.")] = 0,
    exercise: Annotated[list[str] | None, typer.Option(help="Only this exercise; may be given several times.")] = None,
    start: Annotated[int, typer.Option(min=0, help="Begin with the grading of this number, counted from 0.")] = 0,
    out: Annotated[Path, typer.Option(help="Where the counts are kept.")] = Path("out/false_failures"),
    course: Annotated[Path, typer.Option(help="The folder with solutions/, sheets/ and the tests.")] = Path(),
) -> None:
    """Grade the solution and the variants again and again, and print every failure."""
    chosen = load_sheet(sheet, course)
    if unknown := set(exercise or ()) - set(chosen.exercises):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: not in this sheet ({', '.join(chosen.exercises)})")
    subjects = [load_subject(name, course) for name in exercise or chosen.exercises]
    console = Console()
    out.mkdir(parents=True, exist_ok=True)
    for subject in (one for one in subjects if one.own):
        log, version = out / f"{subject.name}.jsonl", subject.version
        wanted = {"solution": gradings, "variants": variants}
        todo = [one for of, count in wanted.items() for one in _todo(subject.name, version, of, start, count, log)]

        def work(trials: Trials, subject: Subject = subject, todo: list[Batch] = todo, log: Path = log) -> None:
            trials.failures(subject.solution, FIRST_SEED - 1)  # loads what every grading uses
            gc.freeze()  # none of it is garbage; the collector would look at it again and again
            for batch in track(todo, subject.name, console=Console(stderr=True)):
                failed = [*_failures(subject, trials, batch)]
                with log.open("a") as file:
                    file.write(json.dumps({**vars(batch), "failed": failed}) + "\n")

        if todo:
            with_trials(subject, TrustedWall(), chosen.limits, work)
        for of in wanted:
            done = _done(log, version, of)
            failures = [one for line in done for one in line["failed"]]
            count = sum(line["count"] for line in done)
            said = f"{subject.name} {version}, {of}: {count} gradings, {len(failures)} tests failed"
            console.print(said, highlight=False)
            for one in failures:
                console.print(f"  {one['code']}, seed {one['seed']}: {one['test']}: {one['said']}", markup=False)


def _todo(exercise: str, version: str, of: str, start: int, wanted: int, log: Path) -> Iterator[Batch]:
    begin = max([start, *(line["first"] + line["count"] for line in _done(log, version, of))])
    for first in range(begin, wanted, BATCH):
        yield Batch(exercise, version, of, first, min(BATCH, wanted - first))


def _done(log: Path, version: str, of: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    return [line for line in lines if (line["version"], line["of"]) == (version, of)]


def _failures(subject: Subject, trials: Trials, batch: Batch) -> Iterator[dict[str, Any]]:
    codes: dict[str, Mapping[str, str]] = {"solution": subject.solution}
    if batch.of == "variants":
        entries = load_variants(subject.exercise.folder)
        codes = {entry.id: apply_edits(entry, subject.solution) for entry in entries}
    names = itertools.islice(itertools.cycle(codes), batch.first % max(1, len(codes)), None)
    for seed, name in zip(range(FIRST_SEED + batch.first, FIRST_SEED + batch.first + batch.count), names, strict=False):
        for test in trials.failures(codes[name], seed):
            said = test.staff.partition("\n")[0]
            yield {"code": name, "seed": seed, "test": function_of(test.id), "said": said}


if __name__ == "__main__":
    run_app(app)
