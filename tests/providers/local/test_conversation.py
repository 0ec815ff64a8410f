"""Conversations as callers write them, read into our messages."""

import pytest

from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, Refusal, Text, ToolCall, ToolResult
from betterai.providers.local.conversation import describe_media, describe_message, read_messages
from together import each


def test_our_messages_stay_as_they_are():
    messages = [Message.user("a"), Message.assistant("b")]
    assert read_messages(messages) == tuple(messages)
    assert read_messages("a") == read_messages(Message.user("a")) == (Message.user("a"),)


def test_dicts_become_our_messages():
    function = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    custom = {"id": "2", "type": "custom", "custom": {"name": "g", "input": "raw"}}
    assert read_messages(
        [
            {"role": "developer", "content": "d", "name": "n"},
            {"role": "user", "content": ["a", {"type": "text", "text": "b"}, Text(text="c")]},
            {"role": "assistant", "content": None, "refusal": "no", "tool_calls": [function, custom]},
            {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "done"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "never"}]},
            {"role": "assistant"},
        ]
    ) == (
        Message(role="developer", parts=(Text(text="d"),), name="n"),
        Message(role="user", parts=(Text(text="a"), Text(text="b"), Text(text="c"))),
        Message(
            role="assistant",
            parts=(
                Refusal(text="no"),
                ToolCall(id="1", name="f", arguments="{}"),
                ToolCall(id="2", name="g", arguments="raw", index=1, kind="custom"),
            ),
        ),
        Message.tool("1", "done"),
        Message(role="assistant", parts=(Refusal(text="never"),)),
        Message(role="assistant"),
    )


def test_media_in_dicts_keep_how_they_came():
    parts = [
        {"type": "image_url", "image_url": "https://example.com/a.png"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,eA==", "filename": "a.pdf"}},
        {"type": "file", "file": {"file_id": "f1"}},
    ]
    (message,) = read_messages([{"role": "user", "content": parts}])
    assert message.parts == (
        MediaPart(media=Media(kind="image", url="https://example.com/a.png")),
        MediaPart(media=Media(kind="image", mime_type="image/png", base64="AAAA"), detail="low"),
        MediaPart(media=Media(kind="audio", mime_type="audio/wav", base64="AAAA")),
        MediaPart(media=Media(kind="document", mime_type="application/pdf", base64="eA==", filename="a.pdf")),
        MediaPart(media=Media(kind="document", file_id="f1")),
    )


def test_a_message_says_what_it_holds():
    image = MediaPart(media=Media(kind="image", data=b"xy"))
    result = ToolResult(id="1", parts=(Text(text="seen"), image))
    parts = (Text(text="a"), Text(text="b"), image, Text(text="c"), result, Refusal(text="no"))
    assert describe_message(Message(role="user", parts=parts)) == "ab [image 2 bytes] c seen [image 2 bytes] no"
    assert describe_media(Media(kind="image", path="/tmp/a.png")) == "[image /tmp/a.png]"
    assert describe_media(Media(kind="image")) == "[image empty]"


@each(
    ("messages", "says"),
    [
        ([], "empty"),
        (b"bytes", "bytes"),
        (3, "int"),
        (["hello"], r"messages\[0\].*str"),
        ([{"role": "usr", "content": "x"}], "did you mean user"),
        ([{"content": "x"}], "None"),
        ([{"role": "user", "content": 3}], "int"),
        ([{"role": "user", "content": [{"type": "txt", "text": "x"}]}], "did you mean text"),
        ([{"role": "user", "content": [{"type": "text"}]}], r"content\[0\] is not a whole 'text' part"),
        ([{"role": "user", "content": [{"type": "text", "text": 3}]}], "whole"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}], "whole"),
        ([{"role": "user", "content": [None]}], "None"),
        ([{"role": "assistant", "tool_calls": [{"id": "a"}]}], r"tool_calls\[0\]"),
    ],
)
def test_a_conversation_that_is_none_raises(messages, says):
    with pytest.raises(ValidationError, match=says):
        read_messages(messages)
