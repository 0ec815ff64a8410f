"""Runway's films as tasks (https://docs.dev.runwayml.com/api; the shapes of runwayml 5.24.0, 2026-11)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from betterai.core.codec import VideoCall
from betterai.core.exceptions import ProviderError
from betterai.core.media import Media
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.runway.families import find_family
from betterai.wire.error_bodies import UNREADABLE, read_error
from betterai.wire.errors import make_stated_error
from betterai.wire.films import FilmSteps, Look, State, as_url, check_bytes, fetch_film, film_usage, make_failure, whole
from betterai.wire.lenient import Reader
from betterai.wire.report import Report

RATIOS: Mapping[str, Mapping[str, str]] = {
    "720p": {
        "16:9": "1280:720", "9:16": "720:1280", "1:1": "960:960", "4:3": "1104:832", "3:4": "832:1104",
        "21:9": "1584:672",
    },
    "1080p": {"16:9": "1920:1080", "9:16": "1080:1920", "1:1": "1440:1440"},
    "4k": {"16:9": "3840:2160", "9:16": "2160:3840", "1:1": "2880:2880"},
}  # fmt: skip
"""The ratios, which are pixels, that stand for a resolution and an aspect. Which of them a model takes is its own."""


MOST_BYTES = 3_900_000
"""Of a picture in the request: as a data URL it has a third more, and 5 MiB are taken."""
DOLLARS = Decimal("0.01")
"""What a credit costs (https://docs.dev.runwayml.com/guides/pricing/, 2026-11)."""


class CostShape(Struct):
    credits: float | None = None


class TaskShape(Struct, rename="camel"):
    status: str
    progress: float | None = None
    output: list[str] | None = None
    failure: str | None = None
    failure_code: str | None = None
    cost: CostShape | None = None


class SubmittedShape(Struct):
    id: str


class IssueShape(Struct):
    message: str = ""
    path: list[str | int] = []


class FailureShape(Struct):
    issues: list[IssueShape] = []


_decoder = Reader(TaskShape)
_submitted = Reader(SubmittedShape)
_decode_failure = Reader(FailureShape).decode


class RunwayFilms(FilmSteps[TaskShape]):
    """Of a text, of a first and a last frame, or of a film: each has a place of its own. Then `GET /v1/tasks/{id}`, no
    more often than every five seconds. No idempotency key is documented.
    """

    protocol: ClassVar[str] = "runway_tasks"
    path: ClassVar[str] = "/v1/text_to_video"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {
        "image": frozenset({"bytes", "url", "file_id"}), "video": frozenset({"bytes", "url", "file_id"}),
    }  # fmt: skip
    fields: ClassVar[Mapping[str, str]] = {"seed": "seed", "negative_prompt": "negativePrompt", "audio": "audio"}
    unsupported: ClassVar[Mapping[str, str]] = {
        "fps": "films have the rate that the model makes",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset(
        {"contentModeration", "outputFormat", "providerSettings", "ratio", "resolution"}
    )

    def answers(self, path: str) -> bool:
        return path.endswith(("/text_to_video", "/image_to_video", "/video_to_video")) or "/v1/tasks/" in path

    def address(self, call: VideoCall) -> str:
        settings = call.settings
        if settings.video is not None:
            return "/v1/video_to_video"
        framed = settings.first_frame is not None or settings.last_frame is not None
        return "/v1/image_to_video" if framed else self.path

    def begin_state(self, call: VideoCall) -> dict[str, Any]:
        """With the length that is asked for where the caller names none."""
        family, state = find_family(call.model.id), super().begin_state(call)
        return {"seconds": family.needs["duration"], **state} if "duration" in family.needs else state

    def begin_body(self, call: VideoCall, report: Report) -> dict[str, Any]:
        body: dict[str, Any] = {"model": call.model.id}
        if call.input:
            body["promptText"] = call.input
        first, last, film = call.settings.first_frame, call.settings.last_frame, call.settings.video
        if film is not None:
            for name, frame in (("first_frame", first), ("last_frame", last)):
                if frame is not None:
                    report.drop(name, "a film that is made of a film has no frames of its own")
            body[find_family(call.model.id).video] = _uri(film)
        elif last is not None:
            frames = (("first", first), ("last", last))
            body["promptImage"] = [{"uri": _uri(media), "position": place} for place, media in frames if media]
        elif first is not None:
            body["promptImage"] = _uri(first)
        return body

    def write_first_frame(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        """Written with the model: both frames are one field."""

    write_last_frame = write_video = write_first_frame

    def write_seconds(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["duration"] = whole(value)

    def write_size(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["ratio"] = value.lower().replace("x", ":")

    def write_aspect(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        settings = call.settings
        if value is None or settings.size is not None:
            return
        if find_family(call.model.id).aspects:
            body["ratio"] = value
            return
        known = RATIOS.get((settings.resolution or "720p").lower(), {})
        if value in known:
            body["ratio"] = known[value]
            report.translate("aspect", f"it is asked for as a ratio of {known[value]}")
        else:
            report.drop("aspect", "there is no such ratio", hint="pass size=, or options={'runway': {'ratio': …}}")

    def write_resolution(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        """Said by the ratio, where an aspect is given; some models have a field for it."""
        settings = call.settings
        if value is None:
            return
        if find_family(call.model.id).aspects:
            body["resolution"] = value
        elif settings.size is None and (settings.aspect is None or value.lower() not in RATIOS):
            report.drop("resolution", "the ratio says it here", hint="pass aspect= with it, or size=")

    def write_images(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if not value:
            return
        if self.address(call).endswith("/image_to_video"):
            report.drop("images", "a film is made of frames or of references", hint="pass one of them")
        elif find_family(call.model.id).references:
            body["references"] = [{"uri": _uri(media)} for media in value]
        else:
            report.drop("images", f"{call.model.id} takes no references", hint="extra_body takes any field")

    def finish_body(self, body: dict[str, Any], call: VideoCall, report: Report) -> Any:
        """What the model takes no request without is there."""
        if call.settings.video is not None:
            return body
        family = find_family(call.model.id)
        return {**family.needs, **(family.of_text if self.address(call) == self.path else {}), **body}

    def decode(self, reply: WireResponse) -> TaskShape:
        return _decoder.decode(reply.content)

    def read_id(self, reply: WireResponse) -> str:
        return _submitted.decode(reply.content).id

    def build_look(self, call: VideoCall, state: State) -> WireRequest:
        return self.ask(call, _place(state), method="GET")

    def read_look(self, call: VideoCall, state: State, shape: TaskShape, reply: WireResponse) -> Look:
        if shape.status in ("FAILED", "CANCELLED"):
            code = shape.failure_code or shape.status.lower()
            broke = code.startswith("INTERNAL")
            raise make_failure(reply, shape.failure or "", code, filtered=code.startswith("SAFETY."), retryable=broke)
        if shape.status != "SUCCEEDED":
            return Look(progress=shape.progress)
        if not shape.output:
            raise msgspec.ValidationError("a finished task without a film")
        links = tuple(fetch_film(link) for link in shape.output)
        usage = film_usage(call, state, films=len(links))
        if shape.cost is not None and shape.cost.credits is not None:
            cost = Decimal(str(shape.cost.credits)) * DOLLARS
            usage = msgspec.structs.replace(usage or Usage(), stated_cost=cost)
        return Look(films=links, usage=usage)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        """What is wrong with a request stands beside the error, fault by fault."""
        found = read_error(reply.content)
        try:
            issues = _decode_failure(reply.content).issues
        except UNREADABLE:
            issues = []
        said = [f"{'.'.join(map(str, issue.path))}: {issue.message}".lstrip(": ") for issue in issues if issue.message]
        message = ": ".join(filter(None, (found.message, "; ".join(said))))
        return make_stated_error(msgspec.structs.replace(found, message=message), reply)

    def cancel(self, state: State) -> WireRequest | None:
        return WireRequest(url=_place(state), method="DELETE", safe_to_repeat=True) if "id" in state else None


def _place(state: State) -> str:
    return f"/v1/tasks/{quote(state['id'], safe='')}"


def _uri(media: Media) -> str:
    """A link, a data URL, or the `runway://` of what was uploaded."""
    if media.file_id is not None:
        return media.file_id
    check_bytes(media, MOST_BYTES, "pass a URL, or file_id='runway://…' of what was uploaded")
    return as_url(media)
