"""`betterai transcribe`: what is said in a recording, as text or as subtitles."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace

from betterai.cli.embed import note_warnings, read_config
from betterai.cli.output import Output
from betterai.cli.settings import read_settings_of
from betterai.core.results import Transcript
from betterai.core.settings import TranscriptionSettings
from betterai.runtime.client import Client


def run(arguments: Namespace, output: Output) -> int:
    transcript = asyncio.run(_transcribe(arguments))
    note_warnings(transcript.warnings, output)
    if arguments.json:
        output.write_json(
            {
                "model": f"{transcript.provider}/{transcript.model}",
                "text": transcript.text,
                "language": transcript.language,
                "seconds": transcript.seconds,
                "words": transcript.words,
                "segments": transcript.segments,
                "usage": transcript.usage,
                "cost": transcript.cost,
                "warnings": transcript.warnings,
            }
        )
        return 0
    forms = {"srt": transcript.to_srt, "vtt": transcript.to_vtt}
    output.answers.write(forms[arguments.form]() if arguments.form in forms else transcript.text.strip() + "\n")
    return 0


async def _transcribe(arguments: Namespace) -> Transcript:
    settings = read_settings_of(TranscriptionSettings, arguments.options)
    if arguments.form != "text" and settings.timestamps is None and not settings.diarize:
        settings = settings.replace(timestamps=["segment"])
    audio = sys.stdin.buffer.read() if arguments.audio == "-" else arguments.audio
    async with Client(trust_env=True, timeout=arguments.timeout) as client:
        return await client.transcribe(arguments.model, audio, config=read_config(arguments), settings=settings)
