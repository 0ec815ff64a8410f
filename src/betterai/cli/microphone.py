"""`betterai talk --microphone`: what is said into it, and what comes out of the loudspeaker (extra `microphone`)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from betterai.core.exceptions import ConfigurationError
from betterai.core.realtime import Interrupted, OutputAudio, RealtimeOutput
from betterai.core.realtime_session import RealtimeSession
from betterai.core.realtime_settings import AudioFormat, RealtimeSettings, read_format

PIECE_MS = 40


class Loudspeaker:
    """Sound that waits to be played. `fill` is called by the device's own thread."""

    def __init__(self, format: AudioFormat, played: Callable[[float], None]) -> None:
        self._format = format
        self._played = played
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes] = deque()

    def add(self, audio: bytes) -> None:
        self._waiting.append(audio)

    def throw_away(self) -> None:
        self._waiting.clear()

    def fill(self, target: Any, frames: int, time: Any, status: Any) -> None:
        """As much as is wanted: silence where there is no more."""
        wanted, taken = len(target), b""
        while len(taken) < wanted and self._waiting:
            piece = self._waiting.popleft()
            rest = wanted - len(taken)
            if len(piece) > rest:
                self._waiting.appendleft(piece[rest:])
            taken += piece[:rest]
        target[:] = taken + bytes(wanted - len(taken))
        if taken:
            self._loop.call_soon_threadsafe(self._played, self._format.milliseconds(len(taken)))


def load_devices() -> Any:
    """The package that has the sound devices. Raises `ConfigurationError` where there is none to be had."""
    try:
        import sounddevice
    except ImportError as error:
        hint = "pip install 'betterai[microphone]'"
        raise ConfigurationError(f"there is no microphone to be had: {error}", hint=hint) from None
    except OSError as error:
        hint = "install the system's PortAudio: apt install libportaudio2"
        raise ConfigurationError(f"there is no microphone to be had: {error}", hint=hint) from None
    return sounddevice


async def converse(
    session: RealtimeSession, settings: RealtimeSettings, show: Callable[[RealtimeOutput], None]
) -> None:
    """Until the session ends, or Ctrl-C. Raises `ConfigurationError` where there is no sound device to be had."""
    sounddevice = load_devices()
    given, wanted = (
        read_format(format) if format is not None else AudioFormat()
        for format in (settings.input_format, settings.output_format)
    )
    loop, heard = asyncio.get_running_loop(), asyncio.Queue[bytes]()

    def hear(data: Any, frames: int, time: Any, status: Any) -> None:
        loop.call_soon_threadsafe(heard.put_nowait, bytes(data))

    async def send() -> None:
        while True:
            await session.send_audio(await heard.get())

    speaker = Loudspeaker(wanted, session.played)
    usual = {"channels": 1, "dtype": "int16"}
    listening = sounddevice.RawInputStream(
        samplerate=given.rate, blocksize=given.rate * PIECE_MS // 1000, callback=hear, **usual
    )
    speaking = sounddevice.RawOutputStream(samplerate=wanted.rate, callback=speaker.fill, **usual)
    sending = asyncio.create_task(send())
    try:
        with listening, speaking:
            async for event in session:
                if isinstance(event, OutputAudio):
                    speaker.add(event.audio)
                elif isinstance(event, Interrupted):
                    speaker.throw_away()
                show(event)
    finally:
        sending.cancel()
