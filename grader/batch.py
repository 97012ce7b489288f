"""A class in one go: a stream of submissions over workers, each outcome committed before its worker goes on.

What is committed stays: a batch that was stopped, or killed, goes on where it was, and a submission is graded again
only if something that its result depends on has changed.
"""

from __future__ import annotations

import fcntl
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from grader import GapgradeError
from grader.batching.find import BatchError, Found, longest_first
from grader.batching.job import Job, Outcome
from grader.batching.terms import Terms
from grader.gradebook import Gradebook
from grader.gradebook.book import GRADER
from grader.reports.files import STAFF_FILE, STUDENT_FILES, remove_answers, write_reports
from grader.result import Result

AGAIN = "everything is graded again"
LOCK = ".batch.lock"
REPORTS = "reports"
FILES = (STAFF_FILE, *STUDENT_FILES)


@dataclass
class Tally:
    """How far a batch is. `refused` and `failed` tell the reason by name."""

    began: float = field(default_factory=time.monotonic)
    graded: int = 0
    unchanged: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def done(self) -> int:
        return self.graded + self.unchanged + len(self.refused) + len(self.failed)

    def in_words(self) -> str:
        seconds = time.monotonic() - self.began
        counts = f"{self.graded} graded, {self.unchanged} unchanged, {len(self.refused)} refused"
        return f"{counts}, {len(self.failed)} grader's errors in {seconds:.0f} s"


def plan(
    found: Iterable[Found],
    book: Gradebook,
    sheet: str,
    terms: Mapping[str, Terms],
    *,
    again: bool = False,
    resume: bool = False,
) -> list[Job]:
    """The jobs of a batch in the order in which they are handed out.

    With `again`, what is known does not count; with `resume`, too, only what was graded since that began does.
    """
    known = book.known(sheet)
    times = {name: one.milliseconds for name, one in known.items()}
    if again and resume:
        fresh = book.graded_since(sheet, AGAIN)
        known = {name: one for name, one in known.items() if name in fresh}
    elif again:
        book.note(GRADER, sheet, AGAIN)
        known = {}
    return [
        Job(
            name=each.name,
            path=str(each.path),
            activity=str(each.activity) if each.activity else None,
            known=known[each.name].key if each.name in known else "",
            terms=terms[each.name],
        )
        for each in longest_first(list(found), times)
    ]


def grade_all(
    outcomes: Iterable[tuple[Job, Outcome]], book: Gradebook, sheet: str, out: Path, tell: Callable[[Tally], None]
) -> Tally:
    """Write each outcome's reports and commit it, one after the other as they come; `tell` hears how far it is."""
    tally = Tally()
    book.note(GRADER, sheet, "batch started", str(out))
    for job, outcome in outcomes:
        _commit(job, outcome, book, sheet, out / REPORTS / job.name, tally)
        tell(tally)
    book.note(GRADER, sheet, "batch ended", tally.in_words())
    return tally


@contextmanager
def only_batch(out: Path) -> Iterator[None]:
    """Be the only batch that writes into a folder; raises `BatchError` where another one does."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BatchError(f"another batch is writing into {out}; wait for it, or give another --out") from None
        yield


def _commit(job: Job, outcome: Outcome, book: Gradebook, sheet: str, reports: Path, tally: Tally) -> None:
    """The reports first: what the gradebook calls graded has all of them."""
    problem = ""
    if outcome.kind == "unchanged":
        _write_again(book, sheet, job.name, reports)
        tally.unchanged += 1
    elif outcome.result is not None:
        problem = _written(outcome.result, reports)
        if not problem:
            facts = (job.path, outcome.key, outcome.result, outcome.milliseconds)
            book.add_result(*facts, outcome.handed_in_at, outcome.work)
            tally.graded += 1
    if problem or outcome.kind in ("refused", "failed"):
        state: Literal["refused", "failed"] = "refused" if outcome.kind == "refused" else "failed"
        for name in FILES:  # what an earlier grading said is no longer true
            (reports / name).unlink(missing_ok=True)
        remove_answers(reports)
        book.add_problem(sheet, job.name, job.path, state, problem or outcome.reason)
        (tally.refused if state == "refused" else tally.failed)[job.name] = problem or outcome.reason


def _written(result: Result, reports: Path) -> str:
    """Write all reports; why they cannot be written where the result itself is the reason."""
    try:
        write_reports(result, reports)
    except (OSError, GapgradeError):  # a full disk is everybody's problem
        raise
    except Exception as error:
        return f"its reports cannot be written, {type(error).__name__}: {error}\n{traceback.format_exc()}"
    return ""


def _write_again(book: Gradebook, sheet: str, name: str, reports: Path) -> None:
    """Write the reports of a result that is kept, where somebody removed one."""
    if not all((reports / file).is_file() for file in FILES):
        for record in book.records(sheet, name):
            if record.result is not None:
                write_reports(record.result, reports)
