"""The result of one submission: what every report, export and gradebook is made from (`gapgrade/result/v1`)."""

from __future__ import annotations

import functools
import json
from decimal import Decimal
from importlib import resources
from typing import Annotated, Any, Literal

import jsonschema_rs
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

SCHEMA = "gapgrade/result/v1"
NOT_ANSWERED = "Not answered: "
"""How the note of a task begins that is refused because nobody answered it."""
UNREADABLE = "Nothing could be read: "
"""How the note of a task begins that waits for a person who has nothing to read; the reason is its first sentence."""
DECIDES = " A person decides what follows."
"""How such a note ends."""

Outcome = Literal["passed", "failed", "error", "timeout", "crashed", "refused"]
State = Literal["graded", "pending", "refused"]
Mode = Literal["nested", "fresh", "container", "none"]


def _as_number(value: Decimal) -> int | float:
    """The JSON number that reads back as the same decimal."""
    number = int(value) if value == value.to_integral_value() else float(value)
    if Decimal(str(number)) != value:
        raise ValueError(f"{value} has more digits than a JSON number keeps")
    return number


Number = Annotated[Decimal, PlainSerializer(_as_number, return_type=int | float)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TestResult(_Model):
    """One planned test. `message` is for the student (empty for a hidden test), `staff` for the staff alone.

    `mistake` is the catalogued mistake that the failures look like, with its title and hint for the student.
    """

    __test__ = False  # pytest: not a test class

    id: str
    title: str
    visibility: Literal["public", "hidden"]
    outcome: Outcome
    weight: int
    hint: str
    mistake: str | None = None
    mistake_title: str = ""
    mistake_hint: str = ""
    message: str = ""
    staff: str = ""


class Evidence(_Model):
    """One line of proof: where (a file and line, a push), and what."""

    text: str
    file: str = ""
    line: int = 0


class TaskResult(_Model):
    """One task's points. `pending` waits for a person; `refused` could not be read, `note` says why.

    `evidence` is what the note sums up, line by line. `answer` is what stands in `cell` of a notebook, where the task
    is answered there: a student's text.
    """

    id: str
    title: str
    kind: str
    score: Number
    max_score: Number
    bonus: bool
    state: State
    note: str = ""
    cell: str = ""
    answer: str = ""
    evidence: tuple[Evidence, ...] = ()
    tests: tuple[TestResult, ...] = ()


class RuleResult(_Model):
    """What a rule found, and what it costs."""

    id: str
    deduction: Number
    message: str
    evidence: tuple[Evidence, ...] = ()


class Picture(_Model):
    """What a submission's code draws, beside what the solution draws: PNGs in base64.

    `own` is empty where there is no picture; `problem` says why.
    """

    title: str
    own: str = ""
    reference: str
    problem: str = ""


class Request(_Model):
    """What a student asked to have looked at again; `answer` is empty while nobody has."""

    task: str
    text: str
    at: str
    answer: str = ""


class Versions(_Model):
    """What graded: the same submission, seed and versions give the same result."""

    gapgrade: str
    sheet: str
    tests: str
    torch: str


class Result(_Model):
    """One submission's result.

    `score` is what counts: points, bonus points among them, less deductions; `bonus` is the part of it that came from
    bonus tasks; `pending` is what a person may still give. `edits` holds, by file, the diff of what was edited
    outside the gaps and undone. `extended_until` is when this submission was due where it had an extension.
    """

    schema_: Annotated[Literal["gapgrade/result/v1"], Field(alias="schema")] = "gapgrade/result/v1"
    sheet: str
    title: str
    submission: str
    graded_at: str
    seed: int
    sandbox: Mode
    score: Number
    max_score: Number
    bonus: Number
    max_bonus: Number
    pass_mark: Number
    passed: bool
    pending: Number
    advisory: bool
    tasks: tuple[TaskResult, ...]
    rules: tuple[RuleResult, ...]
    edits: dict[str, str] = {}
    extended_until: str | None = None
    pictures: tuple[Picture, ...] = ()
    requests: tuple[Request, ...] = ()
    versions: Versions

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    def to_json(self) -> str:
        """The object as JSON text, checked against the published schema."""
        data = self.model_dump(mode="json", by_alias=True)
        _validator().validate(data)
        return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Result:
        data = json.loads(text, parse_float=Decimal)
        _validator().validate(json.loads(text))
        return cls.model_validate(data)


def make_schema() -> dict[str, Any]:
    """The JSON Schema of a result, as `grader/result.schema.json` publishes it."""
    schema = Result.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **schema}


@functools.cache
def published_schema() -> dict[str, Any]:
    """The schema that is published with this version."""
    schema: dict[str, Any] = json.loads(resources.files("grader").joinpath("result.schema.json").read_text())
    return schema


@functools.cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(published_schema())
