"""xAI's pictures (https://docs.x.ai/docs/guides/image-generations, 2026-11-22): what differs from OpenAI's."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from betterai.core.codec import ImageCall
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.providers.xai.cost import add_cost
from betterai.wire.lenient import Reader
from betterai.wire.openai_images import OpenAIImages
from betterai.wire.pictures import ImageUsageShape
from betterai.wire.report import Report


class BilledShape(Struct):
    cost_in_usd_ticks: int | None = None


class XAIUsageShape(Struct):
    usage: BilledShape | None = None


_decode = Reader(XAIUsageShape).decode


class XAIImages(OpenAIImages):
    """An aspect and a resolution in place of a size; edits in JSON, with the pictures as URLs or data URLs."""

    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    streams: ClassVar = False
    fields: ClassVar = {
        "n": "n", "quality": "quality", "format": "output_format", "aspect": "aspect_ratio", "user": "user",
    }  # fmt: skip
    unsupported: ClassVar = {
        **OpenAIImages.unsupported,
        "mask": "xAI takes no masks",
        "size": "xAI takes an aspect, and options={'xai': {'resolution': '1k' or '2k'}}",
    }
    vendor_options: ClassVar = frozenset({"response_format", "resolution", "sync_mode"})

    def write_images(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        parts = [
            {"type": "image_url", "url": media.url if media.url is not None else media.to_data_url()}
            for media in value or ()
        ]
        if parts:
            body.update({"image": parts[0]} if len(parts) == 1 else {"images": parts})

    def finish_body(self, body: dict[str, Any], call: ImageCall, report: Report) -> Any:
        return body

    def usage_of(self, usage: ImageUsageShape | None, reply: WireResponse) -> Usage | None:
        billed = _decode(reply.content).usage
        if billed is None or billed.cost_in_usd_ticks is None:
            return None
        return add_cost(Usage(), billed.cost_in_usd_ticks, None)
