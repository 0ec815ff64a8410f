"""Stability's pictures, v2beta (https://platform.stability.ai/docs/api-reference, as others read it, 2026-07)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Never

import msgspec
from msgspec import Struct

from betterai.core.codec import ImageCall
from betterai.core.exceptions import ContentFilterError, ProviderError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.results import ImageResponse
from betterai.core.sniffing import sniff_mime_type
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.stability.errors import read_failure
from betterai.providers.stability.routes import OPTIONS, find_route
from betterai.wire.exchanges import OneExchange
from betterai.wire.lenient import Reader
from betterai.wire.pictures import make_picture, name_format
from betterai.wire.report import Report
from betterai.wire.sizes import aspect_of

SUCCESS = "SUCCESS"
_ASPECTS = ("1:1", "16:9", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21")


class StabilityShape(Struct):
    image: str | None = None
    finish_reason: str | None = None


_decode = Reader(StabilityShape).decode


class StabilityImages(OneExchange[ImageCall, ImageResponse, Never]):
    """A form to each operation, also where it has no file. The picture comes as it is, or in JSON if `Accept` asks so;
    what the content filter blurred comes with status 200, and is an error.
    """

    protocol: ClassVar[str] = "stability_images"
    path: ClassVar[str] = "/v2beta/stable-image"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes", "path"})}
    reply: ClassVar[Literal["json", "text", "bytes", "file"]] = "bytes"
    fields: ClassVar[Mapping[str, str]] = {
        "aspect": "aspect_ratio", "seed": "seed", "negative_prompt": "negative_prompt", "style": "style_preset",
        "guidance": "cfg_scale", "mask": "mask",
    }  # fmt: skip
    unsupported: ClassVar[Mapping[str, str]] = {
        "quality": "its models have one quality each",
        "background": "the model remove-background cuts a picture out",
        "steps": "Stability chooses the steps",
        "compression": "Stability chooses the compression",
        "partial_images": "there are no unfinished pictures here",
        "moderation": "the content filter cannot be set",
    }
    vendor_options: ClassVar[frozenset[str]] = OPTIONS
    most: ClassVar[Mapping[str, int]] = {"prompt": 10_000, "negative_prompt": 10_000}

    def answers(self, path: str) -> bool:
        return f"{self.path}/" in path

    def address(self, call: ImageCall) -> str:
        return find_route(call.model.id).path

    def begin_body(self, call: ImageCall, report: Report) -> dict[str, Any]:
        return {"prompt": call.input or None, "model": call.model.id}

    def build_request(self, call: ImageCall) -> WireRequest:
        return msgspec.structs.replace(super().build_request(call), headers=self.build_headers(call))

    def build_headers(self, call: ImageCall) -> dict[str, str]:
        """The caller's own win, however they are spelt."""
        headers = {"accept": "image/*"}
        if call.settings.user is not None:
            headers["stability-client-user-id"] = call.settings.user
        return headers | {name.lower(): value for name, value in (call.settings.extra_headers or {}).items()}

    def write_user(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        """It goes into a header."""

    def write_n(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value not in (None, 1):
            report.drop("n", "there is one picture a request", hint="ask more than once: generate_batch")

    def write_format(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        body["output_format"] = name_format(value)

    def write_size(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value is None:
            return
        if call.settings.aspect is not None:
            report.drop("size", "the aspect says it")
            return
        aspect = aspect_of(value)
        if aspect not in _ASPECTS:
            report.drop("size", f"there are no sizes here, and no aspect like {value}", hint="pass aspect=")
        elif "aspect_ratio" in _taken(call):
            body["aspect_ratio"] = aspect
            report.translate("size", f"it is asked for as an aspect of {aspect}")
        else:
            report.drop("size", "the picture keeps its own")

    def write_images(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        pictures, names = tuple(value or ()), find_route(call.model.id).images
        if len(pictures) > len(names):
            most = f"at most {len(names)}" if names else "no"
            raise UnsupportedParam(f"images: {call.model.id} takes {most} pictures", param="images")
        body.update(zip(names, pictures, strict=False))

    def finish_body(self, body: dict[str, Any], call: ImageCall, report: Report) -> Any:
        """What the operation does not take is reported under the name that it was given by."""
        takes = _taken(call)
        if "mode" in takes and call.settings.images:
            body.setdefault("mode", "image-to-image")
        given = {field: name for name, field in self.fields.items()}
        given |= {"prompt": "prompt", "output_format": "format"}
        for field in [field for field in body if field not in takes]:
            value = body.pop(field)
            if field != "model" and value is not None:
                name = given.get(field, f"options.{call.model.provider}.{field}")
                report.drop(name, f"{call.model.id} takes no {field}")
        return self.build_form(body)

    def read(self, call: ImageCall, reply: WireResponse) -> ImageResponse:
        if "json" in reply.headers.get("content-type", ""):
            shape = _decode(reply.content)
            self._check(shape.finish_reason, reply)
            if not shape.image:
                raise msgspec.ValidationError("a picture without content")
            image, body = make_picture(shape.image), reply.content
        else:
            self._check(reply.headers.get("finish-reason"), reply)
            image, body = _read_bytes(reply), b""
        usage = Usage(units={"image": 1.0})
        return ImageResponse(images=(image,), model=call.model.id, usage=usage, body=body)

    def _check(self, reason: str | None, reply: WireResponse) -> None:
        if reason is not None and reason != SUCCESS:
            raise ContentFilterError(
                "the picture was filtered: what came of it is blurred",
                hint="say it in other words",
                status=reply.status,
                code=reason,
                provider_message=reason,
                headers=reply.headers,
            )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return read_failure(reply)


def _taken(call: ImageCall) -> frozenset[str]:
    """The fields of the call's operation. What the sd3 models make of a picture keeps its aspect."""
    route = find_route(call.model.id)
    takes = route.fields.union(route.images)
    return takes - {"aspect_ratio"} if "mode" in takes and call.settings.images else takes


def _read_bytes(reply: WireResponse) -> Media:
    """Raises `msgspec.ValidationError` for what is no picture."""
    stated = reply.headers.get("content-type", "").partition(";")[0].strip()
    mime_type = sniff_mime_type(reply.content) or (stated if stated.startswith("image/") else "")
    if not reply.content or not mime_type:
        raise msgspec.ValidationError("no picture came")
    return Media(kind="image", mime_type=mime_type, data=reply.content)
