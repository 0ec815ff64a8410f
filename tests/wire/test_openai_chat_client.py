"""Chat Completions, the client half: what goes out, and whole replies that come in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from betterai.core.exceptions import ProviderError, RateLimitError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import (
    CacheMark,
    Citation,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.core.settings import (
    AudioOutput,
    PromptCache,
    ReasoningControl,
    StreamOptions,
    WebSearch,
)
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.wire.openai_chat.reasoning import EFFORTS
from wire.chats import (
    CODECS,
    OPENAI,
    bare,
    body_of,
    build,
    chunk,
    dropped,
    listed,
    make_call,
    messages_of,
    model,
    parse,
    stream,
    translated,
    whole,
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


@pytest.mark.parametrize("name", FALSY)
def test_t6_falsy_values_are_sent(name: str) -> None:
    field = "max_completion_tokens" if name == "max_tokens" else name
    assert body_of(**{name: FALSY[name]}) == {field: FALSY[name]}


@pytest.mark.parametrize("name", [*FALSY, "tool_choice", "response_format", "reasoning", "audio", "prediction", "cache",
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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
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


# ── messages ──


def test_messages_of_every_role() -> None:
    assert messages_of(
        Message.system("S"),
        Message(role="developer", parts=(Text(text="D"),)),
        Message(role="user", parts=(Text(text="U"),), name="ann"),
        Message(role="assistant", parts=(Text(text="A"),)),
        Message.tool("call_1", "T"),
    ) == [
        {"role": "system", "content": "S"},
        {"role": "developer", "content": "D"},
        {"role": "user", "content": "U", "name": "ann"},
        {"role": "assistant", "content": "A"},
        {"role": "tool", "tool_call_id": "call_1", "content": "T"},
    ]


def test_the_role_that_a_model_wants_is_reported_when_it_is_another() -> None:
    request = build(make_call([Message.system("S")], of=model(system_role="developer")))
    assert request.body["messages"][0]["role"] == "developer"  # type: ignore[index, call-overload]
    assert translated(request) == ["messages"]


def test_an_assistant_turn_with_parallel_calls_and_their_results() -> None:
    calls = (ToolCall(id="a", name="f", arguments='{"x":1}'), ToolCall(id="b", name="c", arguments="go", kind="custom"))
    results = Message(
        role="tool",
        parts=(
            ToolResult(id="a", parts=(Text(text="1"), Text(text="2"))),
            ToolResult(id="b", name="c", parts=(Text(text="done"),)),
        ),
    )
    assert messages_of(Message(role="assistant", parts=(Text(text="So:"), *calls)), results) == [
        {
            "role": "assistant",
            "content": "So:",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
                {"id": "b", "type": "custom", "custom": {"name": "c", "input": "go"}},
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "a",
            "content": [{"type": "text", "text": "1"}, {"type": "text", "text": "2"}],
        },
        {"role": "tool", "tool_call_id": "b", "name": "c", "content": "done"},
    ]
    assert messages_of(Message(role="assistant", parts=calls[:1])) == [
        {"role": "assistant", "tool_calls": [{"id": "a", "type": "function",
                                              "function": {"name": "f", "arguments": '{"x":1}'}}]}
    ]  # fmt: skip


def test_the_name_of_a_tool_may_stand_at_its_message() -> None:
    named = Message(role="tool", name="f", parts=(ToolResult(id="a", parts=(Text(text="1"),)),))
    assert messages_of(named) == [{"role": "tool", "tool_call_id": "a", "content": "1", "name": "f"}]


def test_media_of_every_kind() -> None:
    sound = Media(kind="audio", mime_type="audio/wav", base64="QUJD")
    parts = (
        Text(text="Look"),
        MediaPart(media=Media(kind="image", url="https://example.com/a.png"), detail="low"),
        MediaPart(media=Media(kind="image", mime_type="image/png", data=b"abc")),
        MediaPart(media=sound),
        MediaPart(media=Media(kind="audio", mime_type="audio/mpeg", data=b"abc")),
        MediaPart(media=Media(kind="document", mime_type="application/pdf", data=b"abc", filename="a.pdf")),
        MediaPart(media=Media(kind="document", file_id="file-1")),
        MediaPart(media=Media(kind="document", file_id="file-1", filename="b.pdf")),
    )
    assert messages_of(Message(role="user", parts=parts))[0]["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,YWJj"}},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "YWJj", "format": "mp3"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,YWJj"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "file": {"file_id": "file-1", "filename": "b.pdf"}},
    ]


@pytest.mark.parametrize(
    "media",
    [
        Media(kind="video", url="https://example.com/a.mp4"),
        Media(kind="document", url="https://example.com/a.pdf"),
        Media(kind="audio", data=b"abc"),
    ],
)
def test_media_that_cannot_be_sent_raises(media: Media) -> None:
    with pytest.raises(UnsupportedParam) as caught:
        messages_of(Message.user("Look", media))
    assert caught.value.param == "media"


def test_media_in_a_tool_result_raises() -> None:
    picture = MediaPart(media=Media(kind="image", url="https://example.com/a.png"))
    with pytest.raises(UnsupportedParam, match="user message"):
        messages_of(Message(role="tool", parts=(ToolResult(id="a", parts=(picture,)),)))


def test_spoken_answers_go_back_by_their_id() -> None:
    spoken = MediaPart(media=Media(kind="audio", file_id="audio_1", base64="QUJD", transcript="Hi"))
    assert messages_of(Message(role="assistant", parts=(spoken,))) == [
        {"role": "assistant", "audio": {"id": "audio_1"}}
    ]


def test_refusals_go_back() -> None:
    assert messages_of(Message(role="assistant", parts=(Refusal(text="No"),))) == [
        {"role": "assistant", "refusal": "No"}
    ]


def test_cache_marks() -> None:
    parts = (Text(text="long", cache=CacheMark(ttl="30m")), Text(text="b", cache=CacheMark(mode="explicit")))
    assert messages_of(Message(role="user", parts=parts))[0]["content"] == [
        {"type": "text", "text": "long", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
        {"type": "text", "text": "b", "prompt_cache_breakpoint": {"mode": "explicit"}},
    ]


def test_what_the_protocol_cannot_say_of_a_message_is_reported() -> None:
    turn = (
        Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A", citations=(Citation(url="u"),)))),
        Message.tool("a", "boom", is_error=True),
        Message(role="assistant", parts=(ToolCall(id="s", name="search", server=True),)),
        Message(role="user", parts=(Text(text="x", opaque=Opaque(protocol="gemini", data=Raw(b"{}"))),)),
    )
    request = build(make_call(turn))
    assert dropped(request) == ["messages.reasoning", "messages.is_error", "messages.tool_calls", "messages.opaque"]
    assert "hm" not in json.dumps(request.body)
    assert request.body["messages"][2] == {"role": "assistant", "content": ""}  # type: ignore[index, call-overload]


def test_reasoning_details_go_back_to_who_gave_them_and_to_nobody_else() -> None:
    details = [{"type": "reasoning.encrypted", "data": "abc=", "index": 0}]
    answer = parse(whole({"content": "A", "reasoning": "hm", "reasoning_details": details}))
    assert answer.reasoning == "hm"
    back = build(make_call([answer.message]))  # type: ignore[list-item]
    assert back.body["messages"] == [{"role": "assistant", "content": "A", "reasoning_details": details}]  # type: ignore[index, call-overload]
    assert back.warnings == ()
    elsewhere = build(make_call([answer.message], of=model("groq")), CODECS["groq"])  # type: ignore[list-item]
    assert elsewhere.body["messages"] == [{"role": "assistant", "content": "A", "reasoning": "hm"}]  # type: ignore[index, call-overload]
    assert dropped(elsewhere) == ["messages.opaque"]


def test_a_model_that_takes_no_thoughts_gets_none() -> None:
    message = Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A")))
    request = build(make_call([message], of=model("groq", replay_reasoning="never")), CODECS["groq"])
    assert request.body["messages"] == [{"role": "assistant", "content": "A"}]  # type: ignore[index, call-overload]
    assert dropped(request) == ["messages.reasoning"]


# ── whole replies ──


def test_a_whole_reply() -> None:
    response = parse(whole(usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}))
    assert (response.content, response.model, response.id) == ("Hi", "m-1", "chatcmpl-1")
    assert (response.finish_reason, response.raw_finish_reason, response.tokens_used) == ("stop", "stop", 5)
    assert response.message == Message(role="assistant", parts=(Text(text="Hi"),))
    assert response.raw["choices"][0]["message"]["content"] == "Hi"


def test_t7_unknown_fields_of_a_reply_stay_in_raw() -> None:
    body = whole({"content": "Hi", "new": {"deep": [1]}}, newest=True)
    assert parse(body).raw == body


def test_tool_calls_of_a_reply() -> None:
    calls = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"é": "\\u00e9"}'}},
        {"id": "b", "type": "custom", "custom": {"name": "c", "input": "go"}},
        {"type": "function", "function": {"name": "g", "arguments": {"x": [1, "é"]}}},
        {"id": "d", "type": "function", "function": {"name": "h", "arguments": None}},
    ]
    response = parse(whole({"content": None, "tool_calls": calls}, "tool_calls"))
    assert response.tool_calls == (
        ToolCall(id="a", name="f", arguments='{"é": "\\u00e9"}', index=0),
        ToolCall(id="b", name="c", arguments="go", index=1, kind="custom"),
        ToolCall(id="call_c1_0_2", name="g", arguments='{"x":[1,"é"]}', index=2),
        ToolCall(id="d", name="h", arguments="", index=3),
    )
    assert response.content == ""
    assert [call.parse_arguments() for call in response.tool_calls if call.kind == "function"] == [
        {"é": "é"}, {"x": [1, "é"]}, {},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', '{"a":NaN}', "[Infinity]", "-Infinity", '{"a":', '{"b":{"a":1,"a":1}}']
)
def test_x10_arguments_that_are_no_strict_json_are_refused(text: str) -> None:
    call = parse(whole({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": text}}]})).tool_calls[0]
    assert call.arguments == text
    with pytest.raises(ValueError):
        call.parse_arguments()


def test_a_legacy_function_call_is_a_tool_call() -> None:
    response = parse(whole({"content": None, "function_call": {"name": "f", "arguments": "{}"}}, "function_call"))
    assert response.tool_calls == (ToolCall(id="call_c1_0_0", name="f", arguments="{}"),)
    assert (response.finish_reason, response.raw_finish_reason) == ("tool_calls", "function_call")


@pytest.mark.parametrize(
    "message",
    [
        {"content": "A", "reasoning_content": "hm"},
        {"content": "A", "reasoning": "hm"},
        {"content": "A", "reasoning": "hm", "reasoning_content": "hm"},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}]},
                     {"type": "text", "text": "A"}]},
        {"content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "A"}]},
    ],
)  # fmt: skip
def test_reasoning_in_every_spelling(message: dict[str, Any]) -> None:
    response = parse(whole(message))
    assert (response.reasoning, response.content) == ("hm", "A")
    assert response.message.parts == (Reasoning(text="hm"), Text(text="A"))  # type: ignore[union-attr]
    assert bare(stream(chunk(message), chunk(finish="stop"))) == bare(response)


@pytest.mark.parametrize("details", [None, [], "text", {}])
def test_reasoning_details_that_are_no_list_of_any_are_passed_over(details: Any) -> None:
    assert parse(whole({"content": "A", "reasoning_details": details})).message == Message.assistant("A")


def test_annotations() -> None:
    cited = {
        "type": "url_citation",
        "url_citation": {"url": "https://e.com", "title": "E", "start_index": 1, "end_index": 4},
    }
    other = {"type": "file_citation", "file_citation": {"file_id": "f"}}
    response = parse(whole({"content": "See E", "annotations": [cited, other]}))
    assert response.message.parts == (  # type: ignore[union-attr]
        Text(text="See E", citations=(Citation(url="https://e.com", title="E", start=1, end=4),)),
    )


def test_refusals() -> None:
    response = parse(whole({"content": None, "refusal": "I will not"}))
    assert (response.finish_reason, response.raw_finish_reason) == ("refusal", "stop")
    assert response.message.parts == (Refusal(text="I will not"),)  # type: ignore[union-attr]


def test_spoken_and_drawn_answers() -> None:
    message = {
        "content": None,
        "audio": {"id": "audio_1", "data": "QUJD", "expires_at": 5, "transcript": "Hi"},
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,YWJj"}}],
    }
    response = parse(whole(message), call=make_call(audio=AudioOutput(voice="alloy", format="wav")))
    assert response.media == (
        Media(kind="image", mime_type="image/png", base64="YWJj"),
        Media(kind="audio", mime_type="audio/wav", base64="QUJD", file_id="audio_1", transcript="Hi"),
    )


def test_logprobs() -> None:
    content = [{"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": [{"token": "Ho", "logprob": -2}]}]
    body = whole()
    body["choices"][0]["logprobs"] = {"content": content, "refusal": None}
    (token,) = parse(body).logprobs or ()
    assert (token.token, token.logprob, token.bytes) == ("Hi", -0.1, (72, 105))
    assert (token.top_logprobs[0].token, token.top_logprobs[0].logprob, token.top_logprobs[0].bytes) == ("Ho", -2, None)


@pytest.mark.parametrize("logprobs", [None, -1.78e-06, [], {}, {"content": None}, {"content": []}, {"content": "text"},
                                      {"tokens": ["a"], "token_logprobs": [-1]}])  # fmt: skip
def test_logprobs_in_other_forms_do_not_spoil_the_answer(logprobs: Any) -> None:
    body = whole()
    body["choices"][0]["logprobs"] = logprobs
    assert (parse(body).content, parse(body).logprobs) == ("Hi", None)
    assert stream(chunk({"content": "Hi"}, logprobs=logprobs), chunk(finish="stop")).content == "Hi"


def test_sparse_logprobs_are_read() -> None:
    body = whole()
    body["choices"][0]["logprobs"] = {"content": [{"token": "a", "logprob": None, "bytes": None, "top_logprobs": None}]}
    (token,) = parse(body).logprobs or ()
    assert (token.logprob, token.bytes, token.top_logprobs) == (-9999.0, None, ())


def test_several_answers_in_their_order() -> None:
    body = whole()
    body["choices"] = [
        {"index": 1, "message": {"content": "B"}, "finish_reason": "length"},
        {"index": 0, "message": {"content": "A"}, "finish_reason": "stop"},
    ]
    response = parse(body)
    assert (response.content, response.finish_reason) == ("A", "stop")
    assert [(other.content, other.finish_reason) for other in response.alternatives] == [("B", "length")]


def test_text_completions_are_read_too() -> None:
    response = parse({"id": "cmpl-1", "choices": [{"text": "Hi", "index": 0, "finish_reason": "length"}]})
    assert (response.content, response.finish_reason, response.model) == ("Hi", "length", "any-model")


# ── T9: finish reasons ──

FINISH = [
    ("stop", False, False, "stop"),
    ("stop", True, False, "refusal"),
    ("stop", False, True, "stop"),
    ("length", False, False, "length"),
    ("length", True, False, "length"),
    ("tool_calls", False, True, "tool_calls"),
    ("function_call", False, True, "tool_calls"),
    ("content_filter", False, False, "content_filter"),
    ("content_filter", True, False, "content_filter"),
    ("error", False, False, "error"),
    ("", False, True, "tool_calls"),
    ("", False, False, "other"),
    ("eos", False, False, "other"),
    ("STOP", False, False, "other"),
    ("insufficient_system_resource", False, False, "other"),
]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize(("word", "refused", "called", "ours"), FINISH)
def test_t9_finish_reasons_whole_and_streamed(codec: Any, word: str, refused: bool, called: bool, ours: str) -> None:
    message: dict[str, Any] = {"content": "x"}
    if refused:
        message["refusal"] = "No"
    if called:
        message["tool_calls"] = [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]
    response = parse(whole(message, word), codec)
    assert (response.finish_reason, response.raw_finish_reason) == (ours, word)
    streamed = stream(chunk(message), chunk(finish=word), codec=codec)
    assert (streamed.finish_reason, streamed.raw_finish_reason) == (ours, word)


def test_no_finish_reason_is_none() -> None:
    response = parse(whole(finish=None))
    assert (response.finish_reason, response.raw_finish_reason) == (None, "")


# ── replies that are none ──


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'"text"', b"{", b"[" * 100_000, b'{"x":' * 100_000,
                                  b'{"choices": 5}', b"\xff\xfe", b'{"choices":[{"message":{"content":5}}]}'])  # fmt: skip
def test_bodies_that_are_no_reply(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        parse(body)
    assert caught.value.code in ("unreadable_reply", "no_choices")
    assert (caught.value.status, caught.value.body, caught.value.retryable) == (200, body[:65536], False)


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"choices": None, "usage": {"prompt_tokens": 1}}])
def test_replies_without_choices(body: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        parse(body)
    assert caught.value.code == "no_choices"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "slow down", "type": "rate_limit_error", "code": None}},
        {"error": {"message": "slow down", "code": 429}},
        {"error": {"message": "slow down", "code": "429"}},
        {"error": {"message": "slow down", "status_code": 429}},
        {"error": {"message": "slow down"}, "status_code": 429},
        {"object": "error", "message": "slow down", "type": "RateLimitError", "code": 429},
        {"error": {"message": "slow down", "code": "rate_limit_exceeded"}, "choices": [{"message": {"content": "x"}}]},
    ],
)
def test_an_error_inside_a_200_is_the_error_that_it_would_have_been(body: Any) -> None:
    for read in (lambda: parse(body), lambda: stream(chunk({"content": "a"}), body)):
        with pytest.raises(RateLimitError) as caught:
            read()
        assert (caught.value.provider_message, caught.value.status, caught.value.retryable) == ("slow down", 429, True)


@pytest.mark.parametrize("error", ["", {}, [], False, None])
def test_an_empty_error_is_none(error: Any) -> None:
    assert parse(whole(error=error)).content == "Hi"
    assert stream({**chunk({"content": "Hi"}), "error": error}, chunk(finish="stop")).content == "Hi"


def test_codecs_are_what_they_say() -> None:
    for codec in CODECS.values():
        assert codec.protocol == "openai_chat"
    assert OPENAI.accepts["audio"] == {"bytes"}
