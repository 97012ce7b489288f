"""What is graded: a submission, and what is known about it that does not lie in its files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from grader.intake import Submission
from grader.pushes import PushCount


@dataclass(frozen=True)
class Handin:
    """A submission, and what the host's server knows about it.

    Attributes:
        pushes: the pushes to the branch that counts, or None where nobody asked the server.
        handed_in_at: the last push by the server's clock, or None.
        members: the identifiers of its people by the roster; empty where nobody gave one.
        due: when this submission is due, where that is later than the sheet says; None without an extension.
        last_due: the latest extension of anyone.
        seed: what the run's random data come from; a new one for every grading unless a run is repeated.
    """

    submission: Submission
    pushes: PushCount | None = None
    handed_in_at: datetime | None = None
    seed: int | None = None
    members: tuple[str, ...] = ()
    due: datetime | None = None
    last_due: datetime | None = None
