"""Chat Completions, the client half: the messages of a request."""

from __future__ import annotations

import json

import pytest
from msgspec import Raw

from betterai.core.exceptions import UnsupportedParam
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
from wire.chats import (
    CODECS,
    build,
    dropped,
    make_call,
    messages_of,
    model,
    parse,
    translated,
    whole,
)

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
    assert dropped(request) == [
        "messages.reasoning", "messages.citations", "messages.is_error", "messages.tool_calls", "messages.opaque",
    ]  # fmt: skip
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
