"""`betterai video`: a film of a prompt, as a job that is waited for."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from betterai.cli.embed import note_warnings, read_config
from betterai.cli.output import Output
from betterai.cli.prompt import read_prompt
from betterai.cli.results import find_place, save_all, write_files
from betterai.cli.settings import read_settings_of
from betterai.core.exceptions import ValidationError
from betterai.core.settings import VideoSettings
from betterai.runtime.client import Client
from betterai.runtime.media.sources import read_media


def run(arguments: Namespace, output: Output) -> int:
    prompt = read_prompt(arguments.prompt, output)
    if not prompt:
        raise ValidationError("there is no prompt", hint="pass one as an argument, or through stdin")
    find_place(arguments.save)
    return asyncio.run(_film(arguments, prompt, output))


async def _film(arguments: Namespace, prompt: str, output: Output) -> int:
    settings = read_settings_of(VideoSettings, arguments.options)
    for name in ("first_frame", "last_frame"):
        if path := getattr(arguments, name):
            settings = settings.replace(**{name: await read_media(path, "image")})
    async with Client(trust_env=True) as client:
        job = await client.start_video(arguments.model, prompt, config=read_config(arguments), settings=settings)
        output.note(f"job {job.id[:12]}: betterai jobs resume {job.id[:12]} goes on with it")
        response = await job.wait(timeout=arguments.timeout, on_progress=lambda part: output.note(f"{part:.0%} done"))
    note_warnings(response.warnings, output)
    places = await save_all(response.videos, arguments.save, output)
    write_files(response, places, output, as_json=arguments.json)
    return 0
