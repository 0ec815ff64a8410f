"""Documents: objects of texts that the model may cite, as media of ours and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.media import Media
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.objects import Fields, take_text
from betterai.wire.report import Report
from betterai.wire.residue import refuse

JSON = "application/json"


def build_document(media: Media, report: Report, *, bare: bool = False) -> dict[str, Any]:
    """A document's `id` and `data`: a JSON object as it is, a plain text under `text`, or `bare`. Others raise."""
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
    text = content.decode("utf-8", "replace")
    return {**document, "data": text if bare else {"text": text}}


def parse_document(fields: Fields, where: str) -> tuple[Media, bool]:
    """A document as media, and whether its data is a bare text. What is left in `fields` is residue."""
    data, name = fields.pop("data", None), take_text(fields, "id")
    if isinstance(data, str):
        return Media(kind="document", mime_type="text/plain", data=data.encode(), filename=name), True
    if not isinstance(data, Mapping):
        raise refuse(f"{where}.data", "must be an object or a text")
    return Media(kind="document", mime_type=JSON, data=msgspec.json.encode(data), filename=name), False
