"""T4: two hundred schemas through every codec: what is sent, the provider takes, and means what was asked; or it is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from betterai.core.exceptions import UnsupportedParam
from betterai.core.message import Message, ToolCall
from betterai.core.tools import JsonSchema, Tool
from betterai.wire.json_schema import (
    close_objects,
    close_schema,
    fit_gemini_schema,
    from_openapi,
    inline_root,
    make_strict,
    to_openapi,
)
from contract import dialects
from contract.cases import TEXT_CODECS, Case, build, over
from contract.schemas import COUNT, Schema, corpus, sample

OVER_ALL = over(TEXT_CODECS)


def _strict_of(form: Any) -> dialects.Dialect | None:
    return dialects.strict if form.get("strict") else None


def _find_chat(body: Any) -> tuple[Any, dialects.Dialect | None]:
    form = body["response_format"].get("json_schema", body["response_format"])
    return form["schema"], _strict_of(form)


def _find_responses(body: Any) -> tuple[Any, dialects.Dialect | None]:
    if "response_format" in body:
        return _find_chat(body)
    return body["text"]["format"]["schema"], _strict_of(body["text"]["format"])


def _find_converse(body: Any) -> tuple[Any, dialects.Dialect | None]:
    text = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]
    return json.loads(text), dialects.converse


FIND: Mapping[str, Callable[[Any], tuple[Any, dialects.Dialect | None]]] = {
    "openai_chat": _find_chat,
    "openai_responses": _find_responses,
    "anthropic_messages": lambda body: (body["output_config"]["format"]["schema"], dialects.closed),
    "gemini": lambda body: (body["generationConfig"]["responseJsonSchema"], dialects.gemini),
    "bedrock_converse": _find_converse,
    "cohere_chat": lambda body: (body["response_format"]["json_schema"], dialects.cohere),
    "ollama_chat": lambda body: (body["format"], None),
}
"""Where the schema stands in a body, and who judges it: servers with a grammar of their own take any."""


@cache
def root_of(index: int) -> Schema:
    """As `runtime/schema.py` hands it over."""
    return inline_root(corpus()[index])


def test_t4_the_corpus_is_two_hundred_schemas_with_all_there_is() -> None:
    text = json.dumps(corpus())
    assert len({json.dumps(schema) for schema in corpus()}) == COUNT == 200
    for word in ("$ref", "$defs", "anyOf", "oneOf", "allOf", "enum", "const", "null", "format", "minimum", "prefixItems",
                 "patternProperties", "additionalProperties", "Node"):  # fmt: skip
        assert text.count(f'"{word}"') >= 5 or text.count(word) >= 20, word
    for schema in corpus():
        Draft202012Validator.check_schema(schema)
    assert not any(word for schema in corpus() for word in dialects._broken_references(schema))


@OVER_ALL
def test_t4_a_derived_schema_is_sent_as_the_provider_takes_it_or_it_is_said(case: Case) -> None:
    sent = 0
    for index in range(COUNT):
        try:
            request = build(case, response_format=JsonSchema(schema=root_of(index), derived=True))
        except UnsupportedParam as error:
            assert error.param == "response_format"  # noqa: PT017 - or it is taken
            continue
        assert isinstance(request.body, bytes)
        schema, dialect = FIND[case.protocol](json.loads(request.body))
        problems = [] if dialect is None else list(dialect(schema))
        assert problems == [], (corpus()[index], schema)
        sent += 1
    supports = build_or_none(case) is not None
    assert sent >= 50 or not supports


def build_or_none(case: Case) -> Any:
    try:
        return build(case, response_format=JsonSchema(schema={"type": "object", "properties": {}}))
    except UnsupportedParam:
        return None


@OVER_ALL
def test_t4_a_callers_own_schema_goes_as_it_was_written_or_it_is_said(case: Case) -> None:
    for index in range(0, COUNT, 4):
        schema = corpus()[index]
        try:
            request = build(case, response_format=JsonSchema(schema=schema))
        except UnsupportedParam:
            continue
        assert isinstance(request.body, bytes)
        sent, _ = FIND[case.protocol](json.loads(request.body))
        assert sent in (schema, inline_root(schema)) or request.warnings


@OVER_ALL
def test_t4_parameters_of_tools_and_data_with_ref_in_it_are_untouched(case: Case) -> None:
    data = {"$ref": "#/components/x", "$defs": {"a": {"const": 1.5}}, "nested": [{"$ref": "y"}]}
    text = json.dumps(data)
    history = (
        Message.user(text),
        Message(role="assistant", parts=(ToolCall(id="abcdef123", name="add", arguments=text),)),
        Message.tool("abcdef123", text),
        Message.user("And?"),
    )
    for index in range(0, COUNT, 8):
        request = build(case, messages=history, tools=[Tool(name="add", parameters=corpus()[index])])
        assert isinstance(request.body, bytes)
        found = list(values_in(json.loads(request.body)))
        assert corpus()[index] in found
        assert sum(value == data for value in found) >= 3
        assert not [warning for warning in request.warnings if "schema" in warning.message]


def values_in(value: Any) -> Any:
    """All values of a body; texts that hold an object as that object too."""
    yield value
    if isinstance(value, str) and value.startswith("{"):
        yield json.loads(value)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from values_in(inner)


def _strict(schema: Schema) -> tuple[Any, bool, bool]:
    made = make_strict(schema)
    return made.schema, bool(made.strict), False  # an object that does not say whether it is open is closed


def _closed(schema: Schema) -> tuple[Any, bool, bool]:
    """Closing leaves values out, and takes none in that was not allowed, unless something is only told."""
    made = close_schema(schema)
    told = any("told" in change for change in made.changes) or bool(made.problem) or "oneOf" in json.dumps(schema)
    return made.schema, not told, not told and not made.changes


DIALECTS: Mapping[str, Callable[[Schema], tuple[Any, bool, bool]]] = {
    "strict": _strict,
    "closed": _closed,
    "gemini": lambda schema: (fit_gemini_schema(schema), True, True),
    "converse": lambda schema: (close_objects(schema), "oneOf" not in json.dumps(schema), False),
    "openapi and back": lambda schema: (from_openapi(to_openapi(schema)), True, True),
}
"""The schema as written; whether each of its values is one of the original's, and whether the reverse holds."""


@pytest.mark.parametrize("name", DIALECTS)
def test_t4_values_of_the_written_schema_are_values_of_the_original_where_we_say_so(name: str) -> None:
    checked = 0
    for index in range(COUNT):
        original, random = root_of(index), Random(index)
        written, narrower, wider = DIALECTS[name](original)
        before, after = Draft202012Validator(original), Draft202012Validator(written)
        for value in [sample(original, original, random) for _ in range(6)]:
            was, may = before.is_valid(value), after.is_valid(value)
            assert was or not (narrower and may), (value, original, written)
            assert may or not (wider and was), (value, original, written)
            checked += (narrower and may) or (wider and was)
    assert checked >= 50


def test_t4_openapi_has_its_own_words_for_types() -> None:
    for index in range(COUNT):
        if "patternProperties" not in json.dumps(root_of(index)):
            assert list(dialects.openapi(to_openapi(root_of(index)))) == []
