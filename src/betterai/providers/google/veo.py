"""Veo on the Gemini API, where Google ended it on 2026-10-22: for services that serve the shape, and for recordings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from betterai.core.codec import VideoCall
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.google.kept_films import build_fetch
from betterai.wire.films import Look, State
from betterai.wire.gemini.veo import Veo
from betterai.wire.lenient import Reader


class FileShape(Struct):
    uri: str | None = None


class SampleShape(Struct):
    video: FileShape | None = None


class FilmsShape(Struct, rename="camel"):
    generated_samples: list[SampleShape] = []
    rai_media_filtered_count: int = 0
    rai_media_filtered_reasons: list[str] = []


class MadeShape(Struct, rename="camel"):
    generate_video_response: FilmsShape | None = None


_made = Reader(MadeShape)


class GoogleVeo(Veo):
    """Looks are `GET` of the operation; films are files, fetched with the key."""

    protocol: ClassVar[str] = "gemini_veo"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes"}), "video": frozenset({"bytes"})}
    vendor_options: ClassVar[frozenset[str]] = frozenset({"personGeneration", "referenceType"})

    def answers(self, path: str) -> bool:
        return path.endswith((self.path, ":download")) or "/operations/" in path

    def address(self, call: VideoCall) -> str:
        return f"/v1beta/models/{quote(call.model.id.removeprefix('models/'), safe='')}{self.path}"

    def build_look(self, call: VideoCall, state: State) -> WireRequest:
        return self.ask(call, f"/v1beta/{quote(state['id'], safe='/')}", method="GET")

    def read_made(self, call: VideoCall, state: State, response: msgspec.Raw, reply: WireResponse) -> Look:
        made = _made.decode(response).generate_video_response or FilmsShape()
        links = [sample.video.uri for sample in made.generated_samples if sample.video and sample.video.uri]
        films = [build_fetch(self, call, link) for link in links]
        return self.judge(call, state, films, made.rai_media_filtered_count, made.rai_media_filtered_reasons, reply)
