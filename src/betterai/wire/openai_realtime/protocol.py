"""The protocol's name, and the names that its beta had for the same events."""

from __future__ import annotations

PROTOCOL = "openai_realtime"

BETA_NAMES = {
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "conversation.item.added": "conversation.item.created",
}
"""What was renamed when the protocol left its beta; Azure's Voice Live still speaks so."""
