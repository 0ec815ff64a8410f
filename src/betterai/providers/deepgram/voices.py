"""Deepgram's list of voices: those of `GET /v1/models` that speak (deepgram-sdk 7.17.0)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from msgspec import Struct

from betterai.core.exceptions import ProviderError
from betterai.core.results import Voice
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.deepgram.errors import make_deepgram_error
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable
from betterai.wire.lenient import Reader


class MetadataShape(Struct):
    accent: str | None = None
    age: str | None = None
    sample: str | None = None
    tags: list[str] | None = None


class VoiceShape(Struct):
    canonical_name: str
    name: str | None = None
    languages: list[str] | None = None
    metadata: MetadataShape | None = None

    def read(self) -> Voice:
        more = self.metadata or MetadataShape()
        return Voice(
            id=self.canonical_name,
            name=self.name or "",
            languages=tuple(self.languages or ()),
            description=", ".join(more.tags or ()),
            preview_url=more.sample or "",
            labels={name: text for name, text in (("accent", more.accent), ("age", more.age)) if text},
        )


class ModelsShape(Struct):
    tts: list[VoiceShape]


_decode = Reader(ModelsShape).decode


class DeepgramVoices:
    """The whole list in one reply."""

    def run(
        self, call: None, state: Mapping[str, Any] | None = None
    ) -> Generator[WireRequest, WireResponse | None, tuple[Voice, ...]]:
        reply = yield WireRequest(url="/v1/models", method="GET", safe_to_repeat=True)
        assert reply is not None
        try:
            return tuple(shape.read() for shape in _decode(reply.content).tts)
        except UNREADABLE as error:
            raise make_unreadable(reply) from error

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_deepgram_error(reply)

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None:
        """There is nothing to stop."""
        return None
