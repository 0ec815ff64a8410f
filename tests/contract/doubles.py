"""What servers of each protocol write, in plain dictionaries: made by nothing of ours, so that it can judge."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from betterai.wire.event_stream import build_frame

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One call of a tool; its arguments in the pieces in which a stream brings them."""

    id: str
    name: str
    pieces: tuple[str, ...]

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True)
class Said:
    """One answer. `finish` is the protocol's own word, "" for the usual one; `usage` None for none."""

    text: str = ""
    asked: tuple[Asked, ...] = ()
    finish: str = ""
    usage: Json | None = None
    more: Json | None = None
    """Fields that nobody has heard of, for the body and for the first event."""

    def ended(self, plain: str, called: str) -> str:
        return self.finish or (called if self.asked else plain)


@dataclass(frozen=True)
class Double:
    """`usage` is one of 100 tokens in and 20 out; `events` are framed as they travel."""

    usage: Json
    whole: Callable[[Said], Json]
    events: Callable[[Said], Iterator[bytes]]


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _sse(value: Json, name: str = "") -> bytes:
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + _dump(value) + b"\n\n"


def _longest(asked: Sequence[Asked]) -> range:
    return range(max((len(item.pieces) for item in asked), default=0))


def _turns(asked: Sequence[Asked]) -> Iterator[tuple[int, int, Asked]]:
    """The pieces of all calls in turns: the first of each, the second of each …"""
    for place in _longest(asked):
        yield from ((place, index, item) for index, item in enumerate(asked) if place < len(item.pieces))


# ── Chat Completions ──


def _chat_call(item: Asked, arguments: str) -> Json:
    return {"id": item.id, "type": "function", "function": {"name": item.name, "arguments": arguments}}


def _chat_whole(said: Said) -> Json:
    calls = [_chat_call(item, item.arguments) for item in said.asked]
    message = {"role": "assistant", "content": said.text or None, **({"tool_calls": calls} if calls else {})}
    choice = {"index": 0, "message": message, "finish_reason": said.ended("stop", "tool_calls")}
    usage = {"usage": said.usage} if said.usage else {}
    return {"id": "a-1", "object": "chat.completion", "model": "m-1", "choices": [choice], **usage, **(said.more or {})}


def _chat_events(said: Said) -> Iterator[bytes]:
    head = {"id": "a-1", "object": "chat.completion.chunk", "model": "m-1"}

    def chunk(delta: Json, finish: str | None = None, **more: Any) -> bytes:
        return _sse({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})

    yield chunk({"role": "assistant", "content": ""}, **(said.more or {}))
    if said.text:
        yield chunk({"content": said.text})
    for place, index, item in _turns(said.asked):
        piece = item.pieces[place]
        function = {"index": index, "function": {"arguments": piece}} if place else {
            "index": index, **_chat_call(item, piece),
        }  # fmt: skip
        yield chunk({"tool_calls": [function]})
    yield chunk({}, said.ended("stop", "tool_calls"))
    if said.usage:
        yield _sse({**head, "choices": [], "usage": said.usage})
    yield b"data: [DONE]\n\n"


# ── Responses ──

_INCOMPLETE = frozenset({"max_output_tokens", "content_filter"})


def _responses_item(item: Asked, arguments: str, status: str = "completed") -> Json:
    call = {"call_id": item.id, "name": item.name, "arguments": arguments, "status": status}
    return {"type": "function_call", "id": f"fc_{item.id}", **call}


def _responses_message(text: str, *, refusal: bool) -> Json:
    part = {"type": "output_text", "text": text, "annotations": []}
    said = {"type": "refusal", "refusal": text} if refusal else part
    return {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [said]}


def _responses_whole(said: Said) -> Json:
    message = [_responses_message(said.text, refusal=said.finish == "refusal")] if said.text else []
    output = [*message, *(_responses_item(item, item.arguments) for item in said.asked)]
    cut = said.finish not in ("", "completed", "refusal")
    ended: Json = {"status": "incomplete" if cut else "completed"}
    if cut:
        ended["incomplete_details"] = {"reason": said.finish}
    usage = {"usage": said.usage} if said.usage else {}
    return {
        "id": "a-1", "object": "response", "model": "m-1", "output": output, **ended, **usage, **(said.more or {}),
    }  # fmt: skip


def _responses_events(said: Said) -> Iterator[bytes]:
    whole = _responses_whole(said)

    def event(kind: str, **fields: Any) -> bytes:
        return _sse({"type": f"response.{kind}", "sequence_number": 0, **fields}, f"response.{kind}")

    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield event("created", response=begun, **(said.more or {}))
    output = whole["output"]
    for index, item in enumerate(output):
        if item["type"] != "message":
            continue
        kind = item["content"][0]["type"]
        at = {"item_id": item["id"], "output_index": index, "content_index": 0}
        yield event("output_item.added", output_index=index, item={**item, "content": [], "status": "in_progress"})
        yield event(f"{kind}.delta", **at, delta=said.text)
        yield event(f"{kind}.done", **at, **{"refusal" if kind == "refusal" else "text": said.text})
        yield event("output_item.done", output_index=index, item=item)
    before = len(output) - len(said.asked)
    for index, item in enumerate(said.asked):
        begun_call = _responses_item(item, "", "in_progress")
        yield event("output_item.added", output_index=before + index, item=begun_call)
    for place, index, item in _turns(said.asked):
        at = {"item_id": f"fc_{item.id}", "output_index": before + index}
        yield event("function_call_arguments.delta", **at, delta=item.pieces[place])
    for index, item in enumerate(said.asked):
        at = {"item_id": f"fc_{item.id}", "output_index": before + index}
        yield event("function_call_arguments.done", **at, name=item.name, arguments=item.arguments)
        yield event("output_item.done", output_index=before + index, item=_responses_item(item, item.arguments))
    yield event(str(whole["status"]), response=whole)


# ── Messages ──


def _messages_whole(said: Said) -> Json:
    content: list[Json] = [{"type": "text", "text": said.text}] if said.text else []
    content += [
        {"type": "tool_use", "id": item.id, "name": item.name, "input": json.loads(item.arguments)}
        for item in said.asked
    ]
    ended = {"stop_reason": said.ended("end_turn", "tool_use"), "stop_sequence": None}
    usage = {"usage": said.usage} if said.usage else {}
    head = {"id": "a-1", "type": "message", "role": "assistant", "model": "m-1"}
    return {**head, "content": content, **ended, **usage, **(said.more or {})}


def _messages_events(said: Said) -> Iterator[bytes]:
    def event(kind: str, **fields: Any) -> bytes:
        return _sse({"type": kind, **fields}, kind)

    whole = _messages_whole(said)
    usage = {"usage": {**said.usage, "output_tokens": 1}} if said.usage else {}
    begun = {**whole, "content": [], "stop_reason": None, **usage}
    yield event("message_start", message=begun, **(said.more or {}))
    for index, block in enumerate(whole["content"]):
        empty = {**block, **({"input": {}} if block["type"] == "tool_use" else {"text": ""})}
        yield event("content_block_start", index=index, content_block=empty)
        if block["type"] == "text":
            yield event("content_block_delta", index=index, delta={"type": "text_delta", "text": said.text})
        else:
            for piece in next(item for item in said.asked if item.id == block["id"]).pieces:
                delta = {"type": "input_json_delta", "partial_json": piece}
                yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    counted = {"usage": {"output_tokens": said.usage["output_tokens"]}} if said.usage else {}
    yield event("message_delta", delta={"stop_reason": whole["stop_reason"], "stop_sequence": None}, **counted)
    yield event("message_stop")


# ── Gemini: a call comes whole, and says no index ──


def _gemini_call(item: Asked) -> Json:
    return {"functionCall": {"id": item.id, "name": item.name, "args": json.loads(item.arguments)}}


def _gemini_body(said: Said, parts: list[Json], finish: str | None) -> Json:
    ended = {"finishReason": finish} if finish else {}
    usage = {"usageMetadata": said.usage} if said.usage and finish else {}
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0, **ended}
    return {"candidates": [candidate], "modelVersion": "m-1", "responseId": "a-1", **usage}


def _gemini_whole(said: Said) -> Json:
    parts = [{"text": said.text}] if said.text else []
    body = _gemini_body(said, [*parts, *map(_gemini_call, said.asked)], said.finish or "STOP")
    return {**body, **(said.more or {})}


def _gemini_events(said: Said) -> Iterator[bytes]:
    parts = [*([{"text": said.text}] if said.text else []), *map(_gemini_call, said.asked)]
    for index, part in enumerate(parts):
        yield _sse({**_gemini_body(said, [part], None), **((said.more or {}) if not index else {})})
    yield _sse(_gemini_body(said, [{"text": ""}], said.finish or "STOP"))


# ── Converse ──


def _converse_whole(said: Said) -> Json:
    content: list[Json] = [{"text": said.text}] if said.text else []
    content += [
        {"toolUse": {"toolUseId": item.id, "name": item.name, "input": json.loads(item.arguments)}}
        for item in said.asked
    ]
    ended = {"stopReason": said.ended("end_turn", "tool_use"), "metrics": {"latencyMs": 1}}
    usage = {"usage": said.usage} if said.usage else {}
    return {"output": {"message": {"role": "assistant", "content": content}}, **ended, **usage, **(said.more or {})}


def _converse_events(said: Said) -> Iterator[bytes]:
    def frame(name: str, **body: Any) -> bytes:
        return build_frame({":message-type": "event", ":event-type": name}, _dump(body))

    yield frame("messageStart", role="assistant", **(said.more or {}))
    before = 1 if said.text else 0
    if said.text:
        yield frame("contentBlockDelta", contentBlockIndex=0, delta={"text": said.text})
        yield frame("contentBlockStop", contentBlockIndex=0)
    for index, item in enumerate(said.asked, before):
        start = {"toolUse": {"toolUseId": item.id, "name": item.name}}
        yield frame("contentBlockStart", contentBlockIndex=index, start=start)
        for piece in item.pieces:
            yield frame("contentBlockDelta", contentBlockIndex=index, delta={"toolUse": {"input": piece}})
        yield frame("contentBlockStop", contentBlockIndex=index)
    yield frame("messageStop", stopReason=said.ended("end_turn", "tool_use"))
    yield frame("metadata", metrics={"latencyMs": 1}, **({"usage": said.usage} if said.usage else {}))


# ── Cohere's Chat v2 ──


def _cohere_whole(said: Said) -> Json:
    message: Json = {"role": "assistant"}
    if said.text:
        message["content"] = [{"type": "text", "text": said.text}]
    if said.asked:
        message["tool_calls"] = [_chat_call(item, item.arguments) for item in said.asked]
    usage = {"usage": said.usage} if said.usage else {}
    ended = said.ended("COMPLETE", "TOOL_CALL")
    return {"id": "a-1", "finish_reason": ended, "message": message, **usage, **(said.more or {})}


def _cohere_events(said: Said) -> Iterator[bytes]:
    def event(kind: str, index: int | None = None, **message: Any) -> bytes:
        at = {} if index is None else {"index": index}
        return _sse({"type": kind, **at, **({"delta": {"message": message}} if message else {})}, kind)

    empty: Json = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield _sse(
        {"type": "message-start", "id": "a-1", "delta": {"message": empty}, **(said.more or {})}, "message-start"
    )
    if said.text:
        yield event("content-start", 0, content={"type": "text", "text": ""})
        yield event("content-delta", 0, content={"text": said.text})
        yield event("content-end", 0)
    for index, item in enumerate(said.asked):
        first, *rest = item.pieces
        yield event("tool-call-start", index, tool_calls=_chat_call(item, first))
        for piece in rest:
            yield event("tool-call-delta", index, tool_calls={"function": {"arguments": piece}})
        yield event("tool-call-end", index)
    end: Json = {"finish_reason": said.ended("COMPLETE", "TOOL_CALL"), **({"usage": said.usage} if said.usage else {})}
    yield _sse({"type": "message-end", "delta": end}, "message-end")


# ── Ollama's own: lines, and a call comes whole ──


def _ollama_call(index: int, item: Asked) -> Json:
    function = {"index": index, "name": item.name, "arguments": json.loads(item.arguments)}
    return {"id": item.id, "function": function}


def _ollama_whole(said: Said) -> Json:
    calls = [_ollama_call(index, item) for index, item in enumerate(said.asked)]
    message = {"role": "assistant", "content": said.text, **({"tool_calls": calls} if calls else {})}
    ended = {"done": True, "done_reason": said.finish or "stop", **(said.usage or {})}
    return {"model": "m-1", "message": message, **ended, **(said.more or {})}


def _ollama_events(said: Said) -> Iterator[bytes]:
    head = {"model": "m-1", "done": False}
    pieces: list[Json] = [{"content": said.text}] if said.text else []
    pieces += [{"content": "", "tool_calls": [_ollama_call(index, item)]} for index, item in enumerate(said.asked)]
    for index, piece in enumerate(pieces or [{"content": ""}]):
        more = (said.more or {}) if not index else {}
        yield _dump({**head, "message": {"role": "assistant", **piece}, **more}) + b"\n"
    last = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": said.finish or "stop"}
    yield _dump({**head, **last, **(said.usage or {})}) + b"\n"


DOUBLES: Mapping[str, Double] = {
    "openai_chat": Double(
        {
            "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 30}, "completion_tokens_details": {"reasoning_tokens": 5},
        },
        _chat_whole,
        _chat_events,
    ),
    "openai_responses": Double(
        {
            "input_tokens": 100, "output_tokens": 20, "total_tokens": 120,
            "input_tokens_details": {"cached_tokens": 30}, "output_tokens_details": {"reasoning_tokens": 5},
        },
        _responses_whole,
        _responses_events,
    ),
    "anthropic_messages": Double(
        {
            "input_tokens": 60, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 10, "output_tokens": 20,
        },
        _messages_whole,
        _messages_events,
    ),
    "gemini": Double(
        {
            "promptTokenCount": 100, "cachedContentTokenCount": 30, "candidatesTokenCount": 15,
            "thoughtsTokenCount": 5, "totalTokenCount": 120,
        },
        _gemini_whole,
        _gemini_events,
    ),
    "bedrock_converse": Double(
        {
            "inputTokens": 60, "cacheReadInputTokens": 30, "cacheWriteInputTokens": 10, "outputTokens": 20,
            "totalTokens": 120,
        },
        _converse_whole,
        _converse_events,
    ),
    "cohere_chat": Double(
        {
            "billed_units": {"input_tokens": 100, "output_tokens": 20},
            "tokens": {"input_tokens": 100, "output_tokens": 20},
        },
        _cohere_whole,
        _cohere_events,
    ),
    "ollama_chat": Double({"prompt_eval_count": 100, "eval_count": 20}, _ollama_whole, _ollama_events),
}  # fmt: skip
"""A protocol that comes new needs its double here: all of these tests run over it then."""
