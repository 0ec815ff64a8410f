"""What a service of each protocol says: an answer in stages, an error of each kind, a sign of life."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from betterai.core.message import Message, Text
from betterai.core.model import ModelConfig
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings, StreamOptions
from betterai.core.usage import Usage
from betterai.core.wire import Call
from betterai.wire.surfaces import SURFACES

PIECES = ("Grüße ", "aus ", "weiter ", "Ferne 世界")
OTHER_PIECES = ("Hier ", "spricht ", "die ", "Zweite ✓")
"""What the server says, and what it says in the place of another one: beyond ASCII, and no piece twice."""
USAGE = Usage(text_in=7, text_out=4)


@dataclass(frozen=True)
class Stages:
    """A streamed answer as it travels: before its text, each piece of text, its finish, its usage where that comes
    apart, and what only ends the stream.
    """

    head: bytes
    texts: tuple[bytes, ...]
    finish: bytes
    usage: bytes = b""
    end: bytes = b""

    @property
    def tail(self) -> bytes:
        return self.finish + self.usage + self.end


@dataclass(frozen=True)
class Dialect:
    """One protocol. `model` and `settings` configure a client for it, `base` is what its base URL ends with."""

    protocol: str
    model: str
    paths: str
    """A pattern of the URLs' ends."""
    answer: Callable[[Sequence[str]], bytes]
    stages: Callable[[Sequence[str]], Stages]
    refuse: Callable[[Exception], tuple[int, Mapping[str, str], bytes]]
    interrupt: Callable[[Exception], bytes]
    """An error in the middle of a stream."""
    stream_type: str = "text/event-stream"
    base: str = "/v1"
    settings: Mapping[str, str] = field(default_factory=dict)
    alive: bytes = b": alive\n\n"
    """A sign of life that says nothing; b"" where the protocol has none."""
    stray: bytes = b'event: unheard_of\ndata: {"type": "unheard_of"}\n\n'
    """An event that nobody has heard of."""
    broken: bytes = b'data: {"cut": \n\n'
    """An event that cannot be read."""


def _call() -> Any:
    settings = GenerationSettings(stream_options=StreamOptions(include_usage=True))
    model = ModelConfig(id="m-1", provider="any")
    return Call(model=model, input=(), settings=settings, stream=True, id="answer-1", now=1_800_000_000.0)


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _split_off(data: bytes, pattern: bytes) -> tuple[bytes, bytes]:
    """Whole events up to the one where the pattern is, and the rest."""
    found = re.search(pattern, data)
    return (data[: found.start()], data[found.start() :]) if found else (data, b"")


# ── those that have a server half ──


def _half(protocol: str) -> dict[str, Any]:
    """How a server half of ours says it."""

    def answer(pieces: Sequence[str]) -> bytes:
        text = "".join(pieces)
        response = ProviderResponse(
            content=text, model="m-1", id="answer-1", message=Message.assistant(text), usage=USAGE, finish_reason="stop"
        )
        return SURFACES[protocol]().build_response(_call(), response).content

    def stages(pieces: Sequence[str]) -> Stages:
        surface, call, state = SURFACES[protocol](), _call(), dict[str, Any]()
        head = surface.build_event(call, TextChunk(model="m-1", id="answer-1"), state)
        texts = [surface.build_event(call, TextChunk(content=piece), state) for piece in pieces]
        ending: list[TextChunk | None] = [
            TextChunk(part=Text(text="".join(pieces))), TextChunk(finish_reason="stop"), TextChunk(usage=USAGE), None,
        ]  # fmt: skip
        part, finish, *rest = (surface.build_event(call, item, state) for item in ending)
        usage, end = _split_off(b"".join(rest), _ENDS.get(protocol, rb"\Z"))
        if protocol in _TOGETHER:
            finish, usage = finish + usage, b""
        return Stages(head or _HEADS.get(protocol, b""), tuple(texts), part + finish, usage, end)

    def refuse(error: Exception) -> tuple[int, Mapping[str, str], bytes]:
        reply = SURFACES[protocol]().build_error(error)
        return (
            reply.status,
            {name: value for name, value in reply.headers.items() if name != "retry-after"},
            reply.content,
        )

    def interrupt(error: Exception) -> bytes:
        surface, call, state = SURFACES[protocol](), _call(), dict[str, Any]()
        surface.build_event(call, TextChunk(model="m-1", id="answer-1"), state)
        return surface.build_event(call, error, state)

    return {"answer": answer, "stages": stages, "refuse": refuse, "interrupt": interrupt}


_ENDS = {"openai_chat": rb"data: \[DONE\]", "anthropic_messages": rb"event: message_stop"}
_TOGETHER = frozenset({"anthropic_messages", "gemini", "openai_responses"})
"""Protocols whose finish and usage come in one event."""
_HEADS = {
    "openai_chat": b"data: "
    + _dump({"id": "answer-1", "object": "chat.completion.chunk", "created": 1_800_000_000, "model": "m-1",
             "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]})
    + b"\n\n",
    "gemini": b"data: "
    + _dump({"candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}, "index": 0}],
             "modelVersion": "m-1", "responseId": "answer-1"})
    + b"\r\n\r\n",
}  # fmt: skip


# ── two vendors' own ──


def _status_of(error: Exception) -> int:
    return getattr(error, "status", None) or 500


def _cohere_answer(pieces: Sequence[str]) -> bytes:
    content = [{"type": "text", "text": "".join(pieces)}]
    usage = {"tokens": {"input_tokens": 7, "output_tokens": 4}}
    message = {"role": "assistant", "content": content}
    return _dump({"id": "answer-1", "finish_reason": "COMPLETE", "message": message, "usage": usage})


def _cohere_event(kind: str, **fields: Any) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + _dump({"type": kind, **fields}) + b"\n\n"


def _cohere_stages(pieces: Sequence[str]) -> Stages:
    def content(kind: str, text: str, **more: Any) -> bytes:
        return _cohere_event(f"content-{kind}", index=0, delta={"message": {"content": {**more, "text": text}}})

    message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    head = _cohere_event("message-start", id="answer-1", delta={"message": message}) + content("start", "", type="text")
    ended = {"finish_reason": "COMPLETE", "usage": {"tokens": {"input_tokens": 7, "output_tokens": 4}}}
    finish = _cohere_event("content-end", index=0) + _cohere_event("message-end", delta=ended)
    return Stages(head, tuple(content("delta", piece) for piece in pieces), finish)


def _cohere_refusal(error: Exception) -> tuple[int, Mapping[str, str], bytes]:
    return _status_of(error), {"content-type": "application/json"}, _dump({"id": "r-1", "message": str(error)})


def _cohere_interruption(error: Exception) -> bytes:
    return _cohere_event("message-end", delta={"finish_reason": "ERROR", "error": str(error)})


def _ollama_line(text: str, **more: Any) -> bytes:
    said = {"model": "m-1", "message": {"role": "assistant", "content": text}, "done": False}
    return _dump({**said, **more}) + b"\n"


_OLLAMA_END = {"done": True, "done_reason": "stop", "prompt_eval_count": 7, "eval_count": 4}


def _ollama_stages(pieces: Sequence[str]) -> Stages:
    return Stages(_ollama_line(""), tuple(map(_ollama_line, pieces)), _ollama_line("", **_OLLAMA_END))


def _ollama_refusal(error: Exception) -> tuple[int, Mapping[str, str], bytes]:
    return _status_of(error), {"content-type": "application/json"}, _dump({"error": str(error)})


DIALECTS: Mapping[str, Dialect] = {
    dialect.protocol: dialect
    for dialect in (
        Dialect("openai_chat", "openai/neutral-model", r"/chat/completions$", **_half("openai_chat")),
        Dialect("openai_responses", "openai/neutral-model", r"/responses$", **_half("openai_responses")),
        Dialect(
            "anthropic_messages", "anthropic/neutral-model", r"/messages$", **_half("anthropic_messages"),
            alive=b'event: ping\ndata: {"type": "ping"}\n\n',
        ),
        Dialect(
            "gemini", "google/neutral-model", r":(generateContent|streamGenerateContent)$", **_half("gemini"),
            base="/v1beta",
        ),
        Dialect(
            "bedrock_converse", "bedrock/neutral-model", r"/converse(-stream)?$", **_half("bedrock_converse"),
            stream_type="application/vnd.amazon.eventstream", base="", settings={"region": "us-east-1"},
            alive=b"", stray=b"", broken=b"\0\0\0\x20\0\0\0\x08\0\0\0\0" + b"?" * 20,
        ),
        Dialect(
            "cohere_chat", "cohere/neutral-model", r"/v2/chat$", _cohere_answer, _cohere_stages, _cohere_refusal,
            _cohere_interruption, base="",
        ),
        Dialect(
            "ollama_chat", "ollama/neutral-model", r"/api/chat$", answer=lambda pieces: _ollama_line("".join(pieces),
            **_OLLAMA_END), stages=_ollama_stages, refuse=_ollama_refusal,
            interrupt=lambda error: _dump({"error": str(error)}) + b"\n", stream_type="application/x-ndjson", base="",
            alive=b"", stray=b"", broken=b'{"cut": \n',
        ),
    )
}  # fmt: skip


def find_dialect(path: str) -> Dialect:
    """Who speaks at a path. Raises `LookupError`."""
    for dialect in DIALECTS.values():
        if re.search(dialect.paths, path):
            return dialect
    raise LookupError(path)
