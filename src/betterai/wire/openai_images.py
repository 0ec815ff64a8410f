"""Pictures as OpenAI documents them (https://platform.openai.com/docs/api-reference/images), and compatibles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import ImageCall
from betterai.core.exceptions import StreamInterrupted, UnsupportedParam
from betterai.core.media import Media
from betterai.core.results import ImageChunk, ImageResponse
from betterai.core.usage import Usage
from betterai.core.wire import Event, WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error_value
from betterai.wire.errors import make_error
from betterai.wire.exchanges import OneExchange
from betterai.wire.lenient import Reader
from betterai.wire.pictures import ImageUsageShape, PictureShape, make_picture, read_picture
from betterai.wire.report import Report


class ImagesShape(Struct):
    data: list[PictureShape]
    output_format: str | None = None
    usage: ImageUsageShape | None = None


class ImageEventShape(Struct):
    type: str = ""
    b64_json: str | None = None
    partial_image_index: int = 0
    output_format: str | None = None
    usage: ImageUsageShape | None = None
    error: Any = None


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
        "size": "size", "n": "n", "quality": "quality", "background": "background", "format": "output_format",
        "compression": "output_compression", "moderation": "moderation", "user": "user",
    }  # fmt: skip
    unsupported: ClassVar[Mapping[str, str]] = {
        "seed": "pictures cannot be repeated here",
        "style": "its models take the style from the prompt",
        "negative_prompt": "say in the prompt what is not wanted",
    }
    sizes: ClassVar[Mapping[str, str]] = {"1:1": "1024x1024", "3:2": "1536x1024", "2:3": "1024x1536"}
    """The sizes that stand for an aspect."""
    vendor_options: ClassVar[frozenset[str]] = frozenset({"input_fidelity", "response_format", "safety_identifier"})

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
        if value in self.sizes:
            body["size"] = self.sizes[value]
            report.translate("aspect", f"it is asked for as a size of {self.sizes[value]}")
        else:
            report.drop("aspect", f"there is no size of {value} here", hint=f"there are {', '.join(self.sizes)}")

    def write_partial_images(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if call.stream:
            body["partial_images"] = value
        elif value:
            report.drop("partial_images", "unfinished pictures come in streams only")

    def read(self, call: ImageCall, reply: WireResponse) -> ImageResponse:
        shape = _decode(reply.content)
        said = mime_type_of(shape.output_format)
        return ImageResponse(
            images=tuple(read_picture(item, said) for item in shape.data),
            revised_prompt=next((item.revised_prompt for item in shape.data if item.revised_prompt), ""),
            model=call.model.id,
            usage=self.usage_of(shape.usage, reply),
            body=reply.content,
        )

    def usage_of(self, usage: ImageUsageShape | None, reply: WireResponse) -> Usage | None:
        """Vendors that count otherwise override this."""
        return None if usage is None else usage.read()

    def open_stream(self, call: ImageCall) -> ImagesStream:
        return ImagesStream(call)


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
        try:
            shape = _decode_event(event.data)
        except UNREADABLE as error:
            message = "an event of the stream cannot be read"
            raise StreamInterrupted(message, code="unreadable_event", body=event.data[:65536]) from error
        if shape.error is not None or shape.type == "error":
            found = read_error_value(msgspec.json.decode(event.data))
            raise make_error(found.likely_status, {}, code=found.code, message=found.message, body=event.data)
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
