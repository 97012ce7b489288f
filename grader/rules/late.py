"""Late work loses a share of its points for each day begun."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from grader.result import Evidence, RuleResult
from grader.rules.evidence import counted
from grader.score import round_down
from grader.sheet import Sheet, SheetError

_DAY = timedelta(days=1)


def late(sheet: Sheet, handed_in_at: datetime | None, reached: Decimal) -> Iterator[RuleResult]:
    """Deduct `per_day` of the reached points for each 24 hours begun after the due date; after `at_most_days`, all.

    Args:
        handed_in_at: when the work arrived by the server's clock, never by a commit's date.
        reached: the points that tasks and the other rules leave.
    """
    rule, due = sheet.rules.late, sheet.due
    if rule is None or due is None:
        return
    if handed_in_at is None:
        message = "When this was handed in is not known, so it counts as handed in on time."
        yield RuleResult(id="late", deduction=Decimal(0), message=message)
        return
    days = days_late(due, handed_in_at, sheet)
    if not days:
        yield RuleResult(id="late", deduction=Decimal(0), message="Handed in on time.")
        return
    if days > rule.at_most_days:
        lost = reached
        message = f"{counted(days, 'day')} late; after {counted(rule.at_most_days, 'day')} the work counts nothing."
    else:
        lost = min(reached, round_down(reached * rule.per_day * days, sheet))
        percent = f"{(rule.per_day * 100).normalize():f}"
        message = f"{counted(days, 'day')} late; each day begun costs {percent} % of the points."
    shown = (
        f"{label} {at.astimezone(due.tzinfo):%Y-%m-%d %H:%M:%S %z}"
        for label, at in (("due", due), ("handed in", handed_in_at))
    )
    yield RuleResult(id="late", deduction=lost, message=message, evidence=tuple(Evidence(text=line) for line in shown))


def extension(due: datetime | None) -> Iterator[RuleResult]:
    """Say it where a submission has a due date of its own: whoever reads the other rules then knows what they took."""
    if due is not None:
        yield RuleResult(id="extension", deduction=Decimal(0), message=f"Extended until {due:%Y-%m-%d %H:%M:%S %z}.")


def days_late(due: datetime, handed_in_at: datetime, sheet: Sheet) -> int:
    """Days begun after the due date; both are moved to UTC first, so no change of clocks adds or takes an hour."""
    if due.tzinfo is None:
        raise SheetError(f"{sheet.folder / 'sheet.toml'}: due has no time zone; write 2027-01-16T23:59:00+01:00")
    over = handed_in_at.astimezone(UTC) - due.astimezone(UTC)
    return max(0, -(-over // _DAY))
