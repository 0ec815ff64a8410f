"""What is sent: forms, media, files, large bodies; and what of it is held in memory."""

from __future__ import annotations

import os
import tracemalloc
from base64 import b64encode
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from betterai.core.wire import Field, Multipart
from doubles.calls import LIMITS, at, post
from doubles.servers import answer, raw_server, web_server

SOUND = bytes(range(256)) * 400


@pytest.fixture
def sound(tmp_path):
    path = tmp_path / "sound file.wav"
    path.write_bytes(SOUND)
    return str(path)


def _audio(**fields: Any) -> Media:
    return Media(kind="audio", **fields)


async def _seen(transport, body, **fields) -> tuple[Any, bytes]:
    """Headers and body as the server has them."""
    seen: list[Any] = []

    async def handle(request):
        seen.extend((request.headers, await request.read()))
        return web.Response()

    async with web_server(handle) as url:
        await transport.send(post(body=body, **fields), at(url), LIMITS)
    return seen[0], seen[1]


SOURCES = {
    "bytes": lambda path: SOUND,
    "media of bytes": lambda path: _audio(data=SOUND),
    "media of base64": lambda path: _audio(base64=b64encode(SOUND).decode()),
    "media of a path": lambda path: _audio(path=path),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
async def test_a_body_arrives_as_it_is(transport, sound, source):
    headers, body = await _seen(transport, source(sound))
    assert body == SOUND
    assert headers["Content-Length"] == str(len(SOUND))


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "audio/wav"), ({"Content-Type": "audio/x"}, "audio/x"), ({"content-type": "audio/y"}, "audio/y")],
)
async def test_the_type_of_media_is_told(transport, given, expected):
    headers, _ = await _seen(transport, _audio(data=b"x", mime_type="audio/wav"), headers=given)
    assert headers.getall("Content-Type") == [expected]


async def _parts(transport, *fields: Field) -> list[dict[str, Any]]:
    """The form as aiohttp's reader has it."""
    parts: list[dict[str, Any]] = []

    async def handle(request):
        async for part in await request.multipart():
            content = bytes(await part.read())
            type_ = part.headers.get("Content-Type")
            parts.append({"name": part.name, "filename": part.filename, "type": type_, "content": content})
        return web.Response()

    async with web_server(handle) as url:
        await transport.send(post(body=Multipart(fields=fields)), at(url), LIMITS)
    return parts


async def test_a_form_is_read_as_it_was_meant(transport, sound):
    parts = await _parts(
        transport,
        Field(name="model", value="whisper-é"),
        Field(name="raw", value=b"\x00\xff"),
        Field(name="json", value="{}", mime_type="application/json"),
        Field(name="named", value=b"abc", filename="a.txt", mime_type="text/plain"),
        Field(name="file", value=_audio(data=SOUND, mime_type="audio/wav", filename="a b.wav")),
        Field(name="base64", value=_audio(base64=b64encode(SOUND).decode()), filename="rätsel.wav"),
        Field(name="path", value=_audio(path=sound, mime_type="audio/wav"), filename='a; "b".wav'),
        Field(name="empty", value=""),
    )
    assert parts == [
        {"name": "model", "filename": None, "type": None, "content": "whisper-é".encode()},
        {"name": "raw", "filename": None, "type": None, "content": b"\x00\xff"},
        {"name": "json", "filename": None, "type": "application/json", "content": b"{}"},
        {"name": "named", "filename": "a.txt", "type": "text/plain", "content": b"abc"},
        {"name": "file", "filename": "a b.wav", "type": "audio/wav", "content": SOUND},
        {"name": "base64", "filename": "rätsel.wav", "type": "application/octet-stream", "content": SOUND},
        {"name": "path", "filename": "a; %22b%22.wav", "type": "audio/wav", "content": SOUND},
        {"name": "empty", "filename": None, "type": None, "content": b""},
    ]


async def test_file_names_are_written_as_browsers_write_them(transport):
    """RFC 7578, 4.2: no filename*, and no percent signs that the other side would take for part of the name."""
    form = Multipart(fields=(Field(name="file", value=b"x", filename="ein lied ü.mp3"),))
    headers, body = await _seen(transport, form)
    assert headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert 'name="file"; filename="ein lied ü.mp3"\r\n'.encode() in body


async def test_a_name_cannot_become_a_header(transport):
    (part,) = await _parts(transport, Field(name='a"\r\nX-B: 1', value=b"x", filename='b"\r\nX-C: 1'))
    assert part == {
        "name": "a%22%0D%0AX-B: 1",
        "filename": "b%22%0D%0AX-C: 1",
        "type": "application/octet-stream",
        "content": b"x",
    }


@pytest.mark.parametrize("mime_type", ["text/plain\r\nX-B: 1", "text/plain\n"])
async def test_nor_can_a_type(transport, mime_type):
    async with raw_server(answer()) as server:
        form = Multipart(fields=(Field(name="a", value=b"x", mime_type=mime_type),))
        with pytest.raises(ValidationError):
            await transport.send(post(body=form), at(server.url), LIMITS)
        assert not any(peer.requests for peer in server.peers)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (_audio(path="/nowhere/a.wav"), r"cannot read /nowhere/a.wav: No such file"),
        (_audio(path="/"), r"cannot read /"),
        (_audio(base64="a$b"), "base64 text is damaged"),
        (_audio(url="https://example.com/a.wav"), "url must be loaded"),
        (_audio(file_id="f1"), "file_id must be loaded"),
        ({"a": 1}, "of type dict must be encoded"),
    ],
)
@pytest.mark.parametrize("in_form", [False, True])
async def test_what_cannot_be_sent_is_not(transport, body, text, in_form):
    if in_form:
        if not isinstance(body, Media):
            pytest.skip("a form holds no dict")
        body = Multipart(fields=(Field(name="a", value=body),))
    async with raw_server(answer()) as server:
        with pytest.raises(ValidationError, match=text):
            await transport.send(post(body=body), at(server.url), LIMITS)
        assert not any(peer.requests for peer in server.peers)


def _open_files() -> int:
    return len(os.listdir("/dev/fd"))


async def test_files_are_closed_whatever_happens(transport, sound):
    fields = tuple(Field(name="a", value=_audio(path=path)) for path in (sound, sound, "/nowhere"))
    async with raw_server(answer(status="500 No")) as server:
        await transport.send(post(body=_audio(path=sound)), at(server.url), LIMITS)
        before = _open_files()
        with pytest.raises(ValidationError):
            await transport.send(post(body=Multipart(fields=fields)), at(server.url), LIMITS)
        await transport.send(post(body=Multipart(fields=fields[:2])), at(server.url), LIMITS)
        await transport.send(post(body=_audio(path=sound)), at(server.url), LIMITS)
        assert _open_files() == before


async def _swallow(request: web.Request) -> web.Response:
    size = 0
    async for piece in request.content.iter_chunked(1 << 16):
        size += len(piece)
    return web.Response(text=str(size))


MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
async def test_p5_a_large_body_is_not_copied(transport, tmp_path, source):
    """20 MiB: a file is not read whole, bytes are not copied, base64 text is decoded once."""
    size = 20 * MEBIBYTE
    path = tmp_path / "large.bin"
    path.write_bytes(b"x" * size)
    whole = {"bytes": path.read_bytes(), "text": b64encode(path.read_bytes()).decode()}
    body: Any = {
        SOURCES["bytes"]: whole["bytes"],
        SOURCES["media of bytes"]: _audio(data=whole["bytes"]),
        SOURCES["media of base64"]: _audio(base64=whole["text"]),
        SOURCES["media of a path"]: _audio(path=str(path)),
    }[source]
    async with web_server(_swallow) as url:
        await transport.send(post(), at(url), LIMITS)
        tracemalloc.start()
        reply = await transport.send(post(body=body), at(url), LIMITS)
        extra = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert reply.body == str(size).encode()
    copies = {SOURCES["media of base64"]: 2.5}.get(source, 0.25)
    assert extra < copies * size


async def test_a_body_is_sent_before_the_answer_is_complete(transport):
    """An early answer, such as a refusal, does not wait for what is still to be sent, and keeps no connection."""

    async def refuse(peer):
        await peer.receive(b"\r\n\r\n")
        peer.reply(b"too large", status="413 No")

    async with raw_server(refuse) as server:
        reply = await transport.send(post(body=b"x" * 3_000_000), at(server.url), LIMITS)
    assert (reply.status, reply.body) == (413, b"too large")


async def test_large_bodies_raise_no_warning_of_aiohttp(transport):
    async with web_server(_swallow) as url:
        reply = await transport.send(post(body=b"x" * 3 * MEBIBYTE), at(url), LIMITS)
    assert reply.body == str(3 * MEBIBYTE).encode()
    assert aiohttp.payload.TOO_LARGE_BYTES_BODY < 3 * MEBIBYTE
