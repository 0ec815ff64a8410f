"""Imagen on Vertex AI (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Never

import msgspec
from msgspec import Struct

from betterai.core.codec import ImageCall
from betterai.core.exceptions import ContentFilterError, ProviderError
from betterai.core.media import Media
from betterai.core.response import CallWarning
from betterai.core.results import ImageResponse
from betterai.core.sniffing import sniff_base64
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.providers.vertex.place import find_model_path
from betterai.wire.exchanges import OneExchange
from betterai.wire.gemini.errors import read_failure
from betterai.wire.lenient import Reader
from betterai.wire.pictures import name_format
from betterai.wire.report import Report
from betterai.wire.sizes import aspect_of

ASPECTS = ("1:1", "3:4", "4:3", "9:16", "16:9")


class PredictionShape(Struct, rename="camel"):
    bytes_base64_encoded: str | None = msgspec.field(default=None, name="bytesBase64Encoded")
    mime_type: str = ""
    prompt: str = ""
    rai_filtered_reason: str = ""


class PredictedShape(Struct):
    predictions: list[PredictionShape] = []


_decode = Reader(PredictedShape).decode


class Imagen(OneExchange[ImageCall, ImageResponse, Never]):
    """`:predict`. What it filters out is left out, and said."""

    protocol: ClassVar[str] = "vertex_predict"
    path: ClassVar[str] = ":predict"
    fields: ClassVar[Mapping[str, str]] = {
        "n": "sampleCount", "aspect": "aspectRatio", "seed": "seed", "negative_prompt": "negativePrompt",
        "guidance": "guidanceScale",
    }  # fmt: skip
    unsupported: ClassVar[Mapping[str, str]] = {
        "images": "pictures are edited by Gemini's models",
        "mask": "pictures are edited by Gemini's models",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset(
        {"addWatermark", "enhancePrompt", "includeRaiReason", "includeSafetyAttributes", "language", "personGeneration",
         "safetySetting", "storageUri"}
    )  # fmt: skip

    def address(self, call: ImageCall) -> str:
        return find_model_path(call.model.id) + self.path

    def begin_body(self, call: ImageCall, report: Report) -> dict[str, Any]:
        return {}

    def finish_body(self, body: dict[str, Any], call: ImageCall, report: Report) -> Any:
        return {"instances": [{"prompt": call.input}], "parameters": body}

    def write_size(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value is None:
            return
        aspect = aspect_of(value)
        if value.upper() in ("1K", "2K"):
            body["sampleImageSize"] = value.upper()
        elif aspect in ASPECTS and call.settings.aspect in (None, aspect):
            body["aspectRatio"] = aspect
            report.translate("size", f"it is asked for as an aspect of {aspect}")
        else:
            report.drop("size", "sizes are 1K and 2K here", hint="pass aspect=")

    def write_format(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value is not None:
            body.setdefault("outputOptions", {})["mimeType"] = f"image/{name_format(value)}"

    def write_compression(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value is not None:
            body.setdefault("outputOptions", {})["compressionQuality"] = value

    def read(self, call: ImageCall, reply: WireResponse) -> ImageResponse:
        found = _decode(reply.content).predictions
        filtered = [item.rai_filtered_reason for item in found if item.rai_filtered_reason]
        images = tuple(
            Media(kind="image", mime_type=sniff_base64(item.bytes_base64_encoded) or item.mime_type,
                  base64=item.bytes_base64_encoded)
            for item in found if item.bytes_base64_encoded
        )  # fmt: skip
        if not images:
            why = filtered[0] if filtered else "no picture came"
            raise ContentFilterError(why, status=reply.status, provider_message=why, body=reply.content[:65536])
        return ImageResponse(
            images=images,
            revised_prompt=next((item.prompt for item in found if item.prompt), ""),
            model=call.model.id,
            usage=Usage(units={"image": float(len(images))}),
            warnings=tuple(CallWarning(code="dropped", field="n", message=why) for why in filtered),
            body=reply.content,
        )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return read_failure(reply, reply.status)
