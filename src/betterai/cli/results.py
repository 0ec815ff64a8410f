"""Media of an answer as files: where they are kept, and pictures shown where the terminal can."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterable, Sequence
from os import remove
from pathlib import Path

from betterai.cli.output import Output
from betterai.cli.pictures import open_folder, show
from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from betterai.core.results import Result
from betterai.runtime.client import Client


async def save_all(media: Iterable[Media], target: str | None, output: Output) -> list[str]:
    """The places of the files. `target` is a folder, or, for one medium, the file itself; by default it is here."""
    found = list(media)
    place = find_place(target, len(found))
    saved = []
    async with Client(trust_env=True) as client:
        for item in found:
            saved.append(str(await client.save_media(item, place)))
            show(item, output)
            if item.path is not None:
                await to_thread(remove, item.path)
    return saved


def find_place(target: str | None, files: int = 1) -> Path:
    """Where to save, its folder made. Raises `ValidationError`."""
    place = Path(target or ".").expanduser()
    if not place.suffix or place.is_dir():
        return open_folder(place)
    if files > 1:
        raise ValidationError(f"there are {files} files, and {str(place)!r} is one", hint="name a folder")
    open_folder(place.parent)
    return place


def write_files(result: Result, places: Sequence[str], output: Output, *, as_json: bool) -> None:
    """The places, a line each; or all that is known of the result as JSON."""
    if not as_json:
        for place in places:
            output.answers.write(f"{place}\n")
        return
    output.write_json(
        {
            "model": f"{result.provider}/{result.model}",
            "files": places,
            "usage": result.usage,
            "cost": result.cost,
            "warnings": result.warnings,
        }
    )
