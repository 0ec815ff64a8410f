"""Messages, the client half: settings as fields of the body, each sent, reported or refused."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from betterai.core.exceptions import UnsupportedParam
from betterai.core.message import CacheMark, Message, Text
from betterai.core.settings import PromptCache, WebSearch
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.wire.anthropic_messages import AnthropicMessages
from betterai.wire.anthropic_messages.client import DEFAULT_MAX_TOKENS
from wire.messages import CODEC, HELLO, build, fields_of, make_call, model, parse, reply, sent

A, B = Tool(name="a"), Tool(name="b")
EPHEMERAL = {"type": "ephemeral"}


def headers(**settings: Any) -> dict[str, str]:
    return dict(CODEC.build_request(make_call(**settings)).headers)


# ── the limit ──


def test_the_limit_is_the_callers_else_the_models_else_a_constant() -> None:
    assert sent(max_tokens=0)["max_tokens"] == 0
    assert sent(of=model(limit=64000))["max_tokens"] == 64000
    assert sent(of=model(limit=None))["max_tokens"] == DEFAULT_MAX_TOKENS


def test_a_budget_of_thinking_has_room_in_the_limit() -> None:
    assert sent(of=model(limit=None), reasoning=8000)["max_tokens"] == DEFAULT_MAX_TOKENS + 8000
    body, warnings = build(reasoning=8000, max_tokens=4000)
    assert (body["thinking"]["budget_tokens"], fields_of(warnings)) == (3999, ["reasoning"])
    with pytest.raises(UnsupportedParam, match="max_tokens"):
        build(reasoning=8000, max_tokens=1000)


def test_an_answer_that_was_cut_at_our_constant_says_so() -> None:
    cut = reply({"type": "text", "text": "x"}, stop="max_tokens")
    unlisted = make_call(of=model(limit=None))
    assert fields_of(parse(cut, unlisted).warnings) == ["max_tokens"]
    assert parse(cut, make_call()).warnings == ()
    assert parse(cut, make_call(of=model(limit=None), max_tokens=5)).warnings == ()
    assert parse(reply({"type": "text", "text": "x"}), unlisted).warnings == ()


# ── headers ──


def test_the_version_is_the_newest_in_which_the_request_is_valid() -> None:
    assert headers() == {"anthropic-version": "2026-10-21"}
    for setting in ({"temperature": 0}, {"top_p": 0.5}, {"top_k": 3}):
        assert headers(**setting) == {"anthropic-version": "2023-06-01"}
    assert headers(of=model(sampling="never"), temperature=0) == {"anthropic-version": "2026-10-21"}


def test_a_version_that_is_asked_for_wins() -> None:
    assert headers(options={"anthropic": {"version": "2099-01-01"}})["anthropic-version"] == "2099-01-01"
    assert headers(extra_headers={"Anthropic-Version": "x"}) == {"Anthropic-Version": "x"}


def test_betas_and_the_workspace_are_headers() -> None:
    said = headers(options={"anthropic": {"betas": ["a", "b"], "workspace_id": "w"}})
    assert (said["anthropic-beta"], said["anthropic-workspace-id"]) == ("a,b", "w")


def test_options_go_into_the_body_and_their_objects() -> None:
    body = sent(
        reasoning="high",
        options={"anthropic": {"container": "c", "task_budget": {"total": 5}, "block_binding": {"x": 1}}},
    )
    assert body["container"] == "c"
    assert body["output_config"] == {"effort": "high", "task_budget": {"total": 5}}
    assert body["thinking"] == {"type": "adaptive", "block_binding": {"x": 1}}


def test_an_option_that_there_is_not_is_reported() -> None:
    _, warnings = build(options={"anthropic": {"speeed": "fast"}})
    assert fields_of(warnings) == ["options.anthropic.speeed"]


# ── plain settings ──


def test_what_was_not_set_is_not_sent() -> None:
    assert sent().keys() == {"model", "max_tokens", "messages"}
    assert sent(stream=True)["stream"] is True


def test_a_stop_is_a_list() -> None:
    assert sent(stop="x")["stop_sequences"] == ["x"]
    assert sent(stop=["x", "y"])["stop_sequences"] == ["x", "y"]


def test_only_a_users_id_is_metadata() -> None:
    assert sent(user="ann")["metadata"] == {"user_id": "ann"}
    assert sent(metadata={"user_id": "ann"})["metadata"] == {"user_id": "ann"}
    body, warnings = build(metadata={"k": "v"})
    assert "metadata" not in body
    assert fields_of(warnings) == ["metadata"]


@pytest.mark.parametrize(
    "setting",
    [{"seed": 1}, {"frequency_penalty": 1.0}, {"logit_bias": {"1": 1.0}}, {"min_p": 0.5}, {"verbosity": "low"}, {"store": True},
     {"prediction": "x"}, {"safety_identifier": "x"}, {"logprobs": True}],
)  # fmt: skip
def test_what_only_tunes_is_dropped_with_a_warning(setting: dict[str, Any]) -> None:
    body, warnings = build(**setting)
    assert body.keys() == sent().keys()
    assert fields_of(warnings) == list(setting)


@pytest.mark.parametrize("setting", [{"n": 2}, {"modalities": ["text", "audio"]}, {"response_format": JsonObject()}])
def test_what_changes_the_meaning_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedParam) as caught:
        build(**setting)
    assert caught.value.param in setting


@pytest.mark.parametrize(
    "setting", [{"n": 1}, {"modalities": ["text"]}, {"response_format": PlainText()}, {"web_search": False}]
)
def test_what_asks_for_nothing_is_no_fault(setting: dict[str, Any]) -> None:
    assert build(**setting)[0] == sent()


def test_models_that_think_are_not_sampled_otherwise() -> None:
    body, warnings = build(reasoning="high", temperature=0.5, top_k=3, top_p=0.97)
    assert body["top_p"] == 0.97
    assert not body.keys() & {"temperature", "top_k"}
    assert fields_of(warnings) == ["temperature", "top_k"]
    assert sent(reasoning=2000, max_tokens=4000, temperature=1)["temperature"] == 1
    assert sent(reasoning=False, temperature=0.5)["temperature"] == 0.5


# ── tools ──


def test_a_tool_without_parameters_takes_an_object() -> None:
    assert sent(tools=[A])["tools"] == [{"name": "a", "input_schema": {"type": "object"}}]


def test_a_tool_of_free_text_is_refused() -> None:
    with pytest.raises(UnsupportedParam, match="tools"):
        build(tools=[CustomTool(name="x")])


def test_tools_of_the_provider_have_their_newest_form_or_the_one_that_is_named() -> None:
    tools = sent(
        tools=[ServerTool(type="code_execution"), ServerTool(type="web_search_20250305", config={"name": "web_search"})]
    )["tools"]
    assert tools == [
        {"type": "code_execution_20260521", "name": "code_execution"},
        {"type": "web_search_20250305", "name": "web_search"},
    ]  # fmt: skip


def test_a_search_is_a_tool() -> None:
    place = {"type": "approximate", "approximate": {"country": "CH"}}
    body, warnings = build(web_search=WebSearch(user_location=place, context_size="low"))
    assert body["tools"] == [
        {"type": "web_search_20260318", "name": "web_search", "user_location": {"type": "approximate", "country": "CH"}}
    ]
    assert fields_of(warnings) == ["web_search.context_size"]


@pytest.mark.parametrize(
    ("settings", "written"),
    [
        ({"tool_choice": "auto"}, {"type": "auto"}),
        ({"tool_choice": "required"}, {"type": "any"}),
        ({"tool_choice": "none"}, {"type": "none"}),
        ({"tool_choice": "a"}, {"type": "tool", "name": "a"}),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"tool_choice": "a", "parallel_tool_calls": True}, {"type": "tool", "name": "a", "disable_parallel_tool_use": False}),
    ],
)  # fmt: skip
def test_the_choice_of_a_tool(settings: dict[str, Any], written: dict[str, Any]) -> None:
    assert sent(tools=[A, B], **settings)["tool_choice"] == written


def test_a_choice_without_tools_says_nothing() -> None:
    body, warnings = build(tool_choice="auto", parallel_tool_calls=False)
    assert "tool_choice" not in body
    assert fields_of(warnings) == ["tool_choice", "parallel_tool_calls"]


def test_some_of_the_tools_cannot_be_named() -> None:
    with pytest.raises(UnsupportedParam, match="tool_choice"):
        build(tools=[A, B], tool_choice=ToolChoice(mode="required", names=("a", "b")))


def test_no_tool_is_forced_where_the_model_cannot_be() -> None:
    with pytest.raises(UnsupportedParam, match="forced"):
        build(tools=[A], tool_choice="required", of=model(forced_tools=False))
    with pytest.raises(UnsupportedParam, match="budget"):
        build(tools=[A], tool_choice="a", reasoning=2000, max_tokens=4000)
    assert sent(tools=[A], tool_choice="a", reasoning="high")["tool_choice"]["name"] == "a"


# ── the shape of the answer ──

OBJECT: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}


def test_a_callers_schema_is_changed_with_a_word_only_where_it_would_be_turned_down() -> None:
    closed = {"type": "object", "properties": {}, "additionalProperties": False}
    assert sent(response_format=JsonSchema(schema=closed))["output_config"]["format"] == {
        "type": "json_schema", "schema": closed,
    }  # fmt: skip
    body, warnings = build(response_format=JsonSchema(schema=OBJECT))
    written = body["output_config"]["format"]["schema"]
    assert written["additionalProperties"] is False
    assert written["properties"]["a"] == {"type": "integer", "description": "{minimum: 1}"}
    assert fields_of(warnings) == ["response_format"]


def test_a_schema_made_of_a_type_is_written_in_the_dialect_without_a_word() -> None:
    assert sent(response_format=JsonSchema(schema=OBJECT, name="x", derived=True))["output_config"]["format"]


def test_what_a_schema_has_beside_is_reported() -> None:
    closed = {"type": "object", "properties": {}, "additionalProperties": False}
    body, warnings = build(response_format=JsonSchema(schema=closed, name="n", strict=False, description="d"))
    assert body["output_config"]["format"]["schema"]["description"] == "d"
    assert fields_of(warnings) == ["response_format.name", "response_format.strict"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}}},
    ],
)
def test_a_schema_that_cannot_be_enforced_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedParam, match="response_format"):
        build(response_format=JsonSchema(schema=schema, derived=True))


def test_a_model_without_schemas_is_not_asked_for_one() -> None:
    with pytest.raises(UnsupportedParam, match="response_format"):
        build(response_format=JsonSchema(schema=OBJECT), of=model(json_schema=False))


# ── caches ──


def test_a_cache_is_automatic_where_it_is_asked_for() -> None:
    assert sent(cache=PromptCache(mode="auto"))["cache_control"] == EPHEMERAL
    assert sent(cache=PromptCache(ttl="1h"))["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    body, warnings = build(cache=PromptCache(key="k", retention="24h"))
    assert "cache_control" not in body
    assert fields_of(warnings) == ["cache.key", "cache.retention"]


def marked(count: int) -> tuple[Message, ...]:
    return tuple(Message(role="user", parts=(Text(text=f"{at}", cache=CacheMark()),)) for at in range(count))


def test_t3_marks_stay_where_they_are() -> None:
    tool = Tool(name="a", cache=CacheMark(ttl="1h"))
    system = Message(role="system", parts=(Text(text="S", cache=CacheMark()),))
    body = sent((system, *marked(2)), tools=[tool])
    assert body["tools"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert body["system"][0]["cache_control"] == EPHEMERAL
    assert [turn["content"][0]["cache_control"] for turn in body["messages"]] == [EPHEMERAL, EPHEMERAL]


@pytest.mark.parametrize(("automatic", "left"), [(False, [2, 3, 4, 5]), (True, [3, 4, 5])])
def test_t3_marks_beyond_the_fourth_are_taken_off_and_none_is_moved(automatic: bool, left: list[int]) -> None:
    given = {"cache": PromptCache(mode="auto")} if automatic else {}
    body, warnings = build(marked(6), **given)
    assert [at for at, turn in enumerate(body["messages"]) if "cache_control" in turn["content"][0]] == left
    assert fields_of(warnings) == ["messages.cache"]


def test_t3_the_mark_of_a_tool_stands_first_in_the_prompt() -> None:
    body, warnings = build(marked(4), tools=[Tool(name="a", cache=CacheMark())])
    assert "cache_control" not in body["tools"][0]
    assert fields_of(warnings) == ["messages.cache"]


def test_nothing_is_added_to_what_is_not_marked() -> None:
    assert "cache_control" not in str(sent(HELLO, tools=[A]))


# ── vendors ──


class Plain(AnthropicMessages):
    """A server that only speaks the protocol."""

    server_tools = False
    cache_marks = False
    thinking_forms = ("enabled", "disabled")
    efforts = ()
    unsupported: ClassVar = {"web_search": "it has no network", "user": "it knows none"}


def test_a_vendor_says_what_it_does_not_take() -> None:
    for setting in ({"web_search": True}, {"tools": [ServerTool(type="web_search")]}):
        with pytest.raises(UnsupportedParam):
            build(codec=Plain(), **setting)
    body, warnings = build(marked(1), codec=Plain(), user="ann", tools=[Tool(name="a", cache=CacheMark())])
    assert "cache_control" not in str(body)
    assert sorted(fields_of(warnings)) == ["messages.cache", "tools.cache", "user"]


def test_a_vendor_says_how_it_is_asked_to_think() -> None:
    body, warnings = build(codec=Plain(), reasoning="high")
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 16384}
    assert "output_config" not in body
    assert fields_of(warnings) == ["reasoning"]
