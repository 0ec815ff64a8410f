"""Calls of Converse, and botocore as the judge of what is sent and of what is answered."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import botocore.session
import msgspec
from botocore.eventstream import EventStream
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

from betterai.core.codec import TextCall
from betterai.core.message import Message
from betterai.core.model import ModelConfig, ModelTraits
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, Event, WireRequest, WireResponse
from betterai.providers.bedrock.converse import Converse
from betterai.runtime.encoding import encode_request
from betterai.wire.event_stream import build_frame

CODEC = Converse()
HEADERS = {"content-type": "application/json"}


def call(*messages: Message, stream: bool = False, traits: ModelTraits | None = None, **settings: Any) -> TextCall:
    return Call(
        model=ModelConfig(id="a.model-v1:0", provider="bedrock", traits=traits or ModelTraits()),
        input=messages or (Message.user("Hello"),),
        settings=GenerationSettings(**settings),
        stream=stream,
        id="call-1",
    )


def build(made: TextCall) -> tuple[dict[str, Any], WireRequest]:
    """The body as it goes out, which botocore finds valid, and the request."""
    request = encode_request(CODEC.build_request(made), made.settings.extra_body)
    body: dict[str, Any] = json.loads(request.body)  # type: ignore[arg-type]
    check_request(body, stream=made.stream)
    return body, request


def body_of(*messages: Message, **settings: Any) -> dict[str, Any]:
    return build(call(*messages, **settings))[0]


def warnings_of(*messages: Message, **settings: Any) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in build(call(*messages, **settings))[1].warnings]


@cache
def operation(stream: bool) -> Any:
    model = botocore.session.Session().get_service_model("bedrock-runtime")
    return model.operation_model("ConverseStream" if stream else "Converse")


def check_request(body: dict[str, Any], *, stream: bool = False) -> None:
    """botocore validates what its users pass: unknown members, missing ones, types."""
    report = ParamValidator().validate({"modelId": "m", **body}, operation(stream).input_shape)
    assert not report.has_errors(), report.generate_report()


def parse_reply(reply: WireResponse) -> dict[str, Any]:
    """What a user of botocore gets for a whole reply."""
    raw = {"status_code": reply.status, "headers": dict(reply.headers), "body": reply.content}
    parsed: dict[str, Any] = create_parser("rest-json").parse(raw, operation(False).output_shape)
    return parsed


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]


def parse_stream(content: bytes) -> list[dict[str, Any]]:
    """The events that a user of botocore gets. Raises its `EventStreamError`."""
    shape = operation(True).output_shape.members["stream"]
    parser = create_parser("rest-json")._event_stream_parser
    return list(EventStream(_Body(content), shape, parser, "ConverseStream"))


def event(name: str, **body: Any) -> Event:
    return Event(name=name, data=msgspec.json.encode(body))


def frame(name: str, **body: Any) -> bytes:
    return build_frame({":message-type": "event", ":event-type": name}, msgspec.json.encode(body))


def delta(index: int, **body: Any) -> Event:
    return event("contentBlockDelta", contentBlockIndex=index, delta=body)


def stop(index: int) -> Event:
    return event("contentBlockStop", contentBlockIndex=index)


def reply(*content: Any, stop: str = "end_turn", **more: Any) -> WireResponse:
    body = {
        "output": {"message": {"role": "assistant", "content": content}}, "stopReason": stop,
        "usage": {"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}, "metrics": {"latencyMs": 1}, **more,
    }  # fmt: skip
    return WireResponse(status=200, headers=HEADERS, body=msgspec.json.encode(body))


def read(*content: Any, **more: Any) -> Any:
    return CODEC.parse_response(call(), reply(*content, **more))
