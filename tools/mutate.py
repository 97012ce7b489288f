"""`python -m tools.mutate`: which small wrong versions of an exercise's solution no test notices."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from grader.commands.completion import exercise_names
from grader.commands.exits import new_app, run_app
from grader.sheet import Limits
from tools.checks.mutants import mutants_of, tried
from tools.checks.subject import Trials, load_subject, with_trials
from tools.checks.trusted import wall_of
from tools.mutation.equivalent import FILE, load_equivalents
from tools.mutation.mutants import Mutant

app = new_app("Find the mutants that no test notices.")


@app.command()
def main(
    exercise: Annotated[str, typer.Argument(autocompletion=exercise_names, help="The exercise's name.")],
    seed: Annotated[int | None, typer.Option(help="What the tests draw their data from.")] = None,
    sandbox: Annotated[str, typer.Option(help="auto, nested, fresh, none, or trusted: in this process.")] = "auto",
    course: Annotated[Path, typer.Option(help="The folder with solutions/ and the tests.")] = Path(),
) -> None:
    """Change the solution in small ways, and print each change that no test notices.

    Each is shown as a diff, and as an entry for equivalent_mutants.toml, where it belongs with a reason if it is right.

    Example:

        python -m tools.mutate vae
    """
    subject = load_subject(exercise, course)
    known = load_equivalents(subject.exercise.folder)
    mutants = mutants_of(subject)
    start = secrets.randbelow(2**30) if seed is None else seed
    wall = wall_of(sandbox)

    def survivors_of(trials: Trials) -> list[Mutant]:
        results = track(
            tried(subject, trials, start, mutants), exercise, len(mutants), console=Console(stderr=True), transient=True
        )
        return [mutant for mutant, killed in results if not killed]

    try:
        survivors = with_trials(subject, wall, Limits(), survivors_of)
    finally:
        wall.close()
    console = Console()
    new = [mutant for mutant in survivors if not any(one.is_of(mutant) for one in known)]
    for mutant in new:
        for text in (mutant.diff(subject.solution[mutant.file]), _entry(mutant)):
            console.print(text, markup=False, highlight=False, soft_wrap=True)
    killed = len(mutants) - len(survivors)
    equivalent = len(survivors) - len(new)
    console.print(f"{exercise}: {len(mutants)} mutants, {killed} killed, {equivalent} equivalent, {len(new)} survived")


def _entry(mutant: Mutant) -> str:
    """What would stand in the list of equivalent mutants, were there a reason."""
    texts = {"file": mutant.file, "gap": mutant.gap, "original": mutant.before, "mutated": mutant.after, "reason": ""}
    lines = [f"{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in texts.items()]
    return "\n".join([f"# {FILE}", "[[mutant]]", *lines, ""])


if __name__ == "__main__":
    run_app(app)
