"""The job: grade one submission, or find that nothing changed since it was graded. The same on every machine."""

from __future__ import annotations

import hashlib
import json
import os
import time
import traceback
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from grader import GapgradeError
from grader.batching.terms import Terms
from grader.handin import Handin
from grader.intake import Submission, check_complete, take_in
from grader.pushes import count_pushes, last_push, read_activity
from grader.result import Mode, Result, Versions
from grader.wall import WallError
from grader.work import Work

if TYPE_CHECKING:  # torch comes with it, and only a worker needs that
    from grader.grade import Bench, Graded


@dataclass(frozen=True)
class Settings:
    """What all jobs of a batch have in common; paths are absolute.

    Attributes:
        sheet: the sheet's folder.
        seed: the seed of each submission follows from it and the name; where it is None, each grading draws a new one.
        ref: the branch, tag or commit to read of each repository; where it is None, the files in the folder count.
        last_due: the latest extension of all; until then nobody is told the answers of a quiz.
        pictures: whether results come with pictures.
    """

    sheet: str
    course: str
    sandbox: str = "auto"
    seed: int | None = None
    ref: str | None = None
    last_due: datetime | None = None
    pictures: bool = False


@dataclass(frozen=True)
class Job:
    """One submission to grade; `known` is the key of the result that it already has."""

    name: str
    path: str
    activity: str | None = None
    known: str = ""
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True)
class Ready:
    """What a worker says before its first job: its sandbox works, and these versions grade."""

    pid: int
    mode: Mode
    versions: Versions


@dataclass(frozen=True)
class Unable:
    """What a worker says instead: this machine cannot grade safely, or the sheet cannot be used."""

    unsafe: bool
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        kind: `unchanged` has the result that `known` names; `refused` cannot be read; `failed` is a grader's error,
            never a score.
        key: the digest of all that the result depends on.
        reason: why there is no result.
        work: what is kept of what the submission holds.
    """

    kind: Literal["graded", "unchanged", "refused", "failed"]
    key: str = ""
    result: Result | None = None
    handed_in_at: datetime | None = None
    milliseconds: int = 0
    reason: str = ""
    work: Work | None = None


class Station:
    """Does jobs, one after the other, with one sheet's tests and a wall that is replaced where it breaks."""

    def __init__(self, bench: Bench, settings: Settings) -> None:
        self._bench, self._settings = bench, settings

    @property
    def ready(self) -> Ready:
        return Ready(os.getpid(), self._bench.wall.mode, self._bench.versions)

    def do(self, job: Job) -> Outcome:
        """One job; whatever a submission holds, this returns."""
        started = time.monotonic()
        try:
            submission = take_in(Path(job.path), ref=self._settings.ref, name=job.name)
            if self._bench.sheet.submission:
                check_complete(submission, self._bench.sheet.submission.files)
            handin = self._handin(submission, job)
        except GapgradeError as error:
            return Outcome("refused", reason=str(error))
        except Exception as error:
            return _broken("reading", error)
        key = key_of(submission, job, self._bench.versions, self._bench.wall.mode, self._settings.seed)
        key += "+pictures" if self._settings.pictures else ""
        key += "+explained" if self._explains(job) else ""
        if key == job.known:
            return Outcome("unchanged", key)
        try:
            graded = self._grade(handin)
        except WallError as error:
            return Outcome("failed", reason=f"the sandbox failed twice: {error}")
        except Exception as error:
            return _broken("grading", error)
        milliseconds = round(1000 * (time.monotonic() - started))
        return Outcome("graded", key, graded.result, handin.handed_in_at, milliseconds, work=graded.work)

    def close(self) -> None:
        self._bench.wall.close()

    def _explains(self, job: Job) -> bool:
        """Whether the result tells the answers of a quiz, as it does when nobody can hand in any more."""
        sheet = self._bench.sheet.due_at(self._settings.last_due or job.terms.due)
        return any(task.kind == "quiz" for task in sheet.tasks) and sheet.is_over(datetime.now(UTC))

    def _handin(self, submission: Submission, job: Job) -> Handin:
        sheet, seed = self._bench.sheet.due_at(job.terms.due), self._settings.seed
        handin = Handin(
            submission,
            seed=None if seed is None else seed_of(seed, job.name),
            members=job.terms.members,
            due=job.terms.due,
            last_due=self._settings.last_due,
        )
        if job.activity is None:
            return handin
        activity = read_activity(Path(job.activity))
        branch = sheet.rules.pushes.branch if sheet.rules.pushes else "main"
        pushes = count_pushes(activity, branch, sheet.due)
        return replace(handin, pushes=pushes, handed_in_at=last_push(activity, branch, submission.commit))

    def _grade(self, handin: Handin) -> Graded:
        try:
            return self._bench.look_at(handin)
        except WallError:
            from grader.wall.choose import choose_wall

            mode = self._bench.wall.mode  # the same again: a batch never goes on behind a weaker wall
            self._bench.wall.close()
            self._bench = replace(self._bench, wall=choose_wall(mode))
            return self._bench.look_at(handin)


def _broken(doing: str, error: Exception) -> Outcome:
    """A defect of ours: told with its traceback, below the line that is shown."""
    trace = "".join(traceback.format_exception(error))
    return Outcome("failed", reason=f"{doing} it broke the grader, {type(error).__name__}: {error}\n{trace}")


def key_of(submission: Submission, job: Job, versions: Versions, mode: Mode, seed: int | None) -> str:
    """The digest of everything that a result depends on: equal keys, equal points.

    Every real wall gives the same result, so only whether there was one counts.
    """
    facts = {
        "files": {path: hashlib.sha256(data).hexdigest() for path, data in submission.files.items()},
        "refused": [[one.file, one.reason] for one in submission.refused],
        "skipped": submission.skipped,
        "commit": submission.commit,
        "activity": hashlib.sha256(Path(job.activity).read_bytes()).hexdigest() if job.activity else None,
        "due": job.terms.due.astimezone(UTC).isoformat() if job.terms.due else None,
        "members": sorted(job.terms.members),
        "versions": versions.model_dump(),
        "advisory": mode == "none",
        "seed": seed,
    }
    return f"sha256:{hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()}"


def seed_of(seed: int, name: str) -> int:
    """A submission's own seed, by its name: the same in whichever order and on whichever machine it is graded."""
    digest = hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:4], "big") % 2**31
