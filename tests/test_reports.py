"""The faces of a result: what students may see, and that each format can be read by whom it is made for."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from grader import GapgradeError
from grader.reports import words
from grader.reports.classroom import classroom50, runner_result
from grader.reports.files import STAFF_FILE, STUDENT_FILES, write_reports
from grader.reports.github import annotate, classroom_notices, stop_commands
from grader.reports.gradescope import gradescope
from grader.reports.junit import junit
from grader.reports.markdown import LIMIT, summary
from grader.reports.terminal import print_report, print_summary
from grader.reports.views import StudentResult, student_view
from grader.result import Evidence, Result, RuleResult, TaskResult, TestResult, Versions

HIDDEN_FILE = "tests_hidden/vae/test_model_hidden.py"
FORGED = ["::error::forged", "##[error]forged", "a\n::error::forged\r::error::forged", "\x1b[2J", "</details>", "`" * 9]


def make_test(number: int = 0, **changes: Any) -> TestResult:
    plain = TestResult(
        id=f"tests_public/vae/test_model.py::test_{number}",
        title=f"property {number} holds",
        visibility="public",
        outcome="failed",
        weight=1,
        hint="Think of the logarithm.",
        message="the variance is 1.81 times the expected one",
        staff="assert 1.81 < 1.09",
    )
    return plain.model_copy(update=changes)


def make_hidden(number: int = 0, **changes: Any) -> TestResult:
    hidden = {"id": f"{HIDDEN_FILE}::test_secret_{number}", "visibility": "hidden", "message": "", **changes}
    return make_test(number, **hidden)


def make_task(*tests: TestResult, **changes: Any) -> TaskResult:
    plain = TaskResult(
        id="1.1",
        title="The VAE",
        kind="code",
        score=Decimal("2.5"),
        max_score=Decimal(4),
        bonus=False,
        state="graded",
        tests=tests,
    )
    return plain.model_copy(update=changes)


def make_result(*tasks: TaskResult, **changes: Any) -> Result:
    plain = Result(
        sheet="generative-models",
        title="Generative models",
        submission="team-07",
        graded_at="2027-01-17T01:00:00+00:00",
        seed=987654321,
        sandbox="nested",
        score=Decimal("7.5"),
        max_score=Decimal(10),
        bonus=Decimal(0),
        max_bonus=Decimal(1),
        pass_mark=Decimal("0.5"),
        passed=True,
        pending=Decimal(2),
        advisory=False,
        tasks=tasks,
        rules=(),
        versions=Versions(gapgrade="0.1.0", sheet="sha256:1", tests="sha256:2", torch="2.13.0"),
    )
    return plain.model_copy(update=changes)


def terminal(result: Result, *, staff: bool, width: int = 80) -> str:
    stream = io.StringIO()
    print_report(result, Console(file=stream, width=width), staff=staff)
    return stream.getvalue()


def class_table(results: list[Result], width: int = 80) -> str:
    stream = io.StringIO()
    print_summary(results, Console(file=stream, width=width))
    return stream.getvalue()


STUDENT_FACES: dict[str, Callable[[Result], str]] = {
    "terminal": lambda result: terminal(result, staff=False, width=100),
    **{name: (lambda result, face=face: face(student_view(result))) for name, face in STUDENT_FILES.items()},  # type: ignore[misc]
    "classroom-result.txt": lambda result: base64.b64decode(runner_result(student_view(result))).decode(),
}

texts = st.sampled_from(FORGED) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
canaries = st.integers(0, 10**6).map(lambda number: f"CANARY{number}X")


@st.composite
def results_with_secrets(draw: st.DrawFn) -> Result:
    """Results whose hidden tests hold canaries, in whatever a rule or a note might repeat of them, too."""
    tests = []
    for number in range(draw(st.integers(1, 4))):
        changes: dict[str, Any] = {
            "title": draw(texts),
            "hint": draw(texts),
            "outcome": draw(st.sampled_from([*words.OUTCOMES])),
        }
        secret = {"message": draw(canaries), "staff": f"line 1\n{draw(canaries)}"}
        tests.append(make_hidden(number, **changes, **secret) if draw(st.booleans()) else make_test(**changes))
    hidden = [test for test in tests if test.visibility == "hidden"]
    secrets = [part for test in hidden for part in (test.message, test.staff, test.id, *test.id.split("::"))]
    repeated = st.sampled_from(secrets) if secrets else texts
    said = st.builds("{}{}".format, texts, repeated)
    rule = RuleResult(
        id="gaps",
        deduction=Decimal(draw(st.integers(0, 2))),
        message=draw(said),
        evidence=(Evidence(text=draw(said), file=draw(texts)), Evidence(text=draw(texts), file=draw(repeated), line=3)),
    )
    task = make_task(*tests, note=draw(said), title=draw(texts))
    return make_result(task, rules=(rule,), submission=draw(texts), edits={draw(texts): draw(texts)})


@settings(max_examples=60, deadline=None)
@given(result=results_with_secrets())
def test_no_face_for_students_shows_what_is_hidden(result: Result) -> None:
    for face in STUDENT_FACES.values():
        shown = face(result)
        for secret in ("CANARY", "test_secret", "test_model_hidden", str(result.seed)):
            assert secret not in shown


def test_the_staff_see_what_students_do_not() -> None:
    result = make_result(make_task(make_hidden(staff="CANARY")))
    assert "CANARY" in terminal(result, staff=True)
    assert "CANARY" in result.to_json()


@pytest.mark.parametrize("name", STUDENT_FILES)
def test_a_face_for_students_refuses_a_result_that_no_view_was_made_of(name: str) -> None:
    with pytest.raises(AttributeError, match="shown"):
        STUDENT_FILES[name](make_result(make_task(make_hidden())))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "test", [make_test(staff="x"), make_hidden(staff=""), make_hidden(id="hidden-1", message="x", staff="")]
)
def test_only_a_view_can_be_shown_to_students(test: TestResult) -> None:
    with pytest.raises(ValueError, match="use student_view"):
        StudentResult(make_result(make_task(test)))


def test_a_view_keeps_points_titles_hints_and_messages_of_public_tests() -> None:
    result = make_result(make_task(make_test(), make_hidden(1)))
    shown = student_view(result).shown
    assert (shown.score, shown.passed, shown.tasks[0].score) == (result.score, True, Decimal("2.5"))
    assert shown.seed == 0
    public, hidden = shown.tasks[0].tests
    assert public.message == "the variance is 1.81 times the expected one"
    assert (hidden.title, hidden.hint, hidden.outcome) == ("property 1 holds", "Think of the logarithm.", "failed")


def test_paths_of_the_grading_machine_are_cut_to_the_name() -> None:
    message = (
        "/srv/course/tests_public/vae/test_model.py:3 and C:\\grading\\a.py, not lib/model.py or 1 / 2 or http://x/y"
    )
    shown = student_view(make_result(make_task(make_test(message=message)))).shown
    assert shown.tasks[0].tests[0].message == "test_model.py:3 and a.py, not lib/model.py or 1 / 2 or http://x/y"


def hostile_result(text: str) -> Result:
    rule = RuleResult(id="gaps", deduction=Decimal(1), message=text, evidence=(Evidence(text=text, file=text, line=2),))
    task = make_task(
        make_test(title=text, hint=text, message=text, mistake="known", mistake_title=text), note=text, title=text
    )
    return make_result(task, rules=(rule,), submission=text, edits={text: text}, title=text)


@settings(max_examples=60, deadline=None)
@given(text=texts | st.text(alphabet=":e[# \n\r", max_size=60), width=st.integers(20, 120))
def test_no_line_of_the_terminal_begins_a_command(text: str, width: int) -> None:
    result = hostile_result(text)
    for printed in (terminal(result, staff=True, width=width), class_table([result], width)):
        assert "\x1b" not in printed
        assert "##[" not in printed
        assert not [line for line in printed.splitlines() if line.lstrip().startswith("::")]


@settings(max_examples=60, deadline=None)
@given(text=texts)
def test_only_our_own_commands_are_in_the_lines_for_the_runner(text: str) -> None:
    student = student_view(hostile_result(text))
    lines = [line for one in [*annotate(student), *classroom_notices(student)] for line in one.splitlines()]
    assert [line.split(" ")[0] for line in lines] == ["::error", "::error", "::warning", "::notice", "::notice"]
    assert not any("##[" in line for line in lines)


def test_output_between_stop_commands_cannot_start_them_again() -> None:
    first, *middle, last = stop_commands("::error::x\n::resume::\n##[error]x").splitlines()
    assert first == f"::stop-commands::{last.strip(':')}"
    assert re.fullmatch(r"::[0-9a-f]{32}::", last)
    assert middle[:2] == [r"\x3a:error::x", r"\x3a:resume::"]
    assert last not in stop_commands("::error::x")


def test_the_terminal_report_fits_80_columns_and_needs_no_colour() -> None:
    pending = make_task(id="1.4", title="In words", kind="written", state="pending", score=Decimal(0))
    printed = terminal(make_result(make_task(make_test(message="x" * 300), make_hidden()), pending), staff=False)
    assert {cell_len(line) for line in printed.splitlines()} == {80}
    for phrase in ("7.5 / 10 points", "passed (5 points are needed)", "2.5 / 4", "Hint: Think of the logarithm.", "✗"):
        assert phrase in printed


def test_the_terminal_report_can_be_written_in_any_encoding() -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="cp1252")
    print_report(hostile_result("日本 😀 –"), Console(file=stream, width=80), staff=True)
    stream.flush()
    assert r"\u65e5\u672c \U0001f600 –" in written.getvalue().decode("cp1252")


def test_the_class_table_sums_tasks_that_have_no_room() -> None:
    tasks = [make_task(make_test(outcome="crashed"), id=f"{i}.{j}") for i in (1, 2) for j in range(1, 7)]
    printed = class_table([make_result(*tasks), make_result(tasks[0], submission="team-08", passed=False)])
    assert {cell_len(line) for line in printed.splitlines()} == {80}
    assert re.search(r"team-07 +│ +15 │ +15 │ +0 │ +7.5 ✓ │ 12 crashed", printed)
    assert re.search(r"team-08 +│ +2.5 │ +- │ +0 │ +7.5 ✗ │ 1 crashed", printed)


def test_a_summary_never_exceeds_what_github_takes_and_stays_whole() -> None:
    tests = [make_test(i, message="`" * (4000 - i), hint="<" * 4000) for i in range(80)]
    text = summary(student_view(make_result(make_task(*tests))))
    assert LIMIT * 0.9 < len(text.encode()) <= LIMIT
    assert text.count("<details>") == text.count("</details>")
    assert re.search(r"too long for this page: \d+ of its parts", text)


def test_a_summary_says_that_a_score_is_advisory() -> None:
    assert "> [!IMPORTANT]\n> This score is advisory" in summary(student_view(make_result(advisory=True)))


@settings(max_examples=60, deadline=None)
@given(text=texts)
def test_junit_reads_back_whatever_a_message_holds(text: str) -> None:
    task = make_task(make_test(message=text, title=text), make_hidden(1, outcome="timeout"))
    pending = make_task(id="2", state="pending")
    root = ElementTree.fromstring(junit(student_view(make_result(task, pending))))
    first, second = root
    assert (first.get("tests"), first.get("failures"), first.get("errors")) == ("2", "1", "1")
    assert second.get("skipped") == "1"
    hidden = first[1].find("error")
    assert hidden is not None
    assert (hidden.get("type"), hidden.get("message"), hidden.text) == ("timeout", "Think of the logarithm.", None)


def test_gradescope_shows_hidden_tests_and_their_points_later() -> None:
    public = make_task(make_test(), id="1")
    mixed = make_task(make_test(), make_hidden(1), id="2")
    data = gradescope(student_view(make_result(public, mixed)))
    assert data["score"] == 7.5
    seen = [(one["number"], one.get("score"), one["visibility"]) for one in data["tests"]]
    later = "after_published"
    assert seen == [
        ("1", 2.5, "visible"),
        ("1", None, "visible"),
        ("2", 2.5, later),
        ("2", None, "visible"),
        ("2", None, later),
    ]


def test_gradescope_does_not_tell_the_share_of_all_points_that_lateness_costs() -> None:
    rules = (
        RuleResult(
            id="late", deduction=Decimal("0.75"), message="1 day late; each day begun costs 10 % of the points."
        ),
        RuleResult(id="pushes", deduction=Decimal(1), message="4 pushes to main, 3 are free."),
    )
    output = gradescope(student_view(make_result(make_task(), rules=rules)))["output"]
    assert "0.75" not in output
    assert "pushes: 4 pushes to main, 3 are free. (-1)" in output


@pytest.mark.parametrize("kind", ["quiz", "formula"])
def test_gradescope_does_not_tell_who_hands_in_again_which_answers_are_right(kind: str) -> None:
    task = make_task(kind=kind, note="1 of 4 answers right.")
    (entry,) = gradescope(student_view(make_result(task)))["tests"]
    assert (entry["score"], entry["visibility"]) == (2.5, "after_published")
    refused = task.model_copy(update={"state": "refused", "note": "answers.toml:3: it is no TOML."})
    (entry,) = gradescope(student_view(make_result(refused)))["tests"]
    assert entry["visibility"] == "visible"


def test_gradescope_tells_what_is_known_of_written_work() -> None:
    note = "A person grades this. review.md has 401 words of at most 350, 51 too many."
    review = make_task(id="3", kind="review", state="pending", score=Decimal(0), note=note)
    assert [one["output"] for one in gradescope(student_view(make_result(review)))["tests"]] == [note]


def test_at_most_ten_annotations_of_a_kind_and_the_rest_is_counted() -> None:
    tests = [make_test(i, message=f"wrong in way {i}") for i in range(25)]
    evidence = tuple(Evidence(text=f"line {i}", file="lib/a.py", line=i) for i in range(1, 12))
    rules = (
        RuleResult(id="comments", deduction=Decimal(1), message="no comment", evidence=evidence),
        RuleResult(id="gaps", deduction=Decimal(0), message="edited", evidence=evidence),
    )
    lines = annotate(student_view(make_result(make_task(*tests), rules=rules)))
    kinds = [line.split(" ")[0] for line in lines]
    assert (kinds.count("::error"), kinds.count("::warning"), kinds.count("::notice")) == (10, 10, 8)
    assert lines[9] == "::error title=More of these::16 more: see the job summary"
    assert lines[10] == "::warning file=lib/a.py,line=1,title=comments::no comment (-1): line 1"


def test_classroom_notices_keep_fractions() -> None:
    assert classroom_notices(student_view(make_result())) == [
        "::notice title=Autograding complete::Points 7.5/10",
        '::notice title=Autograding report::{"totalPoints":7.5,"maxPoints":10}',
    ]


def test_a_runner_result_decodes_to_points_a_task() -> None:
    data = json.loads(base64.b64decode(runner_result(student_view(make_result(make_task(make_test()))))))
    assert (data["version"], data["status"], data["max_score"]) == (1, "pass", 4)
    assert [(one["name"], one["status"], one["score"], one["max_score"]) for one in data["tests"]] == [
        ("1.1 The VAE", "fail", 2.5, 4)
    ]


def test_classroom50_counts_in_hundredths_and_never_above_its_maximum() -> None:
    result = make_result(make_task(make_test()), score=Decimal("10.25"))
    data = classroom50(
        student_view(result),
        classroom="dl",
        assignment="generative-models",
        assignment_type="team",
        owner="ada",
        submission="submit/2027-01-16T22-00-00Z-a1b2c3d",
        commit="https://host/commit/a1b2c3d",
        release="https://host/release",
        review="https://host/compare",
        datetime="2027-01-16T22:00:00Z",
        graded_at="2027-01-17T01:00:00Z",
        submitted_by="ada",
    )
    assert (data["score"], data["max-score"]) == (1025, 1025)
    assert data["tests"] == [
        {"test-name": "1.1 The VAE (in hundredths of a point)", "passed": False, "score": 250, "max-score": 400}
    ]


@pytest.mark.parametrize(
    ("value", "shown"), [("12.50", "12.5"), ("3", "3"), ("100", "100"), ("-0.0", "0"), ("1E+2", "100")]
)
def test_points_have_no_trailing_zeros(value: str, shown: str) -> None:
    assert words.points(Decimal(value)) == shown


def test_an_answer_that_was_taken_back_is_read_by_nobody(tmp_path: Path) -> None:
    task = make_task(make_test()).model_copy(update={"cell": "q-1", "answer": "Yes."})
    write_reports(make_result(task), tmp_path)
    assert (tmp_path / "answers" / "q-1.md").read_text() == "Yes.\n"
    write_reports(make_result(task.model_copy(update={"answer": ""})), tmp_path)
    assert list((tmp_path / "answers").iterdir()) == []


def test_all_reports_are_written_and_no_link_is_followed(tmp_path: Path) -> None:
    result = make_result(make_task(make_test(), make_hidden(1)))
    files = write_reports(result, tmp_path / "out")
    assert {file.name for file in files} == {STAFF_FILE, *STUDENT_FILES}
    assert Result.from_json((tmp_path / "out" / STAFF_FILE).read_text(encoding="utf-8")) == result
    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / "out" / "summary.md").unlink()
    (tmp_path / "out" / "summary.md").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GapgradeError, match=r"summary\.md cannot be written"):
        write_reports(result, tmp_path / "out")
    assert (tmp_path / "elsewhere").read_text() == "kept"
