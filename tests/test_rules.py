"""Rules: what they find and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake import Refused, Submission
from grader.pushes import Push, PushCount
from grader.reader import Reading
from grader.result import RuleResult
from grader.rules import apply_rules, late, score_other
from grader.rules.evidence import MAX_EVIDENCE
from grader.sheet import Sheet, SheetError, Task

DUE = datetime(2027, 1, 16, 23, 59, tzinfo=timezone(timedelta(hours=1)))
SUBMISSION = Submission("team", {"lib/model.py": b"", "submission.pdf": b"%PDF-"})
STYLE_OK: dict[str, Any] = {"total": 0, "findings": []}
PDF = {"pages": 1, "text_of_first_page": "1234567, 2345678", "encrypted": False, "javascript": False, "error": ""}


def sheet(**rules: Any) -> Sheet:
    return Sheet(
        name="s", folder=Path("/course/sheets/s"), title="S", due=DUE, exercises=(), team_size=2, rules=rules
    )  # fmt: skip


def reading(*findings: tuple[str, str, int], style: dict[str, Any] = STYLE_OK, **more: Any) -> Reading:
    found = [{"kind": kind, "file": file, "line": line, "message": f"{kind}!"} for kind, file, line in findings]
    return Reading({}, found, {}, style, **{"filled": 1, **more})


def rules_of(
    sheet: Sheet, reading: Reading, pushes: PushCount | None = None, submission: Submission = SUBMISSION
) -> dict[str, RuleResult]:
    return {rule.id: rule for rule in apply_rules(sheet, submission, reading, pushes)}


def pushed(times: int, **more: Any) -> PushCount:
    pushes = tuple(Push(DUE - timedelta(days=times - i), "mona", "push", False) for i in range(times))
    return PushCount("main", times, **{"complete": True, "pushes": pushes, **more})


def test_a_rule_that_the_sheet_does_not_name_does_not_appear() -> None:
    assert rules_of(sheet(), reading(), pushed(9)) == {}
    assert list(late(sheet(), DUE + timedelta(days=9), Decimal(10))) == []


@pytest.mark.parametrize(("times", "deduction"), [(0, 0), (3, 0), (4, "0.5"), (5, 1), (9, "1.5")])
def test_each_push_beyond_the_limit_costs_up_to_the_most(times: int, deduction: Any) -> None:
    rule = {"limit": 3, "deduct": Decimal("0.5"), "at_most": Decimal("1.5")}
    result = rules_of(sheet(pushes=rule), reading(), pushed(times))["pushes"]
    assert result.deduction == Decimal(deduction)
    assert result.message == f"{times} pushes to main, 3 are free."
    assert len(result.evidence) == times


def test_the_evidence_of_pushes_names_time_and_account() -> None:
    result = rules_of(sheet(pushes={"limit": 3, "deduct": 1}), reading(), pushed(1))["pushes"]
    assert result.evidence[0].text == "2027-01-15 23:59:00 +0100 push by mona"
    assert result.message == "1 push to main, 3 are free."


def test_nothing_is_deducted_where_the_log_has_a_hole_or_is_not_there() -> None:
    named = sheet(pushes={"limit": 1, "deduct": 1})
    holey = rules_of(named, reading(), pushed(5, complete=False, hole="between a and b"))["pushes"]
    assert holey.deduction == 0
    assert "incomplete (between a and b), so nothing is deducted" in holey.message
    unknown = rules_of(named, reading())["pushes"]
    assert (unknown.deduction, unknown.message) == (0, "Pushes to main were not counted: there is no activity log.")


def test_edits_outside_gaps_are_noted_and_cost_once() -> None:
    found = reading(("edited-outside", "b.py", 3), ("edited-outside", "a.py", 7))
    assert rules_of(sheet(), found)["gaps"].deduction == 0
    result = rules_of(sheet(gaps={"deduct": 1}), found)["gaps"]
    assert result.deduction == 1
    assert result.message == "2 files were edited outside the gaps; these edits were undone."
    assert [(one.file, one.line) for one in result.evidence] == [("a.py", 7), ("b.py", 3)]
    assert "kept" in rules_of(sheet(gaps={"mode": "keep"}), found)["gaps"].message


def test_gaps_without_a_comment_cost_each() -> None:
    found = reading(*[("no-comment", "a.py", line) for line in range(5)])
    rule = {"deduct": Decimal("0.25"), "at_most": 1}
    assert rules_of(sheet(comments=rule), found)["comments"].deduction == 1
    assert rules_of(sheet(comments={"deduct": Decimal("0.25")}), found)["comments"].deduction == Decimal("1.25")
    assert rules_of(sheet(comments=rule), reading())["comments"].deduction == 0


def test_what_could_not_be_read_is_no_ground_for_a_deduction() -> None:
    named = sheet(gaps={"deduct": 1}, comments={"deduct": 1}, submission_pdf={"deduct": 1})
    results = rules_of(named, reading(problem="the reader was stopped"))
    assert sum(rule.deduction for rule in results.values()) == 0
    assert results["submission_pdf"].message == "submission.pdf is there, but was not read; nothing is deducted."


@pytest.mark.parametrize(
    ("pdf", "message"),
    [
        ({}, ""),
        ({"text_of_first_page": "1234567"}, ""),
        ({"text_of_first_page": "1234567 1234567 2345678"}, ""),
        ({"text_of_first_page": "no numbers, 12 and 123456789012"}, "holds no matriculation number"),
        ({"text_of_first_page": "1234567 2345678 3456789"}, "3 matriculation numbers; a team has at most 2 people"),
        ({"text_of_first_page": " \n"}, "holds no text (a scan?)"),
        (
            {"encrypted": True, "error": "it opens only with a password"},
            "submission.pdf: it opens only with a password.",
        ),
    ],
)
def test_the_pdf_names_its_authors(pdf: dict[str, Any], message: str) -> None:
    named = sheet(submission_pdf={"deduct": 1})
    result = rules_of(named, reading(pdf={**PDF, **pdf}))["submission_pdf"]
    assert result.deduction == (1 if message else 0)
    assert message in result.message
    assert "1234567" not in result.message


@pytest.mark.parametrize(
    ("submission", "message"),
    [
        (Submission("t", {}), "submission.pdf is missing."),
        (Submission("t", {"doc/Submission.pdf": b""}), "missing; doc/Submission.pdf has another name or place."),
        (
            Submission("t", {}, (Refused("submission.pdf", "it is a link"),)),
            "submission.pdf was refused: it is a link.",
        ),
    ],
)
def test_a_missing_pdf_costs_and_says_why(submission: Submission, message: str) -> None:
    result = rules_of(sheet(submission_pdf={"deduct": 1}), reading(), None, submission)["submission_pdf"]
    assert result.deduction == 1
    assert message in result.message


def test_a_broken_expression_is_the_sheets_error() -> None:
    with pytest.raises(SheetError, match=r"sheet.toml: rules.submission_pdf.matriculation is no regular expression"):
        rules_of(sheet(submission_pdf={"matriculation": "("}), reading(pdf=PDF))


def test_notes_cost_nothing_and_are_cut() -> None:
    found = reading(
        ("loop", "a.py", 1), ("extra-file", "b.py", 0), ("syntax", "a.py", 4), ("missing-file", "c.py", 0),
        *[("not-utf8", f"d{i}.py", 1) for i in range(2 * MAX_EVIDENCE)],
    )  # fmt: skip
    refused = Submission("t", {}, (Refused("l.py", "it is a link"),))
    results = rules_of(sheet(), found, None, refused)
    assert list(results) == ["syntax", "files", "loops", "extra-files", "refused-files"]
    assert all(rule.deduction == 0 for rule in results.values())
    assert results["loops"].message == "1 loop over tensors where a vectorised form may exist."
    assert len(results["files"].evidence) == MAX_EVIDENCE + 1
    assert results["files"].evidence[-1].text == "and 21 more"
    assert results["refused-files"].evidence[0].file == "l.py"


LATE = {"late": {"per_day": Decimal("0.1"), "at_most_days": 3}}


@pytest.mark.parametrize(
    ("over", "deduction"),
    [
        (timedelta(days=-1), 0),
        (timedelta(0), 0),
        (timedelta(microseconds=1), 1),
        (timedelta(days=1), 1),
        (timedelta(days=1, seconds=1), 2),
        (timedelta(days=3), 3),
        (timedelta(days=3, seconds=1), 10),
    ],
)
@pytest.mark.parametrize("zone", [UTC, DUE.tzinfo, ZoneInfo("America/New_York")])
def test_late_work_loses_a_share_for_each_day_begun(over: timedelta, deduction: int, zone: Any) -> None:
    (result,) = late(sheet(**LATE), (DUE + over).astimezone(zone), Decimal(10))
    assert result.deduction == deduction


def test_a_change_of_clocks_neither_gives_nor_takes_an_hour() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = sheet(**LATE).model_copy(update={"due": datetime(2027, 3, 27, 12, tzinfo=berlin)})
    (in_time,) = late(before, datetime(2027, 3, 28, 13, tzinfo=berlin), Decimal(10))  # 24 hours later
    (over,) = late(before, datetime(2027, 3, 28, 13, 1, tzinfo=berlin), Decimal(10))
    assert (in_time.deduction, over.deduction) == (1, 2)


def test_a_deduction_is_rounded_down() -> None:
    (result,) = late(sheet(**LATE), DUE + timedelta(hours=1), Decimal("3.35"))
    assert result.deduction == Decimal("0.33")
    assert result.message == "1 day late; each day begun costs 10 % of the points."
    assert result.evidence[1].text == "handed in 2027-01-17 00:59:00 +0100"


def test_lateness_that_no_one_knows_costs_nothing() -> None:
    (result,) = late(sheet(**LATE), None, Decimal(10))
    assert (result.deduction, "not known" in result.message) == (0, True)


@given(
    st.decimals(0, 100, places=2),
    st.decimals(0, 1, places=3),
    st.integers(0, 5),
    st.timedeltas(timedelta(days=-2), timedelta(days=9)),
)
def test_lateness_never_takes_more_than_there_is(
    reached: Decimal, per_day: Decimal, most: int, over: timedelta
) -> None:
    named = sheet(late={"per_day": per_day, "at_most_days": most})
    (result,) = late(named, DUE + over, reached)
    assert 0 <= result.deduction <= reached
    assert result.deduction % named.granularity == 0


def test_a_due_date_without_a_time_zone_is_the_sheets_error() -> None:
    naive = sheet(**LATE).model_copy(update={"due": DUE.replace(tzinfo=None)})
    with pytest.raises(SheetError, match="due has no time zone"):
        list(late(naive, DUE, Decimal(1)))


def scored(kind: Any, submission: Submission, reading: Reading, feedback: str = "") -> tuple[Decimal, str, str]:
    task = Task(id="4", points=Decimal(1), kind=kind, bonus=True, where="`submission.pdf`")
    result = score_other(sheet(), task, submission, reading, feedback)
    assert (result.max_score, result.bonus) == (1, True)
    return result.score, result.state, result.note


def test_findings_on_style_are_listed_with_their_places_as_far_as_anybody_reads() -> None:
    task = Task(id="4", points=Decimal(1), kind="style")
    findings = [{"file": "a.py", "line": i, "code": "E501", "text": "line too long"} for i in range(1, 30)]
    read = reading(style={"total": 29, "findings": findings})
    evidence = score_other(sheet(), task, SUBMISSION, read).evidence
    assert [one.line for one in evidence[:-1]] == list(range(1, 21))
    assert (evidence[0].file, evidence[0].text, evidence[-1].text) == ("a.py", "E501 line too long", "and 9 more")
    assert score_other(sheet(), task, SUBMISSION, reading()).evidence == ()
    assert score_other(sheet(), task, SUBMISSION, reading(filled=0, style=read.style)).evidence == ()


def test_style_earns_all_its_points_or_none() -> None:
    finding = {"file": "a.py", "line": 3, "column": 1, "code": "E501", "text": "line too long"}
    assert scored("style", SUBMISSION, reading()) == (1, "graded", "pycodestyle has no findings.")
    assert scored("style", SUBMISSION, reading(style={"total": 1, "findings": [finding]})) == (
        0,
        "graded",
        "pycodestyle has 1 finding: a.py:3: E501 line too long",
    )
    assert scored("style", SUBMISSION, reading(style={"total": 9, "findings": [finding] * 9}))[2].endswith("; ...")
    assert scored("style", SUBMISSION, reading(filled=0)) == (
        0,
        "graded",
        "No gap is filled yet, so there is no code of your own to look at.",
    )
    assert scored("style", SUBMISSION, reading(problem="it was stopped")) == (0, "refused", "it was stopped")


@pytest.mark.parametrize("kind", ["written", "quiz", "formula", "review"])
def test_what_a_person_grades_is_pending(kind: str) -> None:
    assert scored(kind, SUBMISSION, reading()) == (0, "pending", "A person grades this: `submission.pdf`.")


TEMPLATE = "# Feedback\n\n## Problems\n\n## Duration in hours\n\n## Other\n"


@pytest.mark.parametrize(
    ("text", "score"),
    [
        (None, 0),
        (TEMPLATE, 0),
        (TEMPLATE.replace("\n", "\r\n"), 0),
        (TEMPLATE.replace("## Other", "5,5\n\n## Other"), 1),
        (TEMPLATE.replace("## Problems", "## Problems\nwe met 3 times"), 0),
    ],
)
def test_feedback_earns_its_points_where_it_gives_hours(text: str | None, score: int) -> None:
    files = {} if text is None else {"feedback.md": text.encode()}
    assert scored("feedback", Submission("t", files), reading(), TEMPLATE)[0] == score
