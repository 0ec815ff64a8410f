"""Documents: objects of texts that the model may cite, as media of ours and back."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.media import Media
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.report import Report

JSON = "application/json"


def build_document(media: Media, report: Report) -> dict[str, Any]:
    """A document's `id` and `data`: a JSON object as it is, a plain text under `text`. Others raise."""
    document: dict[str, Any] = {"id": media.filename} if media.filename else {}
    if media.form != "bytes":
        report.drop("media", f"a document cannot be sent as {media.form} here")
    content = media.to_bytes()
    if media.mime_type == JSON:
        try:
            return {**document, "data": msgspec.json.decode(content, type=dict[str, Raw])}
        except UNREADABLE:
            report.drop("media", "a document in JSON must be one object here")
    if not media.mime_type.startswith("text/"):
        report.drop("media", "documents are texts or JSON objects here", hint="take the text out of the document")
    return {**document, "data": {"text": content.decode("utf-8", "replace")}}


def parse_document(fields: dict[str, Any]) -> Media | None:
    """A document as media; None where it is not as the protocol has it, or says more."""
    id, data = fields.get("id", ""), fields.get("data")
    if (
        not isinstance(id, str)
        or not isinstance(data, dict)
        or fields.keys() - {"id", "data"}
        or fields.get("id") == ""
    ):
        return None
    return Media(kind="document", mime_type=JSON, data=msgspec.json.encode(data), filename=id)
