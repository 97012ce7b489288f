"""`make bench`: one report with ratios from one run.

    python -m benchmarks [--submissions 4] [--class 300] [--sizes 1 10 100 1000] [--without-peers]

Gapgrade and other graders run the same tests on the same right submissions of the VAE exercise, one after the other;
Gapgrade also grades a whole class, over which its start is spread. The others are measured before it and after it:
a machine's speed changes from minute to minute. Then a batch grows, and one grading is taken apart. Compare within one
run only. The other measurements have commands of their own: each module beside this one says what it measures.
"""

from __future__ import annotations

import argparse
import ast
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.assignment import SHEET, Check, checks_of, lay_checks, make_class, make_course
from benchmarks.measure import Spent, spend
from benchmarks.peers import PEERS
from benchmarks.peers.environment import Peer, install
from benchmarks.throughput import SIZES, batch, breakdown, breakdown_table, growth_table
from grader.gradebook import open_gradebook

OURS = "Gapgrade, batch behind the wall"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--submissions", type=int, default=4, help="copies that each grader grades, twice")
    parser.add_argument("--class", type=int, default=300, dest="whole", help="copies in Gapgrade's whole class")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="classes that a batch grows over")
    parser.add_argument("--jobs", type=int, default=1, help="workers while it grows")
    parser.add_argument("--without-peers", action="store_true", help="measure Gapgrade alone; nothing is installed")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="gapgrade-bench-") as folder:
        work = Path(folder)
        peers = () if options.without_peers else PEERS
        console.print(compare(work, options.submissions, options.whole, peers, console))
        if options.sizes:
            console.print(growth_table(options.sizes, options.jobs, work / "growth"))
        console.print(breakdown_table(breakdown(work / "breakdown")[0]))
    console.print("Other measurements:")
    for module, about in others():
        console.print(f"  python -m benchmarks.{module}: {about}", highlight=False, markup=False, soft_wrap=True)


def compare(work: Path, count: int, whole: int, peers: Sequence[Peer], console: Console) -> Table:
    """Each grader on the same submissions; ratios to what a submission of a whole class costs Gapgrade in CPU."""
    course = make_course(work / "course")
    checks = checks_of(course)

    def all_others(place: Path) -> list[Spent | str]:
        found: list[Spent | str] = []
        with console.status(f"Gapgrade, {count} submissions ..."):
            found.append(_gapgrade(course, place / "ours", count))
        for peer in peers:
            with console.status(f"{peer.name} ..."):
                found.append(_measured(peer, course, place / peer.name.split()[0], count, checks))
        return found

    before = all_others(work / "before")
    with console.status(f"Gapgrade, {whole} submissions ..."):
        class_ = _gapgrade(course, work / "whole", whole)
    after = all_others(work / "after")
    names = [OURS, *(peer.name for peer in peers)]
    both = zip(names, before, after, strict=True)
    rows = [(OURS, whole, class_), *((name, count, _mean(*pair)) for name, *pair in both)]
    return _table(f"{len(checks)} tests on right submissions, start included, one worker", rows, class_.cpu / whole)


def _table(title: str, rows: Sequence[tuple[str, int, Spent | str]], unit: float) -> Table:
    """What each grader costs a submission; ratios to `unit` CPU seconds."""
    table = Table(title=title)
    table.add_column("grader")
    for heading in ("submissions", "CPU s each", "ratio", "s each", "peak MiB"):
        table.add_column(heading, justify="right")
    for name, number, spent in rows:
        if isinstance(spent, str):
            table.add_row(name, str(number), spent)
        else:
            each = spent.cpu / number
            seconds = f"{spent.wall / number:.2f}"
            table.add_row(name, str(number), f"{each:.2f}", f"{each / unit:.1f}", seconds, str(spent.memory))
    return table


def _mean(before: Spent | str, after: Spent | str) -> Spent | str:
    if isinstance(before, str):
        return before
    if isinstance(after, str):
        return after
    wall, cpu = (before.wall + after.wall) / 2, (before.cpu + after.cpu) / 2
    return Spent(wall, cpu, max(before.memory, after.memory))


def _gapgrade(course: Path, work: Path, count: int) -> Spent:
    make_class(course, work / "class", count)
    spent = spend([batch(course, SHEET, work / "class", work / "out", 1)])
    with open_gradebook(work / "out", must_exist=True) as book:
        right = [record.result is not None and record.result.score == 6 for record in book.records()]
    if len(right) != count or not all(right):
        raise RuntimeError(f"Gapgrade gave {sum(right)} of {count} right submissions all points")
    return spent


def _measured(peer: Peer, course: Path, work: Path, count: int, checks: Sequence[Check]) -> Spent | str:
    """What a peer costs; in words why it could not be measured."""
    work.mkdir(parents=True)
    try:
        install(peer)
        submissions = {name: work / name for name in make_class(course, work, count)}
        for path in submissions.values():
            lay_checks(course, path)
        spent = spend(peer.prepare(work, submissions, checks))
        scores = {name: peer.score(work, name) for name in submissions}
    except Exception as error:
        return f"not measured: {error}"
    wrong = [f"{name}: {score}" for name, score in scores.items() if score != len(checks)]
    return f"not comparable: {wrong[0]} of {len(checks)} points" if wrong else spent


def others() -> Iterator[tuple[str, str]]:
    """The other programs of this package, and what each measures, from its first line."""
    for file in sorted(Path(__file__).parent.glob("*.py")):
        text = file.read_text(encoding="utf-8")
        if file.stem != "__main__" and 'if __name__ == "__main__":' in text:
            yield file.stem, (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


if __name__ == "__main__":
    main()
