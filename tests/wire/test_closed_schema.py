"""The dialect of JSON Schema in which every object is closed."""

from __future__ import annotations

from typing import Any

import anthropic.lib._parse._transform as official
import pytest
from pydantic import BaseModel, Field

from betterai.wire.json_schema import close_schema

INTEGER = {"type": "integer"}


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def test_what_is_closed_already_stays_as_it_is() -> None:
    schema = {**closed(a=INTEGER, b={"type": "string", "format": "date"}), "required": ["a"], "$schema": "x"}
    assert close_schema(schema).schema == schema
    assert close_schema(schema).changes == ()


def test_objects_are_closed_at_every_depth() -> None:
    inner = {"type": "object", "properties": {"b": INTEGER}}
    found = close_schema({"type": "object", "properties": {"a": {"type": "array", "items": inner}}})
    assert found.schema == closed(a={"type": "array", "items": closed(b=INTEGER)})
    assert found.changes == ("objects were closed",)


def test_properties_may_still_be_left_out() -> None:
    assert "required" not in close_schema({"type": "object", "properties": {"a": INTEGER}}).schema


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("minimum", 1), ("maxLength", 5), ("minItems", 2), ("uniqueItems", True), ("format", "binary"), ("not", {})],
)
def test_what_is_not_enforced_is_told(keyword: str, value: Any) -> None:
    found = close_schema(closed(a={"type": "x", keyword: value, "description": "D"}))
    assert found.schema["properties"]["a"] == {"type": "x", "description": f"D\n\n{{{keyword}: {value}}}"}
    assert keyword in found.changes[0]


def test_names_of_properties_are_no_keywords() -> None:
    schema = closed(minimum=INTEGER, properties=INTEGER, enum=INTEGER)
    assert close_schema(schema).schema == schema


def test_a_reference_in_all_of_stands_alone_or_is_a_problem() -> None:
    """https://platform.claude.com/docs/en/build-with-claude/structured-outputs: `allOf` takes no `$ref`."""
    reference, root = {"$ref": "#/$defs/A"}, {"$defs": {"A": INTEGER}}
    found = close_schema({**closed(a={"allOf": [reference], "description": "D"}), **root})
    assert found.schema == {**closed(a=reference), **root}
    assert "description" in found.changes[0]
    assert close_schema({**closed(a={"allOf": [reference, INTEGER]}), **root}).problem


def test_one_of_several_is_any_of_them() -> None:
    assert close_schema(closed(a={"oneOf": [INTEGER]})).schema == closed(a={"anyOf": [INTEGER]})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": INTEGER},
        {"type": "object", "additionalProperties": True},
        closed(a={"type": "object"}),
        closed(a={"type": "object", "additionalProperties": {}}),
        {"$ref": "#/$defs/A", "$defs": {"A": closed(b={"$ref": "#/$defs/B"}), "B": closed(a={"$ref": "#/$defs/A"})}},
    ],
)
def test_what_cannot_be_said_is_a_problem(schema: dict[str, Any]) -> None:
    assert close_schema(schema).problem


def test_definitions_that_lead_to_others_are_no_circle() -> None:
    schema = {
        **closed(a={"$ref": "#/$defs/A"}),
        "$defs": {"A": closed(b={"$ref": "#/$defs/B"}), "B": closed(c=INTEGER)},
    }
    assert close_schema(schema).problem == ""


class Inner(BaseModel):
    size: int = Field(ge=1, description="how large")
    when: str = Field(json_schema_extra={"format": "date-time"})


class Outer(BaseModel):
    """What is asked for."""

    inner: Inner
    others: list[Inner] = Field(min_length=2)
    either: int | str | None
    code: str = Field(pattern="^[a-z]+$")


def test_it_is_the_dialect_of_the_official_sdk() -> None:
    """But for patterns, which are enforced, and so stay."""
    theirs = official.transform_schema(Outer.model_json_schema())
    theirs["properties"]["code"] = {"type": "string", "title": "Code", "pattern": "^[a-z]+$"}
    assert close_schema(Outer.model_json_schema()).schema == theirs
