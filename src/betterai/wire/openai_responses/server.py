"""The server half: requests as our calls, our responses as replies. Strict in type, open to new fields."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from betterai.core.codec import TextCall
from betterai.core.message import AnyPart, Message, Text
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.core.usage import Usage
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.wire.answers import build_error_reply, build_reply, status_of
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.objects import read_body
from betterai.wire.openai_chat.answers import describe_error
from betterai.wire.openai_responses.answers import build_items, build_response, status_of_answer
from betterai.wire.openai_responses.conversation import parse_input
from betterai.wire.openai_responses.events import EventWriter
from betterai.wire.openai_responses.pointers import POINTERS
from betterai.wire.openai_responses.protocol import PROTOCOL
from betterai.wire.openai_responses.requests import parse_settings
from betterai.wire.openai_responses.shapes import ABSENT, ResponseShape, decode_within, decoder_for
from betterai.wire.openai_responses.usage import parse_usage
from betterai.wire.requests import rename_model, take_model, take_stream
from betterai.wire.residue import refuse

_RESPONSE = decoder_for(ResponseShape)


class OpenAIResponsesSurface:
    """What a gateway needs to speak Responses to its clients."""

    protocol = PROTOCOL
    pointers = POINTERS

    # ── in ──

    def parse_request(self, request: WireRequest) -> TextCall:
        """The request as our call. Raises `BadRequestError` for what is not a request of this protocol."""
        body = read_body(request)
        warnings: list[CallWarning] = []
        model, stream = take_model(body), take_stream(body, warnings)
        spelling = {"include", "stream"} if stream is False else {"include"}
        messages = self._parse_messages(body, spelling)
        settings = parse_settings(body, warnings).replace(spelling=frozenset(spelling))
        return Call(
            model=ModelConfig(id=model, provider="", known=False),
            input=messages,
            settings=settings,
            stream=stream is True,
            warnings=tuple(warnings),
        )

    def _parse_messages(self, body: dict[str, Any], spelling: set[str]) -> tuple[Message, ...]:
        """The input. It may be missing where an earlier response is gone on with. `instructions` come first."""
        if "input" not in body and not body.keys() & {"previous_response_id", "conversation", "prompt"}:
            raise refuse("input", "is missing", "missing_required_parameter")
        written = body.pop("input", UNSET)
        if written is UNSET or isinstance(written, str):
            spelling.add("input" if written is UNSET else "input_text")
        messages = () if written is UNSET else parse_input(written)
        if isinstance(body.get("instructions"), str):
            spelling.add("instructions")
            messages = (Message.system(body.pop("instructions")), *messages)
        return messages

    # ── out ──

    def build_response(self, call: TextCall, result: ProviderResponse) -> WireResponse:
        """The whole answer as a reply. The protocol has one answer a call: the alternatives stay behind."""
        parts: tuple[AnyPart, ...] = result.message.parts if result.message else (Text(text=result.content),)
        status = status_of_answer(result.finish_reason)
        body = build_response(
            call,
            id=result.id or call.id,
            model=result.model or call.model.id,
            status=status,
            output=build_items(call, parts, result),
            reason=result.finish_reason,
            usage=result.usage,
            error={"code": "server_error", "message": "the answer failed"} if status == "failed" else None,
        )
        return build_reply(body)

    def build_event(self, call: TextCall, item: TextChunk | Exception | None, state: dict[str, Any]) -> bytes:
        """A chunk as events, or as none. `state` keeps, for one stream, what is open and what its end must say."""
        writer: EventWriter | None = state.get("writer")
        if writer is None:
            writer = state["writer"] = EventWriter(call)
        if item is None:
            return writer.end()
        return writer.fail(item) if isinstance(item, Exception) else writer.write(item)

    def build_error(self, error: Exception) -> WireResponse:
        return build_error_reply(error, status_of(error), describe_error(error))

    # ── relay ──

    def rewrite(self, body: bytes, model: str | None) -> bytes:
        return rename_model(body, model)

    def read_usage(self, event: bytes) -> Usage | None:
        """The usage of a whole reply, or of the event that ends a stream."""
        if b'"usage"' not in event:
            return None
        try:
            within = decode_within(event).response
            return parse_usage(_RESPONSE.decode(event if within is ABSENT else within))
        except UNREADABLE:
            return None
