"""Whatever the official SDKs' types allow is read: nothing is lost, and a stream amounts to the whole reply."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from anthropic.types.beta import BetaContentBlock, BetaMessage
from google.genai.types import Candidate, Part
from openai.types.chat import ChatCompletion
from openai.types.responses import ResponseOutputItem, ResponseStreamEvent

from betterai.core.accumulate import Accumulator
from betterai.core.message import Message
from betterai.core.response import ProviderResponse
from betterai.core.wire import Event, WireResponse
from betterai.runtime.registry import get_provider
from fuzz.seeds import CALL
from judges.typed import Values, kinds_of
from together import each

SEEDS = int(os.environ.get("SEEDS", "3"))
"""So many values of each type and richness: `make fuzz` takes many more."""
PLACES_BESIDE = (
    "/logprobs", "/created_by", "/system_fingerprint", "/service_tier", "/function_call", "/object", "/metadata",
    "/moderation", "/model", "/expires_at", "/usage", "/role", "/finish", "/input/*", "/args/*",
)  # fmt: skip
"""What is no part of the message, or stands in it in another form: in `raw` it is all the same."""


def values(kind: Any) -> Iterator[tuple[Values, Any]]:
    for chance, nulls in ((0.0, 0.0), (1.0, 0.0), (0.6, 0.0), (0.6, 0.7)):
        for seed in range(SEEDS):
            made = Values(seed, chance, nulls)
            yield made, made.make(kind)


def codec_of(provider: str, protocol: str) -> Any:
    return get_provider(provider).protocols["text"][protocol]


def read(codec: Any, body: Any) -> ProviderResponse:
    response = codec.parse_response(CALL, WireResponse(status=200, body=msgspec.json.encode(body)))
    assert isinstance(response, ProviderResponse)
    return response


def gather(codec: Any, events: Sequence[dict[str, Any]]) -> ProviderResponse:
    state, gathered = codec.open_stream(CALL), Accumulator("m")
    for event in events:
        for chunk in state.parse_event(Event(data=msgspec.json.encode(event))):
            gathered.add(chunk)
    for chunk in state.finish():
        gathered.add(chunk)
    return gathered.response()


def find_lost(made: Values, response: ProviderResponse) -> set[str]:
    """The places of texts that are nowhere in the message, nor in the other choices' messages."""
    answers = (response, *response.alternatives)
    kept = msgspec.json.encode([answer.message for answer in answers]).decode().replace('\\"', '"')
    places = {place for text, place in made.texts.items() if text not in kept}
    return {place for place in places if not any(beside in place for beside in PLACES_BESIDE)}


def restored(message: Message | None) -> Message:
    return msgspec.json.decode(msgspec.json.encode(message), type=Message)


# ── Responses ──


def whole_response(*output: Any) -> dict[str, Any]:
    return {"id": "r", "object": "response", "status": "completed", "model": "m", "output": output, "error": None}


@each("kind", kinds_of(ResponseOutputItem), ids=lambda kind: kind.__name__)
def test_items_of_responses(kind: Any) -> None:
    codec = codec_of("openai", "openai_responses")
    for made, item in values(kind):
        response = read(codec, whole_response(item))
        assert find_lost(made, response) == set()
        assert restored(response.message) == response.message
        begun = {"type": "response.created", "response": {"id": "r", "model": "m", "status": "in_progress"}}
        pieces = [
            {"type": f"response.output_item.{what}", "output_index": 0, "item": item} for what in ("added", "done")
        ]
        ended = {"type": "response.completed", "response": whole_response(item)}
        assert gather(codec, [begun, *pieces, ended]).message == response.message
        assert gather(codec, [begun, ended]).message == response.message


ENDS = {"error", "response.completed", "response.failed", "response.incomplete"}


@each("kind", kinds_of(ResponseStreamEvent), ids=lambda kind: kind.__name__)
def test_events_of_responses(kind: Any) -> None:
    codec = codec_of("openai", "openai_responses")
    for _, event in values(kind):
        if event["type"] not in ENDS:
            event = {**event, "output_index": 0} if "output_index" in event else event
            gather(codec, [event, {"type": "response.completed", "response": whole_response()}])


# ── Messages ──


def whole_message(*content: Any) -> dict[str, Any]:
    usage = {"input_tokens": 1, "output_tokens": 2}
    return {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": content, "stop_reason": "end_turn", "usage": usage}  # fmt: skip


@each("kind", kinds_of(BetaContentBlock), ids=lambda kind: kind.__name__)
def test_blocks_of_messages(kind: Any) -> None:
    codec = codec_of("anthropic", "anthropic_messages")
    for made, block in values(kind):
        response = read(codec, whole_message(block))
        assert find_lost(made, response) == set()
        assert restored(response.message) == response.message
        events = [
            {"type": "message_start", "message": {**whole_message(), "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
            {"type": "message_stop"},
        ]
        assert gather(codec, events).message == response.message


def test_whole_messages() -> None:
    for _, body in values(BetaMessage):
        read(codec_of("anthropic", "anthropic_messages"), body)


# ── Chat, Gemini ──


def test_chat() -> None:
    codec = codec_of("openai", "openai_chat")
    for made, body in values(ChatCompletion):
        for index, choice in enumerate(body["choices"]):
            choice["index"] = index
            choice["message"].pop("audio", None)
        assert find_lost(made, read(codec, body)) <= {"/id"} | {p for p in made.texts.values() if "/audio/" in p}


def in_camels(value: Any) -> Any:
    if isinstance(value, list):
        return [in_camels(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name[:1] + name.title().replace("_", "")[1:]: in_camels(item) for name, item in value.items()}


NAMED = {"functionCall": "name", "functionResponse": "name", "toolCall": "toolType", "toolResponse": "toolType"}
"""What these parts have, though their types make it optional."""


@each("name", Part.model_fields)
def test_parts_of_gemini(name: str) -> None:
    codec = codec_of("google", "gemini")
    for made, value in values(Part.model_fields[name].annotation):
        part = in_camels({name: value})
        for field, needed in NAMED.items():
            if part.get(field) is not None:
                part[field] = {**part[field], needed: part[field].get(needed) or "x"}
        told = {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}]}
        response = read(codec, told)
        lost = {place for place in find_lost(made, response) if name != "function_call" or "/args" not in place}
        assert lost == set()
        assert {type(item) for item in gather(codec, [told]).message.parts} <= {type(i) for i in response.message.parts}  # type: ignore[union-attr]


def test_candidates_of_gemini() -> None:
    codec = codec_of("google", "gemini")
    for _, value in values(Candidate):
        candidate = in_camels({**value, "content": None, "index": 0})
        whole = read(codec, {"candidates": [{**candidate, "finishReason": "STOP"}]})
        assert (
            gather(codec, [{"candidates": [{**candidate, "finishReason": "STOP"}]}]).finish_reason
            == whole.finish_reason
        )
