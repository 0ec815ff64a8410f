"""OpenAI's Realtime protocol (https://platform.openai.com/docs/guides/realtime), both halves: voice over a WebSocket.

From openai 3.57.0, types/realtime/, and recorded sessions. The names of its beta are read as well.
"""

from betterai.wire.openai_realtime.client import OpenAIRealtime
from betterai.wire.openai_realtime.flat import FlatSessions
from betterai.wire.openai_realtime.server import OpenAIRealtimeSurface
from betterai.wire.openai_realtime.sessions import OpenAISessions
from betterai.wire.openai_realtime.state import OpenAIRealtimeState

__all__ = ["FlatSessions", "OpenAIRealtime", "OpenAIRealtimeState", "OpenAIRealtimeSurface", "OpenAISessions"]
