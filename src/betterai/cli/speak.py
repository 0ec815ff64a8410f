"""`betterai speak`: a text as sound, saved or written to stdout as it comes."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace

from betterai.cli.embed import note_warnings, read_config
from betterai.cli.output import Output
from betterai.cli.prompt import read_prompt
from betterai.cli.results import find_place, save_all, write_files
from betterai.cli.settings import read_settings_of
from betterai.core.exceptions import ProviderError, ValidationError
from betterai.core.results import Speech
from betterai.core.settings import SpeechSettings
from betterai.runtime.client import Client

STDOUT = "-"


def run(arguments: Namespace, output: Output) -> int:
    text = read_prompt(arguments.text, output)
    if not text:
        raise ValidationError("there is no text", hint="pass one as an argument, or through stdin")
    if arguments.save == STDOUT and (arguments.json or output.answers.is_terminal):
        raise ValidationError("stdout cannot take the sound here", hint="pipe it into a player, or save it")
    if arguments.save != STDOUT:
        find_place(arguments.save)
    return asyncio.run(_speak(arguments, text, output))


async def _speak(arguments: Namespace, text: str, output: Output) -> int:
    settings = read_settings_of(SpeechSettings, arguments.options)
    speech: Speech | None = None
    async with Client(trust_env=True, timeout=arguments.timeout) as client:
        pieces = client.stream_speech(arguments.model, text, config=read_config(arguments), settings=settings)
        async for piece in pieces:
            speech = piece.response or speech
            if arguments.save == STDOUT and piece.audio:
                await asyncio.to_thread(_write, piece.audio)
    if speech is None:
        raise ProviderError("no sound came")
    note_warnings(speech.warnings, output)
    if arguments.save != STDOUT:
        write_files(speech, await save_all([speech.audio], arguments.save, output), output, as_json=arguments.json)
    return 0


def _write(sound: bytes) -> None:
    sys.stdout.buffer.write(sound)
    sys.stdout.buffer.flush()
