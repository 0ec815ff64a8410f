"""ElevenLabs' speech of a text that is still coming, over its two WebSockets.

elevenlabs 2.78.0: realtime_tts.py, types/text_to_dialogue_websocket_*.py; https://elevenlabs.io/docs/websockets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from betterai.core.codec import SpeechCall
from betterai.core.exceptions import StreamInterrupted
from betterai.core.results import Speech, SpeechChunk, Word
from betterai.core.settings import SpeechSettings
from betterai.providers.elevenlabs.errors import make_frame_error
from betterai.providers.elevenlabs.live_sound import decode_live_sound
from betterai.providers.elevenlabs.speech import PATH, ElevenLabsSpeech, asks_times, describe_speech
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra
from betterai.wire.sessions import make_closed
from betterai.wire.sockets import SocketCodec
from betterai.wire.spoken_text import SpokenText
from betterai.wire.word_clock import WordClock

encode = msgspec.json.Encoder().encode
_KEPT_SECONDS = 6.0
"""The vendor closes after 20 seconds without text, unless `inactivity_timeout` says otherwise."""


class StreamInputSettings(ElevenLabsSpeech):
    """The settings as the socket of the models up to v2.5 takes them."""

    query: ClassVar[tuple[str, ...]] = (
        "model_id", "output_format", "language_code", "seed", "enable_logging", "enable_ssml_parsing",
        "inactivity_timeout", "auto_mode", "apply_text_normalization",
    )  # fmt: skip
    """What stands in the address; all else goes into the first message."""
    vendor_options: ClassVar = frozenset(
        {
            "voice_settings", "generation_config", "pronunciation_dictionary_locators", "output_format",
            "enable_logging", "enable_ssml_parsing", "inactivity_timeout", "auto_mode", "apply_text_normalization",
        }
    )  # fmt: skip

    def begin_body(self, call: SpeechCall, report: Report) -> dict[str, Any]:
        return {"model_id": call.model.id}

    def address(self, call: SpeechCall) -> str:
        return f"{PATH}{quote(name_voice(call), safe='')}/stream-input"

    def write_format(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if (call.settings.format or "").startswith("wav"):
            report.drop("format", "a session makes no WAV")
        else:
            super().write_format(body, value, call, report)


class DialogueSettings(StreamInputSettings):
    """The settings as the socket of v3 and later takes them."""

    fields: ClassVar = {}
    unsupported: ClassVar = {
        **ElevenLabsSpeech.unsupported,
        "seed": "a session of this model takes none",
        "speed": "a session of this model takes none",
    }
    query: ClassVar = ("model_id", "output_format", "language_code", "apply_text_normalization")
    vendor_options: ClassVar = frozenset(
        {"voice_settings", "pronunciation_dictionary_locators", "output_format", "apply_text_normalization"}
    )

    def address(self, call: SpeechCall) -> str:
        return "/v1/text-to-dialogue/stream-input"


class StreamInput(SocketCodec[SpeechCall]):
    """`wss://…/v1/text-to-speech/{voice_id}/stream-input`: the models up to v2.5. Where the call says nothing of when
    speech is to be made (`generation_config`, `auto_mode`), it is asked for behind sentences: see `SpokenText`.
    """

    protocol: ClassVar[str] = "elevenlabs_stream_input"
    settings: ClassVar[StreamInputSettings] = StreamInputSettings()
    takes_body: ClassVar = True
    voice_list: ClassVar = ElevenLabsSpeech.voice_list
    end: ClassVar[dict[str, Any]] = {"text": ""}
    kept: ClassVar[dict[str, Any]] = {"text": " "}

    def carries(self, settings: SpeechSettings) -> bool:
        return not (settings.format or "").startswith("wav")

    def query_of(self, body: dict[str, Any], call: SpeechCall) -> dict[str, Any]:
        query = {name: body[name] for name in self.settings.query if name in body}
        return {**query, "sync_alignment": True} if asks_times(call) else query

    def first_message(self, call: SpeechCall) -> dict[str, Any]:
        body, _ = self.write(call)
        first = {name: value for name, value in body.items() if name not in self.settings.query}
        merge_extra(first, dict(call.settings.extra_body or {}))
        return {"text": " ", **first}

    def write_text(self, call: SpeechCall, text: str, flush: bool) -> Sequence[dict[str, Any]]:
        own = (call.settings.options or {}).get(call.model.provider) or {}
        by_itself = "generation_config" in own or "auto_mode" in own
        return ({"text": text, "flush": True},) if flush and not by_itself else ({"text": text},)

    def open(self, call: SpeechCall) -> SpeechSession:
        return SpeechSession(self, call)


class Dialogue(StreamInput):
    """`wss://…/v1/text-to-dialogue/stream-input`: v3, v4 and what follows them, which the other socket refuses. One
    voice speaks all of it.
    """

    protocol: ClassVar = "elevenlabs_dialogue"
    settings: ClassVar = DialogueSettings()
    end: ClassVar = {"close_socket": True}
    kept: ClassVar = {"keep_alive": True}

    def first_message(self, call: SpeechCall) -> dict[str, Any]:
        first = super().first_message(call)
        del first["text"]
        return {"voices": [name_voice(call)], **first}

    def write_text(self, call: SpeechCall, text: str, flush: bool) -> Sequence[dict[str, Any]]:
        said = {"inputs": [{"text": text, "voice_id": name_voice(call)}]}
        return (said, {"flush": True}) if flush else (said,)


def name_voice(call: SpeechCall) -> str:
    return call.settings.voice or ElevenLabsSpeech.default_voice


class SpeechSession:
    """Text goes out in words, sound comes in with the times of its words."""

    keep_alive_seconds = _KEPT_SECONDS

    def __init__(self, codec: StreamInput, call: SpeechCall) -> None:
        self.done = self.ending = False
        self._codec = codec
        self._call = call
        self._text = SpokenText()
        self._clock = WordClock() if asks_times(call) else None
        self._sound: list[bytes] = []
        self._words: list[Word] = []
        self._begun = False

    def send(self, item: str | None) -> Sequence[bytes | str]:
        messages = self._begin()
        if item is not None:
            for text, flush in self._text.feed(item):
                messages.extend(self._codec.write_text(self._call, text, flush))
        else:
            if rest := self._text.finish():
                messages.extend(self._codec.write_text(self._call, rest, False))
            messages.append(self._codec.end)
        return [encode(message).decode() for message in messages]

    def keep_alive(self) -> Sequence[bytes | str]:
        return [encode(message).decode() for message in self._begin() or (self._codec.kept,)]

    def _begin(self) -> list[dict[str, Any]]:
        begun, self._begun = self._begun, True
        return [] if begun else [self._codec.first_message(self._call)]

    def receive(self, frame: bytes | str) -> tuple[Sequence[SpeechChunk], Sequence[bytes | str]]:
        data = frame.encode() if isinstance(frame, str) else frame
        try:
            shape = decode_live_sound(data)
            sound = shape.sound()
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        if shape.error:
            raise make_frame_error(shape.error, shape.message, about=shape.param or "", body=data)
        words = tuple(shape.words(self._clock)) if self._clock is not None else ()
        said = [SpeechChunk(audio=sound, words=words or None)] if sound or words else []
        self._sound.append(sound)
        self._words.extend(words)
        if shape.is_last():
            said.extend(self._end())
        return said, ()

    def _end(self) -> Sequence[SpeechChunk]:
        if not self._text.silent and not any(self._sound):
            raise StreamInterrupted("the session ended before any sound came")
        self.done = True
        last = tuple(self._clock.finish()) if self._clock is not None else ()
        self._words.extend(last)
        said = [SpeechChunk(words=last)] if last else []
        return (*said, SpeechChunk(response=self.so_far()))

    def finish(self, code: int | None, reason: str) -> Sequence[SpeechChunk]:
        raise make_closed(code, reason)

    def so_far(self) -> Speech:
        words = None if self._clock is None else self._words
        return describe_speech(self._call, b"".join(self._sound), self._text.characters, words)
