"""Mistral's deviations from Chat Completions (mistralai 3.7.0; https://docs.mistral.ai/api, 2026-11)."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any, ClassVar

import msgspec

from betterai.core.message import MediaPart
from betterai.core.usage import Usage
from betterai.providers.mistral.options import MistralOptions
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.shapes import ChatShape, UsageShape
from betterai.wire.openai_chat.usage import parse_usage
from betterai.wire.report import Report

_ID = re.compile("[a-zA-Z0-9]{9}")


class MistralUsage(UsageShape):
    num_cached_tokens: int | None = None
    prompt_audio_seconds: float | None = None
    service_tier: str | None = None


class MistralShape(ChatShape):
    usage: MistralUsage | None = None


class MistralChat(OpenAIChat):
    """Unknown fields are refused (422), so nothing is sent that it does not name. Thoughts are parts of the content."""

    shape = MistralShape
    max_tokens_fields = ("max_tokens",)
    rename: ClassVar = {"seed": "random_seed"}
    required_tool = "any"
    stream_usage = False
    developer_role = False
    message_names = False
    cache_marks = False
    cache_fields = frozenset({"key"})
    allowed_tools = False
    prefill_field = "prefix"
    thinking_parts = True
    reference_parts = True
    extra_fields = frozenset({"top_k"})
    vendor_options = frozenset(MistralOptions.__annotations__)
    accepts: ClassVar = {
        "image": frozenset({"bytes", "url"}),
        "audio": frozenset({"bytes", "url"}),
        "document": frozenset({"bytes", "url", "file_id"}),
    }
    unsupported: ClassVar = dict.fromkeys(
        (
            "audio", "modalities", "moderation", "verbosity", "web_search", "safety_identifier", "store", "logit_bias",
            "user",
        ),
        "Mistral does not take it",
    )  # fmt: skip

    def build_media(self, part: MediaPart, report: Report) -> dict[str, Any]:
        media = part.media
        if media.kind == "document" and media.file_id is not None:
            return {"type": "file", "file_id": media.file_id}
        if media.kind == "document":
            named = {"document_name": media.filename} if media.filename else {}
            return {"type": "document_url", "document_url": media.url or media.to_data_url(), **named}
        if media.kind == "audio":
            return {"type": "input_audio", "input_audio": media.url or media.to_base64()}
        body = super().build_media(part, report)
        if part.opaque is not None and part.opaque.value == {}:
            body["image_url"] = body["image_url"]["url"]
        return body

    def fit_tool_call_id(self, id: str) -> str:
        """Ids are nine letters or digits; those of other vendors are shortened, the same one always in the same way."""
        return id if _ID.fullmatch(id) else blake2b(id.encode(), digest_size=5).hexdigest()[:9]

    def usage_of(self, shape: ChatShape) -> Usage | None:
        stated = shape.usage
        if not isinstance(stated, MistralUsage) or (usage := parse_usage(stated, stated.service_tier)) is None:
            return None
        if not usage.cached and stated.num_cached_tokens is not None:
            read = min(stated.num_cached_tokens, usage.text_in)
            usage = msgspec.structs.replace(usage, text_in=usage.text_in - read, cached={"text": read})
        if stated.prompt_audio_seconds:
            usage = msgspec.structs.replace(usage, units={"second": stated.prompt_audio_seconds})
        return usage
