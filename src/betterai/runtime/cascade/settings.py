"""What each stage is given of a session's settings, and what none of them takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from betterai.core.exceptions import UnsupportedParam
from betterai.core.realtime_settings import RealtimeSettings, TurnDetection, read_transcription, read_turn_detection
from betterai.core.response import CallWarning

_TEXT = (
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "max_tokens",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
)
_SPEECH = ("voice", "speed", "language")
_OWN = "give it to the stage that it is for: audio_settings, text_settings, tts_settings"
_DROPPED = {
    "noise_reduction": "a cascade hears the sound as it is", "truncation": "the text model is given all of it",
    "resumption": "a cascade has no connection of its own: each stage tries again by itself",
    "extra_body": _OWN, "extra_headers": _OWN, "extra_query": _OWN,
}  # fmt: skip
_TURN_DROPPED = ("idle_timeout_ms", "eagerness", "start_sensitivity", "end_sensitivity")
_TRANSCRIPTION_DROPPED = ("model", "languages", "delay")


def for_text(settings: RealtimeSettings) -> dict[str, Any]:
    return _choose(settings, (*_TEXT, "options"))


def for_speech(settings: RealtimeSettings) -> dict[str, Any]:
    return _choose(settings, (*_SPEECH, "options"))


def for_transcription(settings: RealtimeSettings) -> dict[str, Any]:
    found = read_transcription(settings.transcription)
    given: dict[str, Any] = {} if settings.options is None else {"options": settings.options}
    for name in ("language", "prompt", "keywords") if found is not None else ():
        if (value := getattr(found, name)) is not None:
            given[name] = value
    return given


def _choose(settings: RealtimeSettings, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in settings.given().items() if name in names}


def read_turns(settings: RealtimeSettings) -> TurnDetection:
    return read_turn_detection(settings.turn_detection) or TurnDetection()


def list_dropped(settings: RealtimeSettings, *, strict: bool) -> tuple[CallWarning, ...]:
    """What is not carried. Raises `UnsupportedParam` for it where the caller wants that."""
    found = tuple(_find_dropped(settings))
    if found and strict:
        raise UnsupportedParam(f"{found[0].field}: {found[0].message}", param=found[0].field)
    return found


def _find_dropped(settings: RealtimeSettings) -> Iterator[CallWarning]:
    for name, value in settings.given().items():
        if name in _DROPPED and value is not None and value is not False:
            yield CallWarning(code="dropped", field=name, message=_DROPPED[name])
    turns = read_turn_detection(settings.turn_detection)
    if turns is not None and turns.mode == "semantic":
        message = "turns are found by silence"
        yield CallWarning(code="translated", field="turn_detection", message=message)
    for name in _TURN_DROPPED if turns is not None else ():
        if getattr(turns, name) is not None:
            yield CallWarning(code="dropped", field=f"turn_detection.{name}", message="turns are found by silence")
    written = read_transcription(settings.transcription)
    for name in _TRANSCRIPTION_DROPPED if written is not None else ():
        if getattr(written, name) is not None:
            message = "the audio stage writes it down as it was made"
            yield CallWarning(code="dropped", field=f"transcription.{name}", message=message)
