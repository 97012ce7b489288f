"""Tasks that no test decides: code style, feedback, answers with a key, and what a person grades."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from grader.answers.key import FILE
from grader.answers.words import count_words
from grader.feedback import read_feedback
from grader.intake import Submission
from grader.reader import Reading
from grader.result import DECIDES, NOT_ANSWERED, UNREADABLE, Evidence, State, TaskResult
from grader.rules.answers import score_answers, words_of
from grader.rules.evidence import MAX_EVIDENCE, counted
from grader.rules.submission_pdf import unreadable
from grader.sheet import Sheet, Task

FEEDBACK = "feedback.md"
MAX_SHOWN = 3
MAX_TEXT_BYTES = 2**20


def score_other(
    sheet: Sheet,
    task: Task,
    submission: Submission,
    reading: Reading,
    feedback: str = "",
    now: datetime | None = None,
) -> TaskResult:
    """Score a task of any kind but `code`; what a person grades is pending.

    Args:
        feedback: the text of `feedback.md` as it was handed out.
        now: when the result is made; see `score_answers`.
    """
    state: State = "graded"
    score = Decimal(0)
    evidence: tuple[Evidence, ...] = ()
    if task.kind == "style":
        earned, state, note = _style(reading)
        evidence = _findings(reading)
        score = task.points if earned else score
    elif task.kind == "feedback":
        earned, note = _feedback(submission, feedback)
        score = task.points if earned else score
    elif task.kind in ("formula", "quiz") and task.answers:
        scored = score_answers(sheet, task, submission, reading, now)
        score, state, note = scored.score, scored.state, scored.note
    elif task.cell and not reading.cells.get(task.cell):
        state, note = (
            "refused",
            reading.problem or f'{NOT_ANSWERED}cell "{task.cell}" is as it was handed out, or gone.',
        )
    else:
        state, note = "pending", _for_a_person(sheet, task, submission, reading)
    return TaskResult(
        id=task.id,
        title=task.title,
        kind=task.kind,
        score=score,
        max_score=task.points,
        bonus=task.bonus,
        state=state,
        note=note,
        cell=task.cell,
        answer=reading.cells.get(task.cell, "") if task.cell else "",
        evidence=evidence,
    )


def counts_pdf(sheet: Sheet) -> bool:
    """Whether the words of the sheet's PDF are asked for."""
    return any(task.max_words is not None and not (task.answers or task.cell or task.file) for task in sheet.tasks)


def _for_a_person(sheet: Sheet, task: Task, submission: Submission, reading: Reading) -> str:
    if nothing := _nothing_to_read(sheet, task, submission, reading):
        return f"{UNREADABLE}{nothing}{DECIDES}"
    note = "A person grades this" + (f": {task.where}." if task.where else ".")
    if task.max_words is None:
        return note
    return f"{note} {_words(sheet, task, task.max_words, submission, reading)}"


def _nothing_to_read(sheet: Sheet, task: Task, submission: Submission, reading: Reading) -> str:
    """Why there is nothing to grade, in a sentence; nothing where there is something, as far as this can be told."""
    if task.file:
        return unreadable(sheet, task.file, submission)
    if task.answers or task.cell or sheet.rules.submission_pdf is None:
        return ""
    return unreadable(sheet, sheet.rules.submission_pdf.file, submission, reading.pdf)


def _words(sheet: Sheet, task: Task, most: int, submission: Submission, reading: Reading) -> str:
    """How long the text is; it is reported, and a person decides what follows from it."""
    if task.answers:
        what, words = f"{FILE}, {task.answers}", sum(map(count_words, words_of(task.answers, reading)))
    elif task.cell:
        what, words = f'cell "{task.cell}"', count_words(reading.cells.get(task.cell, ""))
    elif task.file:
        data = submission.files[task.file][:MAX_TEXT_BYTES]
        what, words = task.file, count_words(data.decode("utf-8", "replace"))
    else:
        pdf = sheet.rules.submission_pdf.file if sheet.rules.submission_pdf else "the PDF"
        if reading.pdf_words is None:
            return f"The words of {pdf} were not counted; at most {most} are asked for here."
        return f"{pdf} has {counted(reading.pdf_words, 'word')} in all; at most {most} are asked for here."
    beyond = f", {words - most} too many" if words > most else ""
    return f"{what} has {counted(words, 'word')} of at most {most}{beyond}."


def _style(reading: Reading) -> tuple[bool, State, str]:
    if reading.problem:
        return False, "refused", reading.problem
    if not reading.filled:
        return False, "graded", "No gap is filled yet, so there is no code of your own to look at."
    total, findings = reading.style["total"], reading.style["findings"]
    if not total:
        return True, "graded", "pycodestyle has no findings."
    shown = "; ".join(f"{one['file']}:{one['line']}: {one['code']} {one['text']}" for one in findings[:MAX_SHOWN])
    return (
        False,
        "graded",
        f"pycodestyle has {counted(total, 'finding')}: {shown}" + ("; ..." if total > MAX_SHOWN else ""),
    )


def _findings(reading: Reading) -> tuple[Evidence, ...]:
    """Where the style's findings are, as many as are read, and how many more there are."""
    if reading.problem or not reading.filled:
        return ()
    total, findings = reading.style["total"], reading.style["findings"][:MAX_EVIDENCE]
    lines = [Evidence(text=f"{one['code']} {one['text']}", file=one["file"], line=one["line"]) for one in findings]
    return (*lines, Evidence(text=f"and {total - len(lines)} more")) if total > len(lines) else tuple(lines)


def _feedback(submission: Submission, template: str) -> tuple[bool, str]:
    data = submission.files.get(FEEDBACK)
    if data is None:
        return False, f"{FEEDBACK} is missing."
    feedback = read_feedback(data.decode("utf-8", "replace"), template)
    if not feedback.answered:
        return False, f"{FEEDBACK} is as it was handed out."
    if feedback.hours is None:
        return False, f"{FEEDBACK} does not say how many hours the sheet took; write a number, such as 5 or 4.5."
    return True, "Thank you."
