"""Gemini Live on Vertex AI: the same frames, another service and longer names (google-genai 3.6.1, live.py)."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from betterai.core.realtime_codec import RealtimeCall
from betterai.providers.vertex.place import find_model_path
from betterai.wire.gemini_live import GeminiLive, GeminiLiveSetup
from betterai.wire.gemini_live.setup import CONFIG_OPTIONS, SETUP_OPTIONS


class VertexLiveSetup(GeminiLiveSetup):
    """The model's name has the project and the location in front, as far as the base URL has them."""

    vendor_options: ClassVar[frozenset[str]] = SETUP_OPTIONS | CONFIG_OPTIONS | {"labels"}

    def name_model(self, call: RealtimeCall) -> str:
        if call.model.id.startswith("projects/"):
            return call.model.id
        path = urlsplit(call.provider_settings.get("base_url", "")).path
        _, found, place = path.partition("/projects/")
        name = find_model_path(call.model.id).removeprefix("/")
        return f"projects/{place}/{name}" if found else name


class VertexLive(GeminiLive):
    """A session is opened beside the base URL, at the same host."""

    setup: ClassVar[GeminiLiveSetup] = VertexLiveSetup()

    def address(self, call: RealtimeCall) -> str:
        base = urlsplit(call.provider_settings.get("base_url", ""))
        version = call.provider_settings.get("api_version") or "v1beta1"
        method = f"/ws/google.cloud.aiplatform.{version}.LlmBidiService/BidiGenerateContent"
        return f"{base.scheme}://{base.netloc}{method}" if base.netloc else method
