"""The server half: requests as our calls, our responses as replies. Strict in type, open to new fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import msgspec

from betterai.core.codec import TextCall
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.core.usage import Usage
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.wire.answers import build_error_reply, build_reply, status_of
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.objects import read_body
from betterai.wire.openai_chat.answers import build_choice, build_delta, describe_error, finish_word
from betterai.wire.openai_chat.conversation import parse_message, parse_messages
from betterai.wire.openai_chat.messages import PROTOCOL
from betterai.wire.openai_chat.pointers import POINTERS
from betterai.wire.openai_chat.requests import parse_settings
from betterai.wire.openai_chat.shapes import ChatShape, decoder_for
from betterai.wire.openai_chat.usage import build_usage, parse_usage
from betterai.wire.requests import add_spelling, rename_model, take_messages, take_model, take_stream

__all__ = ["OpenAIChatSurface", "parse_message"]

_CHAT = decoder_for(ChatShape)


class OpenAIChatSurface:
    """What a gateway needs to speak Chat Completions to its clients."""

    protocol = PROTOCOL
    pointers = POINTERS

    # ── in ──

    def parse_request(self, request: WireRequest) -> TextCall:
        """The request as our call. Raises `BadRequestError` for what is not a request of this protocol."""
        body = read_body(request)
        warnings: list[CallWarning] = []
        model, messages = take_model(body, find_model_in_path(request.url)), take_messages(body)
        stream = take_stream(body, warnings)
        settings = parse_settings(body, warnings)
        if stream is False:
            settings = add_spelling(settings, "stream")
        return Call(
            model=ModelConfig(id=model, provider="", known=False),
            input=parse_messages(messages, warnings),
            settings=settings,
            stream=stream is True,
            warnings=tuple(warnings),
        )

    # ── out ──

    def build_response(self, call: TextCall, result: ProviderResponse) -> WireResponse:
        """The whole answer as a reply."""
        body: dict[str, Any] = {
            "id": result.id or call.id,
            "object": "chat.completion",
            "created": int(call.now),
            "model": result.model or call.model.id,
            "choices": [build_choice(call, index, item) for index, item in enumerate((result, *result.alternatives))],
        }
        if result.usage is not None:
            body |= self._build_usage(result.usage)
        return build_reply(body)

    def build_event(self, call: TextCall, item: TextChunk | Exception | None, state: dict[str, Any]) -> bytes:
        """A chunk as an event, or as none. `state` keeps, for one stream, what its end must say."""
        if item is None:
            return b"".join(self._end(call, state)) + b"data: [DONE]\n\n"
        if isinstance(item, Exception):
            state.clear()
            return _event(describe_error(item))
        frame = state.setdefault("frame", _frame(call, item))
        if item.usage is not None:
            state["usage"] = item.usage
        choice = self._build_choice(call, item, state)
        return _event({**frame, "choices": [choice]}) if choice else b""

    def _build_choice(self, call: TextCall, item: TextChunk, state: dict[str, Any]) -> dict[str, Any] | None:
        delta = build_delta(call, item, state)
        if delta is None and item.finish_reason is None:
            return None
        words: dict[int, str | None] = state.setdefault("words", {})
        if item.choice not in words:
            words[item.choice] = "stop"
            delta = {"role": "assistant", **(delta or {})}
        if item.tool_call is not None:
            words[item.choice] = "tool_calls"
        if item.finish_reason is not None:
            words[item.choice] = None
        choice = {"index": item.choice, "delta": delta or {}, "finish_reason": finish_word(item.finish_reason)}
        if item.logprobs is not None:
            choice["logprobs"] = {"content": item.logprobs}
        return choice

    def _end(self, call: TextCall, state: dict[str, Any]) -> Iterator[bytes]:
        """A finish for each choice that ended well without saying so, for which clients wait; then the usage."""
        for index, word in state.get("words", {}).items():
            if word is not None:
                yield _event({**state["frame"], "choices": [{"index": index, "delta": {}, "finish_reason": word}]})
        if "usage" in state and _wants_usage(call):
            yield _event({**state["frame"], "choices": [], **self._build_usage(state["usage"])})

    def _build_usage(self, usage: Usage) -> dict[str, Any]:
        """The counters, and beside them how they were billed, where that is said."""
        return {"usage": build_usage(usage), **({"service_tier": usage.tier} if usage.tier else {})}

    def build_error(self, error: Exception) -> WireResponse:
        return build_error_reply(error, status_of(error), describe_error(error))

    # ── relay ──

    def rewrite(self, body: bytes, model: str | None) -> bytes:
        return rename_model(body, model)

    def read_usage(self, event: bytes) -> Usage | None:
        if b'"usage"' not in event:
            return None
        try:
            return parse_usage(_CHAT.decode(event).usage)
        except UNREADABLE:
            return None


def find_model_in_path(url: str) -> str:
    """The model of a URL such as `/openai/deployments/MODEL/chat/completions`, whose body need not name it; or ""."""
    match = re.search(r"/deployments/([^/?#]+)/", url)
    return unquote(match[1]) if match else ""


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


def _frame(call: TextCall, item: TextChunk) -> dict[str, Any]:
    return {
        "id": item.id or call.id,
        "object": "chat.completion.chunk",
        "created": int(call.now),
        "model": item.model or call.model.id,
    }


def _wants_usage(call: TextCall) -> bool:
    options = call.settings.stream_options
    return options is not None and options.include_usage is True
