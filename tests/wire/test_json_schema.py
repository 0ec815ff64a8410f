"""Schemas in the strict dialect: closed where that keeps their meaning, else as they are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from betterai.wire.json_schema import make_strict
from together import each

TEXT = {"type": "string"}


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def open_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def test_objects_are_closed_at_every_depth() -> None:
    schema = open_object(
        a=TEXT,
        b=open_object(c=TEXT),
        d={"type": "array", "items": open_object(e=TEXT)},
        f={"anyOf": [open_object(g=TEXT), {"type": "null"}]},
        h={**open_object(i=TEXT), "type": ["object", "null"]},
        j={"properties": {"k": TEXT}, "required": ["k"]},
    )
    strict = make_strict(schema)
    assert strict.strict is True
    assert strict.schema == closed(
        a=TEXT,
        b=closed(c=TEXT),
        d={"type": "array", "items": closed(e=TEXT)},
        f={"anyOf": [closed(g=TEXT), {"type": "null"}]},
        h={**closed(i=TEXT), "type": ["object", "null"]},
        j={"properties": {"k": TEXT}, "required": ["k"], "additionalProperties": False},
    )


@each(
    "schema",
    [
        {},
        TEXT,
        {"type": "array", "items": TEXT},
        {"type": "object"},
        {"type": "object", "additionalProperties": TEXT},
        {"type": "object", "properties": {"a": TEXT}},
        {"type": "object", "properties": {"a": TEXT}, "required": []},
        {**open_object(a=TEXT), "additionalProperties": True},
        {**open_object(a=TEXT), "anyOf": [TEXT]},
        {**open_object(a=TEXT), "patternProperties": {"^x": TEXT}},
        open_object(a={"type": "object"}),
        open_object(a={"type": "object", "additionalProperties": TEXT}),
        open_object(a={"oneOf": [TEXT]}),
        open_object(a={"allOf": [TEXT]}),
        open_object(a={"type": "string", "default": "x"}),
        open_object(a={"type": ["object", "null"], "properties": {"b": TEXT}}),
        open_object(a={"$ref": "#/$defs/Missing", "description": "d"}),
    ],
)
def test_what_cannot_be_closed_stays_as_it_is(schema: dict[str, Any]) -> None:
    before = json.dumps(schema)
    strict = make_strict(schema)
    assert (strict.schema, strict.strict) == (schema, None)
    assert json.dumps(schema) == before


def test_properties_may_be_named_like_keywords() -> None:
    schema = open_object(required=TEXT, properties=TEXT, type=TEXT, default=TEXT, oneOf=TEXT, enum=open_object(a=TEXT))
    strict = make_strict(schema)
    assert strict.strict is True
    assert strict.schema["properties"]["enum"] == closed(a=TEXT)


def test_values_are_not_schemas() -> None:
    values = {"enum": [{"type": "object"}], "const": {"type": "object", "properties": {}}}
    assert make_strict(open_object(a=values)).schema["properties"]["a"] == values


def test_references() -> None:
    inner = open_object(x=TEXT)
    strict = make_strict(
        {"$ref": "#/$defs/Root", "$defs": {"Root": open_object(a={"$ref": "#/$defs/In"}), "In": inner}}
    )
    assert (strict.strict, strict.schema["type"], list(strict.schema["$defs"])) == (True, "object", ["In"])
    described = make_strict({**open_object(a={"$ref": "#/$defs/In", "description": "d"}), "$defs": {"In": inner}})
    assert described.strict is True
    assert described.schema["properties"]["a"] == {**closed(x=TEXT), "description": "d"}


def test_schemas_that_hold_themselves() -> None:
    node = open_object(next={"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]})
    strict = make_strict({"$ref": "#/$defs/Node", "$defs": {"Node": node}})
    assert strict.strict is True
    assert strict.schema["$defs"]["Node"]["additionalProperties"] is False
    described = open_object(next={"$ref": "#/$defs/Node", "description": "d"})
    assert make_strict({"$ref": "#/$defs/Node", "$defs": {"Node": described}}).strict is None


class Line(msgspec.Struct):
    text: str
    size: int | None


class Page(msgspec.Struct):
    lines: list[Line]
    head: Line


class Loose(msgspec.Struct):
    words: dict[str, int]


class Optional(msgspec.Struct):
    a: str = "x"


@dataclass
class Data:
    a: str
    b: list[int] = field(default_factory=list)


@pytest.mark.parametrize(
    ("kind", "strict"), [(Line, True), (Page, True), (Loose, None), (Optional, None), (Data, None)]
)
def test_types_of_msgspec(kind: type, strict: bool | None) -> None:
    assert make_strict(msgspec.json.schema(kind)).strict is strict


class Person(BaseModel):
    name: str = Field(description="full")


class Team(BaseModel):
    lead: Person = Field(description="who leads")
    members: list[Person]


class Defaulted(BaseModel):
    name: str = "x"


@pytest.mark.parametrize(("kind", "strict"), [(Person, True), (Team, True), (Defaulted, None)])
def test_types_of_pydantic(kind: type[BaseModel], strict: bool | None) -> None:
    made = make_strict(kind.model_json_schema())
    assert made.strict is strict
    if strict:
        assert not list(refs_with_siblings(made.schema))


def refs_with_siblings(value: Any) -> Any:
    if isinstance(value, dict):
        if "$ref" in value and len(value) > 1:
            yield value
        for item in value.values():
            yield from refs_with_siblings(item)
    elif isinstance(value, list):
        for item in value:
            yield from refs_with_siblings(item)


schemas = st.recursive(
    st.sampled_from(
        [TEXT, {"type": "null"}, {"enum": ["a"]}, {"$ref": "#/$defs/X"}, {"$ref": "#/$defs/X", "title": "t"}]
    ),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["a", "b", "type"]), inner, max_size=2).map(lambda found: open_object(**found)),
        st.dictionaries(st.sampled_from(["a", "b"]), inner).map(lambda found: {"type": "object", "properties": found}),
        st.builds(lambda item: {"type": "array", "items": item}, inner),
        st.builds(lambda item: {"anyOf": [item, {"type": "null"}]}, inner),
        st.builds(lambda item: {"type": "object", "additionalProperties": item}, inner),
    ),
    max_leaves=6,
)


def objects_in(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("type") == "object":
            yield value
        for item in value.values():
            yield from objects_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects_in(item)


@given(schema=schemas, target=schemas)
def test_a_strict_schema_is_closed_everywhere(schema: dict[str, Any], target: dict[str, Any]) -> None:
    made = make_strict({**schema, "$defs": {"X": target}})
    if made.strict:
        for item in objects_in(made.schema):
            assert item["additionalProperties"] is False
            assert item["required"] == list(item["properties"])
        assert not list(refs_with_siblings(made.schema))
