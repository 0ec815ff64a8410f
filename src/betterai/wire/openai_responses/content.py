"""Content parts as the protocol writes them, for the client half."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from betterai.core.media import Media
from betterai.core.message import CacheMark, MediaPart
from betterai.wire.prompt_cache import BREAKPOINT, build_breakpoint
from betterai.wire.report import Report
from betterai.wire.sounds import build_sound

if TYPE_CHECKING:
    from betterai.wire.openai_responses.client import OpenAIResponses


def build_media(codec: OpenAIResponses, part: MediaPart, report: Report) -> dict[str, Any]:
    """One content part of media. Raises `UnsupportedParam` for a form that the provider does not take."""
    media = part.media
    if media.form not in codec.accepts.get(media.kind, frozenset()):
        report.drop("media", f"{media.kind} as {media.form} cannot be sent to this provider")
    if media.kind == "audio":
        return {"type": "input_audio", "input_audio": build_sound(media, report)}
    body = _build_image(media) if media.kind == "image" else _build_file(media)
    return {**body, "detail": part.detail} if part.detail else body


def _build_image(media: Media) -> dict[str, Any]:
    if media.file_id is not None:
        return {"type": "input_image", "file_id": media.file_id}
    return {"type": "input_image", "image_url": media.url if media.url is not None else media.to_data_url()}


def _build_file(media: Media) -> dict[str, Any]:
    named = {"filename": media.filename} if media.filename else {}
    if media.file_id is not None:
        return {"type": "input_file", "file_id": media.file_id, **named}
    if media.url is not None:
        return {"type": "input_file", "file_url": media.url, **named}
    return {"type": "input_file", "file_data": media.to_data_url() if media.mime_type else media.to_base64(), **named}


def build_cache_mark(
    codec: OpenAIResponses, body: dict[str, Any], mark: CacheMark, report: Report, *, taken: bool
) -> None:
    """Mark a content part, where it can be."""
    if not codec.cache_marks or not taken:
        where = "on what the assistant said" if codec.cache_marks else "here"
        report.drop("messages.cache", f"no cache marks are taken {where}")
        return
    body[BREAKPOINT] = build_breakpoint(mark, report)
