"""Pushes: each push to a branch beyond the free ones costs points."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from grader.pushes import PushCount
from grader.result import Evidence, RuleResult
from grader.rules.evidence import counted, first
from grader.score import round_down
from grader.sheet import Sheet


def rule_on_pushes(sheet: Sheet, pushes: PushCount | None) -> Iterator[RuleResult]:
    """Deduct for each push up to the due date beyond the limit; later pushes are `late`'s."""
    rule = sheet.rules.pushes
    if rule is None:
        return
    if pushes is None:
        message = f"Pushes to {rule.branch} were not counted: there is no activity log."
        yield RuleResult(id="pushes", deduction=Decimal(0), message=message)
        return
    free = f"{rule.limit} {'is' if rule.limit == 1 else 'are'} free"
    message = f"{counted(pushes.count, 'push', 'pushes')} to {rule.branch}, {free}."
    deduction = rule.deduct * max(0, pushes.count - rule.limit)
    if rule.at_most is not None:
        deduction = min(deduction, rule.at_most)
    if not pushes.complete:
        message += f" The history is incomplete ({pushes.hole}), so nothing is deducted."
        deduction *= 0
    if pushes.by_bots:
        message += f" {counted(pushes.by_bots, 'push', 'pushes')} of bots did not count."
    yield RuleResult(
        id="pushes", deduction=round_down(deduction, sheet), message=message, evidence=_evidence(sheet, pushes)
    )


def _evidence(sheet: Sheet, pushes: PushCount) -> tuple[Evidence, ...]:
    """Each push's time, in the time zone of the due date."""
    zone = sheet.due.tzinfo if sheet.due else None
    lines = []
    for push in pushes.pushes:
        at = push.at.astimezone(zone) if zone else push.at
        late = ", after the due date" if push.after_due else ""
        lines.append(
            Evidence(text=f"{at:%Y-%m-%d %H:%M:%S %z} {push.kind} by {push.actor or 'an unknown account'}{late}")
        )
    return first(lines)
