"""The gradebook: what is committed stays, points stay exact, people's words are signed, files of old versions open."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, inspect
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from grader.__main__ import app
from grader.gradebook import Gradebook, GradebookError, migrations, open_gradebook, schema
from grader.gradebook import book as book_module
from grader.gradebook.care import backup, check
from grader.gradebook.marks import Marks, deduct, give_points, marks_in, override, settle
from grader.gradebook.merge import merge_into
from grader.gradebook.requests import answer_request, record_request
from grader.gradebook.reviews import Conflict, Review, Saving, save_reviews
from grader.gradebook.stats import stats_of
from grader.gradebook.works import works_in
from grader.result import Outcome, Result, TaskResult, TestResult, Versions
from grader.sheet import Late, Rules, load_sheet
from grader.work import GapText, Work, filled_gaps

WORK = Work((GapText("a.py", "sums 1", 3, "lone \ud800 and null \0"),), (Decimal("4.5"), Decimal(5)))


def result(
    name: str, score: str = "2.5", outcome: Outcome = "failed", tests: str = "sha256:t", sheet: str = "sums"
) -> Result:
    """A result of the sheet `sums`; its score is that of task 1."""
    test = TestResult(
        id="sums/adding::test_a_sum", title="a sum", visibility="hidden", outcome=outcome, weight=1, hint="Add.",
        mistake="difference" if outcome == "failed" else None, staff="lone \ud800 and null \0",
    )  # fmt: skip
    code = TaskResult(
        id="1",
        title="Adding",
        kind="code",
        score=Decimal(score),
        max_score=Decimal(3),
        bonus=False,
        state="graded",
        tests=(test,),
    )
    essay = TaskResult(
        id="3", title="An essay", kind="written", score=Decimal(0), max_score=Decimal(3), bonus=False, state="pending"
    )
    return Result(
        sheet=sheet, title="Sums", submission=name, graded_at="2027-01-17T00:00:00+00:00", seed=7, sandbox="nested",
        score=Decimal(score), max_score=Decimal(6), bonus=Decimal(0), max_bonus=Decimal(0), pass_mark=Decimal("0.5"),
        passed=Decimal(score) >= 3, pending=Decimal(3), advisory=False, tasks=(code, essay), rules=(),
        versions=Versions(gapgrade="0.1.0", sheet="sha256:s", tests=tests, torch="2.13.0"),
    )  # fmt: skip


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with open_gradebook(tmp_path / "out") as opened:
        yield opened


def only(book: Gradebook, name: str) -> book_module.Record:
    (record,) = book.records("sums", name)
    return record


def everything(book: Gradebook) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables without the numbers that a file gives its rows."""
    names = {row[0]: row[1] for row in book.engine.connect().exec_driver_sql("SELECT id, name FROM submissions")}
    rows = {}
    for table in schema.metadata.sorted_tables:
        if table is schema.schema_version:
            continue
        columns = [column for column in table.c if column.name != "id"]
        with book.reading() as connection:
            found = connection.execute(table.select()).mappings()
            rows[table.name] = sorted(
                tuple(names[row[c.name]] if c.name == "submission_id" else row[c.name] for c in columns)
                for row in found
            )
    return rows


def test_a_result_reads_back_exactly_whatever_a_student_wrote_into_it(book: Gradebook) -> None:
    written = result("team", score="2.10")
    book.add_result("/handed/team", "key", written, 1200, datetime(2027, 1, 16, tzinfo=UTC))
    record = only(book, "team")
    assert record.result == written
    assert (record.state, record.handed_in_at) == ("graded", datetime(2027, 1, 16, tzinfo=UTC))
    assert book.known("sums")["team"] == book_module.Known("key", 1200)


def test_points_are_stored_as_decimals_and_never_as_binary_floats(book: Gradebook) -> None:
    book.add_result("/handed/team", "key", result("team", score="2.10"), 1)
    deduct(book, only(book, "team"), Decimal("0.10"), "Ada", "late")
    with sqlite3.connect(book.file or "") as connection:
        assert connection.execute("SELECT typeof(score), score FROM results").fetchone() == ("text", "2.10")
        assert connection.execute("SELECT typeof(points), points FROM deductions").fetchone() == ("text", "0.10")


def test_the_last_word_on_a_submission_counts_and_the_earlier_ones_stay(book: Gradebook) -> None:
    book.add_result("/handed/team", "first", result("team", score="1"), 1)
    book.add_problem("sums", "team", "/handed/team", "refused", "no \ud800 file \0")
    assert only(book, "team").result is None
    assert "team" not in book.known("sums")
    book.add_result("/handed/team", "second", result("team", score="3"), 1)
    assert only(book, "team").result == result("team", score="3")
    assert [row.event for row in book.history("team")] == ["graded", "refused", "graded"]
    assert check(book) == []


def test_of_the_work_only_what_the_last_grading_saw_is_kept(book: Gradebook) -> None:
    book.add_result("/handed/team", "first", result("team", score="1"), 1, work=WORK)
    assert dict(works_in(book, "sums")) == {"team": WORK}
    book.add_result("/handed/team", "second", result("team", score="3"), 1)
    assert dict(works_in(book, "sums")) == {"team": Work()}


def test_the_check_finds_work_that_is_gone_or_was_changed(book: Gradebook) -> None:
    for name in ("a", "b", "c", "d"):
        book.add_result("/s", name, result(name), 1, work=WORK)
    with sqlite3.connect(book.file or "") as connection:
        connection.execute("DELETE FROM works WHERE submission_id = 1")
        connection.execute("UPDATE works SET json = replace(json, 'lone', 'long') WHERE submission_id = 2")
        connection.execute("UPDATE works SET digest = NULL WHERE submission_id > 2")  # as before version 5
        connection.execute("UPDATE works SET json = substr(json, 2) WHERE submission_id = 4")
    gone, changed, unreadable = check(book)
    assert gone.startswith("sums, a: what stands in its gaps is not kept")
    assert changed.startswith("sums, b: what is kept of its gaps was changed")
    assert unreadable.startswith("sums, d: ")
    with pytest.raises(GradebookError, match="sums, b: what is kept of its gaps was changed"):
        dict(works_in(book, "sums"))


def test_of_long_gaps_as_much_is_kept_as_there_is_room_for() -> None:
    gaps = [{"file": "a.py", "label": "", "line": i, "state": "filled", "content": "x" * 9_000} for i in range(20)]
    assert [len(gap.content) for gap in filled_gaps(gaps)] == [8_000] * 8


@pytest.mark.parametrize("change", ["UPDATE history SET who = 'nobody'", "DELETE FROM history"])
def test_the_history_only_grows(book: Gradebook, change: str) -> None:
    book.note("Ada", "sums", "began")
    with sqlite3.connect(book.file or "") as connection, pytest.raises(sqlite3.IntegrityError, match="append only"):
        connection.execute(change)


def test_a_file_of_version_1_opens_with_all_that_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        migrations.migrate(connection, target=1)
        connection.exec_driver_sql(
            "INSERT INTO submissions (sheet, name, source, state, reason, result, updated_at) "
            "VALUES ('sums', 'team', '/handed/team', 'graded', '', 'sha256:u', '2027')"
        )
        values = "'sha256:u', 1, 'k', '2027', '7', 'nested', 0, '2.5', '6', '0', '3', 0, '0.0', 's', 't', '2', 900"
        connection.exec_driver_sql(
            "INSERT INTO results (uid, submission_id, key, graded_at, seed, sandbox, advisory, score, max_score, "
            "bonus, pending, passed, gapgrade, sheet_version, tests_version, torch, milliseconds, json) "
            f"VALUES ({values}, ?)",
            (json.dumps(result("team").model_dump(mode="json", by_alias=True)),),
        )
    engine.dispose()
    with open_gradebook(file) as book:
        record = only(book, "team")
        assert record.result == result("team")
        assert record.handed_in_at is None
        deduct(book, record, Decimal(1), "Ada", "copied")
        columns = {
            t: {c["name"] for c in inspect(book.engine).get_columns(t)} for t in inspect(book.engine).get_table_names()
        }
    assert columns == {table.name: set(table.c.keys()) for table in schema.metadata.sorted_tables}


def test_a_gradebook_of_a_newer_version_and_somebody_elses_database_are_refused(tmp_path: Path) -> None:
    with open_gradebook(tmp_path / "new.sqlite") as book, book.writing() as connection:
        connection.exec_driver_sql("INSERT INTO schema_version (version, at) VALUES (99, '2030')")
    with pytest.raises(GradebookError, match="has version 99, this Gapgrade knows"):
        open_gradebook(tmp_path / "new.sqlite")
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE photos (id INTEGER)")
    with pytest.raises(GradebookError, match="no gradebook"):
        open_gradebook(tmp_path / "other.sqlite")
    (tmp_path / "text.sqlite").write_text("Dear all, " * 100)
    with pytest.raises(GradebookError, match="not a database"):
        open_gradebook(tmp_path / "text.sqlite")


def test_readers_see_whole_results_while_another_process_writes(tmp_path: Path) -> None:
    writer = (
        "import sys; from decimal import Decimal; from tests.test_gradebook import result, open_gradebook\n"
        "with open_gradebook(sys.argv[1]) as book:\n"
        "    for i in range(300): book.add_result('/s', f'k{i}', result(f'team-{i % 7}', score=str(i % 4)), i)\n"
    )
    with open_gradebook(tmp_path) as book, subprocess.Popen([sys.executable, "-c", writer, str(tmp_path)]) as process:
        reads = 0
        while process.poll() is None or not reads:
            for record in book.records():
                assert record.result is not None
                assert record.result.submission == record.name
            reads += bool(book.known("sums"))
            time.sleep(0.01)
        assert process.returncode == 0
        assert reads > 3
        assert sum(row.event == "graded" for row in book.history()) == 300
        assert check(book) == []


def test_people_give_and_take_points_and_lateness_takes_its_share_of_the_new_total(
    book: Gradebook, course: Path
) -> None:
    rules = {"late": Late(per_day=Decimal("0.1"), at_most_days=3)}
    sheet = load_sheet("sums", course).model_copy(update={"rules": Rules(**rules)})
    book.add_result("/handed/team", "key", result("team", score="2"), 1, datetime(2027, 1, 17, 12, tzinfo=UTC))
    record = only(book, "team")
    give_points(book, record, "3", Decimal("1.5"), "Ada", "a good argument, no source")
    override(book, record, "1", Decimal("2.5"), "Bo", "the test was too strict")
    deduct(book, record, Decimal("1"), "Ada", "copied from team-2")
    settled = settle(sheet, result("team", score="2"), marks_in(book, "sums")["team"], record.handed_in_at)
    assert {task.id: (task.score, task.state) for task in settled.tasks} == {
        "1": (Decimal("2.5"), "graded"),
        "3": (Decimal("1.5"), "graded"),
    }
    assert {rule.id: rule.deduction for rule in settled.rules} == {"deduction": Decimal(1), "late": Decimal("0.30")}
    assert (settled.score, settled.pending, settled.passed) == (Decimal("2.70"), 0, False)
    assert [(row.who, row.event) for row in book.history("team")][1:] == [
        ("Ada", "manual points"),
        ("Bo", "overrides"),
        ("Ada", "deduction"),
    ]


def test_points_that_cannot_be_are_refused(book: Gradebook) -> None:
    book.add_result("/handed/team", "key", result("team"), 1)
    record = only(book, "team")
    with pytest.raises(GradebookError, match="0 to 3 points"):
        give_points(book, record, "3", Decimal("3.5"), "Ada", "generous")
    with pytest.raises(GradebookError, match="does not wait"):
        give_points(book, record, "1", Decimal(1), "Ada", "why not")
    with pytest.raises(GradebookError, match="no task '9'; its tasks: 1, 3"):
        override(book, record, "9", Decimal(1), "Ada", "why not")
    with pytest.raises(GradebookError, match="must be said"):
        deduct(book, record, Decimal(1), "Ada", " ")
    assert marks_in(book, "sums") == {}


def test_a_class_in_numbers(book: Gradebook, course: Path) -> None:
    book.add_result("/s", "1", result("a", score="3", outcome="passed"), 1)
    book.add_result("/s", "2", result("b", score="1", outcome="failed"), 1)
    book.add_result("/s", "3", result("c", score="1", outcome="timeout"), 1)
    book.add_problem("sums", "d", "/s", "refused", "no files")
    give_points(book, only(book, "b"), "3", Decimal(2), "Ada", "good")
    stats = stats_of(book, load_sheet("sums", course))
    assert stats.states == {"graded": 3, "refused": 1}
    assert (stats.graded, stats.passed) == (3, 2)  # b reached the mark with the points that a person gave
    assert (stats.tasks["1"].mean, stats.tasks["1"].full, stats.tasks["3"].pending) == (Decimal("1.67"), 1, 2)
    assert [(test.title, test.failures) for test in stats.failing] == [("a sum", 2)]
    assert stats.mistakes == {"difference": 1}


def test_merging_is_idempotent_and_free_of_order(tmp_path: Path) -> None:
    with open_gradebook(tmp_path / "1") as one, open_gradebook(tmp_path / "2") as two:
        one.add_result("/s", "a", result("a"), 1)
        one.add_problem("sums", "b", "/s", "failed", "the sandbox failed twice")
        give_points(one, only(one, "a"), "3", Decimal(1), "Ada", "first")
        two.add_result("/s", "b", result("b", score="3"), 1)
        two.add_result("/s", "a", result("a", score="1"), 1, work=WORK)
        give_points(two, only(two, "a"), "3", Decimal(2), "Bo", "second look")
        deduct(one, only(one, "a"), Decimal("0.5"), "Ada", "copied")
        wholes = []
        for number, order in enumerate([(one, two), (two, one), (one, two, one, two)]):
            with open_gradebook(tmp_path / f"whole-{number}") as whole:
                merge_into(whole, order)
                merge_into(whole, order[:1])
                wholes.append(everything(whole))
                assert check(whole) == []
                assert only(whole, "b").state == "graded"
                assert only(whole, "a").result == result("a", score="1")
                assert marks_in(whole, "sums")["a"].manual["3"].points == 2
                assert dict(works_in(whole, "sums")) == {"a": WORK, "b": Work()}
    assert wholes[0] == wholes[1] == wholes[2]


def test_results_of_different_tests_are_not_merged(tmp_path: Path) -> None:
    with (
        open_gradebook(tmp_path / "1") as one,
        open_gradebook(tmp_path / "2") as two,
        open_gradebook(tmp_path / "whole") as whole,
    ):
        one.add_result("/s", "a", result("a"), 1)
        two.add_result("/s", "b", result("b", tests="sha256:other"), 1)
        with pytest.raises(GradebookError, match=r"sums: b in .* and a in .* were not graded alike \(tests_version\)"):
            merge_into(whole, [one, two])
        assert whole.count("sums") == {}


def test_the_check_finds_what_was_changed_by_hand(book: Gradebook) -> None:
    for name in ("a", "b", "c"):
        book.add_result("/s", name, result(name), 1)
    with sqlite3.connect(book.file or "") as connection:
        connection.execute("UPDATE results SET score = '6' WHERE id = 1")
        connection.execute("UPDATE results SET json = replace(json, '2.5', '3.0') WHERE id = 2")
        connection.execute("UPDATE submissions SET state = 'refused' WHERE name = 'c'")
    problems = check(book)
    assert len(problems) == 3
    assert "column score says 6, the result says 2.5" in problems[0]
    assert "changed after it was written" in problems[1]
    assert "sums, c: it is refused" in problems[2]


def test_a_backup_is_whole_and_replaces_nothing(book: Gradebook, tmp_path: Path) -> None:
    book.add_result("/s", "key", result("team"), 1)
    backup(book, tmp_path / "copy.sqlite")
    with pytest.raises(GradebookError, match="there already"):
        backup(book, tmp_path / "copy.sqlite")
    with open_gradebook(tmp_path / "copy.sqlite") as copy:
        assert everything(copy) == everything(book)
        assert check(copy) == []


def test_the_commands_show_a_submission_and_refuse_what_is_not_there(book: Gradebook, course: Path) -> None:
    book.add_result("/s", "key", result("team"), 1)
    place = ["--gradebook", str(book.file), "--course", str(course)]
    run = CliRunner().invoke
    assert (
        run(app, ["gradebook", "points", "team", "3", "0.5", "--who", "Ada", "--why", "short", *place]).exit_code == 0
    )
    shown = run(app, ["show", "team", *place])
    assert "3 / 6 points" in shown.output
    assert "a sum" in run(app, ["stats", *place]).output
    assert "all is well" in run(app, ["gradebook", "check", *place[:2]]).output
    refused = run(app, ["show", "nobody", *place])
    assert isinstance(refused.exception, GradebookError)
    with pytest.raises(GradebookError, match="there is no gradebook"):
        open_gradebook(course / "nowhere", must_exist=True)


def test_the_reports_of_a_class_are_written_anew_with_what_people_decided_and_answered(
    book: Gradebook, course: Path, tmp_path: Path
) -> None:
    for name in ("ada", "bo"):
        book.add_result("/s", name, result(name), 1)
    give_points(book, only(book, "ada"), "3", Decimal("0.5"), "Tutor", "The proof ends too early.")
    uid = record_request(book, "sums", "ada", "3", "Please look at page 2.", "Ada")
    answer_request(book, "sums", uid, "Page 2 is empty.", "Tutor")
    place = ["--course", str(course), "--out", str(tmp_path / "again")]
    assert CliRunner().invoke(app, ["report", str(book.file), *place]).exit_code == 0
    page = (tmp_path / "again" / "ada" / "report.html").read_text(encoding="utf-8")
    for said in ("The proof ends too early.", "0.5 / 3", "Please look at page 2.", "Page 2 is empty."):
        assert said in page
    assert "Requests to look again" not in (tmp_path / "again" / "bo" / "report.html").read_text(encoding="utf-8")
    forged = tmp_path / "forged.json"
    forged.write_text(result("../../bo").to_json(), encoding="utf-8", errors="backslashreplace")
    refused = CliRunner().invoke(app, ["report", str(forged), str(forged), *place])
    assert "no name for a folder" in str(refused.exception)


def test_marks_without_a_word_change_nothing(course: Path) -> None:
    assert settle(load_sheet("sums", course), result("team"), Marks(), None) == result("team")


@pytest.mark.parametrize("url", ["mysql://ada:secret@host/name", "postgresql+none://ada:secret@host/name"])
def test_an_address_that_no_gradebook_can_have_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(GradebookError, match=r"ada:[*]{3}@host/name: no gradebook can be there"):
        open_gradebook(url)


@pytest.fixture
def server() -> Iterator[str]:
    """The address of an empty schema in the database that GAPGRADE_POSTGRESQL names."""
    if "GAPGRADE_POSTGRESQL" not in os.environ:
        pytest.skip("GAPGRADE_POSTGRESQL names no database: postgresql://USER@HOST/NAME")
    url = make_url(os.environ["GAPGRADE_POSTGRESQL"]).set(drivername="postgresql+psycopg")
    engine, schema_name = create_engine(url), f"gapgrade_test_{os.getpid()}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema_name}")
    yield url.update_query_dict({"options": f"-csearch_path={schema_name}"}).render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {schema_name} CASCADE")
    engine.dispose()


def test_a_database_server_holds_the_same(book: Gradebook, server: str) -> None:
    book.add_result("/s", "key", result("team", score="2.10"), 1, datetime(2027, 1, 16, tzinfo=UTC))
    book.add_problem("sums", "b", "/s", "refused", "no \ud800 file \0")
    give_points(book, only(book, "team"), "3", Decimal("1.50"), "Ada", "good")
    with open_gradebook(server) as other:
        merge_into(other, [book])
        merge_into(other, [book])
        assert everything(other) == everything(book)
        assert check(other) == []
        other.add_result("/s", "other", result("b", score="3"), 1)
        assert only(other, "b").result == result("b", score="3")
        with pytest.raises(GradebookError, match="append only"), other.writing() as connection:
            connection.execute(schema.history.delete())
        found = {t: set(schema.metadata.tables[t].c.keys()) for t in inspect(other.engine).get_table_names()}
        assert found == {table.name: set(table.c.keys()) for table in schema.metadata.sorted_tables}


def test_two_who_write_to_a_server_at_once_take_turns(server: str) -> None:
    with ThreadPoolExecutor(4) as pool:  # the first of them makes the tables
        for opened in pool.map(open_gradebook, [server] * 4):
            opened.close()
    with open_gradebook(server) as ada, open_gradebook(server) as grace, ThreadPoolExecutor() as pool:
        ada.add_result("/s", "key", result("team"), 1)
        number = only(ada, "team").id

        def save(book: Gradebook, who: str) -> None:
            review = Review(number, "3", (Decimal(1),), done=True)
            save_reviews(book, who, [Saving("sums", "team", review, "v0", "right")])

        with ada.writing() as connection:
            saving = [pool.submit(save, grace, "Grace"), pool.submit(save, ada, "Ada")]
            connection.execute(insert(schema.phrases).values(uid="1", sheet="", task="", text="", who="", at=""))
            assert not wait(saving, timeout=0.5).done
        assert [type(one.exception()) for one in wait(saving).done].count(Conflict) == 1
        assert [row.event for row in ada.history("team")] == ["graded", "review"]
