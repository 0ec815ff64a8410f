"""Kling's films, older generation (https://klingai.com/document-api, 2026-09): `model_name` in the body.

A task is asked for where it was made, so the state holds that path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from betterai.core.codec import VideoCall
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.kling.errors import was_filtered
from betterai.providers.kling.tasks import ASPECTS, KlingSteps, OutputShape, as_picture, refuse_failure, sum_seconds
from betterai.wire.films import Look, State, fetch_film, make_failure, whole
from betterai.wire.lenient import Reader
from betterai.wire.report import Report
from betterai.wire.sizes import aspect_of


class ResultShape(Struct):
    videos: list[OutputShape] | None = None


class TaskShape(Struct):
    task_id: str
    task_status: str = ""
    task_status_msg: str | None = None
    task_result: ResultShape | None = None


class ReplyShape(Struct):
    code: int
    data: TaskShape


_decoder = Reader(ReplyShape)


class OlderKlingFilms(KlingSteps[ReplyShape]):
    """`POST /v1/videos/text2video`, `image2video`, `multi-image2video`; then `GET` of the same place and the id.

    That a task is found there by the caller's id too is UNVERIFIED; where it is not, the job is in doubt.
    """

    protocol: ClassVar[str] = "kling_v1"
    path: ClassVar[str] = "/v1/videos/text2video"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes", "url"})}
    fields: ClassVar[Mapping[str, str]] = {}
    most: ClassVar[Mapping[str, int]] = {"prompt": 2500}
    unsupported: ClassVar[Mapping[str, str]] = {
        "fps": "films have the rate that the model makes",
        "seed": "films cannot be repeated here",
        "resolution": "options={'kling': {'mode': 'std' or 'pro'}} says it here",
        "video": "films are made of texts and pictures here",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset(
        {"callback_url", "camera_control", "cfg_scale", "dynamic_masks", "element_list", "mode", "multi_prompt",
         "multi_shot", "shot_type", "static_mask", "voice_list", "watermark_info"}
    )  # fmt: skip

    def answers(self, path: str) -> bool:
        return "/v1/videos/" in path

    def address(self, call: VideoCall) -> str:
        settings = call.settings
        if settings.images:
            return "/v1/videos/multi-image2video"
        framed = settings.first_frame is not None or settings.last_frame is not None
        return "/v1/videos/image2video" if framed else self.path

    def begin_state(self, call: VideoCall) -> dict[str, Any]:
        return {**super().begin_state(call), "path": self.address(call)}

    def begin_body(self, call: VideoCall, report: Report) -> dict[str, Any]:
        return {"model_name": call.model.id, "prompt": call.input, "external_task_id": call.id}

    def write_seconds(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        """As a text: a number is refused."""
        if value is not None:
            body["duration"] = str(whole(value))

    def write_negative_prompt(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["negative_prompt"] = value

    def write_aspect(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["aspect_ratio"] = value

    def write_size(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is None:
            return
        aspect = aspect_of(value)
        if aspect in ASPECTS:
            body.setdefault("aspect_ratio", aspect)
            report.translate("size", f"it is asked for as {body['aspect_ratio']}; the option mode says the resolution")
        else:
            report.drop("size", "there is no such size here", hint="pass aspect=")

    def write_audio(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["sound"] = "on" if value else "off"

    def write_first_frame(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        self._write_frame("first_frame", "image", body, value, call, report)

    def write_last_frame(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        self._write_frame("last_frame", "image_tail", body, value, call, report)

    def _write_frame(
        self, name: str, field: str, body: dict[str, Any], value: Any, call: VideoCall, report: Report
    ) -> None:
        if value is None:
            return
        if call.settings.images:
            report.drop(name, "a film of several pictures has no frames of its own")
        body[field] = as_picture(value)

    def write_images(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value:
            body["image_list"] = [{"image": as_picture(media)} for media in value]

    def decode(self, reply: WireResponse) -> ReplyShape:
        refuse_failure(reply)
        return _decoder.decode(reply.content)

    def read_id(self, reply: WireResponse) -> str:
        return self.decode(reply).data.task_id

    def build_look(self, call: VideoCall, state: State) -> WireRequest:
        path = state.get("path") or self.address(call)
        return self.ask(call, f"{path}/{quote(state['id'], safe='')}", method="GET")

    def build_search(self, call: VideoCall) -> WireRequest | None:
        return self.ask(call, f"{self.address(call)}/{quote(call.id, safe='')}", method="GET")

    def read_found(self, reply: WireResponse) -> str:
        return self.decode(reply).data.task_id

    def read_look(self, call: VideoCall, state: State, shape: ReplyShape, reply: WireResponse) -> Look:
        task = shape.data
        if task.task_status == "failed":
            said = task.task_status_msg or ""
            raise make_failure(reply, said, filtered=was_filtered(said))
        if task.task_status != "succeed":
            return Look()
        found = task.task_result.videos if task.task_result is not None else None
        films = [item for item in found or () if item.url]
        if not films:
            raise msgspec.ValidationError("a finished task without a film")
        links = tuple(fetch_film(item.url or "") for item in films)
        return Look(films=links, usage=sum_seconds(call, state, [item.duration for item in films]))
