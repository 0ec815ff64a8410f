"""Azure's realtime voice: OpenAI's under the resource's own address, and Voice Live, which speaks as the beta did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from betterai.core.realtime_codec import RealtimeCall
from betterai.core.wire import WireRequest
from betterai.providers.azure.address import find_address
from betterai.wire.openai_realtime import FlatSessions, OpenAIRealtime, OpenAISessions

VOICE_LIVE_VERSION = "2025-10-01"
"""Of Voice Live (https://learn.microsoft.com/azure/ai-services/speech-service/voice-live)."""


class AzureRealtime(OpenAIRealtime):
    """`wss://RESOURCE.openai.azure.com/openai/v1/realtime?model=DEPLOYMENT`, whatever version is set: the dated ones
    have the beta only.
    """

    def connect(self, call: RealtimeCall) -> WireRequest:
        return msgspec.structs.replace(super().connect(call), url=_find(call, self.path))

    def secrets_address(self, call: RealtimeCall) -> str:
        return _find(call, self.secrets_path)


def _find(call: RealtimeCall, path: str) -> str:
    undated = msgspec.structs.replace(call, provider_settings={**call.provider_settings, "api_version": ""})
    return find_address(undated, path, deployed=False)[0]


class AzureVoiceLive(OpenAIRealtime):
    """`wss://RESOURCE.services.ai.azure.com/voice-live/realtime?api-version=…&model=…`: chosen with
    `CoreConfig(protocol="azure_voice_live")`.
    """

    protocol: ClassVar[str] = "azure_voice_live"
    path: ClassVar[str] = "/voice-live/realtime"
    sessions: ClassVar[OpenAISessions] = FlatSessions()
    secrets_path: ClassVar[str] = ""

    def query(self, call: RealtimeCall) -> Mapping[str, str]:
        version = call.provider_settings.get("api_version") or VOICE_LIVE_VERSION
        return {"api-version": version, "model": call.model.id}
