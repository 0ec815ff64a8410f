"""xAI's films (https://docs.x.ai/docs/guides/video-generations, 2026-11-22): made, edited and carried on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from betterai.core.codec import VideoCall
from betterai.core.exceptions import UnsupportedParam
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.xai.cost import add_cost
from betterai.wire.films import (
    FilmSteps,
    Look,
    State,
    as_url,
    fetch_film,
    film_usage,
    make_failure,
    whole,
    write_size_as_form,
)
from betterai.wire.lenient import Reader
from betterai.wire.report import Report


class FilmShape(Struct):
    url: str | None = None
    duration: float | None = None
    respect_moderation: bool | None = None


class FailureShape(Struct):
    code: str | None = None
    message: str | None = None


class BilledShape(Struct):
    cost_in_usd_ticks: int | None = None


class JobShape(Struct):
    status: str | None = None
    video: FilmShape | None = None
    progress: float | None = None
    usage: BilledShape | None = None
    error: FailureShape | str | None = None


class SubmittedShape(Struct):
    request_id: str


_decoder = Reader(JobShape)
_submitted = Reader(SubmittedShape)
_RESOLUTIONS = frozenset({"480p", "720p", "1080p"})
_AS_IN_THE_FILM = "it is as in the film that was given"


class XAIVideos(FilmSteps[JobShape]):
    """`POST /videos/generations`; with `video` `/videos/edits`, and `/videos/extensions` where the option `extend` of
    xai is true. No idempotency key and no way to stop a job are documented.
    """

    protocol: ClassVar[str] = "xai_videos"
    path: ClassVar[str] = "/videos/generations"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {
        "image": frozenset({"bytes", "url"}), "video": frozenset({"url"}),
    }  # fmt: skip
    unsupported: ClassVar[Mapping[str, str]] = {
        "fps": "films have the rate that the model makes",
        "seed": "films cannot be repeated here",
        "negative_prompt": "say in the prompt what is not wanted",
        "last_frame": "a film begins with a picture here, and ends as it will",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset({"extend", "user"})

    def answers(self, path: str) -> bool:
        return "/videos/" in path

    def address(self, call: VideoCall) -> str:
        if call.settings.video is None:
            return self.path
        own = (call.settings.options or {}).get(call.model.provider) or {}
        return "/videos/extensions" if own.get("extend") else "/videos/edits"

    def begin_body(self, call: VideoCall, report: Report) -> dict[str, Any]:
        return {"model": call.model.id, "prompt": call.input}

    def finish_body(self, body: dict[str, Any], call: VideoCall, report: Report) -> Any:
        if body.pop("extend", None) and call.settings.video is None:
            raise UnsupportedParam("options.xai.extend: there is no film to go on with", hint="pass video=")
        return body

    def write_seconds(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is None:
            return
        if self.address(call).endswith("/edits"):
            report.drop("seconds", _AS_IN_THE_FILM)
        else:
            body["duration"] = whole(value)

    def write_aspect(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        self._write_form(body, "aspect", "aspect_ratio", value, call, report)

    def write_resolution(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        self._write_form(body, "resolution", "resolution", value, call, report)

    def write_size(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is None:
            return
        if call.settings.video is not None:
            report.drop("size", _AS_IN_THE_FILM)
        else:
            write_size_as_form(body, value, report, _RESOLUTIONS)

    def _write_form(
        self, body: dict[str, Any], name: str, field: str, value: Any, call: VideoCall, report: Report
    ) -> None:
        if value is None:
            return
        if call.settings.video is not None:
            report.drop(name, _AS_IN_THE_FILM)
        else:
            body[field] = value

    def write_audio(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            report.drop("audio", "films have the sound that the model makes", harmless=value)

    def write_first_frame(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["image"] = {"url": as_url(value)}

    def write_images(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value:
            body["reference_images"] = [{"url": as_url(media)} for media in value]

    def write_video(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["video"] = {"url": as_url(value)}

    def decode(self, reply: WireResponse) -> JobShape:
        return _decoder.decode(reply.content)

    def read_id(self, reply: WireResponse) -> str:
        return _submitted.decode(reply.content).request_id

    def build_look(self, call: VideoCall, state: State) -> WireRequest:
        return self.ask(call, f"/videos/{quote(state['id'], safe='')}", method="GET")

    def read_look(self, call: VideoCall, state: State, shape: JobShape, reply: WireResponse) -> Look:
        film = shape.video or FilmShape()
        if film.respect_moderation is False:
            raise make_failure(reply, "the film was held back by moderation", "moderation", filtered=True)
        if shape.status in ("failed", "expired"):
            error = shape.error if isinstance(shape.error, FailureShape) else FailureShape(message=shape.error)
            raise make_failure(reply, error.message or "", error.code or shape.status)
        if shape.status == "done" or (shape.status is None and film.url):
            if not film.url:
                raise msgspec.ValidationError("a finished job without a film")
            return Look(films=(fetch_film(film.url),), usage=self._read_usage(call, state, shape, film))
        if shape.status is None:
            raise msgspec.ValidationError("neither a status nor a film")
        return Look(progress=None if shape.progress is None else min(shape.progress / 100, 1.0))

    def _read_usage(self, call: VideoCall, state: State, shape: JobShape, film: FilmShape) -> Usage | None:
        usage = film_usage(call, state, seconds=film.duration)
        if shape.usage is None or shape.usage.cost_in_usd_ticks is None:
            return usage
        return add_cost(usage or Usage(), shape.usage.cost_in_usd_ticks, None)
