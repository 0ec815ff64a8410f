"""Veo's films as operations of Google's: where they are asked, and how films come, each API says for itself.

https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import VideoCall
from betterai.core.exceptions import ProviderError
from betterai.core.media import Media
from betterai.core.response import CallWarning
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.films import (
    FilmSteps,
    Look,
    State,
    film_usage,
    make_failure,
    whole,
)
from betterai.wire.gemini.errors import read_failure
from betterai.wire.lenient import Reader
from betterai.wire.report import Report
from betterai.wire.sizes import aspect_of, resolution_of

_RESOLUTIONS = ("720p", "1080p", "4k")
_FRAMES = {"first_frame": "image", "last_frame": "lastFrame", "video": "video"}


_NOTHING = msgspec.Raw(b"{}")


class FaultShape(Struct):
    code: int = 0
    message: str = ""


class OperationShape(Struct):
    name: str
    done: bool = False
    error: FaultShape | None = None
    response: msgspec.Raw = _NOTHING


_decoder = Reader(OperationShape)


class Veo(FilmSteps[OperationShape]):
    """`:predictLongRunning`, and looks at the operation that it names. No progress, no idempotency key and no way to
    stop an operation are documented.
    """

    path: ClassVar[str] = ":predictLongRunning"
    poll_seconds: ClassVar[float] = 10.0
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {
        "image": frozenset({"bytes", "file_id"}), "video": frozenset({"bytes", "file_id"}),
    }  # fmt: skip
    fields: ClassVar[Mapping[str, str]] = {
        "n": "sampleCount", "aspect": "aspectRatio", "resolution": "resolution", "fps": "fps", "seed": "seed",
        "negative_prompt": "negativePrompt", "audio": "generateAudio",
    }  # fmt: skip
    vendor_options: ClassVar[frozenset[str]] = frozenset(
        {"compressionQuality", "enhancePrompt", "mask", "personGeneration", "referenceType", "resizeMode", "storageUri"}
    )

    def begin_state(self, call: VideoCall) -> dict[str, Any]:
        return {**super().begin_state(call), "model": call.model.id}

    def begin_body(self, call: VideoCall, report: Report) -> dict[str, Any]:
        return {}

    def finish_body(self, body: dict[str, Any], call: VideoCall, report: Report) -> Any:
        settings = call.settings
        instance: dict[str, Any] = {"prompt": call.input} if call.input else {}
        for name, field in _FRAMES.items():
            if (media := getattr(settings, name)) is not None:
                instance[field] = _place(media)
        kind = body.pop("referenceType", "asset")
        if settings.images:
            instance["referenceImages"] = [{"image": _place(media), "referenceType": kind} for media in settings.images]
        if "mask" in body:
            instance["mask"] = body.pop("mask")
        parameters = {name: value for name, value in body.items() if value is not None}
        return {"instances": [instance], "parameters": parameters}

    def write_first_frame(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        """Written with the prompt."""

    write_last_frame = write_images = write_video = write_first_frame

    def write_seconds(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["durationSeconds"] = whole(value)

    def write_size(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is None:
            return
        aspect, resolution = aspect_of(value), resolution_of(value)
        if resolution in _RESOLUTIONS:
            body.setdefault("aspectRatio", aspect)
            body.setdefault("resolution", resolution)
            report.translate("size", f"it is asked for as {body['aspectRatio']} in {body['resolution']}")
        else:
            report.drop("size", "there is no such size here", hint="pass aspect= and resolution=")

    def decode(self, reply: WireResponse) -> OperationShape:
        return _decoder.decode(reply.content)

    def read_id(self, reply: WireResponse) -> str:
        return self.decode(reply).name

    def read_look(self, call: VideoCall, state: State, shape: OperationShape, reply: WireResponse) -> Look:
        if shape.error is not None:
            raise make_failure(reply, shape.error.message, str(shape.error.code or ""))
        return self.read_made(call, state, shape.response, reply) if shape.done else Look()

    @abstractmethod
    def read_made(self, call: VideoCall, state: State, response: msgspec.Raw, reply: WireResponse) -> Look:
        """The films of an operation that is over."""

    def judge(
        self, call: VideoCall, state: State, films: Sequence[WireRequest | Media], count: int, reasons: Sequence[str],
        reply: WireResponse,
    ) -> Look:  # fmt: skip
        """The films that were made; those that were filtered out are said, and an error where none is left."""
        if not films:
            if not reasons and not count:
                raise msgspec.ValidationError("a finished operation without a film")
            raise make_failure(reply, "; ".join(reasons) or "all films were filtered out", "rai", filtered=True)
        left_out = tuple(CallWarning(code="dropped", field="n", message=why) for why in reasons)
        if count and not left_out:
            said = f"{count} of the films were filtered out"
            left_out = (CallWarning(code="dropped", field="n", message=said),)
        return Look(films=tuple(films), usage=film_usage(call, state, films=len(films)), warnings=left_out)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return read_failure(reply, reply.status)


def _place(media: Media) -> dict[str, Any]:
    """The content, or where it is in Cloud Storage."""
    if media.file_id is not None:
        return {"gcsUri": media.file_id, "mimeType": media.mime_type}
    if media.url is not None:
        return {"gcsUri": media.url, "mimeType": media.mime_type}
    return {"bytesBase64Encoded": media.to_base64(), "mimeType": media.mime_type}
