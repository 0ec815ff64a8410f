"""The sound of a session on its way: between what the caller has and what the provider takes, both ways."""

from __future__ import annotations

from msgspec.structs import replace

from betterai.core.realtime import OutputAudio
from betterai.core.realtime_settings import AudioFormat, RealtimeSettings, read_format
from betterai.runtime.realtime.sound import SoundConverter, choose_converter, choose_format

Formats = tuple[AudioFormat, ...]


class SessionSound:
    """`inputs` and `outputs` are what the provider takes and gives, its usual one first; empty ones take anything."""

    def __init__(self, settings: RealtimeSettings, inputs: Formats = (), outputs: Formats = ()) -> None:
        self._inputs, self._outputs = inputs, outputs
        usual = AudioFormat()
        self.input = self.output = usual
        self._write: SoundConverter | None = None
        self._read: SoundConverter | None = None
        self.wire = self.update(settings, first=True)

    def update(self, settings: RealtimeSettings, *, first: bool = False) -> RealtimeSettings:
        """The settings as the provider is to have them."""
        given, changes = settings.given(), {}
        if first or "input_format" in given:
            wanted = self._wanted(given.get("input_format"))
            wire = choose_format(wanted, self._inputs or (AudioFormat(),) if wanted is None else self._inputs)
            self.input, self._write = wanted or wire, choose_converter(wanted or wire, wire)
            if wanted is not None:
                changes["input_format"] = wire
        if first or "output_format" in given:
            wanted = self._wanted(given.get("output_format"))
            wire = choose_format(wanted, self._outputs or (AudioFormat(),) if wanted is None else self._outputs)
            self.output, self._read = wanted or wire, choose_converter(wire, wanted or wire)
            if wanted is not None:
                changes["output_format"] = wire
        return settings.replace(**changes) if changes else settings

    def _wanted(self, given: AudioFormat | str | None) -> AudioFormat | None:
        return None if given is None else read_format(given)

    def write(self, audio: bytes) -> bytes:
        return audio if self._write is None else self._write.feed(audio)

    def read(self, event: OutputAudio) -> OutputAudio:
        """The sound as the caller wants it; its last event has what was held back."""
        if self._read is None:
            return event
        audio = self._read.feed(event.audio) if event.audio else b""
        return replace(event, audio=audio + self._read.flush() if event.final else audio)

    def cut(self) -> None:
        """An answer ends here: what was held back of it is no beginning of the next."""
        if self._read is not None:
            self._read.flush()

    def milliseconds(self, audio: bytes) -> float:
        """How long sound lasts that the caller was given."""
        return self.output.milliseconds(len(audio))
