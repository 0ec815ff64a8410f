"""FLUX pictures (https://docs.bfl.ai): made of a text, and of other pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from betterai.core.codec import ImageCall
from betterai.core.exceptions import UnsupportedParam
from betterai.core.media import Media
from betterai.core.results import ImageResponse
from betterai.core.sniffing import sniff_mime_type
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.providers.bfl.families import OPTIONS, find_family
from betterai.providers.bfl.jobs import FluxJobs, ResultShape, write_media
from betterai.wire.pictures import name_format
from betterai.wire.report import Report
from betterai.wire.sizes import aspect_of, sides_of, size_of


class FluxImages(FluxJobs[ImageCall, ImageResponse]):
    """One picture a job. Some models take a width and a height, others an aspect: each is made of the other."""

    protocol: ClassVar[str] = "flux_images"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes", "url"})}
    fields: ClassVar[Mapping[str, str]] = {"seed": "seed", "steps": "steps", "guidance": "guidance"}
    unsupported: ClassVar[Mapping[str, str]] = {
        "quality": "its models have one quality each",
        "style": "its models take the style from the prompt",
        "background": "FLUX makes no transparent pictures",
        "compression": "FLUX chooses the compression",
        "negative_prompt": "say in the prompt what is wanted in its place",
        "partial_images": "there are no unfinished pictures here",
        "moderation": "it is a number here: options={'bfl': {'safety_tolerance': 0 to 6}}",
        "user": "Black Forest Labs does not take it",
    }
    vendor_options: ClassVar[frozenset[str]] = OPTIONS

    def begin_body(self, call: ImageCall, report: Report) -> dict[str, Any]:
        return {"prompt": call.input}

    def write_format(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        body["output_format"] = name_format(value)

    def write_size(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value is None:
            return
        width, height = sides_of(value)
        if not width:
            report.drop("size", f"{value!r} is no size", hint='write "1024x1024"')
            return
        fields = find_family(call.model.id).fields
        if "width" in fields:
            body["width"], body["height"] = width, height
        elif "aspect_ratio" in fields:
            body["aspect_ratio"] = aspect_of(value)
            report.translate("size", f"it is asked for as an aspect of {body['aspect_ratio']}")
        else:
            report.drop("size", "the picture keeps its own")

    def write_aspect(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value is None:
            return
        if call.settings.size is not None:
            report.drop("aspect", "the size says it")
            return
        family = find_family(call.model.id)
        if "aspect_ratio" in family.fields:
            body["aspect_ratio"] = value
        elif "width" not in family.fields:
            report.drop("aspect", "the picture keeps its own")
        elif (size := size_of(value, family.multiple)) is None:
            report.drop("aspect", f"{value!r} is no aspect", hint='write "16:9"')
        else:
            body["width"], body["height"] = size
            report.translate("aspect", f"it is asked for as a size of {size[0]}x{size[1]}")

    def write_images(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        pictures, names = tuple(value or ()), find_family(call.model.id).images
        if len(pictures) > len(names):
            raise UnsupportedParam(f"images: {call.model.id} takes at most {len(names)}", param="images")
        body.update(zip(names, map(write_media, pictures), strict=False))

    def write_mask(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value is not None:
            body["mask"] = write_media(value)

    def finish_body(self, body: dict[str, Any], call: ImageCall, report: Report) -> Any:
        """What the model does not take is reported."""
        family = find_family(call.model.id)
        takes = family.fields.union(family.images, {"prompt"})
        for field in [field for field in body if field not in takes]:
            value = body.pop(field)
            own = field in call.settings.given() or field == "output_format"
            name = "format" if field == "output_format" else field if own else f"options.{call.model.provider}.{field}"
            if value is not None:
                report.drop(name, f"{call.model.id} takes no {field}")
        return {field: value for field, value in body.items() if value is not None}

    def read(self, call: ImageCall, reply: WireResponse) -> ImageResponse:
        """What was fetched. Raises `msgspec.ValidationError` for what is no picture."""
        stated = reply.headers.get("content-type", "").partition(";")[0].strip()
        mime_type = sniff_mime_type(reply.content) or (stated if stated.startswith("image/") else "")
        if not reply.content or not mime_type:
            raise msgspec.ValidationError("no picture came")
        image = Media(kind="image", mime_type=mime_type, data=reply.content)
        return ImageResponse(images=(image,), model=call.model.id, usage=Usage(units={"image": 1.0}))

    def complete(self, result: ImageResponse, call: ImageCall, found: ResultShape) -> ImageResponse:
        revised = found.prompt if found.prompt and found.prompt != call.input else ""
        return msgspec.structs.replace(result, revised_prompt=revised)
