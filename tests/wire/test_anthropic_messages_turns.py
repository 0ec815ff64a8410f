"""Messages, the client half: conversations as turns and blocks, within the rules of the protocol."""

from __future__ import annotations

from typing import Any

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
from wire.messages import build, fields_of, model, sent

USER = Message.user("Hello")
PNG = Media(kind="image", mime_type="image/png", data=b"\x89PNG")


def turns(*messages: Message, **given: Any) -> list[dict[str, Any]]:
    """What a conversation is written as, without a word of warning."""
    return sent(messages, **given)["messages"]  # type: ignore[no-any-return]


def reported(*messages: Message, **given: Any) -> tuple[list[dict[str, Any]], list[str]]:
    body, warnings = build(messages, **given)
    return body["messages"], fields_of(warnings)


def assistant(*parts: Any, **fields: Any) -> Message:
    return Message(role="assistant", parts=parts, **fields)


# ── instructions ──


def test_instructions_stand_before_the_turns() -> None:
    body = sent((Message.system("S"), USER))
    assert (body["system"], body["messages"]) == ("S", [{"role": "user", "content": "Hello"}])


def test_several_instructions_are_a_list_in_their_order() -> None:
    body = sent((Message.system("S"), Message.system("T"), USER))
    assert [block["text"] for block in body["system"]] == ["S", "T"]


def test_later_instructions_stay_where_the_model_heeds_them() -> None:
    written = turns(USER, Message.assistant("A"), Message.system("S"), of=model(midway_system=True))
    assert written[-1] == {"role": "system", "content": "S"}


@pytest.mark.parametrize("midway", [False, None])
def test_elsewhere_they_are_moved_to_the_beginning_with_a_word(midway: bool | None) -> None:
    body, warnings = build((USER, Message.assistant("A"), Message.system("S")), of=model(midway_system=midway))
    assert (body["system"], len(body["messages"]), fields_of(warnings)) == ("S", 2, ["messages"])


def test_developers_give_instructions_too() -> None:
    body, warnings = build((Message(role="developer", parts=(Text(text="D"),)), USER))
    assert (body["system"], fields_of(warnings)) == ("D", ["messages"])


# ── turns ──


def test_tools_that_answer_one_after_the_other_are_one_turn() -> None:
    calls = assistant(ToolCall(id="a", name="x"), ToolCall(id="b", name="y", index=1))
    written = turns(USER, calls, Message.tool("a", "1"), Message.tool("b", "2"), USER)
    assert [turn["role"] for turn in written] == ["user", "assistant", "user", "user"]
    assert [block["tool_use_id"] for block in written[2]["content"]] == ["a", "b"]


def test_results_come_first_in_their_turn() -> None:
    mixed = Message(role="user", parts=(Text(text="And?"), ToolResult(id="a", parts=(Text(text="1"),))))
    written, fields = reported(USER, mixed)
    assert [block["type"] for block in written[1]["content"]] == ["tool_result", "text"]
    assert fields == ["messages"]


def test_turns_of_one_role_stay_as_they_are() -> None:
    assert turns(USER, USER) == [{"role": "user", "content": "Hello"}] * 2


@pytest.mark.parametrize(
    "message", [Message.user(""), assistant(), assistant(Text(text="")), assistant(Reasoning(text="Hm."))]
)
def test_a_turn_of_which_nothing_is_left_is_left_out_with_a_word(message: Message) -> None:
    written, fields = reported(USER, message, USER)
    assert len(written) == 2
    assert "messages" in fields


def test_an_empty_text_beside_others_is_left_out_with_a_word() -> None:
    written, fields = reported(assistant(Text(text=""), Text(text="A")))
    assert written == [{"role": "assistant", "content": [{"type": "text", "text": "A"}]}]
    assert fields == ["messages"]


def test_the_begin_of_an_answer_ends_without_white_space() -> None:
    assert reported(USER, Message.assistant("So: \n")) == (
        [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "So:"}],
        ["messages"],
    )
    assert turns(USER, Message.assistant("So: "), USER)[1]["content"] == "So: "


def test_a_model_that_goes_on_with_no_begun_answer_is_not_asked_to() -> None:
    begun, newer = (USER, Message.assistant("So")), model(prefill=False)
    with pytest.raises(UnsupportedParam, match="begun"):
        build(begun, of=newer)
    assert turns(*begun, of=model(prefill=True))[-1]["role"] == "assistant"
    block = Opaque(protocol="anthropic_messages", data=Raw(b'{"type":"server_tool_use","id":"s"}'))
    paused = assistant(ToolCall(id="s", name="web_search", server=True, opaque=block))
    assert turns(USER, paused, of=newer)[-1]["role"] == "assistant"


def test_names_are_dropped_with_a_word() -> None:
    for message in (Message(role="user", parts=(Text(text="U"),), name="ann"),):
        assert reported(message) == ([{"role": "user", "content": "U"}], ["messages.name"])


# ── tools ──


def test_arguments_are_written_as_they_came() -> None:
    request_body = assistant(ToolCall(id="a", name="x", arguments='{"b": 1.0,  "a":"\\u00e9"}'))
    (turn,) = turns(request_body)
    assert turn["content"][0]["input"] == {"b": 1.0, "a": "é"}


@pytest.mark.parametrize(("arguments", "kind"), [("no json", "function"), ("[1]", "function"), ("free", "custom")])
def test_arguments_that_are_no_object_become_one_with_a_word(arguments: str, kind: Any) -> None:
    written, fields = reported(assistant(ToolCall(id="a", name="x", arguments=arguments, kind=kind)))
    assert written[0]["content"][0]["input"] == {"input": arguments}
    assert fields == ["messages.tool_calls"]


def test_ids_are_fitted_to_the_protocol_in_calls_and_results_alike() -> None:
    written, fields = reported(
        assistant(ToolCall(id="f.x:0", name="x")), Message(role="tool", parts=(ToolResult(id="f.x:0"),))
    )
    assert written[0]["content"][0]["id"] == written[1]["content"][0]["tool_use_id"] == "f_x_0"
    assert fields == ["messages.tool_call_id"]


def test_a_result_without_content_says_nothing() -> None:
    assert turns(Message(role="tool", parts=(ToolResult(id="a"),)))[0]["content"] == [
        {"type": "tool_result", "tool_use_id": "a"}
    ]


def test_what_another_provider_ran_by_itself_does_not_go_back() -> None:
    ran = assistant(ToolCall(id="s", name="web_search", server=True), ToolResult(id="s"), Text(text="A"))
    written, fields = reported(ran)
    assert written == [{"role": "assistant", "content": [{"type": "text", "text": "A"}]}]
    assert fields == ["messages.tool_calls"] * 2


# ── media ──


def test_a_picture_is_known_by_its_first_bytes() -> None:
    (turn,) = turns(Message(role="user", parts=(MediaPart(media=Media(kind="image", base64="iVBORw0KGgo=")),)))
    assert turn["content"][0]["source"] == {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}


@pytest.mark.parametrize(
    "media",
    [
        Media(kind="image", mime_type="image/bmp", data=b"BM"),
        Media(kind="document", mime_type="application/msword", data=b"x"),
        Media(kind="document", mime_type="text/plain", data=b"\xff\xfe"),
        Media(kind="audio", mime_type="audio/wav", data=b"RIFF"),
        Media(kind="video", url="https://e.com/x.mp4"),
    ],
)
def test_media_that_is_not_taken_is_refused(media: Media) -> None:
    with pytest.raises(UnsupportedParam, match="media"):
        build((Message(role="user", parts=(MediaPart(media=media),)),))


def test_answers_hold_no_media_and_no_resolution_is_asked_for() -> None:
    assert reported(assistant(MediaPart(media=PNG), Text(text="A")))[1] == ["messages.media"]
    assert reported(Message(role="user", parts=(MediaPart(media=PNG, detail="low"),)))[1] == ["media.detail"]


def test_a_file_for_the_container_is_no_document() -> None:
    upload = MediaPart(media=Media(kind="document", file_id="file-1"), detail="container_upload")
    assert turns(Message(role="user", parts=(upload,)))[0]["content"] == [
        {"type": "container_upload", "file_id": "file-1"}
    ]


def test_a_document_may_ask_for_citations_in_the_protocols_own_words() -> None:
    own = Opaque(protocol="anthropic_messages", data=Raw(b'{"citations":{"enabled":true},"context":"c"}'))
    media = Media(kind="document", mime_type="text/plain", data=b"A", filename="t")
    (turn,) = turns(Message(role="user", parts=(MediaPart(media=media, opaque=own, cache=CacheMark()),)))
    (block,) = turn["content"]
    assert (block["citations"], block["context"], block["title"]) == ({"enabled": True}, "c", "t")
    assert block["cache_control"] == {"type": "ephemeral"}


# ── what others gave ──


def test_what_only_others_understand_is_dropped_with_a_word() -> None:
    foreign = Opaque(protocol="gemini", provider="elsewhere", data=Raw(b'{"x":1}'))
    said = assistant(
        Reasoning(text="Hm.", opaque=foreign),
        Text(text="A", opaque=foreign, citations=(Citation(url="https://e.com"),)),
        Refusal(text="No."),
    )
    written, fields = reported(said)
    assert [block["text"] for block in written[0]["content"]] == ["A", "No."]
    assert fields == ["messages.reasoning", "messages.citations", "messages.opaque", "messages.refusal"]
