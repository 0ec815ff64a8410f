"""In which framing a recorded reply came, by what it begins with."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import Any

from betterai.core.wire import Framing
from betterai.wire.objects import is_object

_SSE = (b"data:", b"event:", b":", b"id:", b"retry:")


def find_framing(response: Mapping[str, Any], body: bytes) -> Framing | None:
    """None for a reply that came whole."""
    if "body_base64" in response:
        return "event_stream"
    if "body_text" not in response:
        return None
    body = body.removeprefix(BOM_UTF8).strip()
    if body.startswith(_SSE):
        return "sse"
    first, more, _ = body.partition(b"\n")
    return "ndjson" if more and is_object(first.decode(errors="replace")) else None
