"""Gemini Live (https://ai.google.dev/api/live), both halves: voice over a WebSocket.

From google-genai 3.6.1, live.py and types.py, and recorded sessions.
"""

from betterai.wire.gemini_live.client import GeminiLive
from betterai.wire.gemini_live.server import GeminiLiveSurface
from betterai.wire.gemini_live.setup import GeminiLiveSetup
from betterai.wire.gemini_live.state import GeminiLiveState

__all__ = ["GeminiLive", "GeminiLiveSetup", "GeminiLiveState", "GeminiLiveSurface"]
