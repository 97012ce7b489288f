"""Extensions: each submission is judged by its own due date, to the second, and nobody else's points move."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from grader.batching.find import BatchError
from grader.batching.terms import Terms, last_due, outdated, terms_of
from grader.collect import Collected, Record
from grader.gradebook import open_gradebook
from grader.result import Result
from grader.roster import Extension, Person
from grader.sheet import Sheet, load_sheet
from tests.classes import batch_command, grade_class, hand_in, make_course
from tests.test_pdf import make_pdf

DUE = datetime.fromisoformat("2027-01-16T23:59:00+01:00")
EXTENDED = DUE + timedelta(days=2)
SECOND = timedelta(seconds=1)
RULES = "\n[rules.late]\nper_day = 0.1\nat_most_days = 3\n\n[rules.submission_pdf]\n"

# When the fourth push after the first came, and whether there is an extension: what pushes cost, and lateness. The work
# earns 6 points; a push beyond three that is in time costs one, and one that is not makes it a day late: 0.6 points.
CASES = {
    "in-time": (DUE, None, 1, "0"),
    "a-second-late": (DUE + SECOND, None, 0, "0.6"),
    "extended-a-second-before": (EXTENDED - SECOND, EXTENDED, 1, "0"),
    "extended-to-the-second": (EXTENDED, EXTENDED, 1, "0"),
    "extended-a-second-late": (EXTENDED + SECOND, EXTENDED, 0, "0.6"),
}


def log(times: Iterable[datetime]) -> str:
    """The host's log: the branch is made, then pushed to at each of the times."""
    entries = []
    for number, at in enumerate([DUE - timedelta(days=9), *times]):
        kind = "push" if number else "branch_creation"
        ids = {"id": number, "before": f"{number:040x}", "after": f"{number + 1:040x}"}
        more = {"ref": "refs/heads/main", "activity_type": kind, "actor": {"login": "ada"}}
        entries.append({**ids, **more, "timestamp": at.isoformat()})
    return json.dumps(entries)


def collected(name: str, due: datetime | None, due_for_all: datetime | None = DUE) -> Collected:
    return Collected(name=name, asked=name, repository=name, state="collected", due=due, due_for_all=due_for_all)


def write_record(folder: Path, dues: dict[str, datetime]) -> None:
    record = Record(branch="main", submissions=tuple(collected(name, due) for name, due in dues.items()))
    (folder / "collect.json").write_text(record.model_dump_json(by_alias=True))


def results(out: Path) -> dict[str, Result]:
    with open_gradebook(out, must_exist=True) as book:
        return {record.name: record.result for record in book.records() if record.result}


def costs(result: Result, rule: str) -> Decimal:
    return next(one.deduction for one in result.rules if one.id == rule)


@pytest.fixture(scope="module")
def late_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_course(tmp_path_factory.mktemp("late") / "course", RULES)


def test_a_push_counts_up_to_the_second_in_which_its_own_submission_is_due(late_course: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "class", tmp_path / "out"
    for name, (last, _, _, _) in CASES.items():
        (hand_in(late_course, folder, name) / "submission.pdf").write_bytes(make_pdf("1234567"))
        before = [DUE - timedelta(days=day) for day in (3, 2, 1)]
        (folder / f"{name}.activity.json").write_text(log([*before, last]))
    dues = {name: until or DUE for name, (_, until, _, _) in CASES.items()}
    write_record(folder, dues)
    roster = tmp_path / "roster.csv"
    roster.write_text("username,identifier,extension\nin-time,1234567,\na-second-late,7654321,\n")

    done = grade_class(late_course, folder, out, "--seed", "5", "--jobs", "1", "--roster", str(roster))
    assert "with an extension: extended-a-second-before until 2027-01-18 23:59:00 +0100" in done.stderr
    first = results(out)
    for name, (_, until, pushes, late) in CASES.items():
        assert (costs(first[name], "pushes"), costs(first[name], "late")) == (pushes, Decimal(late)), name
        assert first[name].score == 6 - pushes - Decimal(late)
        assert first[name].extended_until == (until.isoformat() if until else None)
        told = [rule.message for rule in first[name].rules if rule.id == "extension"]
        assert told == (["Extended until 2027-01-18 23:59:00 +0100."] if until else [])
    pdf = {name: next(rule.message for rule in first[name].rules if rule.id == "submission_pdf") for name in CASES}
    assert pdf["in-time"].endswith("names its authors.")
    assert "Not on the roster for this submission: 1 number." in pdf["a-second-late"]

    points = ["gradebook", "points", "extended-a-second-before", "3", "1", "--who", "Ada", "--why", "clear"]
    command = batch_command(late_course, folder, out)[:3]
    place = ["--gradebook", str(out), "--course", str(late_course)]
    subprocess.run([*command, *points, *place], check=True, capture_output=True)
    shown = tmp_path / "shown.json"
    subprocess.run([*command, "show", points[2], *place, "--json", str(shown)], check=True, capture_output=True)
    assert json.loads(shown.read_text())["score"] == 6  # 5 and 1 for the essay: still in time

    write_record(folder, dues | {"extended-a-second-late": EXTENDED + timedelta(days=1)})
    again = grade_class(late_course, folder, out, "--seed", "5", "--jobs", "1", "--roster", str(roster))
    assert "1 graded, 4 unchanged" in again.stdout
    second = results(out)
    moved = second.pop("extended-a-second-late")
    assert (costs(moved, "pushes"), costs(moved, "late"), moved.score) == (1, 0, 5)
    assert second == {name: first[name] for name in second}


def test_grade_takes_the_extension_from_the_roster(late_course: Path, tmp_path: Path) -> None:
    name = "extended-a-second-before"
    submission, pushes = hand_in(late_course, tmp_path, name), tmp_path / "pushes.json"
    pushes.write_text(log([DUE - SECOND, EXTENDED - SECOND]))
    roster, extensions = tmp_path / "roster.csv", tmp_path / "extensions.csv"
    roster.write_text(f"username\n{name}\n")
    extensions.write_text(f"username,extension\n{name},2 days\n")
    command = [sys.executable, "-m", "grader", "grade", str(submission), "--sheet", "sums", "--course"]
    command += [str(late_course), "--pushes", str(pushes), "--json", str(tmp_path / "result.json")]
    for more, late in (([], 1), (["--roster", str(roster), "--extensions", str(extensions)], 0)):
        subprocess.run([*command, *more], check=True)
        result = Result.from_json((tmp_path / "result.json").read_text())
        assert (costs(result, "late") > 0) == late
    alone = subprocess.run([*command, "--extensions", str(extensions)], capture_output=True, text=True, check=False)
    assert (alone.returncode, "give --roster, too" in alone.stderr) == (2, True)


@pytest.fixture(scope="module")
def sums(course: Path) -> Sheet:
    return load_sheet("sums", course)


def record(*submissions: Collected) -> Record:
    return Record(branch="main", submissions=submissions)


def person(name: str, days: int = 0, team: str = "") -> Person:
    return Person(name, "1234567", team=team, extension=Extension(days=days) if days else None)


def test_of_a_team_the_latest_extension_counts_and_all_numbers_are_known(sums: Sheet) -> None:
    people = [person("ada", team="Team 7"), person("bob", 2, team="Team 7"), person("eve")]
    terms = terms_of(["Team-7", "eve", "zoe"], sums, record(), people)
    assert terms == {
        "Team-7": Terms(EXTENDED, ("1234567", "1234567")),
        "eve": Terms(None, ("1234567",)),
        "zoe": Terms(),
    }


def test_without_an_extension_the_sheet_says_when_it_is_due(sums: Sheet) -> None:
    earlier = DUE - timedelta(days=5)
    old = record(collected("ada", earlier, earlier), collected("bob", DUE), collected("eve", DUE, None))
    assert set(terms_of(["ada", "bob", "eve"], sums, old, []).values()) == {Terms()}
    assert outdated(old, sums) == ["ada"]
    assert terms_of(["eve"], sums, record(collected("eve", EXTENDED, None)), [])["eve"].due == EXTENDED
    undated = sums.model_copy(update={"due": None})
    assert terms_of(["bob"], undated, record(collected("bob", EXTENDED)), [])["bob"].due == EXTENDED


def test_an_extension_that_is_not_clear_is_never_guessed(sums: Sheet) -> None:
    with pytest.raises(BatchError, match="grader collect` again"):
        terms_of(["ada"], replace_due(sums), record(collected("ada", EXTENDED)), [])
    for people, due in (([person("ada", 2)], DUE), ([person("ada")], EXTENDED), ([person("ada", 3)], EXTENDED)):
        with pytest.raises(BatchError, match="by the roster it is due"):
            terms_of(["ada"], sums, record(collected("ada", due)), people)
    assert terms_of(["ada"], sums, record(collected("ada", EXTENDED)), [person("ada", 2)])["ada"].due == EXTENDED


def replace_due(sheet: Sheet) -> Sheet:
    return sheet.due_at(DUE + timedelta(days=1))


def test_a_quiz_is_over_when_the_last_one_of_all_can_no_longer_hand_in(sums: Sheet) -> None:
    later = EXTENDED + timedelta(days=1)
    assert last_due(sums, [person("ada", 2)], record(replace_state(collected("bob", later)))) == later
    assert last_due(sums, [person("ada", 2)]) == EXTENDED
    assert last_due(sums, []) == DUE


def replace_state(one: Collected) -> Collected:
    return one.model_copy(update={"state": "empty", "commit": None})


def test_a_due_date_of_ones_own_is_told_in_the_sheets_time_zone(sums: Sheet) -> None:
    utc = datetime.fromisoformat("2027-01-18T22:59:00+00:00")
    assert sums.due_at(utc).due == EXTENDED
    assert str(sums.due_at(utc).due) == "2027-01-18 23:59:00+01:00"
    assert sums.due_at(None) is sums
