"""Our answers as the protocol's candidates and errors, for the server half."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from betterai.core.message import AnyPart, Text
from betterai.core.model import ModelConfig
from betterai.core.response import FinishReason, ProviderResponse, TokenLogprob
from betterai.wire.answers import say_error, status_of
from betterai.wire.gemini.contents import ContentBuilder, is_of_protocol
from betterai.wire.gemini.errors import STATUS_WORDS
from betterai.wire.gemini.fields import FINISH_REASONS
from betterai.wire.gemini.grounding import build_grounding
from betterai.wire.report import Report

_FINISH: dict[str, str] = {
    "stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY", "refusal": "STOP",
}  # fmt: skip
"""What is none of them may be cut off: no client shall take it for whole."""
_NO_MODEL = ModelConfig(id="", provider="")


def build_finish(reason: FinishReason | None, word: str) -> str:
    """The protocol's word; the provider's own where it is one of them. No reason at all means that it ended well."""
    if word in FINISH_REASONS and word != "JAILBREAK":
        return word
    return _FINISH.get(reason, "OTHER") if reason is not None else "STOP"


def build_answer_parts(parts: Sequence[AnyPart]) -> list[dict[str, Any]]:
    """The parts of an answer. What only another protocol understands is of no use to a client of this one."""
    return ContentBuilder(Report(_NO_MODEL), is_of_protocol).build_parts(parts)


def build_candidate(index: int, item: ProviderResponse) -> dict[str, Any]:
    """One candidate of a whole reply."""
    parts: Sequence[AnyPart] = item.message.parts if item.message else (Text(text=item.content),)
    body: dict[str, Any] = {
        "content": {"role": "model", "parts": build_answer_parts(parts)},
        "finishReason": build_finish(item.finish_reason, item.raw_finish_reason),
        "index": index,
    }
    if (grounding := build_grounding(parts)) is not None:
        body["groundingMetadata"] = grounding
    if item.logprobs is not None:
        body["logprobsResult"] = build_logprobs(item.logprobs)
    if item.message is not None and is_of_protocol(item.message.opaque):
        value = item.message.opaque.value if item.message.opaque is not None else None
        if isinstance(value, dict) and "continuationToken" in value:
            body["continuationToken"] = value["continuationToken"]
    return body


def build_logprobs(tokens: Sequence[TokenLogprob]) -> dict[str, Any]:
    return {
        "chosenCandidates": [_build_token(token) for token in tokens],
        "topCandidates": [{"candidates": [_build_token(item) for item in token.top_logprobs]} for token in tokens],
    }


def _build_token(token: TokenLogprob) -> dict[str, Any]:
    return {"token": token.token, "logProbability": token.logprob}


def describe_error(error: Exception) -> dict[str, Any]:
    """The protocol's error object. Of an error that is not ours nothing is told: it may hold anything."""
    status = status_of(error)
    word = STATUS_WORDS.get(status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL")
    return {"error": {"code": status, "message": say_error(error), "status": word}}
