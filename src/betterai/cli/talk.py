"""`betterai talk`: a conversation by voice, from recordings, a pipe or a microphone."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

from betterai.cli.embed import note_warnings, read_config
from betterai.cli.output import Output
from betterai.cli.pictures import open_folder
from betterai.cli.settings import read_settings_of
from betterai.cli.waves import read_wave, write_wave
from betterai.core.exceptions import ValidationError
from betterai.core.realtime import (
    InputTranscript,
    Interrupted,
    OutputAudio,
    OutputText,
    OutputTranscript,
    RealtimeOutput,
    ResponseDone,
    SessionError,
    StageMeasured,
)
from betterai.core.realtime_session import RealtimeSession
from betterai.core.realtime_settings import AudioFormat, RealtimeSettings, read_format
from betterai.runtime.client import Client

STDOUT = STDIN = "-"
PIECE_MS = 40
LAST_STAGE, STAGES = "answer", 4
"""What a cascade measures of an answer to a spoken turn: its stages, and last the whole."""


def run(arguments: Namespace, output: Output) -> int:
    chosen = [bool(arguments.turns), bool(arguments.microphone)]
    if sum(chosen) != 1:
        raise ValidationError(
            "there is nothing to listen to", hint="pass WAV files, texts, - for stdin, or --microphone"
        )
    if STDIN in arguments.turns and len(arguments.turns) > 1:
        raise ValidationError("stdin is a conversation of its own: pass - alone")
    if arguments.save == STDOUT and (arguments.json or output.answers.is_terminal):
        raise ValidationError("stdout cannot take the sound here", hint="pipe it into a player, or save it")
    if arguments.microphone:
        from betterai.cli.microphone import load_devices

        load_devices()
    if arguments.save not in (None, STDOUT):
        open_folder(Path(arguments.save).expanduser().parent)
    return asyncio.run(_talk(arguments, output))


async def _talk(arguments: Namespace, output: Output) -> int:
    settings = read_settings_of(RealtimeSettings, arguments.options)
    turns = [_read_turn(word) for word in arguments.turns if word != STDIN]
    given = settings.given()
    if turns:
        formats = {turn[1] for turn in turns if not isinstance(turn, str)}
        if len(formats) > 1:
            raise ValidationError("the recordings have different rates", hint="bring them to one with ffmpeg -ar")
        known = dict.fromkeys(["input_format"] if formats else [], next(iter(formats), None))
        settings = settings.replace(**{"turn_detection": "none", **known, **given})
    settings = settings.replace(**{"transcription": True, **settings.given()})
    talk = Talk(arguments, output, settings)
    async with Client(trust_env=True, timeout=arguments.timeout) as client:
        opening = client.realtime(arguments.model, config=read_config(arguments), settings=settings)
        async with opening as session:
            try:
                await _converse(session, arguments, turns, talk)
            except asyncio.CancelledError:
                talk.finish(session)
                raise
            note_warnings(session.warnings, output)
            talk.finish(session)
    return 0


async def _converse(session: RealtimeSession, arguments: Namespace, turns: list[Any], talk: Talk) -> None:
    if arguments.microphone:
        from betterai.cli.microphone import converse

        await converse(session, talk.settings, talk.show)
    elif turns:
        await _take_turns(session, turns, talk)
    else:
        await _pipe(session, talk, arguments.linger)


def _read_turn(word: str) -> str | tuple[bytes, AudioFormat]:
    """A recording by its name; anything else is what the user writes."""
    return read_wave(word) if word.lower().endswith((".wav", ".wave")) else word


class Talk:
    """What is shown and kept of a conversation."""

    def __init__(self, arguments: Namespace, output: Output, settings: RealtimeSettings) -> None:
        self.settings = settings
        self._arguments = arguments
        self._output = output
        self._format = read_format(settings.output_format) if settings.output_format is not None else AudioFormat()
        self._sound: list[bytes] = []
        self._turns: list[dict[str, str]] = []
        self._stages: list[StageMeasured] = []

    def show(self, event: RealtimeOutput) -> None:
        quiet = self._arguments.json or self._arguments.save == STDOUT
        place = self._output.notes if self._arguments.save == STDOUT else self._output.answers
        match event:
            case OutputAudio(audio=audio) if audio and self._arguments.save == STDOUT:
                sys.stdout.buffer.write(audio)
                sys.stdout.buffer.flush()
            case OutputAudio(audio=audio) if audio and self._arguments.save:
                self._sound.append(audio)
            case OutputTranscript(delta=delta) | OutputText(delta=delta) if delta and not quiet:
                place.write(delta)
            case OutputTranscript(final=True, text=text) | OutputText(final=True, text=text):
                self._turns.append({"role": "assistant", "text": text})
                place.end_line()
            case InputTranscript(final=True, text=text):
                self._turns.append({"role": "user", "text": text})
                place.end_line()
                self._output.note(f"you: {text.strip()}")
            case Interrupted():
                place.end_line()
            case SessionError(error=error):
                self._output.note(str(error))
            case StageMeasured():
                self._stages.append(event)
                if event.stage == LAST_STAGE:
                    lately = self._stages[-STAGES:]
                    self._output.note(", ".join(f"{stage.stage} {stage.seconds:.2f} s" for stage in lately))

    def finish(self, session: RealtimeSession) -> None:
        saved = None
        if self._arguments.save not in (None, STDOUT):
            saved = Path(self._arguments.save).expanduser()
            if self._format.mime_type != "audio/pcm":
                saved.write_bytes(b"".join(self._sound))
            else:
                write_wave(saved, b"".join(self._sound), self._format.rate)
            self._output.note(f"saved {saved}")
        if self._arguments.json:
            self._output.write_json(
                {
                    "model": session.info.model,
                    "turns": self._turns,
                    "stages": [{"stage": stage.stage, "seconds": stage.seconds} for stage in self._stages],
                    "file": str(saved) if saved is not None else None,
                    "usage": session.usage,
                    "cost": session.cost,
                    "warnings": session.warnings,
                }
            )


async def _take_turns(session: RealtimeSession, turns: list[Any], talk: Talk) -> None:
    """A turn after the other, each answered before the next."""
    async with aclosing(aiter(session)) as events:  # type: ignore[type-var]
        for turn in turns:
            if isinstance(turn, str):
                await session.send_text(turn)
            else:
                data, format = turn
                size = format.size(PIECE_MS)
                for at in range(0, len(data), size):
                    await session.send_audio(data[at : at + size])
                await session.commit()
            await _follow(events, talk)


async def _follow(events: AsyncIterator[RealtimeOutput], talk: Talk) -> None:
    """To the end of an answer: one that calls tools goes on."""
    async for event in events:
        talk.show(event)
        if isinstance(event, ResponseDone) and event.finish_reason != "tool_calls":
            if event.error is not None:
                raise event.error
            return


async def _pipe(session: RealtimeSession, talk: Talk, linger: float) -> None:
    """stdin as it comes; the provider finds the turns. It ends when stdin has, and nothing more is answered."""
    ended = asyncio.Event()
    feeding = asyncio.create_task(_feed(session.send_audio, ended))
    answering = False
    try:
        async with aclosing(aiter(session)) as events:  # type: ignore[type-var]
            while True:
                waiting = asyncio.ensure_future(anext(events))
                over = asyncio.create_task(_after(ended, linger))
                await asyncio.wait({waiting, over}, return_when=asyncio.FIRST_COMPLETED)
                over.cancel()
                if not waiting.done():
                    if not answering:
                        waiting.cancel()
                        await asyncio.wait({waiting})
                        return
                    await asyncio.wait({waiting})
                event = waiting.result()
                talk.show(event)
                answering = not isinstance(event, ResponseDone) and (answering or event.type == "response_started")
    except StopAsyncIteration:
        return
    finally:
        feeding.cancel()


async def _after(ended: asyncio.Event, seconds: float) -> None:
    await ended.wait()
    await asyncio.sleep(seconds)


async def _feed(send: Callable[[bytes], Awaitable[None]], ended: asyncio.Event) -> None:
    """One that was closed before has ended."""
    source: Any = sys.stdin.buffer if sys.stdin is not None else None
    try:
        while source is not None and (piece := await asyncio.to_thread(source.read1, 4096)):
            await send(piece)
    finally:
        ended.set()
