"""What callers hand over as media: bytes, paths, URLs, open files, streams, `Media`: all as `Media`."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import AsyncIterable
from pathlib import Path
from typing import IO, TypeAlias

import msgspec

from betterai.core.exceptions import ValidationError
from betterai.core.media import Media, MediaKind, kind_of, parse_data_url
from betterai.core.sniffing import sniff_mime_type
from betterai.runtime.media.loading import MAX_MEDIA_BYTES, check_file, first_bytes

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
    try:
        data = source.read()
    except (OSError, ValueError) as error:
        raise ValidationError(
            f"the file cannot be read: {error}", hint="open it for bytes, and keep it open"
        ) from error
    if not isinstance(data, bytes):
        raise ValidationError("the file must be open for bytes", hint='open(path, "rb")')
    named = filename or os.path.basename(str(getattr(source, "name", "")))
    return Media(kind=kind, data=data, mime_type=mime_type, filename=named)


async def gather_media(
    source: MediaSource | AsyncIterable[bytes], kind: MediaKind, *, mime_type: str = "", filename: str = ""
) -> Media:
    """The same, for a stream of bytes too, which is read to its end. Raises `ValidationError` for one without one."""
    if isinstance(source, AsyncIterable):
        return Media(kind=kind, data=await _gather(source), mime_type=mime_type, filename=filename)
    if hasattr(source, "read"):
        from asyncio import to_thread

        return await to_thread(as_media, source, kind, mime_type=mime_type, filename=filename)
    return as_media(source, kind, mime_type=mime_type, filename=filename)


async def _gather(source: AsyncIterable[bytes]) -> bytes:
    pieces, size = [], 0
    async for piece in source:
        pieces.append(piece)
        size += len(piece)
        if size > MAX_MEDIA_BYTES:
            raise ValidationError(f"the stream has more than {MAX_MEDIA_BYTES} bytes", hint="write it to a file first")
    return b"".join(pieces)


async def read_media(
    source: MediaSource | AsyncIterable[bytes],
    kind: MediaKind | None = None,
    *,
    mime_type: str = "",
    filename: str = "",
) -> Media:
    """Media of a path, a URL, bytes, an open file or an async stream of bytes; its kind and type as its first bytes
    show, else as its name says. Paths and URLs are read when they are sent. Raises `ValidationError`.
    """
    media = await gather_media(source, kind or "document", mime_type=mime_type, filename=filename)
    if media is source or media.form not in ("bytes", "path"):
        name = (media.url or "").partition("?")[0]
        found = media.mime_type or mimetypes.guess_type(name)[0] or ""
        return media if media is source else msgspec.structs.replace(media, kind=kind or kind_of(found))
    if media.path is not None:
        from asyncio import to_thread

        head = await to_thread(_read_head, media.path)
    else:
        head = first_bytes(media)
    named = mimetypes.guess_type(media.filename or media.path or "")[0] or ""
    found = media.mime_type or sniff_mime_type(head) or named
    guessed = kind or kind_of(found)
    return msgspec.structs.replace(media, kind=guessed, mime_type=media.mime_type or _fit(found, guessed))


def _read_head(path: str) -> bytes:
    return check_file(Path(path).expanduser())[1]


def _fit(mime_type: str, kind: MediaKind) -> str:
    """Boxes that hold films hold sounds as well."""
    return mime_type.replace("video/", "audio/") if kind == "audio" else mime_type
