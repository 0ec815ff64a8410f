"""Gemini Live at Google's Gemini API (google-genai 3.6.1, live.py, 2026-11-29)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.gemini_live import GeminiLive


class GoogleLive(GeminiLive):
    """A key of AI Studio opens a session, or makes tokens for browsers that do."""

    path: ClassVar[str] = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    tokens_path: ClassVar[str] = "/v1alpha/auth_tokens"
