"""Tasks whose answers stand in `answers.toml`: formulas and quizzes, compared with the sheet's hidden key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from grader.answers.formulas import JudgedPart, judge_formulas
from grader.answers.key import FILE, FormulaKey, QuizKey, load_key
from grader.answers.quiz import explanations, judge_quiz
from grader.intake import Submission
from grader.reader import Reading
from grader.result import State
from grader.rules.evidence import counted
from grader.score import round_down
from grader.sheet import Sheet, Task

MAX_SHOWN = 80  # characters of an answer or its name
MAX_STRANGE = 5  # names that nobody asked for


@dataclass(frozen=True)
class Scored:
    """A task's points, its state, and what the student reads about it."""

    score: Decimal
    state: State
    note: str


@dataclass(frozen=True)
class _Answers:
    """A task's table of `answers.toml`: values by the path below it (None for what is no answer), and their lines."""

    values: dict[str, Any]
    wrong: dict[str, str]
    lines: dict[str, int]

    def place(self, path: str) -> str:
        line = self.lines.get(path)
        return f"{FILE}:{line}" if line else FILE


def score_answers(
    sheet: Sheet, task: Task, submission: Submission, reading: Reading, now: datetime | None = None
) -> Scored:
    """Score a formula or quiz task.

    Args:
        now: when the result is made; a quiz is explained only where this is after everyone's last moment to hand in.
    """
    key = load_key(sheet.course, sheet.exercises, task.answers, task.kind)
    if reading.answers is None:
        return _not_there(submission)
    if reading.answers["error"]:
        where = f"{FILE}:{reading.answers['line']}" if reading.answers["line"] else FILE
        return Scored(Decimal(0), "refused", f"{where}: {reading.answers['error']}.")
    answers = _below(task.answers, reading.answers)
    if isinstance(key, FormulaKey):
        return _score_formulas(sheet, task, key, answers)
    return _score_quiz(sheet, task, key, answers, now)


def _not_there(submission: Submission) -> Scored:
    for refused in submission.refused:
        if refused.file == FILE:
            return Scored(Decimal(0), "refused", f"{FILE} was refused: {refused.reason}.")
    return Scored(Decimal(0), "graded", f"{FILE} is missing.")


def _below(table: str, found: dict[str, Any]) -> _Answers:
    start = f"{table}."

    def cut(by_path: dict[str, Any]) -> dict[str, Any]:
        return {path.removeprefix(start): value for path, value in by_path.items() if path.startswith(start)}

    wrong = cut(found["wrong"])
    return _Answers(cut(found["values"]) | dict.fromkeys(wrong), wrong, cut(found["lines"]))


def _score_formulas(sheet: Sheet, task: Task, key: FormulaKey, answers: _Answers) -> Scored:
    judged = judge_formulas(key, answers.values)
    right = [one for one in judged if one.verdict == "right"]
    lines = [f"{len(right)} of {counted(len(judged), 'answer')} right.", *_no_table(task, answers)]
    lines += [_line(one, key, answers) for one in judged if one.verdict != "right"]
    for name in sorted(answers.values.keys() - set(key.paths()))[:MAX_STRANGE]:
        lines.append(f"{answers.place(name)}: {name[:MAX_SHOWN]} is not asked for; is its name right?")
    score = min(task.points, round_down(sum((one.points for one in right), Decimal(0)), sheet))
    return Scored(score, "graded", "\n".join(lines))


def _no_table(task: Task, answers: _Answers) -> list[str]:
    """Where a whole table is missing, its heading may be: then nothing below it is found."""
    return [] if answers.values else [f"{FILE} has nothing below a line [{task.answers}]; is it still there?"]


def _line(one: JudgedPart, key: FormulaKey, answers: _Answers) -> str:
    """What is to be said of a part that is not right: where it stands, what was read, and what may help."""
    name, place = one.part.key, answers.place(one.part.key)
    if one.verdict == "empty":
        return f"{place}: {name} has no answer."
    if name in answers.wrong:
        return f'{place}: {name} is {answers.wrong[name]}; write a formula between quotes, such as "{key.example}".'
    text = str(answers.values[name])
    read = f'{place}: {name} = "{text[:MAX_SHOWN]}{"..." if len(text) > MAX_SHOWN else ""}"'
    if one.verdict == "unreadable":
        return f'{read} cannot be read: {one.note}. The notation is that of "{key.example}".'
    return f"{read} is not right. {one.note}".rstrip()


def _score_quiz(sheet: Sheet, task: Task, key: QuizKey, answers: _Answers, now: datetime | None) -> Scored:
    judged = judge_quiz(key, answers.values)
    items = [item for question in judged for item in question.items]
    answered = [item for item in items if item.verdict in ("right", "wrong")]
    lines = [f"{len(answered)} of {counted(len(items), 'statement')} answered.", *_no_table(task, answers)]
    for item in items:
        if item.verdict == "unreadable":
            lines.append(f"{answers.place(item.path)}: {item.path} counts as abstained: {item.problem}.")
    if now and sheet.is_over(now):
        lines += explanations(judged)
    score = min(task.points, round_down(sum((question.points for question in judged), Decimal(0)), sheet))
    return Scored(score, "graded", "\n".join(lines))


def words_of(table: str, reading: Reading) -> Iterator[str]:
    """The texts of a table of `answers.toml`, or of one answer."""
    for path, value in (reading.answers or {"values": {}})["values"].items():
        if isinstance(value, str) and (path == table or path.startswith(f"{table}.")):
            yield value
