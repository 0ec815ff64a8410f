"""The voices of the Gemini models that speak (https://ai.google.dev/gemini-api/docs/speech-generation, 2026-11-22)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from betterai.core.exceptions import ProviderError
from betterai.core.results import Voice
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.gemini.errors import read_failure

VOICES: Mapping[str, str] = {
    "Zephyr": "bright", "Puck": "upbeat", "Charon": "informative", "Kore": "firm", "Fenrir": "excitable",
    "Leda": "youthful", "Orus": "firm", "Aoede": "breezy", "Callirrhoe": "easy-going", "Autonoe": "bright",
    "Enceladus": "breathy", "Iapetus": "clear", "Umbriel": "easy-going", "Algieba": "smooth", "Despina": "smooth",
    "Erinome": "clear", "Algenib": "gravelly", "Rasalgethi": "informative", "Laomedeia": "upbeat", "Achernar": "soft",
    "Alnilam": "firm", "Schedar": "even", "Gacrux": "mature", "Pulcherrima": "forward", "Achird": "friendly",
    "Zubenelgenubi": "casual", "Vindemiatrix": "gentle", "Sadachbia": "lively", "Sadaltager": "knowledgeable",
    "Sulafat": "warm",
}  # fmt: skip
"""Each speaks all languages of the models."""


class GeminiVoices:
    """The protocol has no place to ask for them: the list is that of the documentation."""

    def run(
        self, call: None, state: Mapping[str, Any] | None = None
    ) -> Generator[WireRequest, WireResponse | None, tuple[Voice, ...]]:
        yield from ()
        return tuple(Voice(id=name, name=name, description=manner) for name, manner in VOICES.items())

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return read_failure(reply, reply.status)

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None:
        """There is nothing to stop."""
        return None
