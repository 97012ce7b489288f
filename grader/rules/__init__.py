"""Rules: what costs points or is only noted, each a plain function from what was found to a `RuleResult`.

A rule that the sheet does not name costs nothing. A deduction is rounded down to the sheet's granularity; that the
deductions of all rules together never make a score negative is `grader.score.add_up`'s part. Where the grader could not
find something out (no activity log, a hole in it, a PDF that nobody read), it says so and deducts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.intake import Submission
from grader.pushes import PushCount
from grader.reader import Reading
from grader.result import RuleResult
from grader.rules.gaps import rule_on_comments, rule_on_gaps
from grader.rules.late import extension, late
from grader.rules.notes import notes
from grader.rules.pushes import rule_on_pushes
from grader.rules.submission_pdf import rule_on_submission_pdf
from grader.rules.tasks import counts_pdf, score_other
from grader.sheet import Sheet

__all__ = ["apply_rules", "counts_pdf", "extension", "late", "score_other"]


def apply_rules(
    sheet: Sheet,
    submission: Submission,
    reading: Reading,
    pushes: PushCount | None = None,
    members: Sequence[str] = (),
) -> Iterator[RuleResult]:
    """Every rule but lateness, which needs the score that the others leave: see `late`.

    Args:
        members: the identifiers that the roster has for this submission's people, or nothing.
    """
    yield from rule_on_pushes(sheet, pushes)
    yield from rule_on_gaps(sheet, reading)
    yield from rule_on_comments(sheet, reading)
    yield from rule_on_submission_pdf(sheet, submission, reading, members)
    yield from notes(sheet, submission, reading)
