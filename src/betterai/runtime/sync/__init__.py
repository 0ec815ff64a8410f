"""The sync face: one event loop in a thread of its own, safe inside running loops, in threads and after a fork."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from betterai.runtime.sync.background import run
from betterai.runtime.sync.modalities import (
    SyncJob,
    SyncPieces,
    embed,
    generate_image,
    generate_video,
    moderate,
    rerank,
    speak,
    start_image,
    start_video,
    stream_image,
    stream_speech,
    stream_transcription,
    transcribe,
)
from betterai.runtime.sync.text import (
    Conversation,
    SyncStream,
    SyncToolStream,
    count_tokens,
    generate,
    run_tools,
    stream,
    stream_tools,
)

if TYPE_CHECKING:
    from betterai.runtime.sync import batches as batches
    from betterai.runtime.sync import files as files
    from betterai.runtime.sync.sessions import SyncRealtimeSession, realtime, realtime_token

__all__ = [
    "Conversation",
    "SyncJob",
    "SyncPieces",
    "SyncRealtimeSession",
    "SyncStream",
    "SyncToolStream",
    "batches",
    "count_tokens",
    "embed",
    "files",
    "generate",
    "generate_image",
    "generate_video",
    "moderate",
    "realtime",
    "realtime_token",
    "rerank",
    "run",
    "run_tools",
    "speak",
    "start_image",
    "start_video",
    "stream",
    "stream_image",
    "stream_speech",
    "stream_tools",
    "stream_transcription",
    "transcribe",
]


def __getattr__(name: str) -> Any:
    """Batches, files and sessions are loaded at their first use; the first two stay then as modules of this package."""
    if name == "batches":
        import betterai.runtime.sync.batches as sync_batches

        return sync_batches
    if name == "files":
        import betterai.runtime.sync.files as sync_files

        return sync_files
    if name in ("SyncRealtimeSession", "realtime", "realtime_token"):
        import betterai.runtime.sync.sessions as sync_sessions

        return getattr(sync_sessions, name)
    raise AttributeError(f"module 'betterai.sync' has no attribute {name!r}")
