"""Gemini Live on Vertex AI: the same frames, another service and longer names (google-genai 3.6.1, live.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypedDict
from urllib.parse import urlsplit

from betterai.core.realtime_codec import RealtimeCall
from betterai.providers.vertex.place import find_model_path
from betterai.wire.gemini_live import GeminiLive, GeminiLiveSetup
from betterai.wire.gemini_live.setup import CONFIG_OPTIONS, SETUP_OPTIONS
from betterai.wire.report import Report


class VertexLiveOptions(TypedDict, total=False):
    """What only its sessions of realtime voice understand, in `settings.options["vertex"]` (google-genai 3.6.1)."""

    avatarConfig: Mapping[str, Any]
    enableAffectiveDialog: bool
    """The voice answers to the tone of the user's."""
    explicitVadSignal: bool
    """Whether the user speaks comes as events of its own."""
    historyConfig: Mapping[str, Any]
    labels: Mapping[str, str]
    """Shown in the bill."""
    mediaResolution: str
    """Of pictures: MEDIA_RESOLUTION_LOW, _MEDIUM or _HIGH."""
    proactivity: Mapping[str, Any]
    """proactiveAudio: the model may say nothing to what is not meant for it."""
    safetySettings: Sequence[Mapping[str, str]]
    speechConfig: Mapping[str, Any]
    """Voices of one's own; a voice of the provider's is `voice`."""
    translationConfig: Mapping[str, Any]
    """targetLanguageCode, echoTargetLanguage, for models that interpret."""


class VertexLiveSetup(GeminiLiveSetup):
    """The model's name has the project and the location in front, as far as the base URL has them."""

    vendor_options: ClassVar[frozenset[str]] = SETUP_OPTIONS | CONFIG_OPTIONS | {"explicitVadSignal"}
    ends_streams: ClassVar[bool] = False

    def begin_body(self, call: RealtimeCall, report: Report) -> dict[str, Any]:
        """Sound is asked for: where nothing is, it is no session of voice here, and the official client asks too."""
        body = super().begin_body(call, report)
        if call.settings.modalities is None:
            body["generationConfig"] = {"responseModalities": ["AUDIO"]}
        return body

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
