"""ElevenLabs' list of voices (https://elevenlabs.io/docs/api-reference/voices/search), page by page."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from msgspec import Struct

from betterai.core.exceptions import ProviderError
from betterai.core.results import Voice
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.elevenlabs.errors import make_elevenlabs_error
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable
from betterai.wire.lenient import Reader

PAGE = 100


class LanguageShape(Struct):
    language: str = ""


class VoiceShape(Struct):
    voice_id: str
    name: str | None = None
    description: str | None = None
    preview_url: str | None = None
    labels: dict[str, Any] | None = None
    verified_languages: list[LanguageShape] | None = None

    def read(self) -> Voice:
        languages = [item.language for item in self.verified_languages or () if item.language]
        return Voice(
            id=self.voice_id,
            name=self.name or "",
            languages=tuple(dict.fromkeys(languages)),
            description=self.description or "",
            preview_url=self.preview_url or "",
            labels={name: text for name, text in (self.labels or {}).items() if isinstance(text, str)},
        )


class PageShape(Struct):
    voices: list[VoiceShape]
    has_more: bool = False
    next_page_token: str | None = None


_decode = Reader(PageShape).decode


class ElevenLabsVoices:
    """`GET /v2/voices` until there are no more."""

    def run(
        self, call: None, state: Mapping[str, Any] | None = None
    ) -> Generator[WireRequest, WireResponse | None, tuple[Voice, ...]]:
        found: list[Voice] = []
        query = {"page_size": str(PAGE)}
        while True:
            reply = yield WireRequest(url="/v2/voices", method="GET", query=query, safe_to_repeat=True)
            assert reply is not None
            try:
                page = _decode(reply.content)
            except UNREADABLE as error:
                raise make_unreadable(reply) from error
            found.extend(shape.read() for shape in page.voices)
            token = page.next_page_token
            if not page.has_more or not token or token == query.get("next_page_token"):
                return tuple(found)
            query = {**query, "next_page_token": token}

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_elevenlabs_error(reply)

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None:
        """There is nothing to stop."""
        return None
