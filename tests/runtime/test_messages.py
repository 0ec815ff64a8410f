"""What callers pass as a conversation becomes messages, or is refused with the place that is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from betterai.core.exceptions import BetterAIError, ValidationError
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, Opaque, Reasoning, Text, ToolCall, ToolResult
from betterai.core.model import ModelConfig
from betterai.runtime.messages import read_messages, render_messages, write_messages
from together import each


def test_a_text_a_message_and_dicts_are_the_same() -> None:
    wanted = (Message.user("Hello"),)
    assert read_messages("Hello") == wanted
    assert read_messages(Message.user("Hello")) == wanted
    assert read_messages([{"role": "user", "content": "Hello"}]) == wanted
    assert read_messages((Message.user("Hello"),)) == wanted
    (listed,) = read_messages([{"role": "user", "content": [{"type": "text", "text": "Hello"}]}])
    assert listed.text == "Hello"


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant"])
def test_every_role_is_read(role: Any) -> None:
    assert read_messages([{"role": role, "content": "x"}]) == (Message(role=role, parts=(Text(text="x"),)),)


def test_tool_calls_and_their_results_are_read() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    history = read_messages(
        [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "2"},
        ]
    )
    assert history[0].tool_calls == (ToolCall(id="c1", name="add", arguments='{"a":1}'),)
    assert history[1] == Message(role="tool", parts=(ToolResult(id="c1", parts=(Text(text="2"),)),))


BAD: list[tuple[Any, str]] = [
    ([], "at least one"),
    ((), "at least one"),
    (None, "messages must be"),
    (5, "messages must be"),
    ({"role": "user", "content": "x"}, "messages must be"),
    (b"Hello", "messages must be"),
    ([5], r"messages\[0\]"),
    ([Message.user("x"), "Hello"], r"messages\[1\]"),
    ([{"role": "user", "content": "x"}, {}], r"messages\[1\]"),
    ([{"role": ["user"], "content": "x"}], r"messages\[0\]"),
    ([{"role": "nobody", "content": "x"}], r"messages\[0\]"),
    ([{"role": "user", "content": 5}], r"messages\[0\]"),
    ([{"role": "tool", "content": "x"}], r"messages\[0\]"),
]


@each(("messages", "where"), BAD, ids=str)
def test_what_is_no_conversation_is_refused_with_its_place(messages: Any, where: str) -> None:
    with pytest.raises(ValidationError, match=where) as caught:
        read_messages(messages)
    assert caught.value.hint
    assert "HTTP" not in str(caught.value), "nothing was sent"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.sampled_from(["text", "image_url", "function", "user"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "image_url", "url", "id", "function", "name", "arguments", "data"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
MESSAGES = st.dictionaries(
    st.sampled_from(["role", "content", "tool_calls", "tool_call_id", "name", "refusal", "function_call", "audio"]),
    VALUES,
    max_size=5,
)


@settings(max_examples=80, deadline=None)
@given(messages=st.lists(MESSAGES | VALUES, max_size=3), role=st.sampled_from(["user", "assistant", "tool", "system"]))
def test_any_dicts_are_read_or_refused_as_our_error(messages: list[Any], role: str) -> None:
    given = [{**message, "role": role} if isinstance(message, dict) else message for message in messages]
    for conversation in (messages, given):
        try:
            read = read_messages(conversation)
        except BetterAIError:
            continue
        assert all(isinstance(message, Message) for message in read)


def test_our_messages_go_to_class_providers_as_dicts() -> None:
    history = (
        Message.system("Be kind."),
        Message.user("x", Media(kind="image", url="https://h/x.png")),
        Message(role="assistant", parts=(ToolCall(id="c1", name="add", arguments="{}"),)),
        Message.tool("c1", "2"),
    )
    assert write_messages(history) == [
        {"role": "system", "content": "Be kind."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "https://h/x.png"}}],
        },
        {
            "role": "assistant",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "2"},
    ]


@pytest.mark.parametrize("message", [{"role": "user"}, {"role": "system", "contnt": "Be kind."}])
def test_a_message_without_content_is_refused_and_not_sent_empty(message: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"messages\[1\] has no (content|.contnt. – did you mean .content.)"):
        read_messages([{"role": "user", "content": "Hello"}, message])


def test_t1_what_dicts_cannot_carry_is_reported() -> None:
    own = Opaque(protocol="elsewhere", data=Raw(b"{}"))
    history = (
        Message(role="assistant", parts=(Reasoning(text="Hm."), Text(text="x", opaque=own))),
        Message.tool("c1", "failed", is_error=True),
    )
    written, warnings = render_messages(history, ModelConfig(id="m", provider="p"))
    assert [message["content"] for message in written] == [[{"type": "text", "text": "x"}], "failed"]
    assert {warning.field for warning in warnings} == {"messages.reasoning", "messages.opaque", "messages.is_error"}


def test_what_dicts_cannot_carry_and_changes_the_meaning_raises() -> None:
    film = MediaPart(media=Media(kind="video", url="https://h/x.mp4"))
    with pytest.raises(ValidationError, match="media"):
        write_messages((Message(role="user", parts=(film,)),))
