"""GitHub's own schemas: they fill in what a test does not care about, and check every answer."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema

FILE = Path(__file__).parents[1] / "data" / "github-schemas.json"
_TEXTS = {"uri": "https://github.example.org/x", "date-time": "2027-01-01T00:00:00Z"}


def answer(name: str, /, **given: Any) -> dict[str, Any]:
    """An object of a schema with every required field; `given` are those that matter. It is checked."""
    made: dict[str, Any] = _filled({"$ref": f"#/$defs/{name}"}, null=False) | given
    check(name, made)
    return made


def check(name: str, data: Any) -> None:
    """Raise `ValidationError` where an answer or a request is not as the schema has it."""
    _validator(name).validate(data)


@functools.cache
def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return schemas


@functools.cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**_schemas(), "$ref": f"#/$defs/{name}"})


def _filled(schema: dict[str, Any], *, null: bool = True) -> Any:
    """The plainest value of a schema: null where that is allowed, empty lists, required fields only."""
    if "$ref" in schema:
        return _filled(_schemas()["$defs"][schema["$ref"].rpartition("/")[2]], null=null)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return _filled(schema[choice][0])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if null and "null" in kinds:
        return None
    if "enum" in schema:
        return schema["enum"][0]
    if kinds[0] == "object":
        properties = schema.get("properties", {})
        return {key: _filled(properties[key]) for key in schema.get("required", properties) if key in properties}
    plain: dict[str, Any] = {"string": _TEXTS.get(schema.get("format", ""), "x"), "array": []}
    return plain.get(kinds[0], kinds[0] != "boolean" and 1)
