"""Gemini Live at Google's Gemini API (google-genai 3.6.1, live.py, 2026-11-29)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypedDict

from betterai.wire.gemini_live import GeminiLive


class GoogleLiveOptions(TypedDict, total=False):
    """What only its sessions of realtime voice understand, in `settings.options["google"]` (google-genai 3.6.1)."""

    avatarConfig: Mapping[str, Any]
    enableAffectiveDialog: bool
    """The voice answers to the tone of the user's."""
    historyConfig: Mapping[str, Any]
    labels: Mapping[str, str]
    mediaResolution: str
    """Of pictures: MEDIA_RESOLUTION_LOW, _MEDIUM or _HIGH."""
    proactivity: Mapping[str, Any]
    """proactiveAudio: the model may say nothing to what is not meant for it."""
    safetySettings: Sequence[Mapping[str, str]]
    speechConfig: Mapping[str, Any]
    """Voices of one's own; a voice of the provider's is `voice`."""
    translationConfig: Mapping[str, Any]
    """targetLanguageCode, echoTargetLanguage, for models that interpret."""


class GoogleLive(GeminiLive):
    """A key of AI Studio opens a session, or makes tokens for browsers that do."""

    path: ClassVar[str] = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    tokens_path: ClassVar[str] = "/v1alpha/auth_tokens"
