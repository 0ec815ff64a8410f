"""Mistral: its deviations from Chat Completions."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from betterai.core.exceptions import AuthenticationError, BadRequestError, ModelNotFoundError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, Reasoning, Text, ToolCall
from betterai.core.settings import PromptCache, StreamOptions
from betterai.core.tools import Tool
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.mistral import PROVIDER
from betterai.providers.mistral.chat import MistralChat
from betterai.wire.adoption import adopt_fields
from betterai.wire.openai_chat.conversation import parse_message
from wire.chats import (
    SURFACE,
    bare,
    body_of,
    build,
    chunk,
    citations_of,
    dropped,
    make_call,
    messages_of,
    model,
    parse,
    stream,
    translated,
    whole,
)

MISTRAL = MistralChat()
ANY = model("mistral")


def test_the_declaration() -> None:
    assert PROVIDER.defaults["text"] in PROVIDER.models()


def test_settings_under_its_own_names() -> None:
    assert body_of(MISTRAL, max_tokens=9, seed=3, top_k=5, cache=PromptCache(key="k"), tool_choice="required") == {
        "max_tokens": 9, "random_seed": 3, "top_k": 5, "prompt_cache_key": "k", "tool_choice": "any",
    }  # fmt: skip
    options = {"mistral": {"safe_prompt": True, "prompt_mode": None}}
    request = build(make_call(of=ANY, options=options), MISTRAL)
    assert request.body == {"model": ANY.id, "messages": [{"role": "user", "content": "Hello"}], "safe_prompt": True,
                            "prompt_mode": None}  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "field"),
    [({"logit_bias": {"1": 1}}, "logit_bias"), ({"user": "ann"}, "user"), ({"store": True}, "store"),
     ({"verbosity": "low"}, "verbosity"), ({"safety_identifier": "x"}, "safety_identifier"), ({"min_p": 0.1}, "min_p"),
     ({"cache": PromptCache(ttl="1h")}, "cache")],
)  # fmt: skip
def test_what_it_would_refuse_is_left_out_and_said(setting: dict[str, Any], field: str) -> None:
    request = build(make_call(of=ANY, **setting), MISTRAL)
    assert dropped(request) == [field]
    assert set(request.body) == {"model", "messages"}  # type: ignore[arg-type]


def test_a_search_is_refused() -> None:
    with pytest.raises(UnsupportedParam):
        build(make_call(of=ANY, web_search=True), MISTRAL)


def test_usage_of_streams_is_not_asked_for() -> None:
    assert "stream_options" not in build(make_call(of=ANY, stream=True), MISTRAL).body  # type: ignore[operator]
    asked = build(make_call(of=ANY, stream=True, stream_options=StreamOptions(include_usage=True)), MISTRAL)
    assert "stream_options" not in asked.body  # type: ignore[operator]
    assert translated(asked) == ["stream_options"]


THOUGHT = [{"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}],
            "closed": True, "signature": "s"}, {"type": "text", "text": "A"}]  # fmt: skip


def test_thoughts_come_and_go_as_parts_of_the_content() -> None:
    call = make_call(of=ANY)
    response = parse(whole({"content": THOUGHT}), MISTRAL, call)
    assert (response.reasoning, response.content) == ("hm", "A")
    pieces = [chunk({"content": [part]}) for part in THOUGHT]
    assert bare(stream(*pieces, chunk({"content": ""}, finish="stop"), codec=MISTRAL, call=call)) == bare(response)
    assert response.message is not None
    back = messages_of(response.message, Message.user("B"), codec=MISTRAL, of=ANY)[0]
    thinking = {**THOUGHT[0], "thinking": [{"type": "text", "text": "hm"}]}
    assert back["content"] == [thinking, THOUGHT[1]]


def test_thoughts_that_clients_send_go_on_as_they_were() -> None:
    messages = [{"role": "assistant", "content": THOUGHT}, {"role": "user", "content": "B"}]
    call = SURFACE.parse_request(WireRequest(url="", body={"model": "m", "messages": messages}))
    assert call.input[0].reasoning == "hm"
    assert build(call, MISTRAL).body["messages"] == messages  # type: ignore[index, call-overload]
    elsewhere = build(call)
    assert elsewhere.body["messages"][0] == {"role": "assistant", "content": "A"}  # type: ignore[index, call-overload]
    assert dropped(elsewhere) == ["messages.opaque", "messages.reasoning"]


DATA = Media(kind="document", mime_type="application/pdf", data=b"%PDF", filename="a.pdf")


@pytest.mark.parametrize(
    ("media", "part"),
    [
        (
            DATA,
            {"type": "document_url", "document_url": "data:application/pdf;base64,JVBERg==", "document_name": "a.pdf"},
        ),
        (Media(kind="document", url="https://h/a.pdf"), {"type": "document_url", "document_url": "https://h/a.pdf"}),
        (Media(kind="document", file_id="f1"), {"type": "file", "file_id": "f1"}),
        (Media(kind="audio", mime_type="audio/mpeg", base64="AAAA"), {"type": "input_audio", "input_audio": "AAAA"}),
        (Media(kind="audio", url="https://h/a.mp3"), {"type": "input_audio", "input_audio": "https://h/a.mp3"}),
        (Media(kind="image", url="https://h/a.png"), {"type": "image_url", "image_url": {"url": "https://h/a.png"}}),
    ],
)
def test_media(media: Media, part: dict[str, Any]) -> None:
    message = Message(role="user", parts=(MediaPart(media=media),))
    assert messages_of(message, codec=MISTRAL, of=ANY)[0]["content"] == [part]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": "https://h/a.png"},
        {"type": "image_url", "image_url": "data:image/png;base64,AAAA"},
        {"type": "image_url", "image_url": {"url": "https://h/a.png", "detail": "low"}},
        {"type": "input_audio", "input_audio": "AAAA"},
        {"type": "document_url", "document_url": "https://h/a.pdf", "document_name": "a.pdf"},
        {"type": "file", "file_id": "f1"},
    ],
)
def test_media_that_clients_send_go_on_as_they_were(part: dict[str, Any]) -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "x"}, part]}]
    call = SURFACE.parse_request(WireRequest(url="", body={"model": "m", "messages": messages}))
    assert build(call, MISTRAL).body["messages"] == messages  # type: ignore[index, call-overload]


def test_ids_of_tool_calls_have_nine_letters() -> None:
    turn = Message(
        role="assistant", parts=(ToolCall(id="call_a-long-one", name="f"), ToolCall(id="abcdefgh9", name="f"))
    )
    request = build(
        make_call([turn, Message.tool("call_a-long-one", "1"), Message.tool("abcdefgh9", "2")], of=ANY), MISTRAL
    )
    messages: Any = request.body["messages"]  # type: ignore[index, call-overload]
    first, second = (call["id"] for call in messages[0]["tool_calls"])
    assert (len(first), first.isalnum(), second) == (9, True, "abcdefgh9")
    assert [message["tool_call_id"] for message in messages[1:]] == [first, second]
    assert translated(request) == ["messages.tool_call_id"]


def test_an_answer_that_is_begun_is_gone_on_with() -> None:
    messages = messages_of(Message.user("A"), Message.assistant("B"), codec=MISTRAL, of=ANY)
    assert messages[1] == {"role": "assistant", "content": "B", "prefix": True}
    assert "prefix" not in messages_of(Message.assistant("B"), Message.user("A"), codec=MISTRAL, of=ANY)[0]


def test_fields_of_its_clients_become_settings_and_options() -> None:
    body = {"model": "m", "messages": [], "random_seed": 7, "safe_prompt": True, "tool_choice": "any", "unheard_of": 1,
            "tools": [{"function": {"name": "f"}}]}  # fmt: skip
    parsed = SURFACE.parse_request(WireRequest(url="", body=body))
    call = adopt_fields(MISTRAL, make_call(of=ANY, **parsed.settings.given()))
    assert call.settings.given() == {
        "seed": 7, "options": {"mistral": {"safe_prompt": True}}, "tool_choice": "required", "tools": [Tool(name="f")],
        "extra_body": {"unheard_of": 1},
    }  # fmt: skip
    assert [warning.field for warning in parsed.warnings] == ["tools.type"]


@pytest.mark.parametrize(
    ("word", "reason"), [("model_length", "length"), ("error", "error"), ("tool_calls", "tool_calls"), ("new", "other")]
)
def test_finish_words(word: str, reason: str) -> None:
    assert parse(whole(finish=word), MISTRAL).finish_reason == reason


@pytest.mark.parametrize(
    ("extra", "usage"),
    [
        ({"num_cached_tokens": 4}, Usage(text_in=5, cached={"text": 4}, text_out=2)),
        ({"num_cached_tokens": 4, "prompt_tokens_details": {"cached_tokens": 3}}, Usage(text_in=6, cached={"text": 3}, text_out=2)),
        ({"prompt_audio_seconds": 5, "prompt_tokens_details": {"audio_tokens": 3}},
         Usage(text_in=6, audio_in=3, text_out=2, units={"second": 5.0})),
        ({"service_tier": "standard"}, Usage(text_in=9, text_out=2)),
        ({"service_tier": "priority"}, Usage(text_in=9, text_out=2, tier="priority")),
    ],
)  # fmt: skip
def test_usage(extra: dict[str, Any], usage: Usage) -> None:
    counts = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, **extra}
    assert parse(whole({"content": "A", "tool_calls": None}, usage=counts), MISTRAL).usage == usage


def test_arguments_may_be_an_object_and_an_index_may_be_missing() -> None:
    calls = [{"id": "aaaaaaaaa", "function": {"name": "f", "arguments": {"a": 1}}}]
    response = parse(whole({"content": "", "tool_calls": calls}, "tool_calls"), MISTRAL)
    assert response.message == Message(
        role="assistant", parts=(ToolCall(id="aaaaaaaaa", name="f", arguments='{"a":1}'),)
    )
    assert bare(stream(chunk({"content": "", "tool_calls": calls}, "tool_calls"), codec=MISTRAL)) == bare(response)


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (422, b'{"detail":[{"loc":["body","seed"],"msg":"Extra inputs are not permitted","type":"extra_forbidden"}]}',
         BadRequestError, "body.seed: Extra inputs are not permitted"),
        (400, b'{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500"}',
         ModelNotFoundError, "Invalid model: x"),
        (401, b'{"detail":"Invalid API Key"}', AuthenticationError, "Invalid API Key"),
    ],
)  # fmt: skip
def test_errors(status: int, body: bytes, kind: type[Exception], message: str) -> None:
    error = MISTRAL.parse_error(WireResponse(status=status, body=body))
    assert (type(error), error.provider_message) == (kind, message)


def test_thoughts_of_another_vendor_are_parts_here() -> None:
    turn = Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A")))
    message = messages_of(turn, Message.user("B"), codec=MISTRAL, of=ANY)[0]
    assert message["content"][0] == {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}


REFERENCE = {"type": "reference", "reference_ids": [0, "tool-2"]}
CITED = [
    {"type": "text", "text": "Paris"},
    REFERENCE,
    {"type": "text", "text": " it is."},
    {**REFERENCE, "reference_ids": [1]},
]


def test_references_are_sources_and_go_back_where_they_stood() -> None:
    call = make_call(of=ANY)
    response = parse(whole({"content": CITED}), MISTRAL, call)
    assert response.content == "Paris it is."
    assert [(item.end, item.url) for item in citations_of(response)] == [(5, ""), (12, "")]
    pieces = [chunk({"content": "Pa"}), chunk({"content": "ris"}), *(chunk({"content": [part]}) for part in CITED[1:])]
    streamed = stream(*pieces, chunk({"content": ""}, finish="stop"), codec=MISTRAL, call=call)
    assert bare(streamed) == bare(response)
    assert response.message is not None
    stored = msgspec.json.decode(msgspec.json.encode(response.message), type=Message)
    assert messages_of(stored, Message.user("B"), codec=MISTRAL, of=ANY)[0] == {"role": "assistant", "content": CITED}


def test_references_of_a_request_are_read_and_written_again() -> None:
    message = parse_message({"role": "assistant", "content": CITED})
    assert messages_of(message, Message.user("B"), codec=MISTRAL, of=ANY)[0] == {"role": "assistant", "content": CITED}
