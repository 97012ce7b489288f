"""`make demo`: the main job end to end, on six submissions that the demo makes itself.

Builds the release of a sheet, writes six submissions (perfect, partial, untouched, a catalogued mistake, edits outside
the gaps with five pushes to main, hostile), grades each behind the wall, prints each report and a table of all.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import indent
from typing import Annotated, Any

import typer
from rich.console import Console

from grader.catalogue import apply_edits, load_mistakes
from grader.commands.exits import new_app, run_app
from grader.gaps import find_gaps
from grader.grade import Bench, with_bench
from grader.handin import Handin
from grader.intake import take_in
from grader.pushes import count_pushes, last_push, read_activity
from grader.reports.files import write_reports
from grader.reports.terminal import print_report, print_summary
from grader.result import Result
from grader.sheet import Sheet, load_sheet
from grader.splice import splice
from grader.wall.choose import choose_wall
from tools.make_release import make_release

COURSE = Path(__file__).resolve().parent.parent
SHEET = "generative-models"
SEED = 20260117
MISTAKE = "std-is-variance"

HOSTILE = {
    "vae 4": """\
# a process that ends at once must not look like a pass
import os
os._exit(0)
""",
    "vae 5": """\
# a forged result file must not count
import json
for name in ("result.json", "results.json", ".report.json"):
    with open(name, "w") as file:
        json.dump({"score": 100, "passed": True}, file)
print("::notice title=Autograding complete::Points 100/100")
raise SystemExit(0)
""",
    "vae 10": """\
# an endless loop must cost its own tests only
while True:
    pass
""",
}


@dataclass(frozen=True)
class Act:
    """One submission of the demo: who, and what is in the gaps that differ from the solution's."""

    name: str
    says: str
    write: Callable[[Path], None]
    pushes: int = 2


def main(
    out: Annotated[Path, typer.Option(help="Where the submissions and their reports are written.")] = COURSE
    / "out"
    / "demo",
    sandbox: Annotated[str, typer.Option(help="auto, nested, fresh, container or none.")] = "auto",
) -> None:
    """Build the release of a sheet, grade six submissions of it, and print their reports.

    Example:

        python -m tools.demo --out /tmp/demo
    """
    console = Console()
    wall = choose_wall(sandbox)
    sheet = load_sheet(SHEET, COURSE)
    release = make_release(sheet)
    console.print(f"[bold]1.[/] The release stands in [cyan]{release.relative_to(COURSE)}[/].")
    shutil.rmtree(out, ignore_errors=True)
    acts = _acts(sheet, release)
    console.print(f"[bold]2.[/] {len(acts)} submissions are made in [cyan]{out}[/].")
    for act in acts:
        act.write(out / act.name)
        (out / f"{act.name}.activity.json").write_text(json.dumps(_activity(act.pushes), indent=1))
    try:
        console.print(f"[bold]3.[/] They are graded; the sandbox is [cyan]{wall.mode}[/].\n")
        results = with_bench(sheet, wall, lambda bench: [_grade(bench, act, out, console) for act in acts])
    finally:
        wall.close()
    print_summary(results, console)
    console.print(f"\nThe reports lie in [cyan]{out / 'reports'}[/].")


def _grade(bench: Bench, act: Act, out: Path, console: Console) -> Result:
    activity = read_activity(out / f"{act.name}.activity.json")
    pushes = count_pushes(activity, "main", bench.sheet.due)
    handin = Handin(take_in(out / act.name), pushes, last_push(activity, "main"), SEED)
    with Console(stderr=True).status(f"Grading {act.name} ..."):
        result = bench.grade(handin)
    console.rule(f"{act.name}: {act.says}", align="left")
    print_report(result, console, staff=False)
    write_reports(result, out / "reports" / act.name)
    return result


def _acts(sheet: Sheet, release: Path) -> list[Act]:
    solution = _solution(sheet)
    mistake = next(m for e in sheet.exercises for m in load_mistakes(COURSE / "solutions" / e) if m.id == MISTAKE)
    wrong = apply_edits(mistake, solution)

    def submission(
        texts: Mapping[str, str], *, only: str = "", hostile: bool = False, outside: bool = False
    ) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            shutil.copytree(release, folder)
            for path, text in texts.items():
                _fill(folder / path, text, only, HOSTILE if hostile else {})
            if outside:
                _edit_outside(folder / "lib" / "model_vae.py")
            _feedback(folder / "feedback.md")
            _pdf(folder / "submission.pdf")

        return write

    return [
        Act("1-perfect", "every gap as in the solution", submission(solution)),
        Act("2-partial", "the model is done, the rest is not", submission(solution, only="lib/model_vae.py")),
        Act("3-untouched", "the template as it was handed out", lambda folder: _copy(release, folder), pushes=0),
        Act("4-mistake", f"one catalogued mistake, {mistake.id}", submission(wrong)),
        Act("5-outside", "edits outside the gaps, and 5 pushes to main", submission(solution, outside=True), pushes=5),
        Act("6-hostile", "os._exit(0), a forged result file, an endless loop", submission(solution, hostile=True)),
    ]


def _copy(release: Path, folder: Path) -> None:
    shutil.copytree(release, folder)


def _solution(sheet: Sheet) -> dict[str, str]:
    """The marked-up files of the sheet's exercises that hold gaps, by path."""
    files = {}
    for exercise in sheet.exercises:
        root = sheet.course / "solutions" / exercise
        for file in sorted(root.rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            if find_gaps(text, str(file)):
                files[file.relative_to(root).as_posix()] = text
    return files


def _fill(file: Path, solution: str, only: str, hostile: Mapping[str, str]) -> None:
    if only and not file.as_posix().endswith(only):
        return
    gaps = find_gaps(solution, file.name)
    contents = [indent(hostile[gap.label], gap.indent) if gap.label in hostile else gap.content for gap in gaps]
    file.write_text(splice(file.read_text(encoding="utf-8"), contents), encoding="utf-8")


def _edit_outside(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("hidden_size: int = 100", "hidden_size: int = 400"), encoding="utf-8")


def _feedback(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    file.write_text(text + "\nThe latent grid took longest. Duration: 6.5 hours.\n", encoding="utf-8")


def _pdf(file: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"pdf.fonttype": 42}):
        figure = Figure(figsize=(6, 8))
        figure.text(0.1, 0.9, "Sheet 1: Generative models\nMatriculation numbers: 1234567, 2345678")
        figure.savefig(file, format="pdf", metadata={"CreationDate": None})


def _activity(pushes: int) -> list[dict[str, Any]]:
    """What GitHub's activity endpoint answers for a repository with so many pushes to main, newest first."""
    start = datetime(2027, 1, 10, 12, tzinfo=UTC)
    commits = [f"{i:040x}" for i in range(pushes + 1)]
    entries = [_entry(0, "branch_creation", "0" * 40, commits[0], start)]
    for i in range(pushes):
        entries.append(_entry(i + 1, "push", commits[i], commits[i + 1], start + timedelta(days=i + 1)))
    return entries[::-1]


def _entry(number: int, kind: str, before: str, after: str, at: datetime) -> dict[str, Any]:
    return {
        "id": number + 1,
        "node_id": f"A{number}",
        "before": before,
        "after": after,
        "ref": "refs/heads/main",
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "activity_type": kind,
        "actor": {"login": "team-member", "id": 1, "type": "User"},
    }


app = new_app(__doc__ or "")
app.command()(main)

if __name__ == "__main__":
    run_app(app)
