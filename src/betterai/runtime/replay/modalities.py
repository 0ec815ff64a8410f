"""Recorded exchanges of the categories other than text, read by their codecs.

Requests are not taken through: these protocols have no server half here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from betterai.core.exceptions import BetterAIError, ConfigurationError
from betterai.core.media import Media
from betterai.core.model import Category
from betterai.core.results import (
    EmbeddingResponse,
    ImageResponse,
    ModerationResponse,
    RerankResponse,
    Speech,
    Transcript,
)
from betterai.core.settings import (
    CallSettings,
    EmbeddingSettings,
    ImageSettings,
    ModerationSettings,
    RerankSettings,
    SpeechSettings,
    TranscriptionSettings,
)
from betterai.core.sniffing import sniff_mime_type
from betterai.core.wire import Call, Framing, WireResponse
from betterai.runtime.registry import get_provider
from betterai.runtime.replay.framing import find_framing
from betterai.runtime.replay.round_trip import find_model
from betterai.wire.framing import open_framer

CATEGORIES: dict[str, Category] = {
    "embeddings": "embeddings", "rerank": "rerank", "moderation": "moderation", "image": "image", "image-edit": "image",
    "transcription": "audio", "speech": "tts",
}  # fmt: skip
"""The category of each kind of exchange."""
_SETTINGS: dict[Category, type[CallSettings]] = {
    "embeddings": EmbeddingSettings, "rerank": RerankSettings, "moderation": ModerationSettings, "image": ImageSettings,
    "audio": TranscriptionSettings, "tts": SpeechSettings,
}  # fmt: skip
_ELIDED = re.compile(rb"(?:\\u2026|\xe2\x80\xa6)?<<ELIDED (\d+) chars[^>]*>>")


def find_category_codecs(provider: str, kind: str, exchange: Mapping[str, Any]) -> tuple[list[Any], str]:
    """The provider's codec that asks at the recorded address; where none was recorded, all. Else none and why."""
    try:
        declared = get_provider(provider).protocols.get(CATEGORIES[kind], {})
    except ConfigurationError:
        return [], f"no provider {provider}"
    codecs = [codec for codec in declared.values() if hasattr(codec, "parse_response")]
    path = urlsplit(str((exchange.get("request") or {}).get("url") or "")).path
    if not path:
        return codecs, "" if codecs else f"{provider} offers no {kind} here"
    return [codec for codec in codecs if codec.answers(path)][:1], f"no codec for {path}"


def read_result(codecs: list[Any], kind: str, exchange: Mapping[str, Any], reply: WireResponse) -> Any:
    """The result that a reply is, by the first codec that can read it. Raises the error that it is, where it is one."""
    for codec in codecs[:-1]:
        with suppress(BetterAIError):
            return _read(codec, kind, exchange, reply)
    return _read(codecs[-1], kind, exchange, reply)


def _read(codec: Any, kind: str, exchange: Mapping[str, Any], reply: WireResponse) -> Any:
    if not 200 <= reply.status < 300:
        raise codec.parse_error(reply)
    model = find_model(str(exchange.get("provider", "")), str(exchange.get("model") or ""))
    settings = _SETTINGS[CATEGORIES[kind]]()
    call: Call[Any, Any] = Call(model=model, input=(), settings=settings, id="replay")
    framing = find_framing(exchange["response"], reply.content) if "body_text" in exchange["response"] else None
    return codec.parse_response(call, reply) if framing is None else _read_stream(codec, call, framing, reply.content)


def _read_stream(codec: Any, call: Call[Any, Any], framing: Framing, body: bytes) -> Any:
    """The whole result, which the last piece brings."""
    state, framer = codec.open_stream(call), open_framer(framing)
    for event in (*framer.feed(body), *framer.flush()):
        state.parse_event(event)
    return state.finish()[-1].response


def fill_elided(body: bytes) -> bytes:
    """A body whose long base64 texts were cut, with as many letters in the place of what is missing."""
    return _ELIDED.sub(lambda found: b"A" * int(found[1]), body)


def describe_result(result: Any) -> dict[str, Any]:
    """The fields of a report that a result fills."""
    if isinstance(result, EmbeddingResponse):
        return {"vectors": tuple(map(len, result.vectors))}
    if isinstance(result, RerankResponse):
        return {"ranking": tuple({"index": item.index, "score": item.score} for item in result.ranking)}
    if isinstance(result, ModerationResponse):
        return {
            "verdicts": tuple(
                {"flagged": item.flagged, "categories": sorted(name for name, said in item.categories.items() if said)}
                for item in result.verdicts
            )
        }
    if isinstance(result, ImageResponse):
        return {"content": result.revised_prompt, "media": tuple(map(_describe_media, result.images))}
    if isinstance(result, Transcript):
        return {"content": result.text, "words": None if result.words is None else len(result.words)}
    if isinstance(result, Speech):
        return {"media": (_describe_media(result.audio),)}
    return {}


def _describe_media(media: Media) -> dict[str, Any]:
    try:
        data = media.to_bytes() if media.form == "bytes" else b""
    except ValueError:
        data = b""
    return {"mime_type": sniff_mime_type(data[:64]) or media.mime_type, "bytes": len(data) or None}
