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
from betterai.wire.sizes import aspect_of

RESOLUTIONS = ("1k", "2k")
ASPECTS = ("1:1", "3:2", "2:3", "4:3", "3:4", "16:9", "9:16", "21:9")
"""Those of sizes that are given in pixels; an aspect goes as it is."""


class BilledShape(Struct):
    cost_in_usd_ticks: int | None = None


class XAIUsageShape(Struct):
    usage: BilledShape | None = None


_decode = Reader(XAIUsageShape).decode


class XAIImages(OpenAIImages):
    """An aspect and a resolution in place of a size; edits in JSON, with the pictures as URLs or data URLs."""

    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    streams: ClassVar = False
    fields: ClassVar = {"n": "n", "quality": "quality", "aspect": "aspect_ratio", "user": "user"}
    unsupported: ClassVar = {
        **OpenAIImages.unsupported,
        "mask": "xAI takes no masks",
    }
    most: ClassVar = {"n": 10, "images": 5}
    vendor_options: ClassVar = frozenset({"response_format", "resolution", "sync_mode"})

    def write_size(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        """A resolution, or pixels, of which the aspect is taken."""
        if value is None:
            return
        aspect = aspect_of(value)
        if value.lower() in RESOLUTIONS:
            body["resolution"] = value.lower()
        elif aspect in ASPECTS and call.settings.aspect in (None, aspect):
            body["aspect_ratio"] = aspect
            report.translate("size", f"it is asked for as an aspect of {aspect}")
        else:
            report.drop("size", "sizes are 1k and 2k here", hint="pass aspect=")

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
