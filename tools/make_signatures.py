"""`python -m tools.make_signatures`: what the tests say of each catalogued mistake, for diagnosis in reports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from grader.catalogue import apply_edits, load_mistakes
from grader.commands.completion import exercise_names
from grader.commands.exits import new_app, run_app
from grader.diagnose import PASSED, evidence_of, signature_file
from grader.sheet import Limits
from grader.wall import Wall
from tools.checks.subject import Subject, Trials, load_subject, with_trials
from tools.checks.trusted import wall_of

app = new_app("Make what catalogued mistakes are recognised by.")


@app.command()
def main(
    exercises: Annotated[list[str], typer.Argument(autocompletion=exercise_names, help="The exercises' names.")],
    seeds: Annotated[int, typer.Option(min=1, help="How often each mistake is run.")] = 3,
    sandbox: Annotated[str, typer.Option(help="auto, nested, fresh, none, or trusted: in this process.")] = "auto",
    course: Annotated[Path, typer.Option(help="The folder with solutions/ and the tests.")] = Path(),
) -> None:
    """Run all tests against each mistake under several seeds and write tests_hidden/EXERCISE/signatures.json.

    Example:

        python -m tools.make_signatures vae gan
    """
    wall = wall_of(sandbox)
    try:
        for name in exercises:
            make_signatures(load_subject(name, course), wall, range(seeds))
    finally:
        wall.close()


def make_signatures(subject: Subject, wall: Wall, seeds: Sequence[int]) -> None:
    """Write an exercise's signatures; a mistake that no test catches gets none."""
    found = with_trials(subject, wall, Limits(), lambda trials: _signatures(subject, trials, seeds))
    lines = [f"  {json.dumps(name)}: {json.dumps(seen)}" for name, seen in found.items()]
    text = f'{{"seeds": {len(seeds)}, "mistakes": {{\n' + ",\n".join(lines) + "\n}}\n"
    signature_file(subject.name, subject.course).write_text(text, encoding="utf-8")


def _signatures(subject: Subject, trials: Trials, seeds: Sequence[int]) -> dict[str, dict[str, list[str]]]:
    found = {}
    mistakes = load_mistakes(subject.exercise.folder)
    for mistake in track(mistakes, subject.name, console=Console(stderr=True), transient=True):
        files = apply_edits(mistake, subject.solution)
        runs = [evidence_of(trials.run(files, seed)) for seed in seeds]
        failing = sorted({test for run in runs for test in run})
        if failing:
            found[mistake.id] = {test: sorted({run.get(test, PASSED) for run in runs}) for test in failing}
    return found


if __name__ == "__main__":
    run_app(app)
