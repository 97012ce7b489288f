"""The result object, as scripts read it."""

from __future__ import annotations

from grader.result import make_schema, published_schema


def test_the_published_schema_is_the_one_of_the_result_object() -> None:
    assert published_schema() == make_schema(), "write make_schema() as JSON into grader/result.schema.json"
