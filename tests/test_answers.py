"""answers.toml: what is read, how it is scored, and which keys a sheet refuses."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.answers.reading import MAX_BYTES, read_answers
from grader.answers.words import count_words
from grader.batching.job import Job, Settings, Station
from grader.grade import Bench, with_bench
from grader.handin import Handin
from grader.intake import Refused, Submission, take_in
from grader.reader import Reading
from grader.result import TaskResult
from grader.rules import score_other
from grader.sheet import Sheet, SheetError, load_sheet
from grader.wall.nested import NestedWall
from tools.make_release import make_release

HANDED_OUT = """\
[forward]
mean = ""
variance = ""
odds = ""

[quiz.q1]
a = "abstain"
b = ""

[essay]
text = ""
"""
KEY = """\
[forward]
example = "x / 2"
[forward.symbols]
x = [-2, 2]
a = [0, 1]
[forward.relations]
b = "1 - a"
[[forward.part]]
key = "mean"
formula = "sqrt(a) * x"
points = 1
[[forward.part.mistake]]
formula = "a * x"
hint = "Which power of a?"
[[forward.part]]
key = "variance"
formula = "1 - a"
points = 0.5
[[forward.part]]
key = "odds"
formula = "2/3"
points = 0.5
tolerance = 0.005

[[quiz.question]]
key = "q1"
title = "True?"
[[quiz.question.item]]
key = "a"
answer = "yes"
points = 0.5
explanation = "It is a bound."
[[quiz.question.item]]
key = "b"
answer = "no"
points = 0.5
"""
TASKS = """
[[task]]
id = "5"
points = 2
kind = "formula"
answers = "forward"

[[task]]
id = "6"
points = 1
kind = "quiz"
answers = "quiz"

[[task]]
id = "7"
points = 1
kind = "written"
answers = "essay"
max_words = 3
"""


@pytest.fixture
def with_answers(course: Path, tmp_path: Path) -> Path:
    """The miniature course with a formula, a quiz and a written task more."""
    folder = tmp_path / "course"
    shutil.copytree(course, folder)
    (folder / "solutions" / "sums" / "answers.toml").write_text(HANDED_OUT)
    (folder / "tests_hidden" / "sums" / "answers_key.toml").write_text(KEY)
    file = folder / "sheets" / "sums" / "sheet.toml"
    head, rules = file.read_text().split("[rules.pushes]")
    file.write_text(f"{head}{TASKS}\n[rules.pushes]{rules}")
    return folder


@pytest.fixture
def sheet(with_answers: Path) -> Sheet:
    return load_sheet("sums", with_answers)


Score = Callable[..., TaskResult]


@pytest.fixture
def score(sheet: Sheet) -> Score:
    """Scores the task with this id for a handed-in text."""

    def scored(task: str, text: str | bytes | None, now: datetime | None = None) -> TaskResult:
        data = text.encode() if isinstance(text, str) else text
        reading = Reading(
            {}, [], {}, {"total": 0, "findings": []}, answers=None if data is None else read_answers(data)
        )
        (one,) = (one for one in sheet.tasks if one.id == task)
        return score_other(sheet, one, Submission("t", {}), reading, now=now)

    return scored


def test_each_part_of_a_formula_task_earns_its_own_points(score: Score) -> None:
    whole = score("5", '[forward]\nmean = "x*a^0.5"\nvariance = "b"\nodds = 0.67')
    assert (whole.score, whole.max_score, whole.state, whole.note) == (2, 2, "graded", "3 of 3 answers right.")
    part = score("5", '[forward]\nmean = "a x"\nvariance = "1 - a"')
    assert (part.score, part.state) == (Decimal("0.5"), "graded")
    assert score("5", HANDED_OUT).score == 0


def test_what_is_not_right_is_told_with_its_line_and_what_was_read(score: Score) -> None:
    note = score("5", '[forward]\nmean = "a*x"\nvariance = "1 - c"\nodds = ""').note
    assert note.splitlines() == [
        "0 of 3 answers right.",
        'answers.toml:2: mean = "a*x" is not right. Which power of a?',
        'answers.toml:3: variance = "1 - c" cannot be read: c is not known; known are x, a, b. '
        'The notation is that of "x / 2".',
        "answers.toml:4: odds has no answer.",
    ]  # fmt: skip


def test_answers_under_another_name_or_outside_their_table_are_not_passed_over_in_silence(score: Score) -> None:
    note = score("5", '[forward]\nmaen = "x"\nvariance = "b"\nodds = "2/3"').note
    assert note.splitlines()[1:] == [
        "answers.toml: mean has no answer.",
        "answers.toml:2: maen is not asked for; is its name right?",
    ]
    for task, table in (("5", "forward"), ("6", "quiz")):
        lines = score(task, 'mean = "x"\n[q1]\na = "yes"').note.splitlines()
        assert lines[1] == f"answers.toml has nothing below a line [{table}]; is it still there?"


@pytest.mark.parametrize("value", ["1979-05-27", "{ a = 1 }", "[[1]]", "[1, 2]", "true", '["x"]', "inf", "9" * 200])
def test_a_value_of_another_type_costs_only_its_own_part(score: Score, value: str) -> None:
    result = score("5", f'[forward]\nmean = {value}\nvariance = "b"')
    assert (result.score, result.state) == (Decimal("0.5"), "graded")
    assert "answers.toml" in result.note.splitlines()[1]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[forward]\nmean = "x',
            "answers.toml:2: it is no TOML: Unterminated string; each answer is one line, between quotes.",
        ),
        (
            "[forward]\nmean = 1\nmean = 2",
            "answers.toml:3: it is no TOML: Cannot overwrite a value; each answer is one line, between quotes.",
        ),
        (
            "[forward]\nmean = x\n",
            "answers.toml:2: it is no TOML: Invalid value; each answer is one line, between quotes.",
        ),
        (b'[forward]\nmean = "\xff"', "answers.toml:2: it is not UTF-8; save it as UTF-8."),
        ("[forward]\nmean = " + "9" * 5000, "answers.toml:1: it holds a number or brackets beyond all measure."),
        ('x = "' + "1" * MAX_BYTES + '"', "answers.toml:1: it has more than the 65,536 bytes that are read."),
    ],
)
def test_a_file_that_cannot_be_read_refuses_its_tasks_with_file_and_line(
    score: Score, text: str | bytes, sentence: str
) -> None:
    for task in ("5", "6"):
        result = score(task, text)
        assert (result.score, result.state, result.note) == (0, "refused", sentence)


def test_a_missing_file_earns_nothing_and_a_refused_one_says_why(score: Score, sheet: Sheet) -> None:
    assert (score("5", None).state, score("5", None).note) == ("graded", "answers.toml is missing.")
    (task,) = (one for one in sheet.tasks if one.id == "5")
    refused = Submission("t", {}, (Refused("answers.toml", "it is a link"),))
    result = score_other(sheet, task, refused, Reading({}, [], {}, {"total": 0, "findings": []}))
    assert (result.state, result.note) == ("refused", "answers.toml was refused: it is a link.")


def test_a_quiz_is_explained_only_when_nobody_can_hand_in_any_more(score: Score, sheet: Sheet) -> None:
    text = '[quiz.q1]\na = "no"\nb = "maybe"'
    assert sheet.due is not None
    for now in (None, sheet.due - timedelta(days=1), sheet.due):
        assert score("6", text, now).note.splitlines() == [
            "1 of 2 statements answered.",
            "answers.toml:3: q1.b counts as abstained: maybe is none of yes, no and abstain.",
        ]
    after = score("6", text, sheet.due + timedelta(seconds=1))
    assert (after.score, "It is a bound." in after.note) == (0, True)


def test_while_late_work_is_taken_a_quiz_is_not_explained(with_answers: Path, score: Score) -> None:
    file = with_answers / "sheets" / "sums" / "sheet.toml"
    file.write_text(file.read_text() + "\n[rules.late]\nper_day = 0.1\nat_most_days = 2\n")
    late = load_sheet("sums", with_answers)
    (task,) = (one for one in late.tasks if one.id == "6")
    reading = Reading({}, [], {}, {"total": 0, "findings": []}, answers=read_answers(b""))
    assert late.due is not None
    notes = [
        score_other(late, task, Submission("t", {}), reading, now=late.due + timedelta(days=days)).note
        for days in (1, 2, 3)
    ]
    assert ["bound" in note for note in notes] == [False, False, True]


def test_the_words_of_a_written_answer_are_counted_and_a_person_decides(score: Score) -> None:
    result = score("7", '[essay]\ntext = """one - two,\n**three** 4"""')
    assert (result.score, result.state) == (0, "pending")
    assert result.note == "A person grades this. answers.toml, essay has 4 words of at most 3, 1 too many."


@pytest.mark.parametrize(("text", "words"), [("", 0), ("a b\n c", 3), ("x — y / z", 3), ("E=mc²", 1), ("..." * 99, 0)])
def test_a_word_holds_a_letter_or_a_digit(text: str, words: int) -> None:
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("points = 0.5\ntolerance", "points = 1\ntolerance", "the key of task 5 adds up to 2.5, the task has 2 points"),
        ('formula = "1 - a"', 'formula = "1 - c"', "[forward] variance: c is not known"),
        ('formula = "1 - a"', 'formula = "1/0"', "[forward] variance: it divides by zero"),
        ('formula = "a * x"', 'formula = "x * a^(1/2)"', "[forward] mean: the mistake 'x * a^(1/2)' is right"),
        ('b = "1 - a"', 'b = "1 - c"', "[forward] c is not known"),
        ('key = "odds"', 'key = "mean"', "[forward] asks twice for mean"),
        ('key = "odds"', 'key = "oods"', "the key asks for forward.oods, which is not there"),
        (KEY[KEY.index("[[quiz.question]]") :], "", "has a table [quiz]"),
        ('answer = "no"', 'answer = "perhaps"', "[quiz] b: the answer is yes or no, not perhaps"),
        ('answer = "no"', 'answr = "no"', "quiz.question.0.item.1"),
        ("[forward]\n", "[forward\n", "answers_key.toml"),
    ],
)  # fmt: skip
def test_a_key_that_does_not_fit_is_refused_with_its_place(
    with_answers: Path, old: str, new: str, sentence: str
) -> None:
    assert KEY.count(old) == 1
    (with_answers / "tests_hidden" / "sums" / "answers_key.toml").write_text(KEY.replace(old, new))
    with pytest.raises(SheetError) as refused:
        load_sheet("sums", with_answers)
    assert sentence in str(refused.value)


def test_a_code_task_has_no_answers(with_answers: Path) -> None:
    file = with_answers / "sheets" / "sums" / "sheet.toml"
    file.write_text(file.read_text().replace('tests = "adding"', 'tests = "adding"\nanswers = "forward"'))
    with pytest.raises(SheetError, match="task 1 is of the kind code, which has no answers"):
        load_sheet("sums", with_answers)


def test_answers_are_read_behind_the_wall_and_count_in_the_total(
    with_answers: Path, nested: NestedWall, tmp_path: Path
) -> None:
    chosen = load_sheet("sums", with_answers)
    make_release(chosen)
    right, hostile = tmp_path / "right", tmp_path / "hostile"
    for folder in (right, hostile):
        shutil.copytree(with_answers / "student" / "sums", folder)
    answers = '[forward]\nmean = "sqrt(a)*x"\nvariance = "9**9**9**9"\n[quiz.q1]\na = "yes"\n'
    (right / "answers.toml").write_text(answers)
    (hostile / "answers.toml").write_text("a." * 30_000 + "a = 1")
    first, second = with_bench(
        chosen, nested, lambda bench: [bench.grade(Handin(take_in(one), seed=1)) for one in (right, hostile)]
    )
    scores = {task.id: (task.score, task.state) for task in first.tasks}
    assert [scores[task] for task in "567"] == [(1, "graded"), (Decimal("0.5"), "graded"), (0, "pending")]
    assert (first.score, first.pending) == (Decimal("1.5"), 2)
    states = {task.id: (task.state, task.note) for task in second.tasks}
    assert states["5"] == ("refused", "answers.toml:1: it has more than 2,000 dots.")


def test_a_quiz_is_graded_once_more_when_it_is_over_and_its_answers_may_be_told(
    with_answers: Path, nested: NestedWall
) -> None:
    chosen = load_sheet("sums", with_answers)
    make_release(chosen)
    job = Job("team", str(with_answers / "student" / "sums"))
    settings = Settings(str(chosen.folder), str(with_answers), seed=1)

    def twice(bench: Bench) -> Iterator[str]:
        known = ""
        for year in (2999, 2999, 2000, 2000):
            station = Station(bench, replace(settings, last_due=datetime(year, 1, 1, tzinfo=UTC)))
            outcome = station.do(replace(job, known=known))
            known = outcome.key
            yield outcome.kind

    assert with_bench(chosen, nested, lambda bench: [*twice(bench)]) == ["graded", "unchanged", "graded", "unchanged"]


CHARACTERS = st.text(st.sampled_from("[]{}=.,\"'#\n\t ab1_-\\") | st.characters(), max_size=400)


def _is_plain(found: dict[str, Any]) -> bool:
    return all(
        isinstance(path, str) and isinstance(value, str | bool | list) for path, value in found["values"].items()
    )


@given(st.binary(max_size=400) | CHARACTERS.map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"x=" + b"[" * 60_000)
@example(b"x=" + b"{a=" * 20_000)
@example(b"[" + b"a." * 1999 + b"a]\n" + b"b = 1\n" * 5_000)
@example((b"[" + b"a." * 18 + b"%d]\n") * 100)
@example(b"\n".join(b"k%d = 1" % i for i in range(5_000)))
@example(b'x = "' + b"\\n" * 32_000 + b'"')
@example(b"\xef\xbb\xbfx = 1\r\n")
def test_any_bytes_are_read_at_once(data: bytes) -> None:
    start = time.perf_counter()
    assert _is_plain(read_answers(data))
    assert time.perf_counter() - start < 1
