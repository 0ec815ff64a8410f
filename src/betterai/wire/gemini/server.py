"""The server half: requests as our calls, our responses as replies. Strict in type, open to new fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from betterai.core.codec import TextCall
from betterai.core.message import AnyPart, Reasoning, Text, ToolCall
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.core.usage import Usage
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.wire.answers import build_error_reply, build_reply, status_of
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.gemini.answers import (
    build_answer_parts,
    build_candidate,
    build_finish,
    build_logprobs,
    describe_error,
)
from betterai.wire.gemini.conversation import ARGUMENTS, parse_contents
from betterai.wire.gemini.fields import PROTOCOL
from betterai.wire.gemini.grounding import build_grounding
from betterai.wire.gemini.pointers import POINTERS
from betterai.wire.gemini.requests import SettingsReader
from betterai.wire.gemini.shapes import REPLY
from betterai.wire.gemini.spelling import read_spelling
from betterai.wire.gemini.usage import build_usage, parse_usage
from betterai.wire.objects import read_body
from betterai.wire.requests import rename_model
from betterai.wire.residue import refuse
from betterai.wire.verbatim import restore_raw

_PATH = re.compile(r"/((?:publishers/[^/]+/|models/|tunedModels/|endpoints/)[^:?#]+):(\w+)$")
AS_LIST = "alt"
"""In `spelling`: a stream was asked for as one list, and not as server-sent events."""


class GeminiSurface:
    """What a gateway needs to speak generateContent to its clients."""

    protocol = PROTOCOL
    pointers = POINTERS

    # ── in ──

    def parse_request(self, request: WireRequest) -> TextCall:
        """The request as our call: model and method stand in its URL. Raises `BadRequestError` for what is no request
        of this protocol.
        """
        model, method = read_address(request.url)
        warnings: list[CallWarning] = []
        written = read_body(request)
        restore_raw(written, request, ARGUMENTS)
        body, spelled = read_spelling(written, warnings)
        if not model and isinstance(body.get("model"), str):
            model = body["model"].removeprefix("models/")
        if not model:
            raise refuse("model", "is missing: it stands in the path, /models/MODEL:generateContent")
        stream = method == "streamGenerateContent"
        system = body.pop("systemInstruction", None) if body.get("systemInstruction") is not None else None
        reader = SettingsReader(warnings, spelled)
        if stream and not self._wants_events(request):
            reader.spelling.add(AS_LIST)
        messages = parse_contents(system, body.pop("contents", None), warnings)
        return Call(
            model=ModelConfig(id=model, provider="", known=False),
            input=messages,
            settings=reader.parse(body),
            stream=stream,
            warnings=tuple(warnings),
        )

    def _wants_events(self, request: WireRequest) -> bool:
        asked = request.query.get("alt") or next(iter(parse_qs(urlsplit(request.url).query).get("alt", ())), "")
        return asked == "sse"

    # ── out ──

    def build_response(self, call: TextCall, result: ProviderResponse) -> WireResponse:
        """The whole answer as a reply."""
        items = (result, *result.alternatives)
        body: dict[str, Any] = {
            "candidates": [build_candidate(index, item) for index, item in enumerate(items)],
            "modelVersion": result.model or call.model.id,
            "responseId": result.id or call.id,
        }
        if result.usage is not None:
            body["usageMetadata"] = build_usage(result.usage)
        return build_reply(body)

    def build_event(self, call: TextCall, item: TextChunk | Exception | None, state: dict[str, Any]) -> bytes:
        """A chunk as an event, or as none; None is the last one, for a stream has no terminator. `state` keeps, for one
        stream, what its end must say.
        """
        if isinstance(item, Exception):
            state["failed"] = True
            return self._frame(call, describe_error(item), state) + self._close(call, state)
        if item is None:
            return b"" if state.get("failed") else self._end(call, state)
        frame = state.setdefault("answer", _describe_answer(call, item))
        if item.usage is not None:
            state["usage"] = item.usage
        candidate = _take_up(item, state)
        return self._frame(call, {"candidates": [candidate], **frame}, state) if candidate else b""

    def _end(self, call: TextCall, state: dict[str, Any]) -> bytes:
        """How each candidate ended, and the usage."""
        answer = state.setdefault("answer", {"modelVersion": call.model.id, "responseId": call.id})
        candidates = [_finish(index, known) for index, known in sorted(_choices(state).items() or [(0, _Choice())])]
        body: dict[str, Any] = {"candidates": candidates, **answer}
        if "usage" in state:
            body["usageMetadata"] = build_usage(state["usage"])
        return self._frame(call, body, state) + self._close(call, state)

    def _frame(self, call: TextCall, body: Any, state: dict[str, Any]) -> bytes:
        encoded = msgspec.json.encode(body)
        if AS_LIST not in (call.settings.spelling or ()):
            return b"data: " + encoded + b"\r\n\r\n"
        opened = state.get("opened", False)
        state["opened"] = True
        return (b",\r\n" if opened else b"[") + encoded

    def _close(self, call: TextCall, state: dict[str, Any]) -> bytes:
        return b"]" if AS_LIST in (call.settings.spelling or ()) else b""

    def build_error(self, error: Exception) -> WireResponse:
        return build_error_reply(error, status_of(error), describe_error(error))

    # ── relay ──

    def rewrite(self, body: bytes, model: str | None) -> bytes:
        return rename_model(body, model)

    def read_usage(self, event: bytes) -> Usage | None:
        if b'"usageMetadata"' not in event:
            return None
        try:
            return parse_usage(REPLY.decode(event).usage_metadata)
        except UNREADABLE:
            return None


def read_address(url: str) -> tuple[str, str]:
    """The model and the method of a URL such as `/v1beta/models/MODEL:generateContent`; "" for what it does not say."""
    match = _PATH.search(urlsplit(url).path)
    if match is None:
        return "", ""
    name = re.sub(r"^(publishers/[^/]+/)?models/", "", unquote(match[1]))
    return name, match[2]


class _Choice:
    """What one candidate of a stream must still say at its end."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.calls: dict[int, dict[str, Any]] = {}
        self.shown: dict[str, bool] = {"content": False, "reasoning": False}
        self.logprobs: list[Any] = []
        self.reason: Any = None
        self.word = ""
        self.opaque: Any = None


def _choices(state: dict[str, Any]) -> dict[int, _Choice]:
    choices: dict[int, _Choice] = state.setdefault("choices", {})
    return choices


def _describe_answer(call: TextCall, item: TextChunk) -> dict[str, Any]:
    return {"modelVersion": item.model or call.model.id, "responseId": item.id or call.id}


def _take_up(item: TextChunk, state: dict[str, Any]) -> dict[str, Any] | None:
    """What a chunk shows, as a candidate; None where it shows nothing yet."""
    choice = _choices(state).setdefault(item.choice, _Choice())
    parts: list[dict[str, Any]] = []
    if item.reasoning:
        choice.shown["reasoning"] = True
        parts.append({"text": item.reasoning, "thought": True})
    if item.content:
        choice.shown["content"] = True
        parts.append({"text": item.content})
    if item.tool_call is not None:
        known = choice.calls.setdefault(item.tool_call.index, {"id": "", "name": "", "arguments": ""})
        known["id"], known["name"] = known["id"] or item.tool_call.id, known["name"] or item.tool_call.name
        known["arguments"] += item.tool_call.arguments
    if item.part is not None:
        choice.parts.append(item.part)
        parts.extend(_build_part(item.part, choice))
    if item.logprobs is not None:
        choice.logprobs.extend(item.logprobs)
    if item.opaque is not None:
        choice.opaque = item.opaque
    if item.finish_reason is not None:
        choice.reason, choice.word = item.finish_reason, item.raw_finish_reason
    return {"content": {"role": "model", "parts": parts}, "index": item.choice} if parts else None


def _build_part(part: AnyPart, choice: _Choice) -> list[dict[str, Any]]:
    """What a finished part says beyond what was shown of it: a call and media whole, of a text its signature."""
    if isinstance(part, ToolCall) and not part.server:
        choice.calls.pop(part.index, None)
    if isinstance(part, Text | Reasoning) and choice.shown["reasoning" if isinstance(part, Reasoning) else "content"]:
        written = build_answer_parts([part]) if part.opaque is not None else []
        return [{**item, "text": ""} for item in written if "thoughtSignature" in item]
    return build_answer_parts([part])


def _finish(index: int, choice: _Choice) -> dict[str, Any]:
    """The last event of a candidate: calls of which only pieces came, sources, and how it ended."""
    calls = [
        ToolCall(id=known["id"], name=known["name"], arguments=known["arguments"], index=place)
        for place, known in sorted(choice.calls.items())
    ]
    parts = build_answer_parts(calls) if calls else [{"text": ""}]
    body: dict[str, Any] = {
        "content": {"role": "model", "parts": parts},
        "finishReason": build_finish(choice.reason, choice.word),
        "index": index,
    }
    if (grounding := build_grounding(choice.parts)) is not None:
        body["groundingMetadata"] = grounding
    if choice.logprobs:
        body["logprobsResult"] = build_logprobs(choice.logprobs)
    value = choice.opaque.value if choice.opaque is not None and choice.opaque.protocol == PROTOCOL else None
    if isinstance(value, Mapping) and "continuationToken" in value:
        body["continuationToken"] = value["continuationToken"]
    return body
