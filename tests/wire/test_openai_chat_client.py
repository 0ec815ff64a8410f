"""Chat Completions, the client half: the settings of a request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from betterai.core.exceptions import UnsupportedParam
from betterai.core.message import (
    CacheMark,
    Opaque,
)
from betterai.core.settings import (
    AudioOutput,
    PromptCache,
    ReasoningControl,
    StreamOptions,
    WebSearch,
)
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.wire.reasoning import EFFORTS
from together import each
from wire.chats import (
    CODECS,
    body_of,
    build,
    dropped,
    listed,
    make_call,
    model,
    translated,
)

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PLAIN_MODELS = {name: model(name) for name in CODECS}

# ── T5, T6: what is not set is not sent; what is falsy is ──


def test_t5_a_bare_call_has_model_and_messages_only() -> None:
    for name, codec in CODECS.items():
        request = build(make_call(of=model(name)), codec)
        assert request.body == {"model": "any-model", "messages": [{"role": "user", "content": "Hello"}]}
        assert (request.url, request.reply, request.headers, request.query) == ("/chat/completions", "json", {}, {})
        assert request.warnings == ()


def test_t5_a_stream_adds_what_is_documented() -> None:
    for name, codec in CODECS.items():
        request = build(make_call(of=model(name), stream=True), codec)
        assert request.reply == "sse"
        assert request.body == {
            "model": "any-model",
            "messages": [{"role": "user", "content": "Hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }


FALSY = {
    "temperature": 0, "top_p": 0.0, "max_tokens": 0, "stop": [], "seed": 0, "n": 0, "frequency_penalty": 0,
    "presence_penalty": 0.0, "logit_bias": {}, "logprobs": False, "top_logprobs": 0, "tools": [],
    "parallel_tool_calls": False, "verbosity": "", "modalities": [], "moderation": {}, "service_tier": "",
    "store": False, "metadata": {}, "user": "", "safety_identifier": "",
}  # fmt: skip


@each("name", FALSY)
def test_t6_falsy_values_are_sent(name: str) -> None:
    field = "max_completion_tokens" if name == "max_tokens" else name
    assert body_of(**{name: FALSY[name]}) == {field: FALSY[name]}


@each("name", [*FALSY, "tool_choice", "response_format", "reasoning", "audio", "prediction", "cache",
                                  "web_search"])  # fmt: skip
def test_t6_an_explicit_none_is_null_and_not_absent(name: str) -> None:
    fields = {"max_tokens": "max_completion_tokens", "reasoning": "reasoning_effort", "cache": "prompt_cache_key",
              "web_search": "web_search_options"}  # fmt: skip
    assert body_of(**{name: None}) == {fields.get(name, name): None}


def test_headers_and_query_of_the_caller_travel() -> None:
    request = build(make_call(extra_headers={"x-a": "1"}, extra_query={"q": "2"}, extra_body={"new": 1}))
    assert (request.headers, request.query) == ({"x-a": "1"}, {"q": "2"})
    assert "new" not in request.body  # type: ignore[operator]


# ── settings ──


def test_each_setting_in_its_form() -> None:
    assert body_of(stop="END") == {"stop": "END"}
    assert body_of(cache=PromptCache(key="k", mode="explicit", ttl="30m", retention="24h")) == {
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "prompt_cache_options": {"mode": "explicit", "ttl": "30m"},
    }
    assert body_of(prediction="as before") == {"prediction": {"type": "content", "content": "as before"}}
    assert body_of(audio=AudioOutput(voice="alloy", format="wav")) == {"audio": {"voice": "alloy", "format": "wav"}}
    assert body_of(audio=AudioOutput(voice={"id": "v"})) == {"audio": {"voice": {"id": "v"}}}


def test_web_search() -> None:
    assert body_of(web_search=True) == {"web_search_options": {}}
    assert body_of(web_search=False) == {}
    location = {"type": "approximate", "approximate": {"country": "CH"}}
    assert body_of(web_search=WebSearch(context_size="low", user_location=location)) == {
        "web_search_options": {"search_context_size": "low", "user_location": location}
    }


def test_max_tokens_has_the_name_that_the_model_and_the_caller_want() -> None:
    assert body_of(max_tokens=5) == {"max_completion_tokens": 5}
    assert body_of(max_tokens=5, spelling=frozenset({"max_tokens"})) == {"max_tokens": 5}
    assert body_of(CODECS["deepseek"], max_tokens=5) == {"max_tokens": 5}
    call = make_call(of=listed("openai", "gpt-5"), max_tokens=5, spelling=frozenset({"max_tokens"}))
    request = build(call)
    assert request.body["max_completion_tokens"] == 5  # type: ignore[index, call-overload]
    assert translated(request) == ["max_tokens"]


def test_stream_options() -> None:
    def options(**given: Any) -> Any:
        return body_of(stream=True, stream_options=StreamOptions(**given))["stream_options"]

    assert options() == {"include_usage": True}
    assert options(include_usage=False) == {"include_usage": False}
    assert options(include_obfuscation=False) == {"include_usage": True, "include_obfuscation": False}


@pytest.mark.parametrize("spelling", [None, frozenset({"stream"})])
def test_stream_options_of_a_whole_reply_are_reported(spelling: frozenset[str] | None) -> None:
    request = build(make_call(stream_options=StreamOptions(include_usage=True), spelling=spelling))
    assert dropped(request) == ["stream_options"]
    assert request.body.get("stream") is (False if spelling else None)  # type: ignore[union-attr]


def test_settings_that_the_protocol_has_not_are_reported() -> None:
    request = build(make_call(top_k=5, min_p=0.1))
    assert dropped(request) == ["top_k", "min_p"]
    assert set(request.body) == {"model", "messages"}  # type: ignore[arg-type]


def test_options_of_the_vendor_are_sent_or_reported_and_those_of_others_ignored() -> None:
    options = {"openai": {"new_thing": 1}, "somebody": {"else": 2}}
    request = build(make_call(options=options))
    assert set(request.body) == {"model", "messages"}  # type: ignore[arg-type]
    assert dropped(request) == ["options.openai.new_thing"]


# ── traits of the model ──


def test_sampling_is_left_out_while_the_model_reasons() -> None:
    sampling = {"temperature": 0.5, "top_p": 0.9, "presence_penalty": 1, "frequency_penalty": 1, "logit_bias": {"1": 2},
                "logprobs": True, "top_logprobs": 2}  # fmt: skip
    request = build(make_call(of=listed("openai", "o3-mini"), **sampling))
    assert dropped(request) == list(sampling)
    assert set(request.body) == {"model", "messages"}  # type: ignore[arg-type]
    optional = listed("openai", "gpt-5.1")
    assert "temperature" in build(make_call(of=optional, **sampling)).body  # type: ignore[operator]
    assert dropped(build(make_call(of=optional, reasoning="low", **sampling))) == list(sampling)
    assert dropped(build(make_call(of=optional, reasoning=ReasoningControl(summary="auto"), temperature=1))) == [
        "reasoning.summary"
    ]


def test_stop_that_a_model_does_not_take_raises() -> None:
    with pytest.raises(UnsupportedParam) as caught:
        build(make_call(of=listed("openai", "o4-mini"), stop=["x"]))
    assert caught.value.param == "stop"
    assert (caught.value.provider, caught.value.model) == ("openai", "o4-mini")


def test_tools_that_a_reasoning_model_does_not_take_here_raise() -> None:
    tools = [Tool(name="f")]
    with pytest.raises(UnsupportedParam, match="reasoning='none'"):
        build(make_call(of=listed("openai", "gpt-5.6-sol"), tools=tools))
    allowed = build(make_call(of=listed("openai", "gpt-5.6-sol"), tools=tools, reasoning="none"))
    assert allowed.body["reasoning_effort"] == "none"  # type: ignore[index, call-overload]
    build(make_call(of=listed("openai", "gpt-5.4"), tools=tools))


def test_response_format_that_a_model_does_not_take_raises() -> None:
    with pytest.raises(UnsupportedParam, match="JsonObject"):
        build(make_call(of=model(json_schema=False), response_format=JsonSchema(schema=SCHEMA)))
    assert body_of(response_format=JsonObject()) == {"response_format": {"type": "json_object"}}


# ── reasoning ──


@each(
    ("value", "sent", "said"),
    [
        ("low", "low", []),
        (False, "none", []),
        (True, "medium", ["reasoning"]),
        (0, "none", ["reasoning"]),
        (2048, "low", ["reasoning"]),
        (8192, "medium", ["reasoning"]),
        (100_000, "high", ["reasoning"]),
        (ReasoningControl(enabled=False), "none", []),
        (ReasoningControl(effort="high", enabled=True), "high", []),
        (ReasoningControl(effort="high", enabled=False), "high", ["reasoning"]),
        (ReasoningControl(effort="high", budget=10), "high", ["reasoning"]),
        (ReasoningControl(effort="low", summary="auto", include=False, format="raw"), "low",
         ["reasoning.include", "reasoning.format", "reasoning.summary"]),
    ],
)  # fmt: skip
def test_reasoning_in_every_form(value: Any, sent: str, said: list[str]) -> None:
    request = build(make_call(reasoning=value))
    assert request.body["reasoning_effort"] == sent  # type: ignore[index, call-overload]
    assert [warning.field for warning in request.warnings] == said


@each(
    ("family", "asked", "sent"),
    [
        (("openai", "gpt-5"), "none", "minimal"),
        (("openai", "gpt-5"), "max", "high"),
        (("openai", "gpt-5.6-sol"), "minimal", "low"),
        (("openai", "gpt-6-astra"), "none", "low"),
        (("openai", "gpt-5.5"), "xhigh", "xhigh"),
        (("groq", "qwen/qwen3-32b"), "high", "default"),
        (("groq", "qwen/qwen3-32b"), "minimal", "default"),
        (("groq", "qwen/qwen3-32b"), "none", "none"),
        (("groq", "openai/gpt-oss-120b"), "none", "low"),
        (("groq", "openai/gpt-oss-20b"), "newest", "newest"),
    ],
)
def test_an_effort_that_a_model_has_not_becomes_the_nearest_and_is_reported(
    family: tuple[str, str], asked: str, sent: str
) -> None:
    request = build(make_call(of=listed(*family), reasoning=asked))
    assert request.body["reasoning_effort"] == sent  # type: ignore[index, call-overload]
    assert translated(request) == ([] if asked == sent else ["reasoning"])


@given(
    effort=st.sampled_from(EFFORTS), efforts=st.lists(st.sampled_from([*EFFORTS, "default"]), min_size=1, unique=True)
)
def test_a_thinking_effort_stays_one_where_it_can(effort: str, efforts: list[str]) -> None:
    sent = build(make_call(of=model(efforts=tuple(efforts)), reasoning=effort)).body["reasoning_effort"]  # type: ignore[index, call-overload]
    assert sent in efforts
    assert (sent == effort) == (effort in efforts)
    if effort != "none" and set(efforts) != {"none"}:
        assert sent != "none"


def test_a_model_that_reasons_anyway_is_not_told_to() -> None:
    request = build(make_call(of=listed("openai", "gpt-5.5"), reasoning=True))
    assert set(request.body) == {"model", "messages"}  # type: ignore[arg-type]
    assert request.warnings == ()


def test_a_model_that_does_not_reason_is_not_asked_to() -> None:
    request = build(make_call(of=listed("openai", "gpt-4o"), reasoning="high"))
    assert dropped(request) == ["reasoning"]
    assert "reasoning_effort" not in request.body  # type: ignore[operator]


# ── tools ──


def test_tools_of_every_kind() -> None:
    tools = [
        Tool(name="f", description="does f", parameters=SCHEMA, strict=True),
        Tool(name="bare"),
        Tool(name="empty", description="", parameters={}, strict=False),
        CustomTool(name="c", description="free", format={"type": "grammar", "grammar": {"syntax": "lark"}}),
        ServerTool(type="web_search", config={"size": "low"}),
    ]
    assert body_of(tools=tools)["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "does f", "parameters": SCHEMA, "strict": True}},
        {"type": "function", "function": {"name": "bare"}},
        {"type": "function", "function": {"name": "empty", "description": "", "parameters": {}, "strict": False}},
        {"type": "custom", "custom": {"name": "c", "description": "free",
                                      "format": {"type": "grammar", "grammar": {"syntax": "lark"}}}},
        {"type": "web_search", "size": "low"},
    ]  # fmt: skip


def test_what_only_this_protocol_knows_of_a_tool_is_written_back_and_another_protocols_reported() -> None:
    ours = Opaque(protocol="openai_chat", data=Raw(b'{"function":{"examples":[1]},"x":2}'))
    theirs = Opaque(protocol="anthropic_messages", data=Raw(b'{"y":1}'))
    tools = [Tool(name="f", opaque=ours), Tool(name="g", opaque=theirs), Tool(name="h", cache=CacheMark(ttl="5m"))]
    request = build(make_call(tools=tools))
    assert request.body["tools"] == [  # type: ignore[index, call-overload]
        {"type": "function", "function": {"name": "f", "examples": [1]}, "x": 2},
        {"type": "function", "function": {"name": "g"}},
        {"type": "function", "function": {"name": "h"}},
    ]
    assert dropped(request) == ["tools.opaque", "tools.cache"]


@each(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ("f", {"type": "function", "function": {"name": "f"}}),
        (ToolChoice(), "auto"),
        (ToolChoice(mode="none"), "none"),
        (ToolChoice(mode="none", names=("f",)), "none"),
        (ToolChoice(mode="required"), "required"),
        (ToolChoice(mode="required", names=("f",)), {"type": "function", "function": {"name": "f"}}),
        (ToolChoice(mode="required", names=("c",), kind="custom"), {"type": "custom", "custom": {"name": "c"}}),
        (ToolChoice(mode="auto", names=("f",)),
         {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [
             {"type": "function", "function": {"name": "f"}}]}}),
        (ToolChoice(mode="required", names=("f", "g")),
         {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
             {"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "g"}}]}}),
        (ToolChoice(allowed=({"type": "function", "function": {"name": "f"}},)),
         {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [
             {"type": "function", "function": {"name": "f"}}]}}),
    ],
)  # fmt: skip
def test_tool_choice_in_every_form(choice: Any, sent: Any) -> None:
    assert body_of(tool_choice=choice) == {"tool_choice": sent}


def test_response_formats() -> None:
    full = JsonSchema(name="n", description="d", schema=SCHEMA, strict=False)
    assert body_of(response_format=full)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "n", "description": "d", "schema": SCHEMA, "strict": False},
    }
    bare_schema = body_of(response_format=JsonSchema(schema=SCHEMA))["response_format"]
    assert bare_schema["json_schema"] == {"name": "output", "schema": SCHEMA}
    assert body_of(response_format=PlainText()) == {"response_format": {"type": "text"}}
