"""FLUX 3 films (https://docs.bfl.ai, generate-a-video-with-flux-3; as vercel/ai sends them, 2026-08).

UNVERIFIED: all of it but the names of the fields. It takes minutes: 5 to 15 are reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

from betterai.core.codec import VideoCall
from betterai.core.exceptions import UnsupportedParam
from betterai.core.media import Media
from betterai.core.results import VideoResponse
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.providers.bfl.jobs import FluxJobs, ResultShape, write_media
from betterai.wire.report import Report
from betterai.wire.sizes import aspect_of, resolution_of

ASPECTS = frozenset({"auto", "21:9", "2:1", "16:9", "4:3", "1:1", "3:4", "9:16"})
MOST_FRAMES = 10
RESOLUTIONS = {"720p": "hd", "1080p": "fhd", "hd": "hd", "fhd": "fhd"}
DRAFT_TAKES = frozenset({"mode", "draft_cache", "safety_tolerance", "version"})


class FluxVideo(FluxJobs[VideoCall, VideoResponse]):
    """A film of a text, of key frames, or of the film that it goes on from; and a draft made whole: its
    `draft_cache` is in `response.raw["result"]`.
    """

    protocol: ClassVar[str] = "flux_video"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {
        "image": frozenset({"bytes", "url"}), "video": frozenset({"bytes", "url"}),
    }  # fmt: skip
    waits: ClassVar[tuple[float, ...]] = (2.0,)
    fetched_as: ClassVar[Literal["bytes", "file"]] = "file"
    fields: ClassVar[Mapping[str, str]] = {"audio": "generate_audio"}
    unsupported: ClassVar[Mapping[str, str]] = {
        "fps": "FLUX chooses the rate",
        "seed": "films cannot be repeated here",
        "negative_prompt": "say in the prompt what is wanted in its place",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset({"safety_tolerance", "draft", "draft_cache", "version"})

    def begin_body(self, call: VideoCall, report: Report) -> dict[str, Any]:
        settings = call.settings
        frames = _find_frames(call)
        if settings.video is not None and frames:
            raise UnsupportedParam("video: a film goes on from a film, or from pictures, not both", param="video")
        if len(frames) > MOST_FRAMES:
            raise UnsupportedParam(f"images: at most {MOST_FRAMES} key frames, not {len(frames)}", param="images")
        mode = "v2v" if settings.video is not None else "i2v" if frames else "t2v"
        body: dict[str, Any] = {"mode": mode, "prompt": call.input or None}
        if frames:
            body["keyframes"] = [write_media(frame) for frame in frames]
        return body

    def write_first_frame(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        """All frames are written at once, in their order."""

    write_last_frame = write_images = write_first_frame

    def write_video(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["start_video"] = write_media(value)

    def write_seconds(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is None:
            return
        body["duration"] = round(value)
        if body["duration"] != value:
            report.translate("seconds", f"films last whole seconds here: {body['duration']}")

    def write_aspect(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value in ASPECTS:
            body["aspect_ratio"] = value
        elif value is not None:
            report.drop("aspect", f"there is no aspect of {value} here", hint=f"there are {', '.join(sorted(ASPECTS))}")

    def write_resolution(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value in RESOLUTIONS:
            body["resolution"] = RESOLUTIONS[value]
        elif value is not None:
            report.drop("resolution", f"there is no resolution of {value} here", hint="there are 720p and 1080p")

    def write_size(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is None:
            return
        if call.settings.aspect is not None and call.settings.resolution is not None:
            report.drop("size", "the aspect and the resolution say it")
            return
        aspect, lines = aspect_of(value), resolution_of(value)
        if aspect not in ASPECTS or lines not in RESOLUTIONS:
            report.drop("size", f"there is no size of {value} here", hint="pass aspect= and resolution=")
            return
        body.setdefault("aspect_ratio", aspect)
        body.setdefault("resolution", RESOLUTIONS[lines])
        report.translate("size", f"it is asked for as {aspect} in {lines}")

    def finish_body(self, body: dict[str, Any], call: VideoCall, report: Report) -> Any:
        """A draft is made whole as it is."""
        if body.get("draft_cache") is not None:
            for field in body.keys() - DRAFT_TAKES:
                report.drop(_SAID.get(field, field), "a draft is made whole as it is", harmless=body[field] is None)
            body = {field: value for field, value in body.items() if field in DRAFT_TAKES} | {"mode": "draft_enhance"}
        return {field: value for field, value in body.items() if value is not None}

    def read(self, call: VideoCall, reply: WireResponse) -> VideoResponse:
        stated = reply.headers.get("content-type", "").partition(";")[0].strip()
        mime_type = stated if stated.startswith("video/") else "video/mp4"
        return VideoResponse(videos=(Media(kind="video", mime_type=mime_type, path=str(reply.body)),))

    def complete(self, result: VideoResponse, call: VideoCall, found: ResultShape) -> VideoResponse:
        """Seconds are those that were asked for: the reply does not say how long the film is."""
        seconds = call.settings.seconds
        units = {"video": 1.0} if seconds is None else {"video": 1.0, "second": float(round(seconds))}
        return msgspec.structs.replace(result, model=call.model.id, usage=Usage(units=units, source="counted"))


_SAID = {
    "generate_audio": "audio", "start_video": "video", "keyframes": "images", "aspect_ratio": "aspect",
    "duration": "seconds", "draft": "options.bfl.draft",
}  # fmt: skip
"""What fields are called among our settings."""


def _find_frames(call: VideoCall) -> list[Media]:
    """The key frames, in their order. Raises `UnsupportedParam` for a last one alone: it would be the first."""
    settings = call.settings
    begin = [*([settings.first_frame] if settings.first_frame is not None else ()), *(settings.images or ())]
    if settings.last_frame is None:
        return begin
    if not begin:
        raise UnsupportedParam("last_frame: a single key frame is the first one here", param="last_frame")
    return [*begin, settings.last_frame]
