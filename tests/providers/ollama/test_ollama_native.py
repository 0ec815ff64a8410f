"""Ollama's own protocol: what is sent, what comes back, and that it goes back as it came."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import betterai
from betterai.core.exceptions import (
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    StreamInterrupted,
    UnsupportedParam,
)
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, Reasoning, Text, ToolCall, ToolResult
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import ReasoningControl
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, Tool
from betterai.core.usage import Usage
from betterai.core.wire import Event, WireRequest, WireResponse
from betterai.providers.ollama.native import OllamaNative
from betterai.providers.ollama.native.options import OllamaOptions, RunnerOptions
from betterai.providers.ollama.native.requests import OllamaReader
from runtime.upstream import Upstream, stream
from together import each
from wire.chats import bare, dropped, gather, make_call, model, translated

NATIVE = OllamaNative()
ANY = model("ollama", "qwen3:4b")
ARGUMENTS = '{"b": 1.50, "a":[ ]}'
CALL = {"id": "call_1", "function": {"index": 0, "name": "add", "arguments": {"b": 1.5, "a": []}}}
END = {"done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 5}


def sent(*messages: Message, **settings: Any) -> tuple[dict[str, Any], WireRequest]:
    request = NATIVE.build_request(make_call(messages or (Message.user("Hi"),), of=ANY, **settings))
    return msgspec.json.decode(msgspec.json.encode(request.body)), request


def parse(message: dict[str, Any], **fields: Any) -> ProviderResponse:
    body = {"model": "qwen3:4b", "message": {"role": "assistant", **message}, **END, **fields}
    return NATIVE.parse_response(make_call(of=ANY), WireResponse(status=200, body=json.dumps(body).encode()))


def read(lines: Iterable[dict[str, Any] | bytes]) -> list[TextChunk]:
    state = NATIVE.open_stream(make_call(of=ANY, stream=True))
    datas = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    chunks = [chunk for data in datas for chunk in state.parse_event(Event(data=data))]
    return [*chunks, *state.finish()]


def lines_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """A message as the lines of a stream: each letter on its own, each tool call whole."""
    pieces: list[dict[str, Any]] = [
        {name: letter} for name in ("thinking", "content") for letter in message.get(name, "")
    ]
    pieces += [{"tool_calls": [item]} for item in message.get("tool_calls", ())]
    head = {"model": "qwen3:4b", "done": False}
    return [*({**head, "message": {"role": "assistant", "content": "", **piece}} for piece in pieces), {**head, **END}]


def test_settings_are_options_of_the_runner() -> None:
    body, request = sent(
        temperature=0, top_p=0.5, top_k=0, min_p=0.1, seed=0, max_tokens=7, stop="x", frequency_penalty=0.1,
        presence_penalty=0.2, logprobs=True, top_logprobs=2,
        options={"ollama": {"num_ctx": 8192, "keep_alive": 0, "truncate": False, "options": {"mirostat": 1}}},
    )  # fmt: skip
    assert body == {
        "model": "qwen3:4b", "messages": [{"role": "user", "content": "Hi"}], "stream": False, "logprobs": True,
        "top_logprobs": 2, "keep_alive": 0, "truncate": False,
        "options": {
            "temperature": 0, "top_p": 0.5, "top_k": 0, "min_p": 0.1, "seed": 0, "num_predict": 7, "stop": ["x"],
            "frequency_penalty": 0.1, "presence_penalty": 0.2, "num_ctx": 8192, "mirostat": 1,
        },
    }  # fmt: skip
    assert request.warnings == ()


@each("name", sorted(get_type_hints(OllamaOptions)))
def test_each_option_is_sent(name: str) -> None:
    value = {"canary": 17} if name == "options" else 17
    body, request = sent(options={"ollama": {name: value}})
    inside = name in get_type_hints(RunnerOptions) or name == "options"
    assert (body["options"] if inside else body)["canary" if name == "options" else name] == 17
    assert request.warnings == ()


def test_streaming_is_how_it_answers_unless_it_is_told() -> None:
    request = NATIVE.build_request(make_call(of=ANY, stream=True))
    assert request.reply == "ndjson"
    assert isinstance(request.body, dict)
    assert "stream" not in request.body


@pytest.mark.parametrize(
    ("value", "think", "said"),
    [(True, True, []), (False, False, []), ("none", False, []), ("high", "high", []), ("max", "max", []),
     ("minimal", "low", ["reasoning"]), (100, "low", ["reasoning"]), (0, False, ["reasoning"]),
     (ReasoningControl(enabled=True, effort="low"), "low", [])],
)  # fmt: skip
def test_thinking(value: Any, think: Any, said: list[str]) -> None:
    body, request = sent(reasoning=value)
    assert body["think"] == think
    assert translated(request) == said


def test_response_formats() -> None:
    schema = {"type": "object"}
    assert sent(response_format=JsonSchema(schema=schema))[0]["format"] == schema
    assert sent(response_format=JsonObject())[0]["format"] == "json"
    assert sent(response_format=PlainText())[0]["format"] == ""


def test_choices_of_tools() -> None:
    tools = [Tool(name="f")]
    assert "tools" in sent(tools=tools, tool_choice="auto")[0]
    body, request = sent(tools=tools, tool_choice="none")
    assert "tools" not in body
    assert translated(request) == ["tool_choice"]
    for choice in ("required", "f"):
        with pytest.raises(UnsupportedParam, match="tool_choice"):
            sent(tools=tools, tool_choice=choice)
    with pytest.raises(UnsupportedParam):
        sent(tools=[CustomTool(name="c")])


PICTURE = Media(kind="image", mime_type="image/png", data=b"\x89PNG")


def test_a_conversation_with_pictures_and_tools() -> None:
    body, request = sent(
        Message.user("What is it?", PICTURE),
        Message(role="assistant", parts=(Reasoning(text="Hm."), ToolCall(id="c", name="look", arguments=ARGUMENTS))),
        Message(role="tool", parts=(ToolResult(id="c", parts=(Text(text="a cat"), MediaPart(media=PICTURE))),)),
    )
    assert body["messages"] == [
        {"role": "user", "content": "What is it?", "images": ["iVBORw=="]},
        {"role": "assistant", "thinking": "Hm.", "tool_calls": [
            {"id": "c", "function": {"name": "look", "arguments": {"b": 1.5, "a": []}}}]},
        {"role": "tool", "content": "a cat", "images": ["iVBORw=="], "tool_name": "look", "tool_call_id": "c"},
    ]  # fmt: skip
    assert ARGUMENTS.encode() in msgspec.json.encode(request.body)
    assert request.warnings == ()


def test_what_cannot_be_said_is_reported() -> None:
    two = Message(role="user", parts=(Text(text="a"), Text(text="b"), MediaPart(media=PICTURE, detail="low")))
    odd = Message(role="assistant", parts=(ToolCall(id="c", name="f", arguments="not json"),))
    body, request = sent(two, odd)
    assert body["messages"][0]["content"] == "a\nb"
    assert body["messages"][1]["tool_calls"][0]["function"]["arguments"] == {"arguments": "not json"}
    assert translated(request) == ["messages.content", "messages.tool_calls"]
    assert dropped(request) == ["media.detail"]
    with pytest.raises(UnsupportedParam, match="media"):
        sent(Message.user("Hi", Media(kind="image", url="https://h/x.png")))


MESSAGES: dict[str, dict[str, Any]] = {
    "text": {"content": "Hello"},
    "thoughts": {"thinking": "Hm.", "content": "Hello"},
    "calls": {"content": "", "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
    "everything": {"thinking": "Hm.", "content": "Hello", "tool_calls": [CALL]},
}


@pytest.mark.parametrize("name", MESSAGES)
def test_whole_and_streamed_say_the_same(name: str) -> None:
    whole = parse(MESSAGES[name])
    assert gather(read(lines_of(MESSAGES[name])), ANY.id) == bare(whole)
    assert whole.usage == Usage(text_in=9, text_out=5)
    assert whole.raw_finish_reason == "stop"
    assert whole.finish_reason == ("tool_calls" if "tool_calls" in MESSAGES[name] else "stop")


def test_arguments_are_kept_as_they_were_written_and_go_back_so() -> None:
    body = b'{"message":{"content":"","tool_calls":[{"function":{"name":"add","arguments":%b}}]},"done":true}'
    reply = WireResponse(status=200, body=body % ARGUMENTS.encode())
    response = NATIVE.parse_response(make_call(of=ANY), reply)
    [call] = response.tool_calls
    assert (call.id, call.arguments) == ("call_c1_0", ARGUMENTS)
    assert response.message is not None
    stored = msgspec.json.decode(msgspec.json.encode(response.message), type=Message)
    assert ARGUMENTS.encode() in msgspec.json.encode(sent(Message.user("Hi"), stored)[1].body)


def test_thoughts_go_back() -> None:
    message = parse(MESSAGES["everything"]).message
    assert message is not None
    function = {"name": "add", "arguments": {"b": 1.5, "a": []}}
    assert sent(message)[0]["messages"] == [
        {
            "role": "assistant",
            "thinking": "Hm.",
            "content": "Hello",
            "tool_calls": [{"id": "call_1", "function": function}],
        }
    ]


@pytest.mark.parametrize(
    ("word", "ours"), [("stop", "stop"), ("length", "length"), ("load", "other"), ("unload", "other"), ("", "other")]
)
def test_finish_reasons(word: str, ours: str) -> None:
    assert parse({"content": "x"}, done_reason=word).finish_reason == ours


def test_log_probabilities() -> None:
    logprobs = [{"token": "H", "logprob": -0.1, "bytes": [72], "top_logprobs": [{"token": "h", "logprob": -2}]}]
    found = parse({"content": "H"}, logprobs=logprobs).logprobs
    assert found is not None
    assert (found[0].token, found[0].bytes, found[0].top_logprobs[0].logprob) == ("H", (72,), -2)
    lines = [{"message": {"content": "H"}, "logprobs": logprobs, "done": False}, {**END}]
    assert gather(read(lines), ANY.id).logprobs == found


def test_every_cut_is_an_error_that_holds_what_came() -> None:
    lines = lines_of(MESSAGES["everything"])
    for place in range(len(lines)):
        with pytest.raises(StreamInterrupted) as caught:
            read(lines[:place])
        assert caught.value.partial is not None
        assert "Hello".startswith(caught.value.partial.content)


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"message":7}'])
def test_a_line_that_is_none_is_an_error(line: bytes) -> None:
    with pytest.raises(ProviderError, match="readable"):
        read([line])


@pytest.mark.parametrize(
    ("status", "said", "kind", "retryable"),
    [
        (404, "model 'x' not found", ModelNotFoundError, False),
        (503, "server busy, please try again.  maximum pending requests exceeded", OverloadedError, True),
        (200, "an error was encountered while running the model", ProviderError, True),
    ],
)
def test_errors(status: int, said: str, kind: type[ProviderError], retryable: bool) -> None:
    reply = WireResponse(status=status, body=json.dumps({"error": said}).encode())
    error = NATIVE.parse_error(reply)
    assert type(error) is kind
    assert (error.provider_message, error.retryable) == (said, retryable)
    if status == 200:
        with pytest.raises(ProviderError, match="running the model"):
            NATIVE.parse_response(make_call(of=ANY), reply)
        with pytest.raises(ProviderError, match="running the model"):
            read([*lines_of({"content": "H"})[:1], {"error": said}])


RECORDED: dict[str, Any] = {
    "model": "qwen3:4b",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Add.", "images": ["iVBORw=="]},
        {"role": "assistant", "content": "", "thinking": "Hm.", "tool_calls": [
            {"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}]},
        {"role": "tool", "content": "2", "tool_name": "add"},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "function": {"name": "add", "arguments": {}}}]},
        {"role": "tool", "content": "2", "tool_call_id": "c"},
    ],
    "tools": [{"type": "function", "function": {"name": "add", "description": "x", "parameters": {}}}],
    "options": {"num_ctx": 4096, "temperature": 0, "stop": ["x"], "mirostat": 1}, "format": {"type": "object"},
    "keep_alive": "5m", "think": "low", "logprobs": True, "truncate": True,
}  # fmt: skip


@pytest.mark.parametrize(
    "more", [{}, {"stream": True}, {"stream": False}, {"options": {}}, {"format": ""}, {"think": None}]
)
def test_a_request_that_was_read_is_written_as_it_was(more: dict[str, Any]) -> None:
    recorded = {**RECORDED, **more}
    read = OllamaReader().parse_request(WireRequest(url="/api/chat", body=recorded))
    assert read.settings.extra_body is None
    request = NATIVE.build_request(make_call(read.input, of=ANY, stream=read.stream, **read.settings.given()))
    assert msgspec.json.decode(msgspec.json.encode(request.body)) == recorded
    assert request.warnings == ()


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
OBJECTS = st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers(-9, 9) | TEXTS, max_size=3)


@given(thinking=TEXTS, content=TEXTS, arguments=st.lists(OBJECTS, max_size=2))
def test_any_answer_is_the_same_streamed_and_goes_back(
    thinking: str, content: str, arguments: list[dict[str, Any]]
) -> None:
    calls = [{"id": f"c{index}", "function": {"name": "f", "arguments": item}} for index, item in enumerate(arguments)]
    message: dict[str, Any] = {"thinking": thinking, "content": content}
    if calls:
        message["tool_calls"] = calls
    response = parse(message)
    assert gather(read(lines_of(message)), ANY.id) == bare(response)
    assert response.message is not None
    assert sent(response.message)[0]["messages"] == [{"role": "assistant", **message}]


async def test_a_stream_for_real() -> None:
    lines = [json.dumps(line).encode() + b"\n" for line in lines_of(MESSAGES["thoughts"])]
    with Upstream(stream(lines, headers={"Content-Type": "application/x-ndjson"})) as upstream:
        config = betterai.CoreConfig(model="ollama/qwen3:4b", base_url=upstream.url)
        provider = betterai.get_text_provider(config)
        chunks = [chunk async for chunk in provider.generate_stream([Message.user("Hi")])]
    assert "".join(chunk.content for chunk in chunks) == "Hello"
    assert chunks[-1].response is not None
    assert (chunks[-1].response.reasoning, chunks[-1].response.finish_reason) == ("Hm.", "stop")
    assert upstream.requests[0].path == "/api/chat"


def test_what_earlier_clients_wrote_is_read_and_said() -> None:
    messages = [{"role": "user", "content": "Hi", "name": "Ann"}, {"role": "tool", "content": "2", "name": "add"}]
    parsed = OllamaReader().parse_request(
        WireRequest(url="/api/chat", body={"model": "m", "messages": messages, "stream": None})
    )
    assert [warning.field for warning in parsed.warnings] == ["stream", "messages.name"]
    request = NATIVE.build_request(make_call(parsed.input, of=ANY, stream=parsed.stream))
    assert isinstance(request.body, dict)
    assert request.body["messages"] == [
        {"role": "user", "content": "Hi"}, {"role": "tool", "content": "2", "tool_name": "add"},
    ]  # fmt: skip
    assert dropped(request) == ["messages.name"]
