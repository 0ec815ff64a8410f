"""Bodies as aiohttp sends them: bytes, media, forms. Files are streamed, never read whole."""

from __future__ import annotations

from asyncio import to_thread
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from betterai.core.wire import Field, Multipart, Rest

if TYPE_CHECKING:
    import aiohttp

LARGE_BODY = 1024 * 1024
"""Above this, bytes are sent in slices, and base64 text is decoded in a thread: so that the loop is not held up."""


def is_large(body: Any) -> bool:
    """Whether sending it may take a while."""
    return body is not None and (not isinstance(body, bytes) or len(body) > LARGE_BODY)


async def encode_body(body: Any, headers: dict[str, str], files: ExitStack) -> Any:
    """The body for aiohttp. What is opened for it is closed by `files`. Raises `ValidationError`."""
    if body is None:
        return None
    if isinstance(body, bytes):
        return _sliced(body)
    if isinstance(body, Media | Rest):
        media, offset = (body, 0) if isinstance(body, Media) else (body.media, body.offset)
        if media.mime_type and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = media.mime_type
        content = await _open_media(media, files)
        if isinstance(content, bytes):
            return _sliced(content, offset)
        content.seek(offset)
        return content
    if isinstance(body, Multipart):
        import aiohttp

        form = aiohttp.MultipartWriter("form-data")
        for field in body.fields:
            await _append(form, field, files)
        return form
    raise ValidationError(f"a body of type {type(body).__name__} must be encoded before it is sent")


async def _append(form: aiohttp.MultipartWriter, field: Field, files: ExitStack) -> None:
    value, filename, mime_type = field.value, field.filename, field.mime_type
    if isinstance(value, Media):
        filename, mime_type = filename or value.filename or "file", mime_type or value.mime_type
    content = await _open_value(value, files)
    part = form.append(_sliced(content) if isinstance(content, bytes) else content)
    if mime_type:
        part.headers["Content-Type"] = mime_type
    elif not filename:
        part.headers.pop("Content-Type", None)
    named = f'form-data; name="{_quote(field.name)}"'
    part.headers["Content-Disposition"] = f'{named}; filename="{_quote(filename)}"' if filename else named


async def _open_value(value: str | bytes | Media | Rest, files: ExitStack) -> Any:
    if isinstance(value, Rest):
        content = await _open_media(value.media, files)
        if isinstance(content, bytes):
            end = None if value.size is None else value.offset + value.size
            return content[value.offset : end]
        content.seek(value.offset)
        return await to_thread(content.read, -1 if value.size is None else value.size)
    return await _open_media(value, files) if isinstance(value, Media) else value


def _quote(name: str) -> str:
    """As browsers write names in forms (https://html.spec.whatwg.org/multipage/form-control-infrastructure.html)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


async def _open_media(media: Media, files: ExitStack) -> bytes | IO[bytes]:
    if media.path is not None:
        return files.enter_context(_open_file(media.path))
    if media.form != "bytes":
        raise ValidationError(f"media: {media.form} must be loaded before it is sent")
    try:
        large = media.data is None and len(media.base64 or "") > LARGE_BODY
        return await to_thread(media.to_bytes) if large else media.to_bytes()
    except ValueError as error:
        raise ValidationError("media: its base64 text is damaged") from error


def _open_file(path: str) -> IO[bytes]:
    try:
        return open(path, "rb")
    except OSError as error:
        raise ValidationError(f"cannot read {path}: {error.strerror or error}") from error


def _sliced(content: bytes, offset: int = 0) -> Any:
    if len(content) - offset <= LARGE_BODY:
        return content[offset:]
    from betterai.transport.aiohttp_client.slices import Slices

    return Slices(content, offset)
