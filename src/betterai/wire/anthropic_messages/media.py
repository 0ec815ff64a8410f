"""Pictures and documents as blocks of the protocol (https://platform.claude.com/docs/en/build-with-claude/vision)."""

from __future__ import annotations

from typing import Any

from betterai.core.media import Media
from betterai.wire.report import Report

IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_BEGINNINGS = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
    (b"%PDF", "application/pdf"),
)


def build_media(media: Media, report: Report) -> dict[str, Any]:
    """One block. A document's file name is its title. Raises `UnsupportedParam` for a type that is not taken."""
    if media.kind == "image":
        return {"type": "image", "source": _build_source(media, report)}
    titled = {"title": media.filename} if media.filename else {}
    return {"type": "document", "source": _build_source(media, report), **titled}


def _build_source(media: Media, report: Report) -> dict[str, Any]:
    if media.file_id is not None:
        return {"type": "file", "file_id": media.file_id}
    if media.url is not None:
        return {"type": "url", "url": media.url}
    kind = media.mime_type.partition(";")[0].strip().lower() or _guess_type(media)
    kind = "image/jpeg" if kind == "image/jpg" else kind
    if media.kind == "document" and kind.startswith("text/"):
        try:
            return {"type": "text", "media_type": "text/plain", "data": media.to_bytes().decode()}
        except ValueError:
            report.drop("media", "the document is no text in UTF-8")
    if kind not in (IMAGES if media.kind == "image" else ("application/pdf",)):
        taken = "JPEG, PNG, GIF and WebP" if media.kind == "image" else "PDF and plain text"
        report.drop(
            "media", f"{kind or 'a type that is not known'} is not taken: {taken} are", hint="set its mime_type"
        )
    return {"type": "base64", "media_type": kind, "data": media.to_base64()}


def _guess_type(media: Media) -> str:
    """The type that the first bytes tell."""
    try:
        head = media.data or Media(kind="image", base64=(media.base64 or "")[:8]).to_bytes()
    except ValueError:
        return ""
    return next((kind for beginning, kind in _BEGINNINGS if head.startswith(beginning)), "")
