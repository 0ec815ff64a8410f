"""Azure's speech to text and back: OpenAI's, asked where endpoint and version say (openai 3.54.0, lib/azure.py)."""

from __future__ import annotations

from betterai.core.codec import SpeechCall, TranscriptionCall
from betterai.core.wire import WireRequest
from betterai.providers.azure.address import address
from betterai.wire.openai_speech import OpenAISpeech
from betterai.wire.openai_transcriptions import OpenAITranscriptions


class AzureTranscriptions(OpenAITranscriptions):
    """OpenAI's own protocol."""

    def build_request(self, call: TranscriptionCall) -> WireRequest:
        request = super().build_request(call)
        return address(request, call, self.address(call), deployed=True)


class AzureSpeech(OpenAISpeech):
    """OpenAI's own protocol."""

    def build_request(self, call: SpeechCall) -> WireRequest:
        request = super().build_request(call)
        return address(request, call, self.path, deployed=True)
