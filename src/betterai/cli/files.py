"""`betterai files`: what is kept at a provider: listed, uploaded, written here, deleted."""

from __future__ import annotations

import asyncio
import time
from argparse import Namespace
from typing import Any

from betterai.cli.embed import read_config
from betterai.cli.output import Output
from betterai.cli.table import write_table
from betterai.core.results import FileHandle
from betterai.runtime.client import Client

HEADINGS = ("FILE", "NAME", "BYTES", "PURPOSE", "STATE", "UNTIL")


def run(arguments: Namespace, output: Output) -> int:
    asyncio.run(_act(arguments, output))
    return 0


async def _act(arguments: Namespace, output: Output) -> None:
    config, where = read_config(arguments), arguments.where
    async with Client(trust_env=True, timeout=arguments.timeout) as client:
        files = client.files
        if arguments.command == "files upload":
            given: dict[str, Any] = {"purpose": arguments.purpose, "expires_in": arguments.expires_in}
            _say(await files.upload(where, arguments.file, config=config, **given), output, as_json=arguments.json)
        elif arguments.command == "files download":
            place = str(await files.download(arguments.id, arguments.save, where, config=config))
            if arguments.json:
                output.write_json({"file": place})
            else:
                output.answers.write(f"{place}\n")
        elif arguments.command == "files delete":
            await files.delete(arguments.id, where, config=config)
            output.note(f"{arguments.id} is deleted")
        else:
            _list(await files.list(where, config=config), output, as_json=arguments.json)


def _say(file: FileHandle, output: Output, *, as_json: bool) -> None:
    if as_json:
        output.write_json(file)
    else:
        output.answers.write(f"{file.id}\n")


def _list(files: tuple[FileHandle, ...], output: Output, *, as_json: bool) -> None:
    if as_json:
        output.write_json({"files": files})
    elif files:
        write_table(HEADINGS, [_row(file) for file in files], output)
    else:
        output.note("there are no files")


def _row(file: FileHandle) -> tuple[str, ...]:
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(file.expires_at)) if file.expires_at else ""
    size = "" if file.size is None else str(file.size)
    return file.id, file.filename, size, file.purpose, file.state, until
