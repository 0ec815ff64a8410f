"""FLUX (https://docs.bfl.ai, 2026-11-22): submitted, asked after in the region that took it, fetched within minutes.

UNVERIFIED, for nothing was recorded: that `cost` counts credits, and which models take which of the fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from betterai.core.codec import ImageCall
from betterai.core.exceptions import ContentFilterError, ProviderError
from betterai.core.media import Media
from betterai.core.results import ImageResponse
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.polled_jobs import PolledJob
from betterai.wire.report import Report

_MODERATED = ("Request Moderated", "Content Moderated")
_FAILED = ("Error", "Failed", "Task not found")
_SIZES = {"1:1": (1024, 1024), "3:2": (1248, 832), "2:3": (832, 1248), "16:9": (1344, 768), "9:16": (768, 1344)}


class SubmittedShape(Struct):
    id: str
    polling_url: str = ""


class PictureShape(Struct):
    sample: str | None = None
    prompt: str = ""


class PolledShape(Struct):
    status: str = ""
    state: str = ""
    result: PictureShape | None = None
    progress: float | None = None
    details: Any = None
    cost: float | None = None


_decode_submitted = msgspec.json.Decoder(SubmittedShape).decode
_decode = msgspec.json.Decoder(PolledShape).decode


class FluxImages(PolledJob[ImageCall, ImageResponse]):
    """`POST /MODEL`, then its region's `/get_result`. A picture comes as a URL that ends after ten minutes."""

    protocol: ClassVar[str] = "flux"
    path: ClassVar[str] = "/get_result"
    first_wait: ClassVar[float] = 0.7
    longest_wait: ClassVar[float] = 2.0
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes", "url"})}
    fields: ClassVar[Mapping[str, str]] = {
        "seed": "seed", "steps": "steps", "guidance": "guidance", "format": "output_format", "aspect": "aspect_ratio",
    }  # fmt: skip
    unsupported: ClassVar[Mapping[str, str]] = {
        "n": "one picture comes of one request here",
        "negative_prompt": "say in the prompt what is not wanted",
        "partial_images": "pictures come finished here",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset(
        {"prompt_upsampling", "raw", "safety_tolerance", "image_prompt_strength"}
    )

    def address(self, call: ImageCall) -> str:
        return f"/{call.model.id}"

    def begin_body(self, call: ImageCall, report: Report) -> dict[str, Any]:
        return {"prompt": call.input}

    def write_size(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        width, _, height = str(value or "").partition("x")
        if width.isdecimal() and height.isdecimal():
            body["width"], body["height"] = int(width), int(height)
        elif value is not None:
            report.drop("size", f"{value!r} is no size", hint='write "1024x1024"')

    def write_images(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        for number, media in enumerate(value or (), 1):
            name = "image" if call.settings.mask is not None else "input_image"
            body[name if number == 1 else f"{name}_{number}"] = _write_picture(media)

    def write_mask(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value is not None:
            body["mask"] = _write_picture(value)

    def read_job(self, call: ImageCall, reply: WireResponse) -> dict[str, Any]:
        """The id, and the host of the region where that is another one than was asked."""
        shape = _decode_submitted(reply.content)
        host = urlsplit(shape.polling_url).netloc
        asked = urlsplit(call.provider_settings.get("base_url", "")).netloc
        return {"id": shape.id, **({"host": host} if host and host != asked else {})}

    def build_poll(self, call: ImageCall, state: Mapping[str, Any]) -> WireRequest:
        place = f"https://{state['host']}/v1{self.path}" if state.get("host") else self.path
        return WireRequest(url=place, method="GET", query={"id": str(state["id"])}, safe_to_repeat=True)

    def read_poll(
        self, call: ImageCall, state: Mapping[str, Any], reply: WireResponse
    ) -> ImageResponse | WireRequest | float | None:
        shape = _decode(reply.content)
        status = shape.status or shape.state
        if status in _MODERATED:
            raise ContentFilterError(f"{status}: {_text(shape.details)}".rstrip(": "), code=status)
        if status in _FAILED:
            said = _text(shape.details)
            raise ProviderError(f"{status}: {said}".rstrip(": "), code=status, provider_message=said, retryable=False)
        if shape.result is None or not shape.result.sample:
            return None if shape.progress is None else min(1.0, shape.progress)
        return ImageResponse(
            images=(Media(kind="image", url=shape.result.sample),),
            revised_prompt=shape.result.prompt if shape.result.prompt != call.input else "",
            model=call.model.id,
            usage=None if shape.cost is None else Usage(units={"credit": shape.cost}),
            body=reply.content,
        )


class Flux2Images(FluxImages):
    """FLUX.2 takes a width and a height in place of an aspect."""

    protocol: ClassVar[str] = "flux_2"
    fields: ClassVar[Mapping[str, str]] = {
        name: field for name, field in FluxImages.fields.items() if name != "aspect"
    }  # fmt: skip

    def write_aspect(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value is None or call.settings.size is not None:
            return
        if value in _SIZES:
            body["width"], body["height"] = _SIZES[value]
            report.translate("aspect", f"it is asked for as {body['width']} by {body['height']}")
        else:
            report.drop("aspect", f"there is no size of {value} here", hint=f"there are {', '.join(_SIZES)}")


def _write_picture(media: Media) -> str:
    return media.url if media.url is not None else media.to_base64()


def _text(details: Any) -> str:
    return details if isinstance(details, str) else "" if details is None else msgspec.json.encode(details).decode()
