"""The structs that frames of the server are read into: only what is used, and lenient."""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct

from betterai.wire.lenient import Reader

ABSENT = Raw()
"""Stands where a field was not there (msgspec has no `Raw | None`)."""


class ItemShape(Struct, gc=False):
    """A turn of the conversation, or a part of an answer: a message, a call of a function, or what it gave."""

    id: str | None = None
    type: str | None = None
    role: str | None = None
    status: str | None = None
    content: list[Any] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: Any = None


class ResponseShape(Struct, gc=False):
    id: str | None = None
    status: str | None = None
    status_details: Any = None
    output: list[ItemShape] | None = None
    usage: Any = None
    metadata: dict[str, Any] | None = None


class FrameShape(Struct):
    """Any frame of the server."""

    type: str = ""
    event_id: str | None = None
    session: Raw = ABSENT
    conversation: Any = None
    item: ItemShape | None = None
    response: ResponseShape | None = None
    response_id: str | None = None
    item_id: str | None = None
    previous_item_id: str | None = None
    content_index: int | None = None
    delta: str | None = None
    text: str | None = None
    transcript: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    audio_start_ms: int | None = None
    audio_end_ms: int | None = None
    start: float | None = None
    end: float | None = None
    start_time: float | None = None
    elapsed_ms: int | None = None
    speaker: str | None = None
    logprobs: Any = None
    rate_limits: list[dict[str, Any]] | None = None
    usage: Any = None
    error: Any = None


class SoundShape(Struct):
    """A frame of sound: most of what comes. The decoder of JSON decodes base64 as well, three times as fast."""

    type: str = ""
    event_id: str | None = None
    response_id: str | None = None
    item_id: str | None = None
    content_index: int | None = None
    delta: bytes = b""


SOUND = frozenset({"response.output_audio.delta", "response.audio.delta", "session.output_audio.delta"})
decode_sound = Reader(SoundShape).decode
decode_frame = Reader(FrameShape).decode
