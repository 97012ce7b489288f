"""Post each student's report to their repository: what may be seen of it, once, and up to date.

What was posted is found again at the host itself, so a second run, or one after an interruption, changes only what
differs. Nothing is written unless it is asked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from grader import GapgradeError
from grader.collect import Record
from grader.github.activity import find_repository
from grader.github.client import Client, LostError
from grader.github.posting import MOST_CHARACTERS, Author, Note, Post, Target, find_spot, write_spot, write_status
from grader.reports import words
from grader.reports.markdown import summary
from grader.reports.text import line, plain
from grader.reports.views import StudentResult, student_view
from grader.result import Result

TRIES = 3

Action = Literal["new", "changed", "same", "failed"]


class PublishError(GapgradeError):
    """A report that is not posted: whose, why, and what to do."""


@dataclass(frozen=True)
class Options:
    """How reports are posted.

    Attributes:
        send: write; otherwise only tell what would be written.
        status: set the commit's status, too.
        public: post into repositories that everyone can read.
        advisory: post results that were graded without a wall.
    """

    target: Target = Target.comment
    send: bool = False
    status: bool = True
    public: bool = False
    advisory: bool = False


@dataclass(frozen=True)
class Posted:
    """What happened to one report. `diff` is what changes, or would change, in what stands there."""

    name: str
    where: str
    action: Action
    diff: str = ""
    url: str = ""


def publish(
    client: Client, results: Sequence[Result], record: Record, author: Author, options: Options
) -> Iterator[Posted]:
    """Post, or plan to post, each result; one that fails stops no other."""
    places = {one.name.lower(): one for one in record.submissions}
    for result in results:
        place = places.get(result.submission.lower())
        try:
            if place is None or place.commit is None:
                raise PublishError(f"{result.submission} was not collected, so where it belongs is not known")
            yield _publish_one(client, result, place.repository, place.commit, author, options)
        except GapgradeError as error:
            yield Posted(line(result.submission), place.repository if place else "", "failed", str(error))


def make_post(result: Result, repository: str, commit: str) -> Post:
    """The student's report with a marker that no reader sees, short enough for every place."""
    marker = f"<!-- gapgrade:report:{result.sheet.replace('--', '-')} -->"
    student = student_view(result)
    text = f"{marker}\n{summary(student, MOST_CHARACTERS)}"
    phrase = _short(result)
    passed = None if result.pending and not result.passed else result.passed
    title = f"{line(result.title)}: {phrase}"
    return Post(repository, commit, title, phrase, text, marker, passed, tuple(_notes(student)))


def _notes(student: StudentResult) -> Iterator[Note]:
    """What rules and tasks found at lines of the submission's files; what costs points first."""
    found = [(line(rule.id), bool(rule.deduction), rule.evidence) for rule in student.shown.rules]
    found += [(line(words.name(task)), task.score < task.max_score, task.evidence) for task in student.shown.tasks]
    for title, costs, evidence in sorted(found, key=lambda one: not one[1]):
        for one in evidence:
            if one.file and one.line > 0:
                yield Note(one.file, one.line, plain(one.text) or title, title, costs)


def _short(result: Result) -> str:
    """The score in one phrase, as a commit's status shows it."""
    points = f"{words.points(result.score)} / {words.points(result.max_score)} points"
    return f"{points}, {words.points(result.pending)} still to be graded" if result.pending else points


def _publish_one(
    client: Client, result: Result, repository: str, commit: str, author: Author, options: Options
) -> Posted:
    if result.advisory and not options.advisory:
        raise PublishError(f"{result.submission} was graded without a wall; grade it behind one, or give --advisory")
    found = find_repository(client, repository)
    if not found.private and not options.public:
        raise PublishError(f"{found.full_name} can be read by everyone; make it private, or give --public")
    post = make_post(result, found.full_name, commit)
    for count in range(TRIES):
        spot = find_spot(client, options.target, post, author)
        action: Action = "new" if spot.before is None else "same" if _equal(spot.before, post.text) else "changed"
        posted = Posted(line(result.submission), f"{found.full_name}: {spot.where}", action)
        if not options.send:
            break
        try:
            url = write_spot(client, spot, post.text) if action != "same" else spot.url
            if options.status and options.target is not Target.check:
                write_status(client, post, f"gapgrade/{result.sheet}", url, author)
            return Posted(posted.name, posted.where, action, _diff(spot.before, post.text), url)
        except LostError:  # it may stand there now: look again
            if count == TRIES - 1:
                raise
    return Posted(posted.name, posted.where, action, _diff(spot.before, post.text))


def _equal(one: str, other: str) -> bool:
    """Whether two texts are the same but for line ends, which the host may change."""
    return one.replace("\r\n", "\n").strip() == other.strip()


def _diff(before: str | None, after: str) -> str:
    old = (before or "").replace("\r\n", "\n").strip().splitlines()
    return "\n".join(
        difflib.unified_diff(old, after.strip().splitlines(), "as it stands", "as it will stand", lineterm="")
    )
