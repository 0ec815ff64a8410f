"""Together's pictures (https://docs.together.ai/reference/post-images-generations, together 3.1.1, 2026-11-22)."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.codec import ImageCall
from betterai.wire.openai_images import OpenAIImages
from betterai.wire.report import Report
from betterai.wire.sizes import sides_of


class TogetherImages(OpenAIImages):
    """Width and height in place of a size; reference pictures by URL or data URL, at the same address."""

    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    streams: ClassVar = False
    fields: ClassVar = {
        "n": "n", "seed": "seed", "steps": "steps", "guidance": "guidance_scale", "negative_prompt": "negative_prompt",
    }  # fmt: skip
    unsupported: ClassVar = {
        "style": "its models take the style from the prompt",
        "mask": "Together takes no masks",
        "user": "Together does not take it",
    }
    sizes: ClassVar = {
        "1:1": "1024x1024", "3:2": "1248x832", "2:3": "832x1248", "4:3": "1184x880", "3:4": "880x1184",
        "16:9": "1392x752", "9:16": "752x1392",
    }  # fmt: skip
    vendor_options: ClassVar = frozenset({"image_loras", "disable_safety_checker", "response_format"})

    def address(self, call: ImageCall) -> str:
        return self.path

    def begin_body(self, call: ImageCall, report: Report) -> dict[str, Any]:
        return {**super().begin_body(call, report), "response_format": "base64"}

    def write_size(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value is None:
            return
        width, height = sides_of(value)
        if width:
            body["width"], body["height"] = width, height
        else:
            report.drop("size", f"{value!r} is no size", hint='write "1024x1024"')

    def write_aspect(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        super().write_aspect(body, value, call, report)
        self.write_size(body, body.pop("size", None), call, report)

    def write_images(self, body: dict[str, Any], value: Any, call: ImageCall, report: Report) -> None:
        if value:
            body["reference_images"] = [media.url if media.url is not None else media.to_data_url() for media in value]

    def finish_body(self, body: dict[str, Any], call: ImageCall, report: Report) -> Any:
        return body
