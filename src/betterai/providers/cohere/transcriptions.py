"""Cohere's speech to text (https://docs.cohere.com/reference, cohere 7.3.1, 2026-11-22): the text alone."""

from __future__ import annotations

from typing import ClassVar

from betterai.core.exceptions import ProviderError
from betterai.core.wire import WireResponse
from betterai.providers.cohere.errors import make_cohere_error
from betterai.wire.openai_transcriptions import OpenAITranscriptions


class CohereTranscriptions(OpenAITranscriptions):
    """`POST /v2/audio/transcriptions`, whole answers only."""

    path: ClassVar = "/v2/audio/transcriptions"
    translate_path: ClassVar = ""
    streams: ClassVar = False
    fields: ClassVar = {"language": "language", "temperature": "temperature"}
    unsupported: ClassVar = {
        **OpenAITranscriptions.unsupported,
        "prompt": "Cohere does not take it",
        "keywords": "Cohere does not take them",
        "diarize": "nobody is told apart here",
        "timestamps": "no times are told here",
    }
    vendor_options: ClassVar = frozenset()

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_cohere_error(reply)
