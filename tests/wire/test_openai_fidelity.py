"""Chat and Responses: what was once lost in silence on the way to them, or back."""

from __future__ import annotations

import pytest
from msgspec import Raw, json

from betterai.core.media import Media
from betterai.core.message import Citation, MediaPart, Message, Opaque, Reasoning, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.usage import Usage
from wire import chats, responses

SOUND = MediaPart(media=Media(kind="audio", mime_type="audio/wav", base64="UklGRg=="), detail="high")


def test_the_resolution_of_what_is_no_picture_is_reported() -> None:
    call = chats.make_call([Message(role="user", parts=(SOUND,))])
    assert chats.dropped(chats.build(call)) == ["media.detail"]
    assert responses.dropped(responses.build(call)) == ["media.detail"]


def test_sources_that_another_provider_gave_are_reported() -> None:
    said = Message(role="assistant", parts=(Text(text="A", citations=(Citation(url="https://example.com"),)),))
    assert chats.dropped(chats.build(chats.make_call([said]))) == ["messages.citations"]


DETAILS = [{"type": "reasoning.encrypted", "data": "gAAA"}]
THOUGHTS = Reasoning(
    text="hm",
    opaque=Opaque(protocol="openai_chat", provider="any", data=Raw(json.encode({"reasoning_details": DETAILS}))),
)


def test_what_a_provider_of_chat_keeps_with_thoughts_reaches_the_caller() -> None:
    response = ProviderResponse(content="", message=Message(role="assistant", parts=(THOUGHTS,)))
    reply = json.decode(chats.SURFACE.build_response(chats.make_call(), response).content)
    assert reply["choices"][0]["message"]["reasoning_details"] == DETAILS
    event = chats.SURFACE.build_event(chats.make_call(stream=True), TextChunk(part=THOUGHTS), {})
    assert b'"reasoning_details":[{"type":"reasoning.encrypted","data":"gAAA"}]' in event


@pytest.mark.parametrize("usage", [Usage(text_in=1, text_out=1), Usage(text_in=1, cached={"text": 0}, reasoning=0)])
def test_a_count_that_nobody_stated_is_not_told_as_0(usage: Usage) -> None:
    reply = chats.SURFACE.build_response(chats.make_call(), ProviderResponse(content="Hi", usage=usage))
    back = chats.OPENAI.parse_response(chats.make_call(), reply)
    assert isinstance(back, ProviderResponse)
    assert back.usage == usage


def test_how_an_answer_was_billed_is_told() -> None:
    response = ProviderResponse(content="Hi", usage=Usage(text_in=1, tier="priority"))
    assert json.decode(chats.SURFACE.build_response(chats.make_call(), response).content)["service_tier"] == "priority"


def test_what_another_provider_keeps_with_a_message_of_calls_alone_is_reported() -> None:
    kept = Opaque(protocol="openai_chat", data=Raw(b'{"reasoning_details":[]}'))
    asked = Message(role="assistant", parts=(ToolCall(id="c1", name="f", arguments="{}"),), opaque=kept)
    assert responses.dropped(responses.build(responses.make_call([asked]))) == ["messages.opaque"]
