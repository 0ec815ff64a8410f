"""Veo on Vertex AI: films in the reply, or left in Cloud Storage."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import VideoCall
from betterai.core.media import Media
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.vertex.place import find_model_path
from betterai.wire.films import Look, State
from betterai.wire.gemini.veo import Veo
from betterai.wire.lenient import Reader


class FilmShape(Struct, rename="camel"):
    bytes_base64_encoded: str | None = msgspec.field(default=None, name="bytesBase64Encoded")
    gcs_uri: str | None = None
    mime_type: str = "video/mp4"


class MadeShape(Struct, rename="camel"):
    videos: list[FilmShape] = []
    rai_media_filtered_count: int = 0
    rai_media_filtered_reasons: list[str] = []


_made = Reader(MadeShape)


class VertexVeo(Veo):
    """Looks are `:fetchPredictOperation`. Where the option storageUri says so, each film is a `gs://` reference."""

    protocol: ClassVar[str] = "vertex_veo"

    def answers(self, path: str) -> bool:
        return path.endswith((self.path, ":fetchPredictOperation"))

    def address(self, call: VideoCall) -> str:
        return find_model_path(call.model.id) + self.path

    def build_look(self, call: VideoCall, state: State) -> WireRequest:
        path = f"{find_model_path(state.get('model') or call.model.id)}:fetchPredictOperation"
        return self.ask(call, path, {"operationName": state["id"]}, repeat=True)

    def read_made(self, call: VideoCall, state: State, response: msgspec.Raw, reply: WireResponse) -> Look:
        made = _made.decode(response)
        films = [film for item in made.videos if (film := _read_film(item)) is not None]
        return self.judge(call, state, films, made.rai_media_filtered_count, made.rai_media_filtered_reasons, reply)


def _read_film(shape: FilmShape) -> Media | None:
    if shape.bytes_base64_encoded:
        return Media(kind="video", mime_type=shape.mime_type, base64=shape.bytes_base64_encoded)
    return Media(kind="video", mime_type=shape.mime_type, file_id=shape.gcs_uri) if shape.gcs_uri else None
