"""How often the tests fail what is right: the solution of a sheet, and each of its variants, graded many times.

    python -m benchmarks.false_failures --sheet generative-models --gradings 10000 --variants 1000

Every grading has seeds of its own. Counts are written after each batch and a second call goes on where the first one
ended, so a long run may be stopped at any time, and `--start` leaves out gradings that were counted elsewhere. Counts
belong to a version of the tests and the solution, and begin anew when one of these changes. The code is the course's
own: it runs without a wall, in one process.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
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
MOST = 10**8  # gradings of the solution; the variants' seeds lie above
BATCH = 25
SOLUTION = "solution"

app = new_app("Count false failures.")


@dataclass(frozen=True)
class Batch:
    """Gradings of one text of an exercise, numbered from `first` on.

    Attributes:
        version: of the tests and the solution.
        of: `solution`, or a variant's id.
    """

    exercise: str
    version: str
    of: str
    first: int
    count: int


@dataclass(frozen=True)
class Text:
    """A text of an exercise that deserves full marks; the seeds of two of them never meet."""

    files: Mapping[str, str]
    first_seed: int
    step: int

    def seed(self, number: int) -> int:
        return self.first_seed + number * self.step


@app.command()
def main(
    sheet: Annotated[str, typer.Option(help="The sheet's name, or the path of its folder.")],
    gradings: Annotated[int, typer.Option(min=0, max=MOST, help="How often the solution is graded.")] = 10_000,
    variants: Annotated[int, typer.Option(min=0, help="How often each variant is graded.")] = 0,
    variant: Annotated[list[str] | None, typer.Option(help="Only this variant; may be given several times.")] = None,
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
    texts_of = {subject.name: _texts(subject) for subject in subjects if subject.own}
    if unknown := set(variant or ()) - {id_ for texts in texts_of.values() for id_ in texts}:
        raise typer.BadParameter(
            f"{', '.join(sorted(unknown))}: no variant of {', '.join(one.name for one in subjects)}"
        )
    console, progress = Console(), Console(stderr=True)
    out.mkdir(parents=True, exist_ok=True)
    for subject in (one for one in subjects if one.own):
        log, texts = out / f"{subject.name}.jsonl", texts_of[subject.name]
        wanted = {id_: gradings if id_ == SOLUTION else variants for id_ in texts}
        if variant:
            wanted = {id_: count for id_, count in wanted.items() if id_ in (SOLUTION, *variant)}
        todo = [one for of, count in wanted.items() for one in _todo(subject, of, start, count, log)]
        if todo:
            with_trials(subject, TrustedWall(), chosen.limits, _grader(texts, todo, log, progress))
        _say(console, subject, wanted, log)


def _grader(texts: Mapping[str, Text], todo: Sequence[Batch], log: Path, console: Console) -> Callable[[Trials], None]:
    def work(trials: Trials) -> None:
        trials.failures(texts[SOLUTION].files, FIRST_SEED - 1)  # loads what every grading uses
        gc.freeze()  # none of it is garbage; the collector would look at it again and again
        for batch in track(todo, log.stem, console=console):
            failed = [*_failures(texts[batch.of], trials, batch)]
            with log.open("a") as file:
                file.write(json.dumps({**vars(batch), "failed": failed}) + "\n")

    return work


def _texts(subject: Subject) -> dict[str, Text]:
    entries = load_variants(subject.exercise.folder)
    texts = {SOLUTION: Text(subject.solution, FIRST_SEED, 1)}
    for place, entry in enumerate(entries):
        files = apply_edits(entry, subject.solution)
        texts[entry.id] = Text(files, FIRST_SEED + MOST + place, len(entries))
    return texts


def _todo(subject: Subject, of: str, start: int, wanted: int, log: Path) -> Iterator[Batch]:
    begin = max([start, *(line["first"] + line["count"] for line in _done(log, subject.version, of))])
    for first in range(begin, wanted, BATCH):
        yield Batch(subject.name, subject.version, of, first, min(BATCH, wanted - first))


def _done(log: Path, version: str, of: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    return [line for line in lines if (line["version"], line["of"]) == (version, of)]


def _failures(text: Text, trials: Trials, batch: Batch) -> Iterator[dict[str, Any]]:
    for number in range(batch.first, batch.first + batch.count):
        for test in trials.failures(text.files, text.seed(number)):
            said = test.staff.partition("\n")[0]
            yield {"seed": text.seed(number), "test": function_of(test.id), "said": said}


def _say(console: Console, subject: Subject, wanted: Mapping[str, int], log: Path) -> None:
    for of in wanted:
        done = _done(log, subject.version, of)
        failures = [one for line in done for one in line["failed"]]
        count = sum(line["count"] for line in done)
        said = f"{subject.name} {subject.version}, {of}: {count:,} gradings, {len(failures)} tests failed"
        console.print(said, highlight=False, markup=False)
        for one in failures:
            console.print(f"  seed {one['seed']}: {one['test']}: {one['said']}", markup=False)


if __name__ == "__main__":
    run_app(app)
