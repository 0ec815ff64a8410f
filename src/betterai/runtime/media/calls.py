"""The media of a call that is no conversation: its input and its settings. Loaded as far as the codec needs."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from betterai.core.media import Media
from betterai.core.settings import CallSettings
from betterai.runtime.connection import Connection
from betterai.runtime.media.checks import check_media
from betterai.runtime.media.loading import check_file, find_mime_type, load_one, read_path

S = TypeVar("S", bound=CallSettings)
Accepts = Mapping[str, frozenset[str]]


def find_call_media(input: Any, settings: CallSettings) -> list[Media]:
    """All media of a call, in the order in which `replace_media` asks for them."""
    return [*_media_in(input), *(media for value in settings.given().values() for media in _media_in(value))]


def media_bytes(media: list[Media]) -> int:
    """How many bytes they hold, roughly."""
    return sum(len(item.data or item.base64 or b"") for item in media)


async def load_call_media(input: Any, settings: S, accepts: Accepts, connection: Connection) -> tuple[Any, S]:
    """The input and the settings with all media in a form that the codec accepts. Raises `UnsupportedParam`."""
    media = find_call_media(input, settings)
    if not media:
        return input, settings
    check_media(media)
    for item in media:
        if item.owner:
            connection.check_owner(item.owner)
    loaded = iter([await _load(item, accepts, connection) for item in media])
    input = _with_media(input, lambda: next(loaded))
    changed = {
        name: _with_media(value, lambda: next(loaded))
        for name, value in settings.given().items()
        if any(True for _ in _media_in(value))
    }
    return input, settings.replace(**changed) if changed else settings


async def _load(media: Media, accepts: Accepts, connection: Connection) -> Media:
    """One medium. A codec that takes paths has the file streamed from where it is: it is never read whole."""
    forms = accepts.get(media.kind, frozenset())
    if media.form == "path" and "path" in forms:
        return await to_thread(_look_at_file, media)
    return await load_one(media, forms - {"path"}, connection.transport, connection.timeout)


def _look_at_file(media: Media) -> Media:
    path = read_path(media).expanduser()
    _, head = check_file(path)
    named = media.filename or path.name
    return msgspec.structs.replace(media, path=str(path), filename=named, mime_type=find_mime_type(media, head))


def _media_in(value: Any) -> Iterator[Media]:
    if isinstance(value, Media):
        yield value
    elif isinstance(value, list | tuple):
        yield from (item for item in value if isinstance(item, Media))


def _with_media(value: Any, following: Callable[[], Media]) -> Any:
    if isinstance(value, Media):
        return following()
    if isinstance(value, list | tuple):
        return tuple(following() if isinstance(item, Media) else item for item in value)
    return value
