"""`betterai image`: pictures of a prompt, or of other pictures, shown where the terminal can and saved."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from betterai.cli.embed import note_warnings, read_config
from betterai.cli.output import Output
from betterai.cli.prompt import read_prompt
from betterai.cli.results import find_place, save_all, write_files
from betterai.cli.settings import read_settings_of
from betterai.core.exceptions import ValidationError
from betterai.core.results import ImageResponse
from betterai.core.settings import ImageSettings
from betterai.runtime.client import Client
from betterai.runtime.media.sources import read_media


def run(arguments: Namespace, output: Output) -> int:
    prompt = read_prompt(arguments.prompt, output)
    if not prompt:
        raise ValidationError("there is no prompt", hint="pass one as an argument, or through stdin")
    find_place(arguments.save)
    return asyncio.run(_draw(arguments, prompt, output))


async def _draw(arguments: Namespace, prompt: str, output: Output) -> int:
    response = await _ask(arguments, prompt)
    note_warnings(response.warnings, output)
    places = await save_all(response.images, arguments.save, output)
    write_files(response, places, output, as_json=arguments.json)
    return 0


async def _ask(arguments: Namespace, prompt: str) -> ImageResponse:
    settings = read_settings_of(ImageSettings, arguments.options)
    if arguments.attach:
        settings = settings.replace(images=[await read_media(name, "image") for name in arguments.attach])
    if arguments.mask:
        settings = settings.replace(mask=await read_media(arguments.mask, "image"))
    async with Client(trust_env=True, timeout=arguments.timeout) as client:
        config = read_config(arguments)
        return await client.generate_image(arguments.model, prompt, config=config, settings=settings)
