"""Films over OpenAI's `/videos` (https://platform.openai.com/docs/api-reference/videos), which others serve as well.

OpenAI ended its own models on 2026-09-24.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from msgspec import Struct

from betterai.core.codec import VideoCall
from betterai.core.media import Media
from betterai.core.wire import Multipart, WireRequest, WireResponse
from betterai.wire.films import FilmSteps, Look, State, film_usage, make_failure, read_seconds, whole
from betterai.wire.lenient import Reader
from betterai.wire.report import Report
from betterai.wire.sizes import resolution_of


class VideoErrorShape(Struct):
    code: str | None = None
    message: str | None = None


class VideoShape(Struct):
    id: str
    status: str
    progress: float | None = None
    seconds: Any = None
    size: str | None = None
    error: VideoErrorShape | None = None


_decoder = Reader(VideoShape)


class OpenAIVideos(FilmSteps[VideoShape]):
    """`POST /videos`: JSON, and a form where the first frame is a file. Then `GET /videos/{id}` and its content.

    No idempotency key is documented, so a submit is never sent twice.
    """

    protocol: ClassVar[str] = "openai_videos"
    path: ClassVar[str] = "/videos"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes", "path", "url", "file_id"})}
    fields: ClassVar[Mapping[str, str]] = {"size": "size"}
    unsupported: ClassVar[Mapping[str, str]] = {
        "fps": "films have the rate that the model makes",
        "seed": "films cannot be repeated here",
        "negative_prompt": "say in the prompt what is not wanted",
        "resolution": "films are asked for by their size here",
        "last_frame": "a film begins with a picture here, and ends as it will",
        "images": "a film begins with one picture here: pass first_frame",
        "video": "films are made of texts and pictures here",
    }
    sizes: ClassVar[Mapping[str, str]] = {"16:9": "1280x720", "9:16": "720x1280"}
    """The sizes that stand for an aspect."""

    def answers(self, path: str) -> bool:
        return path.endswith((self.path, "/content")) or path.rpartition("/")[0].endswith(self.path)

    def begin_body(self, call: VideoCall, report: Report) -> dict[str, Any]:
        return {"model": call.model.id, "prompt": call.input}

    def frame_body(self, body: dict[str, Any]) -> Mapping[str, Any] | Multipart:
        return self.build_form(body) if isinstance(body.get("input_reference"), Media) else body

    def write_seconds(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["seconds"] = str(whole(value))

    def write_aspect(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is None or call.settings.size is not None:
            return
        if value in self.sizes:
            body["size"] = self.sizes[value]
            report.translate("aspect", f"it is asked for as a size of {self.sizes[value]}")
        else:
            report.drop("aspect", f"there is no size of {value} here", hint=f"there are {', '.join(self.sizes)}")

    def write_audio(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            report.drop("audio", "films have the sound that the model makes", harmless=value)

    def write_first_frame(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is None:
            return
        if value.url is not None:
            body["input_reference"] = {"image_url": value.url}
        elif value.file_id is not None:
            body["input_reference"] = {"file_id": value.file_id}
        else:
            body["input_reference"] = value

    def decode(self, reply: WireResponse) -> VideoShape:
        return _decoder.decode(reply.content)

    def read_id(self, reply: WireResponse) -> str:
        return self.decode(reply).id

    def build_look(self, call: VideoCall, state: State) -> WireRequest:
        return self.ask(call, self._place(state), method="GET")

    def read_look(self, call: VideoCall, state: State, shape: VideoShape, reply: WireResponse) -> Look:
        if shape.status in ("failed", "cancelled", "expired"):
            error = shape.error or VideoErrorShape()
            raise make_failure(reply, error.message or "", error.code or shape.status)
        if shape.status != "completed":
            return Look(progress=None if shape.progress is None else min(shape.progress / 100, 1.0))
        usage = film_usage(call, state, seconds=read_seconds(shape.seconds), resolution=resolution_of(shape.size or ""))
        content = self.ask(call, f"{self._place(state)}/content", method="GET", reply="file")
        return Look(films=(content,), usage=usage)

    def cancel(self, state: State) -> WireRequest | None:
        return WireRequest(url=self._place(state), method="DELETE", safe_to_repeat=True) if "id" in state else None

    def _place(self, state: State) -> str:
        return f"{self.path}/{quote(state['id'], safe='')}"
