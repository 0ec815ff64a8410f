"""Pictures and sound in what goes into a session: loaded where the provider takes them in another form only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from betterai.core.message import MediaPart, Message
from betterai.core.realtime_input import AddMessages, RealtimeInput, Respond, ShowImage
from betterai.runtime.connection import Connection
from betterai.runtime.media.checks import check_media
from betterai.runtime.media.loading import find_media as list_media
from betterai.runtime.media.loading import load_media, load_one, needs_loading


class SessionMedia:
    """`accepts` says which forms of each kind can be sent, as codecs of all categories say it."""

    def __init__(self, accepts: Mapping[str, frozenset[str]], connection: Connection) -> None:
        self._accepts = accepts
        self._connection = connection

    async def load(self, event: RealtimeInput) -> RealtimeInput:
        """The event with all media in a form that can be sent. Raises `UnsupportedParam`, and what fetching raises."""
        match event:
            case ShowImage(image=image):
                check_media((image,))
                forms = self._accepts.get(image.kind, frozenset())
                loaded = await load_one(image, forms, self._connection.transport, self._connection.timeout)
                return replace(event, image=loaded)
            case AddMessages(messages=messages) | Respond(messages=tuple() as messages) if any(
                map(_has_media, messages)
            ):
                return replace(event, messages=await self.load_messages(messages))
        return event

    async def load_messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        check_media(list_media(messages))
        if not needs_loading(messages, self._accepts):
            return messages
        return await load_media(messages, self._accepts, self._connection.transport, self._connection.timeout)


def _has_media(message: Message) -> bool:
    return any(isinstance(part, MediaPart) for part in message.parts)


def find_media(codec: Any, connection: Connection) -> SessionMedia | None:
    """None for a codec that does not say what it accepts."""
    accepts = getattr(codec, "accepts", None)
    return None if accepts is None else SessionMedia(accepts, connection)
