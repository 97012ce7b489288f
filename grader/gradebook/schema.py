"""The gradebook's tables as they are now; how a file came to have them is told by `migrations`.

Points are exact decimals: they are stored as text and never pass through a binary float.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Integer, MetaData, Table, Text, TypeDecorator, UniqueConstraint


class Exact(TypeDecorator[Decimal]):
    """A decimal as text: `2.50` comes back as `2.50`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> str | None:
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(value)


metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True), Column("at", Text))

submissions = Table(
    "submissions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sheet", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),  # where it lay when it was read
    Column("state", Text, nullable=False),  # graded, refused (it cannot be read), failed (a grader's error)
    Column("reason", Text, nullable=False),  # why it has no result; empty where it has one
    Column("result", Text),  # the `uid` of the result that counts
    Column("updated_at", Text, nullable=False),
    UniqueConstraint("sheet", "name"),
)

results = Table(
    "results",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", Text, nullable=False, unique=True),  # the digest of `json`
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False, index=True),
    Column("key", Text, nullable=False, index=True),  # the digest of all that the result depends on
    Column("graded_at", Text, nullable=False),
    Column("handed_in_at", Text),  # the last push by the server's clock, where somebody asked the server
    Column("seed", Text, nullable=False),
    Column("sandbox", Text, nullable=False),
    Column("advisory", Boolean, nullable=False),
    Column("score", Exact, nullable=False),
    Column("max_score", Exact, nullable=False),
    Column("bonus", Exact, nullable=False),
    Column("pending", Exact, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("gapgrade", Text, nullable=False),
    Column("sheet_version", Text, nullable=False),
    Column("tests_version", Text, nullable=False),
    Column("torch", Text, nullable=False),
    Column("milliseconds", Integer, nullable=False),  # how long the grading took
    Column("json", Text, nullable=False),  # the whole result, `gapgrade/result/v1`
)


def _marks(name: str) -> Table:
    """Points that a person gave for a task of a submission; the last word counts, the history keeps the others."""
    return Table(
        name,
        metadata,
        Column("submission_id", Integer, ForeignKey("submissions.id"), primary_key=True),
        Column("task", Text, primary_key=True),
        Column("points", Exact, nullable=False),
        Column("who", Text, nullable=False),
        Column("why", Text, nullable=False),
        Column("at", Text, nullable=False),
    )


manual_points = _marks("manual_points")  # for tasks that wait for a person
overrides = _marks("overrides")  # instead of what the tests gave

deductions = Table(
    "deductions",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False, index=True),
    Column("points", Exact, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Text, nullable=False),
)

reviews = Table(  # what a person sees in a task, item by item; once it is done, `manual_points` has the points
    "reviews",
    metadata,
    Column("submission_id", Integer, ForeignKey("submissions.id"), primary_key=True),
    Column("task", Text, primary_key=True),
    Column("version", Integer, nullable=False),  # 1, 2, ...: who saves names the one that they saw
    Column("items", Text, nullable=False),  # JSON: the points of each item of the rubric as text, null where undecided
    Column("comment", Text, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("seen", Text, nullable=False),  # the digest of what was read
    Column("who", Text, nullable=False),
    Column("at", Text, nullable=False),
)

phrases = Table(  # comments that are used again, by task
    "phrases",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("sheet", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", Text, nullable=False),
)

requests = Table(  # students who ask to have points looked at again
    "requests",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False, index=True),
    Column("task", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("answer", Text, nullable=False),  # empty while it is open
    Column("answered_by", Text, nullable=False),
    Column("answered_at", Text, nullable=False),
)

works = Table(  # what a submission holds beside its result: its gaps' contents, the hours of its feedback
    "works",
    metadata,
    Column("submission_id", Integer, ForeignKey("submissions.id"), primary_key=True),
    Column("result", Text, nullable=False),  # the `uid` of the result of the same grading
    Column("json", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("digest", Text),  # of `json`; none in rows from before version 5
)

history = Table(  # append only: triggers refuse every change
    "history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", Text, nullable=False, unique=True),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("sheet", Text, nullable=False),
    Column("submission", Text, nullable=False),  # empty where it is about the whole sheet
    Column("event", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
