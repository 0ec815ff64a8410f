"""OpenRouter's pictures (https://openrouter.ai/docs/api/reference/images, 2026-11-22): what differs from OpenAI's."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from betterai.core.codec import ImageCall
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.wire.lenient import Reader
from betterai.wire.openai_images import OpenAIImages
from betterai.wire.pictures import ImageUsageShape
from betterai.wire.plain_usage import read_cost
from betterai.wire.report import Report


class CountedShape(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: Any = None


class OpenRouterUsageShape(Struct):
    usage: CountedShape | None = None


_decode = Reader(OpenRouterUsageShape).decode


class OpenRouterImages(OpenAIImages):
    """`POST /images`. What edits are asked with is not documented: pictures are turned down."""

    path: ClassVar = "/images"
    accepts: ClassVar = {}
    streams: ClassVar = False
    fields: ClassVar = {"n": "n", "size": "size", "aspect": "aspect_ratio", "quality": "quality", "seed": "seed"}
    unsupported: ClassVar = {
        "images": "pictures go into a conversation here: betterai.generate",
        "mask": "no masks are taken here",
        "format": "the model chooses the format",
    }
    vendor_options: ClassVar = frozenset({"provider"})

    def answers(self, path: str) -> bool:
        return path.endswith(self.path)

    def finish_body(self, body: dict[str, Any], call: ImageCall, report: Report) -> Any:
        return body

    def usage_of(self, usage: ImageUsageShape | None, reply: WireResponse) -> Usage | None:
        counted = _decode(reply.content).usage
        if counted is None or counted.prompt_tokens is None:
            return None
        return Usage(
            text_in=counted.prompt_tokens,
            image_out=counted.completion_tokens or 0,
            stated_cost=read_cost(counted.cost),
        )
