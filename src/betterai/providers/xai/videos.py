"""xAI's films (https://docs.x.ai/docs/guides/video-generation, 2026-11-22). Nothing of it was recorded: UNVERIFIED."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from betterai.core.codec import VideoCall
from betterai.core.exceptions import ContentFilterError, ProviderError
from betterai.core.media import Media
from betterai.core.results import VideoResponse
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.xai.cost import add_cost
from betterai.wire.polled_jobs import PolledJob
from betterai.wire.report import Report


class SubmittedShape(Struct):
    request_id: str


class FilmShape(Struct):
    url: str | None = None
    duration: float | None = None
    respect_moderation: bool | None = None


class FailureShape(Struct):
    code: str = ""
    message: str = ""


class BilledShape(Struct):
    cost_in_usd_ticks: int | None = None


class PolledShape(Struct):
    status: str = ""
    video: FilmShape | None = None
    progress: float | None = None
    error: FailureShape | None = None
    usage: BilledShape | None = None


_decode_submitted = msgspec.json.Decoder(SubmittedShape).decode
_decode = msgspec.json.Decoder(PolledShape, strict=False).decode


class XAIVideos(PolledJob[VideoCall, VideoResponse]):
    """`POST /videos/generations`, then `GET /videos/ID`. A film comes as a URL that ends soon: save it at once."""

    protocol: ClassVar[str] = "xai_videos"
    path: ClassVar[str] = "/videos/generations"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {
        "image": frozenset({"bytes", "url"}),
        "video": frozenset({"url"}),
    }
    fields: ClassVar[Mapping[str, str]] = {
        "seconds": "duration", "aspect": "aspect_ratio", "resolution": "resolution",
    }  # fmt: skip
    unsupported: ClassVar[Mapping[str, str]] = {
        "size": "xAI takes an aspect and a resolution",
        "fps": "films have one rate here",
        "seed": "films cannot be repeated here",
        "n": "one film comes of one request here",
        "negative_prompt": "say in the prompt what is not wanted",
        "audio": "whether there is sound is the model's",
        "last_frame": "xAI takes a first frame only",
    }

    def address(self, call: VideoCall) -> str:
        return "/videos/edits" if call.settings.video is not None else self.path

    def begin_body(self, call: VideoCall, report: Report) -> dict[str, Any]:
        return {"model": call.model.id, "prompt": call.input}

    def write_first_frame(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["image"] = _reference(value)

    def write_images(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value:
            body["reference_images"] = [_reference(media) for media in value]

    def write_video(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["video"] = {"url": value.url}

    def read_job(self, call: VideoCall, reply: WireResponse) -> dict[str, Any]:
        return {"id": _decode_submitted(reply.content).request_id}

    def build_poll(self, call: VideoCall, state: Mapping[str, Any]) -> WireRequest:
        return WireRequest(url=f"/videos/{quote(str(state['id']), safe='')}", method="GET", safe_to_repeat=True)

    def read_poll(
        self, call: VideoCall, state: Mapping[str, Any], reply: WireResponse
    ) -> VideoResponse | WireRequest | float | None:
        shape = _decode(reply.content)
        if shape.status in ("failed", "expired") or shape.error is not None:
            failure = shape.error or FailureShape(message=f"the job has {shape.status}")
            raise ProviderError(
                failure.message, code=failure.code, provider_message=failure.message, retryable=False,
                body=reply.content[:65536],
            )  # fmt: skip
        film = shape.video
        if film is not None and film.respect_moderation is False:
            raise ContentFilterError("the film was filtered out", provider_message="respect_moderation: false")
        if film is None or not film.url:
            return None if shape.progress is None else shape.progress / 100 if shape.progress > 1 else shape.progress
        seconds = {} if film.duration is None else {"second": film.duration}
        ticks = shape.usage.cost_in_usd_ticks if shape.usage is not None else None
        return VideoResponse(
            videos=(Media(kind="video", mime_type="video/mp4", url=film.url),),
            model=call.model.id,
            usage=add_cost(Usage(units=seconds), ticks, None) if seconds or ticks is not None else None,
            body=reply.content,
        )


def _reference(media: Media) -> dict[str, str]:
    return {"url": media.url if media.url is not None else media.to_data_url()}
