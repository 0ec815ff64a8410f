"""Files at providers: upload one, and send its handle in messages; get, delete and list them.

`betterai.files.upload("openai", "report.pdf")`; `client.files` does the same with the client's connections.
"""

from __future__ import annotations

import mimetypes
import os
import shutil
from asyncio import to_thread
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

import msgspec

from betterai.config.environment import complete_config
from betterai.core.codec import FileCall, FilesCodec
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError, ValidationError
from betterai.core.media import Media, kind_of
from betterai.core.model import ModelConfig
from betterai.core.results import FileHandle, FileUpload
from betterai.core.settings import CallSettings
from betterai.core.sniffing import sniff_mime_type
from betterai.core.wire import Call
from betterai.runtime.attempts import SYSTEM_CLOCK
from betterai.runtime.connection import Connection, TransportSource
from betterai.runtime.jobs.steps import StepsRun
from betterai.runtime.media.loading import check_file
from betterai.runtime.media.saving import move_to
from betterai.runtime.registry import get_provider, provider_names, resolve_model
from betterai.runtime.single import ask_once

Source = str | os.PathLike[str] | bytes | Media | IO[bytes]


class Files:
    """The files of one configuration. `where` is a provider's name or a model's; a handle knows where it belongs."""

    def __init__(self, config: CoreConfig | None = None, transport: TransportSource | None = None) -> None:
        self._config = config or CoreConfig()
        self._transport = transport

    async def upload(
        self,
        where: str,
        source: Source,
        *,
        mime_type: str = "",
        filename: str = "",
        purpose: str = "",
        expires_in: int | None = None,
        config: CoreConfig | None = None,
    ) -> FileHandle:
        """Upload a path, bytes, `Media` or an open file; large ones are never held in memory. Ready when it returns.

        `purpose` is the vendor's word, `expires_in` are seconds. Raises `ValidationError` before anything is sent where
        the file is too large or cannot be read, and `ProviderError`.
        """
        connection, codec = self._find(where, config)
        with ExitStack() as temporary:
            upload = await _prepare(source, mime_type, filename, temporary)
            upload = msgspec.structs.replace(upload, purpose=purpose, expires_in=expires_in)
            if upload.size > codec.max_bytes:
                raise ValidationError(
                    f"{upload.filename} has {upload.size} bytes, and {connection.provider.title} takes at most "
                    f"{codec.max_bytes} in one file",
                    hint="send it in parts",
                )
            call: FileCall = Call(
                model=ModelConfig(id="", provider=connection.provider.name, category="files"),
                input=upload,
                settings=CallSettings(),
            )
            handle = await StepsRun(codec, call, connection, clock=SYSTEM_CLOCK).run()
        kept = {"filename": handle.filename or upload.filename, "mime_type": handle.mime_type or upload.mime_type}
        return _own(msgspec.structs.replace(handle, **kept), connection)

    async def get(self, handle: FileHandle | str, where: str = "", *, config: CoreConfig | None = None) -> FileHandle:
        """How a file stands now, by its handle, or by its id and where it is."""
        connection, codec, id = self._find_file(handle, where, config)
        found: FileHandle = await ask_once(codec, codec.build_get(id), codec.parse_file, connection)
        return _own(found, connection)

    async def download(
        self,
        handle: FileHandle | str,
        target: str | os.PathLike[str] = ".",
        where: str = "",
        *,
        config: CoreConfig | None = None,
    ) -> Path:
        """Write a file to a path, or into a folder under its own name; it is never held in memory. Where it is.

        Not every file can be had again: most providers give out those alone that were made there. Nothing is written
        over another file in a folder. Raises `ValidationError` and `ProviderError`.
        """
        connection, codec, id = self._find_file(handle, where, config)
        place = await to_thread(os.path.expanduser, target)
        name = handle.filename if isinstance(handle, FileHandle) else ""
        if not name and await to_thread(os.path.isdir, place):
            found: FileHandle = await ask_once(codec, codec.build_get(id), codec.parse_file, connection)
            name = found.filename
        reply = await ask_once(codec, codec.build_download(id), lambda reply: reply, connection)
        return await to_thread(move_to, reply.body, Path(place), name or id)

    async def delete(self, handle: FileHandle | str, where: str = "", *, config: CoreConfig | None = None) -> None:
        """Delete a file at its provider."""
        connection, codec, id = self._find_file(handle, where, config)
        await ask_once(codec, codec.build_delete(id), lambda reply: None, connection)

    async def list(self, where: str, *, config: CoreConfig | None = None) -> tuple[FileHandle, ...]:
        """All files that the account has there."""
        connection, codec = self._find(where, config)
        found: tuple[FileHandle, ...] = ()
        after: str | None = ""
        while after is not None:
            read = partial(codec.parse_list, after=after)
            files, following = await ask_once(codec, codec.build_list(after), read, connection)
            found += tuple(_own(file, connection) for file in files)
            after = following if following and following != after else None
        return found

    def _find(self, where: str, config: CoreConfig | None) -> tuple[Connection, FilesCodec]:
        if not isinstance(where, str):
            raise ValidationError(f"files are at a provider, by its name, not at {where!r:.80}")
        name = where if where in provider_names() else resolve_model(where).provider
        provider = get_provider(name)
        codec = next(iter(provider.protocols.get("files", {}).values()), None)
        if codec is None:
            raise ConfigurationError(
                f"no files are kept at {provider.title or name}", hint="send the bytes in messages"
            )
        return Connection(provider, complete_config(config or self._config), self._transport), codec

    def _find_file(
        self, handle: FileHandle | str, where: str, config: CoreConfig | None
    ) -> tuple[Connection, FilesCodec, str]:
        if isinstance(handle, str):
            if not where:
                raise ValidationError("a file's id alone does not say where it is", hint="pass the provider's name too")
            return *self._find(where, config), handle
        if not isinstance(handle, FileHandle):
            raise ValidationError(f"a file is a FileHandle or its id, not {type(handle).__name__}")
        connection, codec = self._find(handle.provider, config)
        connection.check_owner(handle.owner)
        return connection, codec, handle.id


def _own(handle: FileHandle, connection: Connection) -> FileHandle:
    return msgspec.structs.replace(handle, provider=connection.provider.name, account=connection.account())


async def _prepare(source: Source, mime_type: str, filename: str, temporary: ExitStack) -> FileUpload:
    """What is uploaded, its size known, and nothing large read. Raises `ValidationError`."""
    if isinstance(source, Media):
        mime_type, filename = mime_type or source.mime_type, filename or source.filename
        if source.form not in ("bytes", "path"):
            raise ValidationError(f"media with a {source.form} cannot be uploaded", hint="pass bytes or a path")
        source = source.path if source.path is not None else await to_thread(_decode, source)
    if isinstance(source, bytes | bytearray):
        data, path, size, head = bytes(source), None, len(source), bytes(source[:64])
    else:
        if isinstance(source, str | os.PathLike):
            place = Path(source)
            filename = filename or place.name
        else:
            if not hasattr(source, "read"):
                hint = "pass a path, bytes, an open file or betterai.Media"
                raise ValidationError(f"{type(source).__name__} is no file", hint=hint)
            filename = filename or Path(str(getattr(source, "name", ""))).name
            place = Path(temporary.enter_context(await to_thread(_spool, source)).name)
        data, path = None, str(place)
        size, head = await to_thread(check_file, place)
    guess = mimetypes.guess_type(filename)[0]
    mime_type = mime_type or guess or sniff_mime_type(head) or "application/octet-stream"
    filename = filename or f"file{mimetypes.guess_extension(mime_type) or ''}"
    media = Media(kind=kind_of(mime_type), mime_type=mime_type, data=data, path=path, filename=filename)
    return FileUpload(media=media, filename=filename, mime_type=mime_type, size=size)


def _decode(media: Media) -> bytes:
    try:
        return media.to_bytes()
    except ValueError as error:
        raise ValidationError("media: its base64 text is damaged") from error


def _spool(file: IO[bytes]) -> Any:
    """An open file as one with a path: it may be sent more than once. It is removed when it is closed."""
    copy = NamedTemporaryFile(prefix="betterai-")  # noqa: SIM115 - closed by the caller's ExitStack
    shutil.copyfileobj(file, copy)
    copy.flush()
    return copy


_files = Files()
upload = _files.upload
get = _files.get
download = _files.download
delete = _files.delete
list = _files.list
