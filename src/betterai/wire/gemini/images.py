"""Pictures of the Gemini models that draw (https://ai.google.dev/gemini-api/docs/image-generation, 2026-11-22)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Never

import msgspec

from betterai.core.codec import ImageCall, StreamState, TextCall
from betterai.core.exceptions import ProviderError
from betterai.core.message import AnyPart, MediaPart, Message, Text
from betterai.core.results import ImageResponse
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.wire.calls import BESIDE
from betterai.wire.gemini.client import Gemini
from betterai.wire.gemini.errors import make_missing
from betterai.wire.gemini.fields import PROTOCOL
from betterai.wire.pictures import name_format
from betterai.wire.report import Report
from betterai.wire.sizes import aspect_of

ASPECTS = frozenset({"1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"})
SIZES = frozenset({"512", "1K", "2K", "4K"})
_PASSED = ("seed", "extra_body", "extra_headers", "extra_query")
_WHY = {
    "n": "one picture comes of one request here",
    "mask": "say in the prompt what is to be changed",
    "negative_prompt": "say in the prompt what is not wanted",
}


class GeminiImages:
    """A turn of a conversation that is answered with a picture; pictures in the call go along and are edited.

    `codec` is the vendor's for answers: both ask in the same place.
    """

    protocol: ClassVar[str] = PROTOCOL
    streams: ClassVar[bool] = False
    chooses_format: ClassVar[bool] = False
    """Whether the vendor makes pictures in the format that is asked for."""
    categories: ClassVar[frozenset[str]] = frozenset({"text"})
    """Those of the models that draw as well as they speak."""

    def __init__(self, codec: Gemini) -> None:
        self._codec = codec

    @property
    def accepts(self) -> Mapping[str, frozenset[str]]:
        return self._codec.accepts

    def answers(self, path: str) -> bool:
        return self._codec.answers(path)

    def build_request(self, call: ImageCall) -> WireRequest:
        """The call as a request. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        report = Report(call.model)
        request = self._codec.build_request(self._as_text(call, report))
        return msgspec.structs.replace(request, warnings=(*request.warnings, *report.warnings))

    def parse_response(self, call: ImageCall, reply: WireResponse) -> ImageResponse | WireRequest:
        """The pictures. Raises `ContentFilterError` and `ProviderError` where there are none."""
        answer = self._codec.parse_response(self._as_text(call, Report(call.model)), reply)
        if isinstance(answer, WireRequest):
            return answer
        images = tuple(media for media in answer.media if media.kind == "image")
        if not images:
            raise make_missing("picture", answer, reply)
        return ImageResponse(images=images, model=answer.model, usage=answer.usage, body=reply.content)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return self._codec.parse_error(reply)

    def open_stream(self, call: ImageCall) -> StreamState[Never]:
        raise ProviderError("pictures come in one piece here: there is no stream")

    def _as_text(self, call: ImageCall, report: Report) -> TextCall:
        settings = call.settings
        vendor = call.model.provider
        drawn = self._picture_config(settings.given(), report)
        options = dict((settings.options or {}).get(vendor) or {})
        if drawn:
            stated = options.get("imageConfig")
            options["imageConfig"] = {**drawn, **(stated if isinstance(stated, Mapping) else {})}
        given: dict[str, Any] = {name: value for name, value in settings.given().items() if name in _PASSED}
        if options:
            given["options"] = {vendor: options}
        parts: tuple[AnyPart, ...] = (
            *(MediaPart(media=media) for media in settings.images or ()),
            Text(text=call.input),
        )
        return Call(
            model=call.model,
            input=(Message(role="user", parts=parts),),
            settings=GenerationSettings(modalities=["text", "image"], **given),
            id=call.id,
            now=call.now,
            warnings=call.warnings,
            provider_settings=call.provider_settings,
        )

    def _picture_config(self, given: Mapping[str, Any], report: Report) -> dict[str, Any]:
        """`imageConfig`: an aspect, a size, a format where that is chosen; everything else is reported."""
        config: dict[str, Any] = {}
        for name, value in given.items():
            if value is None or name in BESIDE or name in ("seed", "images"):
                continue
            if name == "aspect":
                config["aspectRatio"] = value
            elif name == "size" and value.upper() in SIZES:
                config["imageSize"] = value.upper()
            elif name == "format" and self.chooses_format:
                config.setdefault("imageOutputOptions", {})["mimeType"] = f"image/{name_format(value)}"
            elif name == "compression" and self.chooses_format:
                config.setdefault("imageOutputOptions", {})["compressionQuality"] = value
            elif name == "size" and (aspect := aspect_of(value)) in ASPECTS:
                config.setdefault("aspectRatio", aspect)
                report.translate(
                    "size", f"it is asked for as an aspect of {aspect}; sizes are {', '.join(sorted(SIZES))}"
                )
            else:
                why = _WHY.get(name, "this provider has no such setting")
                report.drop(name, why, harmless=name == "n" and value == 1)
        return config
