"""Kling's films, newer generation (https://klingai.com/document-api, 2026-09): the model is in the path.

A task is found by the id that we gave it, so a submit whose answer was lost is looked for and not sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from betterai.core.codec import VideoCall
from betterai.core.exceptions import ProviderError
from betterai.core.media import Media
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.kling.errors import read_error_reply, read_failure, was_filtered
from betterai.wire.films import (
    FilmSteps,
    Look,
    State,
    check_bytes,
    fetch_film,
    film_usage,
    make_failure,
    read_seconds,
    whole,
    write_size_as_form,
)
from betterai.wire.lenient import Reader
from betterai.wire.report import Report

T = TypeVar("T")
MOST_BYTES = 10_000_000
"""Of a picture in the request."""
ASPECTS = ("16:9", "9:16", "1:1")
_RESOLUTIONS = ("720p", "1080p", "4k")


class OutputShape(Struct):
    type: str = "video"
    url: str | None = None
    duration: Any = None


class BillShape(Struct):
    charge_type: str = ""
    amount: Any = None
    currency: str = ""


class TaskShape(Struct):
    id: str
    status: str = ""
    message: str = ""
    outputs: list[OutputShape] | None = None
    billing: list[BillShape] | None = None


class OneShape(Struct):
    code: int
    data: TaskShape


class ListShape(Struct):
    code: int
    data: list[TaskShape]


_one = Reader(OneShape)
_list = Reader(ListShape)


class KlingSteps(FilmSteps[T]):
    """What both generations do alike."""

    def look(self, call: VideoCall, state: State, reply: WireResponse) -> Look:
        """As elsewhere; a service that is busy says so with status 200 too, and is asked again later."""
        failure = read_failure(reply)
        if failure is not None and failure.retryable:
            return Look()
        return super().look(call, state, reply)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return read_error_reply(reply)


class KlingFilms(KlingSteps[ListShape]):
    """`POST /text-to-video/{model}`, `/image-to-video/{model}`, `/omni-video/{model}`; then `GET /tasks?task_ids=`.

    How the last frame and references are written is UNVERIFIED: they raise, and `extra_body` takes them.
    """

    protocol: ClassVar[str] = "kling_tasks"
    path: ClassVar[str] = "/text-to-video"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes", "url"})}
    fields: ClassVar[Mapping[str, str]] = {}
    unsupported: ClassVar[Mapping[str, str]] = {
        "fps": "films have the rate that the model makes",
        "seed": "films cannot be repeated here",
        "negative_prompt": "say in the prompt what is not wanted",
        "last_frame": "models of the older generation take it",
        "images": "models of the older generation take them",
        "video": "films are made of texts and pictures here",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset({"callback_url", "watermark_info"})

    def answers(self, path: str) -> bool:
        return (
            path.endswith("/tasks") or "/text-to-video/" in path or "/image-to-video/" in path or "/omni-video/" in path
        )

    def address(self, call: VideoCall) -> str:
        id = call.model.id
        place = "/image-to-video" if call.settings.first_frame is not None else self.path
        return f"{'/omni-video' if id.endswith('-omni') else place}/{quote(id, safe='')}"

    def begin_body(self, call: VideoCall, report: Report) -> dict[str, Any]:
        return {"settings": {}, "options": {"external_task_id": call.id}}

    def finish_body(self, body: dict[str, Any], call: VideoCall, report: Report) -> Any:
        for name in self.vendor_options & body.keys():
            body["options"][name] = body.pop(name)
        frame = call.settings.first_frame
        if frame is None:
            body["prompt"] = call.input
        else:
            said = [{"type": "prompt", "text": call.input}] if call.input else []
            body["contents"] = [*said, {"type": "first_frame", "url": as_picture(frame)}]
        if not body["settings"]:
            del body["settings"]
        return body

    def write_first_frame(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        """Written with the prompt."""

    def write_seconds(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["settings"]["duration"] = whole(value)

    def write_aspect(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["settings"]["aspect_ratio"] = value

    def write_resolution(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["settings"]["resolution"] = value

    def write_size(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            write_size_as_form(body["settings"], value, report, _RESOLUTIONS, ASPECTS)

    def write_audio(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is None:
            return
        if call.model.id.endswith("-turbo"):
            report.drop("audio", "this model always makes sound", harmless=value)
        else:
            body["settings"]["audio"] = "on" if value else "off"

    def decode(self, reply: WireResponse) -> ListShape:
        refuse_failure(reply)
        return _list.decode(reply.content)

    def read_id(self, reply: WireResponse) -> str:
        refuse_failure(reply)
        return _one.decode(reply.content).data.id

    def build_look(self, call: VideoCall, state: State) -> WireRequest:
        return self.ask(call, "/tasks", method="GET", query={"task_ids": state["id"]})

    def build_search(self, call: VideoCall) -> WireRequest | None:
        return self.ask(call, "/tasks", method="GET", query={"external_task_ids": call.id})

    def read_found(self, reply: WireResponse) -> str:
        return next((task.id for task in self.decode(reply).data), "")

    def read_look(self, call: VideoCall, state: State, shape: ListShape, reply: WireResponse) -> Look:
        task = next((task for task in shape.data if task.id == state["id"]), None)
        if task is None:
            raise make_failure(reply, "Kling knows no such task any more", "unknown_task")
        if task.status == "failed":
            raise make_failure(reply, task.message, filtered=was_filtered(task.message))
        if task.status != "succeeded":
            return Look()
        films = [item for item in task.outputs or () if item.type == "video" and item.url]
        if not films:
            raise msgspec.ValidationError("a finished task without a film")
        usage = sum_seconds(call, state, [item.duration for item in films])
        cost = _read_cost(task.billing or ())
        if cost is not None:
            usage = msgspec.structs.replace(usage or Usage(), stated_cost=cost)
        return Look(films=tuple(fetch_film(item.url or "") for item in films), usage=usage)


def refuse_failure(reply: WireResponse) -> None:
    """Raises what a reply with status 200 states as its error."""
    if (failure := read_failure(reply)) is not None:
        raise failure


def as_picture(media: Media) -> str:
    """A link, or base64 without what a data URL begins with."""
    if media.url is not None:
        return media.url
    check_bytes(media, MOST_BYTES, "pass a URL, or a smaller picture")
    return media.to_base64()


def sum_seconds(call: VideoCall, state: State, durations: Sequence[Any]) -> Usage | None:
    """The seconds of all films together, as stated; else as asked for."""
    stated = [seconds for duration in durations if (seconds := read_seconds(duration)) is not None]
    if len(stated) < len(durations):
        return film_usage(call, state, films=len(durations))
    return film_usage(call, state, seconds=sum(stated))


def _read_cost(billing: Sequence[BillShape]) -> Decimal | None:
    """What was paid in dollars; None where it was paid in anything else."""
    try:
        if billing and all(item.charge_type == "cash" and item.currency == "USD" for item in billing):
            return sum((Decimal(str(item.amount)) for item in billing), Decimal(0))
    except InvalidOperation:
        pass
    return None
