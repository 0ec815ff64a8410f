"""What callers hand over as media: bytes, paths, URLs, open files, streams, `Media`: all as `Media`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable
from typing import IO, TypeAlias

from betterai.core.exceptions import ValidationError
from betterai.core.media import Media, MediaKind, parse_data_url

MediaSource: TypeAlias = Media | str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]


def as_media(source: MediaSource, kind: MediaKind, *, mime_type: str = "", filename: str = "") -> Media:
    """A source as media of `kind`. A text is a URL where it begins with `https://`, `http://` or `data:`, else a path.

    An open file is read to its end, here and now. Raises `ValidationError` for what is no source.
    """
    if isinstance(source, Media):
        return source
    if isinstance(source, bytes | bytearray | memoryview):
        return Media(kind=kind, data=bytes(source), mime_type=mime_type, filename=filename)
    if isinstance(source, str) and source.lower().startswith(("https://", "http://", "data:")):
        return parse_data_url(kind, source, filename)
    if isinstance(source, str | os.PathLike):
        return Media(kind=kind, path=os.fspath(source), mime_type=mime_type, filename=filename)
    if not hasattr(source, "read"):
        raise ValidationError(
            f"{type(source).__name__} is no {kind}", hint="pass a path, a URL, bytes, an open file or betterai.Media"
        )
    data = source.read()
    if not isinstance(data, bytes):
        raise ValidationError("the file must be open for bytes", hint='open(path, "rb")')
    named = filename or os.path.basename(str(getattr(source, "name", "")))
    return Media(kind=kind, data=data, mime_type=mime_type, filename=named)


async def gather_media(source: MediaSource | AsyncIterable[bytes], kind: MediaKind) -> Media:
    """The same, for a stream of bytes too, which is read to its end."""
    if isinstance(source, AsyncIterable):
        return Media(kind=kind, data=b"".join([piece async for piece in source]))
    if hasattr(source, "read"):
        from asyncio import to_thread

        return await to_thread(as_media, source, kind)
    return as_media(source, kind)


def as_media_list(sources: MediaSource | Iterable[MediaSource], kind: MediaKind) -> tuple[Media, ...]:
    """One source, or several."""
    if isinstance(sources, list | tuple):
        return tuple(as_media(source, kind) for source in sources)
    return (as_media(sources, kind),)  # type: ignore[arg-type]
