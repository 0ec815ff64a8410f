"""Groq's deviations from Chat Completions (https://console.groq.com/docs/openai, read 2026-11-22)."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from betterai.core.codec import TextCall
from betterai.core.usage import Usage
from betterai.providers.groq.options import GroqOptions
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.shapes import ChatShape, UsageShape
from betterai.wire.openai_chat.usage import parse_usage
from betterai.wire.report import Report


class XGroq(Struct):
    usage: UsageShape | None = None
    error: Any = None


class GroqShape(ChatShape):
    x_groq: XGroq | None = None


class GroqChat(OpenAIChat):
    """Streams state their usage, and late errors, in `x_groq`."""

    shape = GroqShape
    reasoning_field = "reasoning"
    server_tools: ClassVar = {"web_search": "browser_search", "code_execution": "code_interpreter"}
    reasoning_names: ClassVar = {"format": "reasoning_format", "include": "include_reasoning"}
    cache_marks = False
    allowed_tools = False
    vendor_options = frozenset(GroqOptions.__annotations__)
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "logprobs", "top_logprobs", "logit_bias", "frequency_penalty", "presence_penalty", "audio", "modalities",
            "prediction", "moderation", "cache", "verbosity", "web_search", "safety_identifier", "metadata", "store",
        ),
        "Groq does not take it",
    )  # fmt: skip

    def _may_send(self, name: str, value: Any, call: TextCall, report: Report) -> bool:
        if name == "n" and value not in (None, 1):
            report.drop("n", "Groq gives one answer a call", hint="call it n times")
        return super()._may_send(name, value, call, report)

    def usage_of(self, shape: ChatShape) -> Usage | None:
        if shape.usage is None and isinstance(shape, GroqShape) and shape.x_groq is not None:
            return parse_usage(shape.x_groq.usage, shape.service_tier)
        return super().usage_of(shape)

    def error_of(self, shape: ChatShape) -> Any:
        if not shape.error and isinstance(shape, GroqShape) and shape.x_groq is not None:
            return shape.x_groq.error or None
        return shape.error or None
