"""The server half: requests as our calls, our responses as replies. The model stands in the URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Raw

from betterai.core.codec import TextCall
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.core.usage import Usage
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.wire.answers import build_error_reply, build_reply
from betterai.wire.bedrock_converse.answers import (
    EventWriter,
    build_blocks,
    build_exception,
    describe_error,
    frame,
    stop_word,
)
from betterai.wire.bedrock_converse.conversation import parse_messages
from betterai.wire.bedrock_converse.failures import KIND_HEADER
from betterai.wire.bedrock_converse.pointers import POINTERS
from betterai.wire.bedrock_converse.requests import parse_settings
from betterai.wire.bedrock_converse.shapes import PROTOCOL, MetadataEvent, decode_metadata
from betterai.wire.bedrock_converse.usage import build_usage, parse_usage
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.objects import read_body
from betterai.wire.requests import add_spelling
from betterai.wire.residue import refuse

_PATH = re.compile(r"/model/(?P<model>.+)/(?P<operation>converse|converse-stream)/?$")


class BedrockConverseSurface:
    """What a gateway needs to speak Converse to its clients."""

    protocol = PROTOCOL
    pointers = POINTERS

    # ── in ──

    def parse_request(self, request: WireRequest) -> TextCall:
        """The request as our call. Raises `BadRequestError` for what is not a request of this protocol."""
        messages, system = _read_conversation(request)
        body = read_body(request)
        warnings: list[CallWarning] = []
        model, operation = read_path(request.url)
        if isinstance(named := body.pop("modelId", None), str):
            model = named
            warnings.append(CallWarning(code="translated", field="modelId", message="the model stands in the URL"))
        if not model:
            raise refuse("modelId", "is missing", "missing_required_parameter")
        for name in ("messages", "system"):
            body.pop(name, None)
        settings = parse_settings(body)
        if system is not None and bytes(system).strip() == b"[]":
            settings = add_spelling(settings, "system")
        return Call(
            model=ModelConfig(id=model, provider="", known=False),
            input=parse_messages(messages, system),
            settings=settings,
            stream=operation == "converse-stream",
            warnings=tuple(warnings),
        )

    # ── out ──

    def build_response(self, call: TextCall, result: ProviderResponse) -> WireResponse:
        """The whole answer as a reply."""
        parts = result.message.parts if result.message else ()
        blocks = build_blocks(call, parts) if result.message else [{"text": result.content}]
        body: dict[str, Any] = {
            "output": {"message": {"role": "assistant", "content": blocks}},
            "stopReason": stop_word(result.finish_reason, result.raw_finish_reason),
            "usage": build_usage(result.usage),
            "metrics": {"latencyMs": round(result.timing.total * 1000) if result.timing else 0},
        }
        if result.usage is not None and result.usage.tier:
            body["serviceTier"] = {"type": result.usage.tier}
        return build_reply(body)

    def build_event(self, call: TextCall, item: TextChunk | Exception | None, state: dict[str, Any]) -> bytes:
        """A chunk as frames, or as none. `state` keeps, for one stream, which block is open."""
        writer: EventWriter = state.setdefault("writer", EventWriter(call))
        if isinstance(item, Exception):
            state.clear()
            return build_exception(item)
        if item is None:
            metadata = {"usage": build_usage(state.get("usage")), "metrics": {"latencyMs": state.get("latency", 0)}}
            return writer.end() + frame("metadata", metadata)
        if item.usage is not None:
            state["usage"] = item.usage
        if item.response is not None and item.response.timing is not None:
            state["latency"] = round(item.response.timing.total * 1000)
        return writer.write(item)

    def build_error(self, error: Exception) -> WireResponse:
        status, kind, message = describe_error(error)
        return build_error_reply(error, status, {"message": message}, {KIND_HEADER: kind})

    # ── relay ──

    def rewrite(self, body: bytes, model: str | None) -> bytes:
        """The model stands in the URL: the body stays as it is."""
        return body

    def read_usage(self, event: bytes) -> Usage | None:
        """The usage of a reply, or of the payload of a `metadata` event."""
        if b'"usage"' not in event:
            return None
        try:
            found: MetadataEvent = decode_metadata(event)
        except UNREADABLE:
            return None
        return parse_usage(found.usage, found.serviceTier)


def read_path(url: str) -> tuple[str, str]:
    """The model and the operation that a URL names; "" where it names none."""
    match = _PATH.search(urlsplit(url).path)
    return (unquote(match["model"]), match["operation"]) if match else ("", "")


def _read_conversation(request: WireRequest) -> tuple[Raw, Raw | None]:
    """Messages and instructions, undecoded: the arguments of tools stay as they were written."""
    if isinstance(request.body, Mapping):
        fields = {name: Raw(msgspec.json.encode(request.body[name])) for name in _RAW if name in request.body}
    else:
        try:
            fields = msgspec.json.decode(request.body or b"", type=dict[str, Raw])  # type: ignore[arg-type]
        except UNREADABLE as error:
            raise refuse("the body", f"is not a JSON object: {error}", "invalid_json") from error
    if "messages" not in fields:
        raise refuse("messages", "must be a list", "missing_required_parameter")
    return fields["messages"], fields.get("system")


_RAW = ("messages", "system")
