"""What a voice gives out, as samples of the session: raw sound, or WAV files one behind the other."""

from __future__ import annotations

from betterai.core.exceptions import ValidationError
from betterai.core.realtime_settings import AudioFormat
from betterai.core.results import Speech
from betterai.runtime.cascade.detection import SOUND
from betterai.runtime.realtime.sound import SoundConverter, choose_converter

_LONGEST_HEAD = 1 << 12
_TAKEN = ("", "audio/pcm", "audio/wav", "audio/x-wav", "audio/l16", "audio/raw")


class VoiceReader:
    """`rate` in Hz is that of raw sound; a WAV file says its own."""

    def __init__(self, rate: int) -> None:
        self._converter: SoundConverter | None = None
        self._open(rate)
        self._held = b""

    def _open(self, rate: int) -> None:
        self._rate = rate
        self._converter = choose_converter(AudioFormat(rate=rate), SOUND)

    def feed(self, sound: bytes) -> bytes:
        """Whole samples. Raises `ValidationError` for WAV files of anything but 16 bits and one channel."""
        data, self._held = self._held + sound, b""
        if data[:4] == b"RIFF":
            place = data.find(b"data", 12, _LONGEST_HEAD)
            if place < 0 or len(data) < place + 8:
                self._held = data if len(data) < _LONGEST_HEAD else b""
                return b""
            self._read_head(data[:place])
            data = data[place + 8 :]
        if len(data) % 2:
            data, self._held = data[:-1], data[-1:]
        return data if self._converter is None or not data else self._converter.feed(data)

    def _read_head(self, head: bytes) -> None:
        place = head.find(b"fmt ") + 8
        channels, rate = int.from_bytes(head[place + 2 : place + 4], "little"), head[place + 4 : place + 8]
        bits = int.from_bytes(head[place + 14 : place + 16], "little")
        if (channels, bits) != (1, 16):
            raise ValidationError(f"a session plays one channel of 16 bits, and not {channels} of {bits}")
        if (found := int.from_bytes(rate, "little")) != self._rate:
            self._open(found)

    def finish(self) -> bytes:
        """The rest, where the rate was another one."""
        return b"" if self._converter is None else self._converter.flush()

    def check(self, speech: Speech) -> None:
        """Raises `ValidationError` where what was made is no raw sound, or has another rate than was asked for."""
        kind = speech.audio.mime_type.partition(";")[0].lower()
        if kind not in _TAKEN:
            hint = 'pass tts_settings=SpeechSettings(format="wav"), or another model'
            raise ValidationError(f"the voice gave {kind}, which is not raw sound", hint=hint)
        if speech.sample_rate not in (None, self._rate):
            raise ValidationError(
                f"the voice gave {speech.sample_rate} Hz, and was asked for {self._rate}",
                hint=f"pass tts_settings=SpeechSettings(sample_rate={speech.sample_rate})",
            )
