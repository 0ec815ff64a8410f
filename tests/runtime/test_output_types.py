"""Answers as values: `response_format` takes types, and `response.parsed` holds one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest

from betterai.core.exceptions import OutputInvalidError, ValidationError
from betterai.core.tools import JsonObject, JsonSchema, PlainText
from betterai.runtime.schema import make_name, read_response_format
from runtime.providers import ask, connect
from runtime.upstream import Upstream, answer, completion, reply, stream, streamed


class StructPoint(msgspec.Struct):
    x: int
    label: str


@dataclass
class DataPoint:
    x: int
    label: str


class DictPoint(TypedDict):
    x: int
    label: str


class ModelPoint(pydantic.BaseModel):
    x: int
    label: str


TEXT = '{"x": 1, "label": "a"}'
TYPES: dict[str, tuple[Any, Any]] = {
    "struct": (StructPoint, StructPoint(1, "a")),
    "dataclass": (DataPoint, DataPoint(1, "a")),
    "typed dict": (DictPoint, {"x": 1, "label": "a"}),
    "pydantic": (ModelPoint, ModelPoint(x=1, label="a")),
    "mapping": ({"type": "object", "properties": {"x": {"type": "integer"}}}, {"x": 1, "label": "a"}),
    "schema": (JsonSchema(name="point", schema={"type": "object"}), {"x": 1, "label": "a"}),
    "json object": (JsonObject(), {"x": 1, "label": "a"}),
    "wrapped": ({"type": "json_schema", "json_schema": {"name": "p", "schema": {}}}, {"x": 1, "label": "a"}),
}
WAYS = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])


def script(text: str, streaming: bool) -> Any:
    return stream(streamed((text[:5], text[5:]))) if streaming else answer(text)


@WAYS
@pytest.mark.parametrize("name", TYPES)
async def test_an_answer_is_read_as_the_type(name: str, streaming: bool) -> None:
    kind, value = TYPES[name]
    with Upstream(script(TEXT, streaming)) as upstream:
        response = await ask(connect(upstream.url), streaming=streaming, response_format=kind)
    assert response.parsed == value
    assert type(response.parsed) is type(value)
    assert response.content == TEXT


@pytest.mark.parametrize("name", ["struct", "dataclass", "typed dict", "pydantic"])
async def test_a_type_is_sent_as_a_closed_schema_that_is_enforced(name: str) -> None:
    kind, _ = TYPES[name]
    with Upstream(answer(TEXT)) as upstream:
        await ask(connect(upstream.url), response_format=kind)
        sent = upstream.requests[0].body["response_format"]
    assert sent["type"] == "json_schema"
    inner = sent["json_schema"]
    assert (inner["name"], inner["strict"]) == (kind.__name__, True)
    schema = inner["schema"]
    assert schema["type"] == "object"
    assert schema["properties"]["x"]["type"] == "integer"
    assert sorted(schema["required"]) == ["label", "x"]
    assert schema["additionalProperties"] is False


BROKEN = {
    "no json": "Sorry, I cannot.",
    "wrong type": '{"x": "one", "label": "a"}',
    "missing": '{"x": 1}',
    "cut": '{"x": 1, "la',
    "empty": "",
    "nested": '{"x": ' + "[" * 50_000,
    "twice": TEXT + TEXT,
}


@WAYS
@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize("name", ["struct", "dataclass", "typed dict", "pydantic", "mapping"])
async def test_an_answer_that_does_not_fit_is_an_error_that_holds_it(name: str, text: str, streaming: bool) -> None:
    if name == "mapping" and text in ("wrong type", "missing"):
        text = "no json"  # a plain schema is not checked
    with Upstream(script(BROKEN[text], streaming)) as upstream, pytest.raises(OutputInvalidError) as caught:
        await ask(connect(upstream.url), streaming=streaming, response_format=TYPES[name][0])
    response = caught.value.response
    assert response is not None
    assert (response.content, response.tokens_used) == (BROKEN[text], 9)
    assert response.parsed is None


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": NaN}'])
async def test_x10_plain_json_is_read_strictly(text: str) -> None:
    with Upstream(answer(text)) as upstream, pytest.raises(OutputInvalidError):
        await ask(connect(upstream.url), response_format=JsonObject())


async def test_an_answer_that_was_cut_off_says_what_to_do() -> None:
    body = completion('{"x": 1')
    body["choices"][0]["finish_reason"] = "length"
    with Upstream(reply(200, body)) as upstream, pytest.raises(OutputInvalidError, match="max_tokens"):
        await ask(connect(upstream.url), response_format=StructPoint)


async def test_a_refusal_or_a_tool_call_is_not_read() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    for message in ({"refusal": "I will not."}, {"tool_calls": [call]}):
        body = completion("")
        body["choices"][0]["message"] = {"role": "assistant", "content": None, **message}
        with Upstream(reply(200, body)) as upstream:
            response = await ask(connect(upstream.url), response_format=StructPoint)
        assert response.parsed is None


@pytest.mark.parametrize("value", [PlainText(), {"type": "text"}, None])
async def test_plain_text_is_not_read_as_json(value: Any) -> None:
    with Upstream(answer("Hello")) as upstream:
        response = await ask(connect(upstream.url), response_format=value)
    assert (response.content, response.parsed) == ("Hello", None)


class Colour(Enum):
    RED = "red"


class Tree(msgspec.Struct):
    value: int
    children: list[Tree]


class Odd(msgspec.Struct):
    colour: Colour
    size: Literal["s", "l"]
    count: Annotated[int, msgspec.Meta(ge=0)]
    note: str | None
    tree: Tree


async def test_t4_nested_and_recursive_types_are_read() -> None:
    value = {"colour": "red", "size": "s", "count": 0, "note": None, "tree": {"value": 1, "children": []}}
    with Upstream(answer(json.dumps(value))) as upstream:
        response = await ask(connect(upstream.url), response_format=Odd)
        schema = upstream.requests[0].body["response_format"]["json_schema"]["schema"]
    assert response.parsed == Odd(Colour.RED, "s", 0, None, Tree(1, []))
    assert schema["$defs"]["Tree"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}


class Uncheckable(pydantic.BaseModel):
    work: Any

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        raise pydantic.errors.PydanticInvalidForJsonSchema("no schema for this")


class Unresolvable(msgspec.Struct):
    x: Nowhere  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    "value",
    [5, "json", object(), Uncheckable, Unresolvable, lambda: None, ...],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_what_is_no_type_is_refused_with_what_to_pass(value: Any) -> None:
    with pytest.raises(ValidationError, match="response_format cannot be"):
        read_response_format(value)


@pytest.mark.parametrize(
    ("title", "name"),
    [("My title!", "My_title"), ("Box[int]", "Box_int"), ("ü", "output"), ("a" * 90, "a" * 64), ("", "output")],
)
def test_names_of_schemas_are_ones_that_providers_take(title: str, name: str) -> None:
    assert make_name(title) == name
    read = read_response_format({"title": title, "type": "object"}).schema
    assert isinstance(read, JsonSchema)
    assert read.name == name
