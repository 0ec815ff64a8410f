"""Chat and Responses: what was once lost in silence on the way to them."""

from __future__ import annotations

from betterai.core.media import Media
from betterai.core.message import Citation, MediaPart, Message, Text
from wire import chats, responses

SOUND = MediaPart(media=Media(kind="audio", mime_type="audio/wav", base64="UklGRg=="), detail="high")


def test_the_resolution_of_what_is_no_picture_is_reported() -> None:
    call = chats.make_call([Message(role="user", parts=(SOUND,))])
    assert chats.dropped(chats.build(call)) == ["media.detail"]
    assert responses.dropped(responses.build(call)) == ["media.detail"]


def test_sources_that_another_provider_gave_are_reported() -> None:
    said = Message(role="assistant", parts=(Text(text="A", citations=(Citation(url="https://example.com"),)),))
    assert chats.dropped(chats.build(chats.make_call([said]))) == ["messages.citations"]
