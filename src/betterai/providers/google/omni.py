"""Google's films: Omni, through Interactions in the background (https://ai.google.dev/api/interactions).

The shapes are those of google-genai 3.6.1. Veo ended on this API on 2026-10-22, and goes on on Vertex AI.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from betterai.core.codec import VideoCall
from betterai.core.exceptions import ProviderError
from betterai.core.media import Media
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.google.kept_films import build_fetch
from betterai.wire.films import (
    FilmSteps,
    Look,
    State,
    film_usage,
    make_failure,
    whole,
    write_size_as_form,
)
from betterai.wire.gemini.errors import read_failure
from betterai.wire.lenient import Reader
from betterai.wire.report import Report

REVISION = {"Api-Revision": "2026-05-20"}
MAKING = frozenset({"queued", "in_progress", "idle"})
_RESOLUTIONS = ("360p", "720p", "1080p", "4k")
_FORMAT = ("aspect_ratio", "resolution", "duration", "delivery", "gcs_uri")


class ContentShape(Struct):
    type: str = ""
    text: str | None = None
    data: str | None = None
    uri: str | None = None
    mime_type: str | None = None


class FaultShape(Struct):
    code: Any = None
    message: str | None = None


class StepShape(Struct):
    type: str = ""
    content: Any = None
    error: FaultShape | None = None


class CountShape(Struct):
    modality: str | None = None
    tokens: int | None = None


class UsageShape(Struct):
    total_input_tokens: int | None = None
    total_output_tokens: int | None = None
    total_thought_tokens: int | None = None
    input_tokens_by_modality: list[CountShape] | None = None
    output_tokens_by_modality: list[CountShape] | None = None


class InteractionShape(Struct):
    status: str
    id: str = ""
    steps: list[StepShape] | None = None
    output_video: ContentShape | None = None
    errors: list[FaultShape] | None = None
    usage: UsageShape | None = None


_decoder = Reader(InteractionShape)


class OmniFilms(FilmSteps[InteractionShape]):
    """`POST /v1beta/interactions`, then `GET` of it. Films come by their URI, for those of more than some 4 MB do not
    come in the reply. No progress and no idempotency key are documented.

    UNVERIFIED: how seconds are written in `duration`, and that films are fetched as Veo's were.
    """

    protocol: ClassVar[str] = "gemini_interactions"
    path: ClassVar[str] = "/v1beta/interactions"
    poll_seconds: ClassVar[float] = 10.0
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {
        "image": frozenset({"bytes", "file_id"}), "video": frozenset({"bytes", "file_id"}),
    }  # fmt: skip
    fields: ClassVar[Mapping[str, str]] = {"aspect": "aspect_ratio", "resolution": "resolution"}
    unsupported: ClassVar[Mapping[str, str]] = {
        "fps": "films have 24 pictures a second",
        "seed": "films cannot be repeated here",
        "negative_prompt": "say in the prompt what is not wanted",
        "last_frame": "a film begins with a picture here, and ends as it will",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset(
        {"delivery", "gcs_uri", "labels", "previous_interaction_id", "safety_settings", "service_tier", "task",
         "webhook_config"}
    )  # fmt: skip

    def answers(self, path: str) -> bool:
        return path.endswith((self.path, ":download")) or f"{self.path}/" in path

    def begin_body(self, call: VideoCall, report: Report) -> dict[str, Any]:
        return {"delivery": "uri"}

    def finish_body(self, body: dict[str, Any], call: VideoCall, report: Report) -> Any:
        told = {"type": "video", **{name: body.pop(name) for name in _FORMAT if body.get(name) is not None}}
        task = body.pop("task", None) or _find_task(call)
        if task:
            body["generation_config"] = {"video_config": {"task": task}}
        kept = {name: value for name, value in body.items() if name not in _FORMAT and value is not None}
        return {
            "model": call.model.id, "input": _build_input(call), "background": True, "response_format": told, **kept,
        }  # fmt: skip

    def write_first_frame(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        """Written with the prompt."""

    write_video = write_first_frame

    def write_images(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value and call.settings.first_frame is not None:
            report.drop("images", "a film is made of a first frame or of references", hint="pass one of them")

    def write_audio(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        report.drop("audio", "the model always makes sound", harmless=value is not False)

    def write_seconds(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            body["duration"] = f"{whole(value)}s"

    def write_size(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value is not None:
            write_size_as_form(body, value, report, _RESOLUTIONS, ("16:9", "9:16"))

    def ask(self, call: VideoCall, *where: Any, **more: Any) -> WireRequest:
        request = super().ask(call, *where, **more)
        return msgspec.structs.replace(request, headers={**REVISION, **request.headers})

    def decode(self, reply: WireResponse) -> InteractionShape:
        return _decoder.decode(reply.content)

    def read_id(self, reply: WireResponse) -> str:
        return self.decode(reply).id

    def build_look(self, call: VideoCall, state: State) -> WireRequest:
        return self.ask(call, self._place(state), method="GET")

    def read_look(self, call: VideoCall, state: State, shape: InteractionShape, reply: WireResponse) -> Look:
        if shape.status in MAKING:
            return Look()
        content = [item for step in shape.steps or () if step.type == "model_output" for item in _read_content(step)]
        found = [item for item in content if item.type == "video"]
        if not found and shape.output_video is not None:
            found = [shape.output_video]
        films = tuple(film for item in found if (film := self._read_film(item, call)) is not None)
        if films:
            return Look(films=films, usage=_count(film_usage(call, state, films=len(films)), shape.usage))
        faults = [*(shape.errors or ()), *(step.error for step in shape.steps or () if step.error is not None)]
        said = "; ".join(fault.message for fault in faults if fault.message)
        said = said or " ".join(item.text for item in content if item.text)
        if shape.status == "completed" and not said:
            raise msgspec.ValidationError("a finished interaction without a film")
        code = next((str(fault.code) for fault in faults if fault.code), shape.status)
        raise make_failure(reply, said, code)

    def cancel(self, state: State) -> WireRequest | None:
        if "id" not in state:
            return None
        return WireRequest(url=f"{self._place(state)}/cancel", headers=REVISION, safe_to_repeat=True)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return read_failure(reply, reply.status)

    def _read_film(self, shape: ContentShape, call: VideoCall) -> WireRequest | Media | None:
        mime_type = shape.mime_type or "video/mp4"
        if shape.data:
            return Media(kind="video", mime_type=mime_type, base64=shape.data)
        if not shape.uri:
            return None
        if shape.uri.startswith("gs://"):
            return Media(kind="video", mime_type=mime_type, file_id=shape.uri)
        return build_fetch(self, call, shape.uri)

    def _place(self, state: State) -> str:
        return f"{self.path}/{quote(state['id'], safe='')}"


def _find_task(call: VideoCall) -> str:
    """What a film is made of; "" leaves it to the model: a film may be edited or carried on."""
    settings = call.settings
    if settings.video is not None:
        return ""
    return "image_to_video" if settings.first_frame is not None else "reference_to_video" if settings.images else ""


def _build_input(call: VideoCall) -> str | list[dict[str, Any]]:
    settings = call.settings
    frame = (settings.first_frame,) if settings.first_frame is not None else tuple(settings.images or ())
    media = [*frame, *([settings.video] if settings.video is not None else ())]
    if not media:
        return call.input
    said = [{"type": "text", "text": call.input}] if call.input else []
    return [{"type": "user_input", "content": [*map(_build_content, media), *said]}]


def _build_content(media: Media) -> dict[str, Any]:
    where = {"uri": media.file_id} if media.file_id is not None else {"data": media.to_base64()}
    return {"type": media.kind, **where, "mime_type": media.mime_type}


def _read_content(step: StepShape) -> Sequence[ContentShape]:
    """What a step of the model says. A text alone is no film."""
    return msgspec.convert(step.content, list[ContentShape]) if isinstance(step.content, list) else ()


def _count(usage: Usage | None, shape: UsageShape | None) -> Usage | None:
    """Tokens beside the seconds. Those of the film have no price that is known: they are counted as other ones."""
    if shape is None or shape.total_output_tokens is None:
        return usage
    made = _by_modality(shape.output_tokens_by_modality)
    given = _by_modality(shape.input_tokens_by_modality)
    media = {name: given.get(name, 0) for name in ("audio", "image", "video")}
    film = min(made.get("video", 0), shape.total_output_tokens)
    return msgspec.structs.replace(
        usage or Usage(),
        text_in=max(0, (shape.total_input_tokens or 0) - sum(media.values())),
        audio_in=media["audio"],
        image_in=media["image"],
        video_in=media["video"],
        text_out=shape.total_output_tokens - film,
        reasoning=shape.total_thought_tokens,
        other=film,
    )


def _by_modality(counts: Sequence[CountShape] | None) -> dict[str, int]:
    return {item.modality.lower(): item.tokens or 0 for item in counts or () if item.modality}
