"""A submission to Gradescope: what its autograder finds below `/autograder`, and what it has to write there.

https://gradescope-autograders.readthedocs.io/en/latest/specs/ and .../submission_metadata/
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from grader import GapgradeError, UnsafeError
from grader.handin import Handin
from grader.intake import IntakeError, check_complete, take_in
from grader.reports.gradescope import Visibility, gradescope
from grader.reports.text import plain
from grader.reports.views import student_view
from grader.sheet import Sheet
from grader.wall import Wall
from grader.wall.choose import choose_wall
from grader.whole import write_whole


class AutograderError(GapgradeError):
    """What Gradescope should have put there is not there; no score follows from that."""


@dataclass(frozen=True)
class Places:
    """Where Gradescope puts a submission, and where it looks for the results."""

    root: Path

    @property
    def submission(self) -> Path:
        return self.root / "submission"

    @property
    def metadata(self) -> Path:
        return self.root / "submission_metadata.json"

    @property
    def results(self) -> Path:
        return self.root / "results" / "results.json"


class _Dates(BaseModel):
    due_date: AwareDatetime | None = None
    late_due_date: AwareDatetime | None = None


class _User(BaseModel):
    sid: str | None = None
    assignment: _Dates = _Dates()


class Metadata(BaseModel):
    """What is used of `submission_metadata.json`; Gradescope writes more."""

    id: int
    created_at: AwareDatetime
    users: tuple[_User, ...] = ()
    assignment: _Dates = Field(default_factory=_Dates)

    @property
    def members(self) -> tuple[str, ...]:
        """The matriculation numbers that Gradescope knows."""
        return tuple(user.sid for user in self.users if user.sid)

    def due(self, sheet: Sheet) -> datetime | None:
        """When it is due here, where that is later than the sheet says: an extension, or a later assignment."""
        dates = [user.assignment.due_date for user in self.users] + [self.assignment.due_date]
        return _last(dates, sheet)

    def last_due(self, sheet: Sheet) -> datetime | None:
        """Until when anything can be handed in here, as far as this submission's metadata tell."""
        of_all = [self.assignment, *(user.assignment for user in self.users)]
        return _last([date for one in of_all for date in (one.due_date, one.late_due_date)], sheet)


def _last(dates: Iterable[datetime | None], sheet: Sheet) -> datetime | None:
    """The latest of those that are later than the sheet's due date."""
    return max((date for date in dates if date and sheet.due and date > sheet.due), default=None)


def autograde(places: Places, sheet: Sheet, *, hidden: Visibility = "after_published") -> dict[str, Any]:
    """Grade what was handed in, and return the object for `results.json`.

    Args:
        hidden: from when on students see the hidden tests' titles and hints.

    Raises:
        GapgradeError: a grader's error, which is never a score.
    """
    metadata = _read_metadata(places.metadata)
    try:
        submission = take_in(places.submission, name=f"submission-{metadata.id}")
        if sheet.submission:
            check_complete(submission, sheet.submission.files)
    except IntakeError as refusal:
        return _refused(str(refusal), sheet)
    handin = Handin(
        submission,
        handed_in_at=metadata.created_at,
        members=metadata.members,
        due=metadata.due(sheet),
        last_due=metadata.last_due(sheet),
    )
    wall, weaker = _strongest_wall()
    try:
        from grader.grade import with_bench  # torch comes with it, and loads while the sandbox starts

        result = with_bench(sheet, wall, lambda bench: bench.grade(handin))
    finally:
        wall.close()
    report = gradescope(student_view(result), hidden=hidden)
    if weaker:
        report["extra_data"]["no_sandbox"] = plain(weaker)
    return report


def write_results(places: Places, results: dict[str, Any]) -> None:
    """Write `results.json` in one go: half a file would be read as a failure of the autograder."""
    places.results.parent.mkdir(parents=True, exist_ok=True)
    write_whole(places.results, json.dumps(results, indent=2, ensure_ascii=False) + "\n")


def _read_metadata(file: Path) -> Metadata:
    try:
        return Metadata.model_validate_json(file.read_bytes())
    except OSError as error:
        raise AutograderError(
            f"{file} cannot be read ({error.strerror}); run this as Gradescope's autograder"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise AutograderError(f"{file}: {where}: {first['msg']}; Gradescope may have changed its format") from None


def _strongest_wall() -> tuple[Wall, str]:
    """The strongest wall that works here; none at all, and why, where a container forbids every sandbox.

    Gradescope chooses the machine, so there is nobody to ask; the result says that it is advisory.
    """
    try:
        return choose_wall("auto"), ""
    except UnsafeError as error:
        return choose_wall("none"), str(error)


def _refused(reason: str, sheet: Sheet) -> dict[str, Any]:
    """A submission that is not graded: no points, and what to do, for its student to read at once."""
    test = {"name": "The submission is complete", "status": "failed", "score": 0, "max_score": 0}
    return {
        "score": 0,
        "output": plain(f"Not graded. {reason}."),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": [{**test, "output": plain(reason), "output_format": "text", "visibility": "visible"}],
        "extra_data": {"sheet": sheet.name, "refused": True},
    }
