"""Pictures of the Gemini models that draw on Vertex AI (google-genai 3.6.1, models.py, 2026-11-28)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.gemini.images import GeminiImages


class VertexImages(GeminiImages):
    """In a format that may be chosen."""

    chooses_format: ClassVar = True
