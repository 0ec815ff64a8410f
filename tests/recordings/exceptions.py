"""Exchanges that do not hold in every respect, each with the reason. `docs/recordings.md` is made from this."""

from __future__ import annotations

from typing import Any

EXCEPTIONS: dict[str, dict[str, Any]] = {
    "cerebras/chat-stream/ai--fixtures-cererebras-structured-output-tools.1--00": {
        "differs": ("reasoning", "tool_calls"),
        "reason": "three answers of three calls, one after the other in one file: the first one is read",
    },
    "ollama/chat/activeagent--native-format-test-test-agent-web-search--00": {
        "refused": "web_search",
        "reason": "Ollama passed over `web_search_options` and answered without a search; we refuse to ask for one",
    },
    "vertex/gemini-stream/vertexai-sdk-test-da--vertexai-streaming-success-quotes-escaped--00": {
        "broken": "the stream ended before the answer did",
        "reason": "its last event has no finish reason, and what was cut off is never shown as finished",
    },
}
"""`differs`: what is read otherwise than the body says. `refused`: the setting for which we refuse what the provider answered. `broken`: why an
answer is not whole.
"""

NOT_READ: dict[str, str] = {
    "vertex/embeddings/vertexai-sdk-test-da--vertexai-unary-failure-generate-images-all-filtered--00": (
        "it says that pictures were filtered out, and holds no vector: it was filed under the wrong kind"
    ),
    "groq/transcription/ai--fixtures-groq-transcription-text--00": (
        "the recorder wrote its own envelope around the text, which the service does not send"
    ),
    "llamacpp/error/rig--unmapped-surface-transcription-not-supported--00": "the server transcribes nothing, as the error says",
    "openai/speech/logfire--test-openai-agents-test-voice-pipeline--02": "the sound itself was not kept",
}
"""Exchanges of categories other than text that are not read, each with the reason."""
