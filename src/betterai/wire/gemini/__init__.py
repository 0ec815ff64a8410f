"""The generateContent protocol of Gemini, both halves (https://ai.google.dev/api/generate-content)."""

from betterai.wire.gemini.client import Gemini
from betterai.wire.gemini.count import GeminiCount
from betterai.wire.gemini.server import GeminiSurface

__all__ = ["Gemini", "GeminiCount", "GeminiSurface"]
