"""Pictures as OpenAI documents them (https://platform.openai.com/docs/api-reference/images), and compatibles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import ImageCall
from betterai.core.exceptions import ContentFilterError, StreamInterrupted, UnsupportedParam
from betterai.core.media import Media
from betterai.core.response import CallWarning
from betterai.core.results import ImageChunk, ImageResponse
from betterai.core.usage import Usage
from betterai.core.wire import Event, WireResponse
from betterai.wire.exchanges import OneExchange
from betterai.wire.lenient import Reader
from betterai.wire.pictures import ImageUsageShape, PictureShape, make_picture, name_format, read_picture
from betterai.wire.report import Report
from betterai.wire.sizes import size_of
from betterai.wire.stream_events import EventShape, read_event


class ImagesShape(Struct):
    data: list[PictureShape]
    output_format: str | None = None
    usage: ImageUsageShape | None = None


class ImageEventShape(EventShape):
    b64_json: str | None = None
    partial_image_index: int = 0
    output_format: str | None = None
    usage: ImageUsageShape | None = None


SIDES = 16
"""Of what both sides are a multiple, where a picture may have any size."""
_decode = Reader(ImagesShape).decode
_decode_event = Reader(ImageEventShape).decode


class OpenAIImages(OneExchange[ImageCall, ImageResponse, ImageChunk]):
    """`POST /images/generations`; with pictures `POST /images/edits`, a form. A vendor states its deviations."""

    protocol: ClassVar[str] = "openai_images"
    path: ClassVar[str] = "/images/generations"
    edit_path: ClassVar[str] = "/images/edits"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes", "path"})}
    streams: ClassVar[bool] = True
    fields: ClassVar[Mapping[str, str]] = {
        "size": "size", "n": "n", "quality": "quality", "background": "background",
        "compression": "output_compression", "moderation": "moderation", "user": "user",
    }  # fmt: skip
    unsupported: ClassVar[Mapping[str, str]] = {
        "seed": "pictures cannot be repeated here",
        "style": "its models take the style from the prompt",
        "negative_prompt": "say in the prompt what is not wanted",
    }
    sizes: ClassVar[Mapping[str, str]] = {"1:1": "1024x1024", "3:2": "1536x1024", "2:3": "1024x1536"}
    """The sizes that stand for an aspect."""
    vendor_options: ClassVar[frozenset[str]] = frozenset(
        {"complexity", "frame_count", "frame_duration_ms", "input_fidelity", "markup", "response_format",
         "safety_identifier", "svg"}
    )  # fmt: skip

    def answers(self, path: str) -> bool:
        return path.endswith((self.path, self.edit_path, "/images/variations"))

    def address(self, call: ImageCall) -> str:
        return self.edit_path if call.settings.images else self.path

    def begin_body(self, call: ImageCall, report: Report) -> dict[str, Any]:
        body: dict[str, Any] = {"model": call.model.id, "prompt": call.input}
        if call.stream:
            body["stream"] = True
        return body

    def finish_body(self, body: dict[str, Any], call: ImageCall, report: Report) -> Any:
        if call.settings.mask is not None and not call.settings.images:
            raise UnsupportedParam("mask: there is no picture to edit", hint="pass images=[…]", param="mask")
        return self.build_form(body) if call.settings.images else body

    def write_images(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value:
            body["image"] = list(value)

    def write_mask(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value is not None:
            body["mask"] = value

    def write_aspect(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value is None or call.settings.size is not None:
            return
        size = self.sizes.get(value)
        if size is None and call.model.traits.free_sizes and (sides := size_of(value, SIDES)) is not None:
            size = "{}x{}".format(*sides)
        if size is not None:
            body["size"] = size
            report.translate("aspect", f"it is asked for as a size of {size}")
        else:
            report.drop("aspect", f"there is no size of {value} here", hint=f"there are {', '.join(self.sizes)}")

    def write_format(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        body["output_format"] = name_format(value)

    def write_partial_images(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if call.stream:
            body["partial_images"] = value
        elif value:
            report.drop("partial_images", "unfinished pictures come in streams only")

    def read(self, call: ImageCall, reply: WireResponse) -> ImageResponse:
        shape = _decode(reply.content)
        said = mime_type_of(shape.output_format)
        shown = [item for item in shape.data if item.respect_moderation is not False]
        held = len(shape.data) - len(shown)
        if not shown:
            raise _make_held(held, reply)
        return ImageResponse(
            images=tuple(read_picture(item, said) for item in shown),
            revised_prompt=next((item.revised_prompt for item in shown if item.revised_prompt), ""),
            model=call.model.id,
            usage=self.usage_of(shape.usage, reply),
            warnings=(CallWarning(code="dropped", field="n", message=_HELD.format(held)),) if held else (),
            body=reply.content,
        )

    def usage_of(self, usage: ImageUsageShape | None, reply: WireResponse) -> Usage | None:
        """Vendors that count otherwise override this."""
        return None if usage is None else usage.read()

    def open_stream(self, call: ImageCall) -> ImagesStream:
        return ImagesStream(call)


_HELD = "{} of the pictures were held back by moderation"


def _make_held(held: int, reply: WireResponse) -> Exception:
    """The error for a reply without a picture."""
    if not held:
        return msgspec.ValidationError("no picture came")
    why = _HELD.format("all")
    return ContentFilterError(why, status=reply.status, headers=reply.headers, body=reply.content[:65536])


class ImagesStream:
    """Unfinished pictures, then each finished one with its usage."""

    def __init__(self, call: ImageCall) -> None:
        self.done = self.ending = False
        self._call = call
        self._images: list[Media] = []
        self._usage: Usage | None = None

    def parse_event(self, event: Event) -> Sequence[ImageChunk]:
        if event.data == b"[DONE]":
            self.done = True
            return ()
        shape = read_event(event.data, _decode_event)
        if not shape.b64_json:
            return ()
        image = make_picture(shape.b64_json, mime_type_of(shape.output_format))
        if shape.type.endswith(".partial_image"):
            return (ImageChunk(image=image, index=shape.partial_image_index),)
        self._images.append(image)
        usage = None if shape.usage is None else shape.usage.read()
        if usage is not None:
            self._usage = usage if self._usage is None else self._usage + usage
        self.ending = len(self._images) >= (self._call.settings.n or 1)
        return (ImageChunk(image=image, index=len(self._images) - 1, final=True),)

    def finish(self) -> Sequence[ImageChunk]:
        if not self._images:
            raise StreamInterrupted("the stream ended before a picture was finished")
        response = ImageResponse(images=tuple(self._images), model=self._call.model.id, usage=self._usage)
        return (ImageChunk(final=True, response=response),)


def mime_type_of(format: str | None) -> str:
    """The MIME type of an `output_format`; "" where none is named."""
    return {"jpg": "image/jpeg", "svg": "image/svg+xml"}.get(format, f"image/{format}") if format else ""
