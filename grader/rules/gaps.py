"""Gaps: edits outside them are undone and noted, and students comment what they write in them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from grader.reader import Reading
from grader.result import RuleResult
from grader.rules.evidence import counted, evidence_of, findings_of
from grader.score import round_down
from grader.sheet import Sheet


def rule_on_gaps(sheet: Sheet, reading: Reading) -> Iterator[RuleResult]:
    """Deduct once where something outside the gaps was edited, however much it was."""
    edits = findings_of(reading, "edited-outside")
    rule = sheet.rules.gaps
    if edits:
        verb = "undone" if rule.mode == "splice" else "kept"
        message = f"{counted(len(edits), 'file was', 'files were')} edited outside the gaps; these edits were {verb}."
        deduction = round_down(rule.deduct, sheet)
        yield RuleResult(id="gaps", deduction=deduction, message=message, evidence=evidence_of(edits))
    elif "gaps" in sheet.rules.model_fields_set and not reading.problem:
        yield RuleResult(id="gaps", deduction=Decimal(0), message="Nothing was edited outside the gaps.")


def rule_on_comments(sheet: Sheet, reading: Reading) -> Iterator[RuleResult]:
    """Deduct for each filled gap without a comment of the student's own."""
    rule = sheet.rules.comments
    if rule is None or reading.problem:
        return
    bare = findings_of(reading, "no-comment")
    deduction = rule.deduct * len(bare)
    if rule.at_most is not None:
        deduction = min(deduction, rule.at_most)
    message = (
        f"{counted(len(bare), 'gap holds', 'gaps hold')} no comment." if bare else "Every filled gap has a comment."
    )
    yield RuleResult(id="comments", deduction=round_down(deduction, sheet), message=message, evidence=evidence_of(bare))
