"""Bodies and events of Chat v2, and short ways to have them read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from betterai.core.codec import TextCall
from betterai.core.message import Message
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.wire import Event, WireRequest, WireResponse
from betterai.providers.cohere.chat import CohereChat
from wire.chats import gather, make_call, model

COHERE = CohereChat()
ANY = model("cohere", "command-a-03-2025")
PLAN = {"tool_plan": "I will look it up."}
CALL = {"id": "add_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
CITED = {"start": 0, "end": 5, "text": "Paris", "sources": [
    {"type": "document", "id": "doc:0", "document": {"id": "doc:0", "title": "Facts", "url": "https://h/x"}}
], "type": "TEXT_CONTENT", "content_index": 1}  # fmt: skip
USAGE = {
    "billed_units": {"input_tokens": 3, "output_tokens": 7},
    "tokens": {"input_tokens": 507, "output_tokens": 10, "reasoning_tokens": 4},
    "cached_tokens": 448,
}


def call(*messages: Message, stream: bool = False, **settings: Any) -> TextCall:
    return make_call(messages or (Message.user("Hi"),), of=ANY, stream=stream, **settings)


def body_of(request: WireRequest) -> dict[str, Any]:
    """The body as it goes out, decoded again."""
    return msgspec.json.decode(msgspec.json.encode(request.body))  # type: ignore[no-any-return]


def sent(*messages: Message, **settings: Any) -> dict[str, Any]:
    return body_of(COHERE.build_request(call(*messages, **settings)))


def whole(message: dict[str, Any], finish: str = "COMPLETE", **fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", **message}
    return {"id": "r-1", "message": message, "finish_reason": finish, "usage": USAGE, **fields}


def parse(body: Any, status: int = 200) -> ProviderResponse:
    return COHERE.parse_response(call(), WireResponse(status=status, body=json.dumps(body).encode()))


def events_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """A whole reply as the events of a stream, texts cut in two."""
    message = body["message"]
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    events: list[dict[str, Any]] = [{"type": "message-start", "id": body["id"], "delta": {"message": empty}}]
    plan = halves(message.get("tool_plan", ""))
    events += [{"type": "tool-plan-delta", "delta": {"message": {"tool_plan": text}}} for text in plan]
    for index, part in enumerate(message.get("content", ())):
        kind = part["type"]
        events.append(event("content-start", index, content={"type": kind, kind: ""}))
        events += [event("content-delta", index, content={kind: text}) for text in halves(part[kind])]
        events.append({"type": "content-end", "index": index})
    for index, cited in enumerate(message.get("citations", ())):
        events += [event("citation-start", index, citations=cited), {"type": "citation-end", "index": index}]
    for index, item in enumerate(message.get("tool_calls", ())):
        head, tail = halves(item["function"]["arguments"])
        begin = {**item, "function": {**item["function"], "arguments": head}}
        events.append(event("tool-call-start", index, tool_calls=begin))
        events.append(event("tool-call-delta", index, tool_calls={"function": {"arguments": tail}}))
        events.append({"type": "tool-call-end", "index": index})
    end = {"finish_reason": body["finish_reason"], "usage": body["usage"]}
    return [*events, {"type": "message-end", "delta": end}]


def event(kind: str, index: int, **message: Any) -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": message}}


def halves(text: str) -> list[str]:
    return [text[: len(text) // 2], text[len(text) // 2 :]] if text else []


def read(events: Iterable[Any]) -> list[TextChunk]:
    state = COHERE.open_stream(call(stream=True))
    chunks = [chunk for item in events for chunk in state.parse_event(Event(data=json.dumps(item).encode()))]
    return [*chunks, *state.finish()]


def stream(events: Iterable[Any]) -> ProviderResponse:
    return gather(read(events), ANY.id)
