"""Exports: each format read back as its system reads it, whatever stands in the names."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from grader.commands.export import WRITERS, Format
from grader.exports.canvas import canvas
from grader.exports.cells import ExportError, number, safe, unsafe, write_csv
from grader.exports.classroom import classroom
from grader.exports.gradescope import gradescope
from grader.exports.ilias import ilias
from grader.exports.junit import junit
from grader.exports.moodle import comment, moodle, moodle_worksheet
from grader.exports.rows import Book, Row, join, read_results, without_roster
from grader.gradebook import open_gradebook
from grader.gradebook.marks import give_points
from grader.roster import Person
from tests.sample_result import result

EVIL = '=HYPERLINK("http://example.org","x")'


def book(*people: Person, **more: Any) -> Book:
    results = [result(), result("bob", "0.1")]
    rows, _ = join(people or (Person("ada"), Person("bob"), Person("eve")), results)
    return Book(rows, **more)


def read(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def given(folder: Path, text: str) -> Path:
    file = folder / "given.csv"
    file.write_text(text, encoding="utf-8-sig")
    return file


@pytest.mark.parametrize("text", [EVIL, "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe(text).startswith("'")


@pytest.mark.parametrize("text", ["-1.5", "12.35", "-", "Ada", "", "a=b"])
def test_numbers_and_plain_text_stay_as_they_are(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_spreadsheet_with_another_separator_finds_no_formula_either(separator: str) -> None:
    cells = ["x;=1+1", "x,=1+1", "x\t=1+1", 'x;"=1+1;', "x; =1+1", "'=1", "a\n=1+1"]
    text = write_csv(["name", "points", "why"], [{"name": "a", "points": "-1.5", "why": cell} for cell in cells])
    found = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]
    assert not [cell for cell in found if cell.strip(' "').startswith(("=", "+", "@"))]


@pytest.mark.parametrize(
    "text", [EVIL, "x;=1", "'=1", "''=1", "-", "-2.5", "1;-2", "a\r\n=1", "it's, 'so' - yes", ";;=", "\t=", "''"]
)
def test_text_comes_back_as_it_was(text: str) -> None:
    assert unsafe(safe(text)) == text


@pytest.mark.parametrize("value", ["12.35", "0.1", "100", "0.0001", "-2.5", "0"])
def test_numbers_stay_exact(value: str) -> None:
    assert number(Decimal(value)) == value
    assert number(Decimal("1E+2")) == "100"


def test_canvas_from_the_roster_leaves_out_who_has_no_result() -> None:
    people = [Person("ada", name=EVIL, more={"canvas_id": "7"}), Person("eve", more={"canvas_id": "8"})]
    points, ada = read(canvas(book(*people, column="The VAE (1234)")))
    assert (points["Student"].strip(), points["The VAE (1234)"]) == ("Points Possible", "16")
    assert (ada["ID"], ada["The VAE (1234)"], ada["Student"][0]) == ("7", "12.35", "'")


def test_canvas_fills_in_its_own_column_and_keeps_the_excused(tmp_path: Path) -> None:
    text = (
        "Student,ID,SIS User ID,SIS Login ID,Section,The VAE (1234),Other (5),Final Score\n"
        "    Points Possible,,,,,16,10,(read only)\n"
        '"L, Ada",7,,ada,A,,3,80\n"M, Bob",8,,bob,A,EX,4,\n"N, Eve",9,,eve,A,5,4,\n'
    )
    people = [Person("ada", identifier="ada"), Person("bob", more={"canvas_id": "8"})]
    points, ada = read(canvas(book(*people, template=given(tmp_path, text))))
    assert list(ada) == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "The VAE (1234)"]
    assert (ada["Student"], ada["The VAE (1234)"], points["The VAE (1234)"]) == ("L, Ada", "12.35", "16")
    with pytest.raises(ExportError, match="0 columns are called"):
        canvas(book(*people, template=given(tmp_path, text.replace("The VAE", "Another"))))


@pytest.mark.parametrize("writer", [canvas, ilias])
def test_an_account_that_is_called_like_a_classmates_login_gets_nobodys_row(
    writer: Callable[[Book], str], tmp_path: Path
) -> None:
    text = "Student,ID,SIS Login ID,The VAE (1),update,login,status,mark,comment\nEve,1,ada,,0,ada,,,\n"
    with pytest.raises(ExportError, match="nobody in it is 'ada'"):
        writer(book(Person("ada"), template=given(tmp_path, text)))


def test_moodles_import_names_people_by_a_column_that_everyone_has() -> None:
    people = [Person("ada", identifier="11", more={"email": "a@x.org"}), Person("bob", identifier="12")]
    rows = read(moodle(book(*people)))
    assert [(row["idnumber"], row["The VAE"]) for row in rows] == [("11", "12.35"), ("12", "0.1")]
    assert rows[0]["Feedback comments"] == "passed (8 points are needed). 1.1: 12.35 / 16"
    with pytest.raises(ExportError, match="filled in for everyone"):
        moodle(book(Person("ada")))


def test_moodles_worksheet_is_filled_in_whatever_its_language(tmp_path: Path) -> None:
    text = (
        "ID,Vollständiger Name,E-Mail-Adresse,Status,Bewertung,Bestwertung,Zuletzt geändert (Bewertung)\n"
        f'Teilnehmer/in101,"{EVIL.replace(chr(34), chr(34) * 2)}",x@x.org,Abgegeben,,"16,00",-\n'
        'Teilnehmer/in102,Bob,B@X.org,-,,"16,00",-\nTeilnehmer/in103,Eve,e@x.org,-,3,"16,00",-\n'
    )
    people = [Person("ada", more={"moodle_id": "101"}), Person("bob", more={"email": "b@x.org"})]
    rows = read(moodle_worksheet(book(*people, template=given(tmp_path, text))))
    assert [row["Bewertung"] for row in rows] == ["12.35", "0.1", "3"]
    assert rows[0]["Vollständiger Name"] == f"'{EVIL}"
    assert rows[0]["Zuletzt geändert (Bewertung)"] == "-"
    with pytest.raises(ExportError, match="nobody in it is 'ada'"):
        moodle_worksheet(book(Person("ada"), template=given(tmp_path, text)))


def test_nobody_gets_a_classmates_points_by_being_called_like_their_address(tmp_path: Path) -> None:
    text = "ID,Full name,Email address,Grade\nParticipant 1,Bob,b@x.org,\nParticipant 2,B@x.org,eve@x.org,\n"
    template = given(tmp_path, text)
    with pytest.raises(ExportError, match="2 rows name 'bob'; add their moodle_id"):
        moodle_worksheet(book(Person("bob", more={"email": "b@x.org"}), template=template))
    rows = read(moodle_worksheet(book(Person("bob", more={"email": "b@x.org", "moodle_id": "1"}), template=template)))
    assert [row["Grade"] for row in rows] == ["0.1", ""]


def test_ilias_marks_only_the_rows_that_are_to_change(tmp_path: Path) -> None:
    text = (
        "update;usr_id;login;lastname;firstname;status;mark;notice;comment;plagiarism;plag_comment\n"
        "0;1;ada;L;Ada;notgraded;;;;none;\n0;2;zoe;Z;Zoe;passed;9;;;none;\n0;3;bob;M;Bob;notgraded;;;;none;\n"
    )
    people = [Person("x", identifier="ada", team="ada"), Person("bob", more={"ilias_login": "bob"})]
    ada, zoe, bob = read(ilias(book(*people, template=given(tmp_path, text))), ";")
    assert (ada["update"], ada["status"], ada["mark"]) == ("1", "passed", "12.35")
    assert (zoe["update"], zoe["mark"]) == ("0", "9")
    assert bob["mark"] == "0.1"
    assert list(ada)[:3] == ["update", "usr_id", "login"]


def test_ilias_finds_a_team_by_any_of_its_members(tmp_path: Path) -> None:
    text = "update;team_id;logins;status;mark;notice;comment\n0;5;bob,ada;notgraded;;;\n"
    (team,) = read(ilias(book(Person("ada", identifier="ada"), template=given(tmp_path, text))), ";")
    assert (team["update"], team["team_id"], team["mark"]) == ("1", "5", "12.35")


def test_ilias_without_a_file_needs_ids_and_waits_for_pending_points() -> None:
    person = Person("ada", name="Ada L", more={"ilias_id": "4", "ilias_login": "al"})
    rows = join([person], [result(pending=Decimal(2))])[0]
    (row,) = read(ilias(Book(rows)), ";")
    assert (row["status"], row["lastname"], row["firstname"]) == ("notgraded", "L", "Ada")
    with pytest.raises(ExportError, match="ilias_id"):
        ilias(book(Person("ada")))


def test_a_comment_calls_no_task_worthless_that_nobody_graded_yet() -> None:
    (task,) = result().tasks
    waiting = task.model_copy(update={"id": "2", "state": "pending", "score": Decimal(0)})
    assert comment(result(tasks=(task, waiting))).endswith("1.1: 12.35 / 16; 2: - / 16")


def test_classrooms_grades_keep_fractions_and_list_everyone() -> None:
    rows = read(classroom(book()))
    assert [row["points_awarded"] for row in rows] == ["12.35", "0.1", "0"]
    assert list(rows[0])[:2] == ["assignment_name", "assignment_url"]
    assert "group_name" not in rows[0]


def test_junit_and_gradescope_hold_nothing_of_hidden_tests() -> None:
    text = junit(book())
    suites = ElementTree.fromstring(text.encode()).findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["ada: 1.1 The VAE", "bob: 1.1 The VAE"]
    one = gradescope(Book(without_roster([result()])))
    assert json.loads(one, parse_float=Decimal)["score"] == Decimal("12.35")
    assert "SECRET" not in text + one
    with pytest.raises(ExportError, match="one submission a file"):
        gradescope(book())


def test_two_results_of_one_submission_or_of_two_sheets_are_refused() -> None:
    with pytest.raises(ExportError, match="two results"):
        join([Person("ada")], [result(), result("ADA")])
    with pytest.raises(ExportError, match="several sheets"):
        join([Person("ada")], [result(), result("bob", sheet="gan")])


def test_a_result_is_found_by_account_team_or_repository_in_any_case() -> None:
    people = [Person("Ada"), Person("bob", team="Team 7"), Person("eve", repository="org/vae-EVE")]
    rows, unknown = join(people, [result("ada"), result("team-7"), result("vae-eve"), result("mallory")])
    assert all(row.result for row in rows)
    assert unknown == ["mallory"]


def test_the_commands_read_what_a_batch_wrote(tmp_path: Path) -> None:
    from grader.__main__ import app

    for one in (result(), result("bob", "0.1", pending=Decimal(1))):
        folder = tmp_path / "reports" / one.submission
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(one.to_json())
        (folder / "gradescope.json").write_text("{}")
    assert [one.score for one in read_results([tmp_path])] == [Decimal("12.35"), Decimal("0.1")]
    roster = tmp_path / "roster.csv"
    roster.write_text("username,email\nada,a@x.org\nbob,b@x.org\neve,e@x.org\n")
    reports, run = str(tmp_path / "reports"), CliRunner().invoke
    out = tmp_path / "moodle.csv"
    done = run(app, ["export", "moodle", reports, "--roster", str(roster), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert [row["The VAE"] for row in read(out.read_bytes().decode())] == ["12.35", "0.1"]
    assert "1 on the roster without a result" in done.output
    assert "1 with points that a person has still to give" in done.output
    done = run(app, ["export", "gradescope", reports, "--out", str(tmp_path / "gs")])
    assert sorted(path.name for path in (tmp_path / "gs").iterdir()) == ["ada.json", "bob.json"]
    for name in ("A_b", "a b"):
        (tmp_path / f"{name}.json").write_text(result(name).to_json())
    both = [str(tmp_path / "A_b.json"), str(tmp_path / "a b.json")]
    run(app, ["export", "gradescope", *both, "--out", str(tmp_path / "two")])
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["A_b.json", "a_b_2.json"]
    shown = run(app, ["report", f"{reports}/ada/result.json"]).output
    assert "12.35 / 16" in shown
    assert "SECRET" not in shown
    assert "SECRET" in run(app, ["report", f"{reports}/ada/result.json", "--staff"]).output


def test_what_people_decided_is_exported_and_what_has_no_result_is_told(course: Path, tmp_path: Path) -> None:
    from grader.__main__ import app

    pending = {"id": "3", "state": "pending", "score": Decimal(0), "max_score": Decimal(1)}
    task = result().tasks[0].model_copy(update=pending)
    waits = result(sheet="sums", score="0", pending=Decimal(1), passed=False, max_score=Decimal(6), tasks=(task,))
    out = tmp_path / "out"
    with open_gradebook(out) as gradebook:
        gradebook.add_result("ada.git", "k", waits, 1)
        gradebook.add_problem("sums", "bob", "bob.git", "failed", "the sandbox broke")
        (ada, _) = gradebook.records("sums")
        give_points(gradebook, ada, "3", Decimal("0.5"), "Ada", "half")
    (out / "reports" / "ada").mkdir(parents=True)
    (out / "reports" / "ada" / "result.json").write_text(waits.to_json())
    roster = tmp_path / "roster.csv"
    roster.write_text("username,identifier\nada,1\nbob,2\n")
    for place in (out, out / "reports", out / "gradebook.sqlite"):
        options = ["--roster", str(roster), "--course", str(course), "--out", str(tmp_path / "m.csv")]
        done = CliRunner().invoke(app, ["export", "moodle", str(place), *options])
        assert done.exit_code == 0, done.output
        assert [row["The VAE"] for row in read((tmp_path / "m.csv").read_text())] == ["0.5"]
        assert "bob has no result, it is failed: the sandbox broke" in done.output


@pytest.mark.parametrize("format_", [one for one in Format if one not in (Format.classroom, Format.junit)])
def test_a_format_says_what_it_needs(format_: Format) -> None:
    nobody = Book((Row(Person("ada"), None),))
    unready = Book((Row(Person(""), result()), Row(Person(""), result("bob"))))
    with pytest.raises(ExportError, match=r"[;?]"):
        WRITERS[format_](unready if format_ is not Format.gradescope else nobody)
