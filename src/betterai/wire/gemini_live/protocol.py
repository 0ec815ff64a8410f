"""Words of the protocol that both halves need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.realtime import RealtimeFinish
from betterai.core.realtime_settings import AudioFormat

PROTOCOL = "gemini_live"
INPUT = AudioFormat(rate=16000)
"""Of the sound that is sent, where nothing else is said. It may have any rate, which each frame states."""
OUTPUT = AudioFormat(rate=24000)

_REASONS: Mapping[str, RealtimeFinish] = {
    "": "stop", "TURN_COMPLETE_REASON_UNSPECIFIED": "stop", "MALFORMED_FUNCTION_CALL": "error",
    "MAX_REGENERATION_REACHED": "error", "RESPONSE_REJECTED": "refusal", "NEED_MORE_INPUT": "pause",
}  # fmt: skip
_FILTERED = ("INPUT_", "GENERATED_", "IMAGE_", "OUTPUT_IMAGE_", "PROHIBITED_", "UNSAFE_", "BLOCKLIST")


def read_reason(word: str) -> RealtimeFinish:
    """Why a turn ended, by `turnCompleteReason`."""
    if word in _REASONS:
        return _REASONS[word]
    return "content_filter" if word.startswith(_FILTERED) else "other"


REASON_WORDS: Mapping[str, str] = {
    "error": "MALFORMED_FUNCTION_CALL", "refusal": "RESPONSE_REJECTED", "pause": "NEED_MORE_INPUT",
    "content_filter": "GENERATED_CONTENT_SAFETY",
}  # fmt: skip
"""The inverse, for answers of providers that have other words."""


def write_duration(milliseconds: float) -> str:
    """A `google.protobuf.Duration` as JSON has it: "1.5s"."""
    return f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".") + "s"


def rename_usage(stated: Mapping[str, Any], *, back: bool = False) -> dict[str, Any]:
    """Counts of a session say `response…` where those of generateContent say `candidates…`."""
    old, new = ("candidates", "response") if back else ("response", "candidates")
    return {new + name[len(old) :] if name.startswith(old) else name: value for name, value in stated.items()}
