"""The dialects of JSON Schema that Gemini has."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from betterai.runtime.schema import read_response_format
from betterai.wire.json_schema import fit_gemini_schema, from_openapi, to_openapi

LOWER: dict[str, Any] = {
    "type": "object",
    "properties": {"type": {"type": "string", "enum": ["OBJECT"]}, "n": {"type": ["integer", "null"], "default": {"type": "X"}}},
    "anyOf": [{"type": "array", "items": {"type": "number"}}],
    "required": ["type"],
}  # fmt: skip


def test_types_are_in_upper_case_and_null_is_a_word() -> None:
    upper = to_openapi(LOWER)
    assert upper["type"] == "OBJECT"
    assert upper["properties"]["type"] == {"type": "STRING", "enum": ["OBJECT"]}
    assert upper["properties"]["n"] == {"type": "INTEGER", "nullable": True, "default": {"type": "X"}}
    assert upper["anyOf"][0] == {"type": "ARRAY", "items": {"type": "NUMBER"}}
    assert from_openapi(upper) == LOWER


SCHEMAS = st.recursive(
    st.builds(lambda kind: {"type": kind}, st.sampled_from(["string", "integer", ["number", "null"]])),
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items}, inner)
        | st.builds(
            lambda named: {"type": "object", "properties": named},
            st.dictionaries(st.text(max_size=3), inner, max_size=3),
        )
    ),
    max_leaves=6,
)


@given(SCHEMAS)
def test_there_and_back(schema: dict[str, Any]) -> None:
    assert from_openapi(to_openapi(schema)) == schema


class Part(BaseModel):
    kind: Literal["a"]


class Whole(BaseModel):
    main: Part = Field(description="the main one")
    others: list[Part]


class Struct(msgspec.Struct):
    main: Literal["x"]


@pytest.mark.parametrize("kind", [Whole, Struct])
def test_derived_schemas_use_only_what_is_enforced(kind: type) -> None:
    derived = read_response_format(kind).schema
    schema = fit_gemini_schema(derived.schema)  # type: ignore[union-attr, arg-type]

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            assert "const" not in value
            assert "$ref" not in value or len(value) == 1
            for inner in value.values():
                walk(inner)

    walk(schema)
    assert schema["type"] == "object"


def test_a_reference_with_words_beside_it_keeps_them() -> None:
    schema = fit_gemini_schema(Whole.model_json_schema())
    assert schema["properties"]["main"] == {"anyOf": [{"$ref": "#/$defs/Part"}], "description": "the main one"}
    assert schema["$defs"]["Part"]["properties"]["kind"]["enum"] == ["a"]
    assert fit_gemini_schema({"allOf": [{"type": "string"}], "title": "x"}) == {"type": "string", "title": "x"}
