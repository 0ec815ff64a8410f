"""The server half: requests as our calls, our responses as replies. Strict in type, open to new fields."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from betterai.core.codec import TextCall
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.core.usage import Usage
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.wire.answers import build_error_reply, build_reply, status_of
from betterai.wire.anthropic_messages.answers import build_message, describe_error
from betterai.wire.anthropic_messages.conversation import INPUTS, parse_conversation
from betterai.wire.anthropic_messages.errors import OVERLOADED
from betterai.wire.anthropic_messages.events import EventWriter
from betterai.wire.anthropic_messages.pointers import POINTERS
from betterai.wire.anthropic_messages.requests import parse_settings
from betterai.wire.anthropic_messages.shapes import PROTOCOL, decode_event, decode_message
from betterai.wire.anthropic_messages.usage import parse_usage
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.objects import read_body
from betterai.wire.requests import add_spelling, rename_model, take_messages, take_model, take_stream
from betterai.wire.verbatim import restore_raw

_WRITER = "writer"


class AnthropicMessagesSurface:
    """What a gateway needs to speak Messages to its clients."""

    protocol = PROTOCOL
    pointers = POINTERS

    # ── in ──

    def parse_request(self, request: WireRequest) -> TextCall:
        """The request as our call. Raises `BadRequestError` for what is not a request of this protocol."""
        body = read_body(request)
        restore_raw(body, request, INPUTS)
        named, streamed = find_model_in_url(request.url)
        warnings: list[CallWarning] = []
        model, messages, stream = take_model(body, named), take_messages(body), take_stream(body, warnings)
        system = body.pop("system", None)
        settings = parse_settings(body, request.headers)
        if stream is False:
            settings = add_spelling(settings, "stream")
        return Call(
            model=ModelConfig(id=model, provider="", known=False),
            input=parse_conversation(system, messages),
            settings=settings,
            stream=stream is True or (streamed and stream is not False),
            warnings=tuple(warnings),
        )

    # ── out ──

    def build_response(self, call: TextCall, result: ProviderResponse) -> WireResponse:
        """The whole answer as a reply. The protocol has one answer a call: alternatives have no place in it."""
        return build_reply(build_message(call, result))

    def build_event(self, call: TextCall, item: TextChunk | Exception | None, state: dict[str, Any]) -> bytes:
        """A chunk as events, or as none. `state` keeps, for one stream, which block is open. An answer that begins anew
        is a message that does: the first one then does not count.
        """
        writer: EventWriter | None = state.get(_WRITER)
        if writer is None or (isinstance(item, TextChunk) and item.reset):
            writer = state[_WRITER] = EventWriter(call)
        if item is None:
            return writer.end()
        if isinstance(item, Exception):
            return writer.fail(item)
        return writer.write(item)

    def build_error(self, error: Exception) -> WireResponse:
        status = status_of(error, overloaded=OVERLOADED)
        return build_error_reply(error, status, describe_error(error), overloaded=OVERLOADED)

    # ── relay ──

    def rewrite(self, body: bytes, model: str | None) -> bytes:
        return rename_model(body, model)

    def read_usage(self, event: bytes) -> Usage | None:
        """The counts of a whole reply or an event. The last event of a stream that states any has them all."""
        if b'"usage"' not in event:
            return None
        try:
            shape = decode_event(event)
            if shape.message is not None:
                return parse_usage(shape.message.usage)
            return parse_usage(shape.usage or decode_message(event).usage)
        except UNREADABLE:
            return None


def find_model_in_url(url: str) -> tuple[str, bool]:
    """The model of a URL such as `…/models/MODEL:streamRawPredict`, whose body need not name it, and whether it asks
    for a stream; or "".
    """
    match = re.search(r"/([^/?#]+):(rawPredict|streamRawPredict)\b", url)
    return (unquote(match[1]), match[2] == "streamRawPredict") if match else ("", False)
