"""`betterai embed`: texts in, a line of JSON with a vector for each out."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from collections.abc import Iterable

from betterai.cli.output import Output
from betterai.cli.prompt import read_stdin
from betterai.cli.settings import read_settings_of
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ValidationError
from betterai.core.response import CallWarning
from betterai.core.results import EmbeddingResponse
from betterai.core.settings import EmbeddingSettings
from betterai.runtime.client import Client


def run(arguments: Namespace, output: Output) -> int:
    texts = [*arguments.texts, *(line for line in read_stdin(output).splitlines() if line.strip())]
    if not texts:
        raise ValidationError("there are no texts", hint="pass them as arguments, or line by line through stdin")
    response = asyncio.run(_embed(arguments, texts))
    note_warnings(response.warnings, output)
    if arguments.json:
        output.write_json(
            {
                "model": f"{response.provider}/{response.model}",
                "vectors": response.vectors,
                "encoding": response.encoding,
                "usage": response.usage,
                "cost": response.cost,
                "warnings": response.warnings,
            }
        )
    else:
        for vector in response.vectors:
            output.answers.write(json.dumps(vector) + "\n")
    return 0


async def _embed(arguments: Namespace, texts: list[str]) -> EmbeddingResponse:
    settings = read_settings_of(EmbeddingSettings, arguments.options)
    async with Client(trust_env=True, timeout=arguments.timeout) as client:
        return await client.embed(arguments.model, texts, config=read_config(arguments), settings=settings)


def read_config(arguments: Namespace) -> CoreConfig | None:
    """Where the command line says to ask; None where it says nothing."""
    return CoreConfig(base_url=arguments.base_url) if arguments.base_url else None


def note_warnings(warnings: Iterable[CallWarning], output: Output) -> None:
    for warning in warnings:
        output.note(f"{warning.field}: {warning.message}")
