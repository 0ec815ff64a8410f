"""Media as values: from whatever there is, looked at, and saved whole or not at all."""

from __future__ import annotations

import io
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

import betterai
from betterai import Client, Media, read_media, save_media
from betterai.core.exceptions import APIConnectionError, ValidationError
from betterai.core.wire import WireRequest
from betterai.runtime.encoding import LARGE, encode_request
from betterai.runtime.media import sources
from betterai.transport.http import HTTPTransport
from shapes.server import serve

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 10
WAV = b"RIFF\x00\x00\x00\x00WAVEfmt sound"
MP4 = b"\x00\x00\x00\x18ftypmp42 film"


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 7):
        yield data[start : start + 7]


async def test_media_come_from_bytes_paths_files_and_streams_with_kind_and_type_as_they_show(tmp_path: Path) -> None:
    path = tmp_path / "unnamed"
    path.write_bytes(PNG)
    for source in (PNG, bytearray(PNG), memoryview(PNG), io.BytesIO(PNG), pieces(PNG), str(path), path):
        media = await read_media(source)
        assert (media.kind, media.mime_type) == ("image", "image/png")
        assert media.data == PNG or media.path == str(path)
    with path.open("rb") as file:
        media = await read_media(file)
    assert (media.data, media.filename) == (PNG, "unnamed")


@pytest.mark.parametrize(
    ("data", "kind", "mime_type"),
    [
        (WAV, "audio", "audio/wav"),
        (MP4, "video", "video/mp4"),
        (b"%PDF-1.7", "document", "application/pdf"),
        (b"?", "document", ""),
    ],
)
async def test_the_kind_is_what_the_first_bytes_show(data: bytes, kind: str, mime_type: str) -> None:
    media = await read_media(data)
    assert (media.kind, media.mime_type) == (kind, mime_type)


async def test_what_is_said_wins_and_a_box_of_film_may_hold_sound() -> None:
    assert (await read_media(MP4, "audio")).mime_type == "audio/mp4"
    assert (await read_media(b"?", "audio", mime_type="audio/x-odd", filename="a.odd")).mime_type == "audio/x-odd"
    media = Media(kind="image", data=b"?")
    assert await read_media(media) is media


async def test_urls_are_not_fetched_and_data_urls_are_read() -> None:
    media = await read_media("https://example.com/a/cat.png?sig=x")
    assert (media.kind, media.url) == ("image", "https://example.com/a/cat.png?sig=x")
    media = await read_media(f"data:image/png;base64,{b64encode(PNG).decode()}")
    assert (media.kind, media.to_bytes()) == ("image", PNG)


async def test_what_is_no_media_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="int is no"):
        await read_media(5)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="open for bytes"):
        await read_media(io.StringIO("text"))  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="cannot read"):
        await read_media(tmp_path / "nowhere.png")
    monkeypatch.setattr(sources, "MAX_MEDIA_BYTES", 10)
    with pytest.raises(ValidationError, match="more than 10 bytes"):
        await read_media(pieces(PNG))


async def test_saving_into_a_folder_finds_a_new_name_each_time(tmp_path: Path) -> None:
    first = await save_media(Media(kind="image", data=PNG), tmp_path)
    second = await save_media(Media(kind="image", base64=b64encode(PNG).decode()), tmp_path)
    third = await save_media(Media(kind="video", path=str(first), mime_type="video/mp4"), tmp_path)
    assert [place.name for place in (first, second, third)] == ["image-1.png", "image-2.png", "video-1.mp4"]
    assert {place.read_bytes() for place in (first, second, third)} == {PNG}
    assert first.stat().st_mode & 0o777 == 0o666 & ~_mask()


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


async def test_saving_to_a_file_replaces_it_and_what_fails_leaves_it(tmp_path: Path) -> None:
    place = tmp_path / "film.mp4"
    place.write_bytes(b"old")
    with pytest.raises(ValidationError, match="cannot save"):
        await save_media(Media(kind="video", base64="§"), place)
    assert place.read_bytes() == b"old"
    assert await save_media(Media(kind="video", data=MP4), place) == place
    assert place.read_bytes() == MP4
    with pytest.raises(ValidationError, match="cannot save"):
        await save_media(Media(kind="video", data=MP4), tmp_path / "no" / "such" / "film.mp4")
    with pytest.raises(ValidationError, match="kept at a provider"):
        await save_media(Media(kind="video", file_id="f-1"), place)
    assert os.listdir(tmp_path) == ["film.mp4"]


async def test_j5_a_url_is_fetched_into_the_file_without_a_key_and_from_public_places_only(tmp_path: Path) -> None:
    asked: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(dict(request.headers))
        if request.path == "/gone":
            return web.Response(status=403)
        return web.Response(body=PNG * 1000, content_type="image/png")

    async with serve(answer) as url:
        with pytest.raises((ValidationError, APIConnectionError)):
            await save_media(Media(kind="image", url=f"{url}/a"), tmp_path)
        assert asked == []
        client = Client(betterai.CoreConfig(api_key="secret-key-1"))
        client._transport = HTTPTransport(guard=_open_guard)
        place = await client.save_media(Media(kind="image", url=f"{url}/a.png?sig=1"), tmp_path)
        assert place.read_bytes() == PNG * 1000
        assert place.name == "image-1.png"
        assert "secret-key-1" not in repr(asked)
        with pytest.raises(ValidationError, match="answered HTTP 403") as caught:
            await client.save_media(Media(kind="image", url=f"{url}/gone?sig=canary"), tmp_path)
        assert "canary" not in str(caught.value)
        await client.aclose()


def _open_guard(address: object) -> object:
    import socket

    return socket.socket(address[0], address[1], address[2])  # type: ignore[index]


def test_base64_of_any_length_is_that_of_the_standard_library() -> None:
    """Long ones are turned in slices: at their edges nothing is lost, and no padding is overlooked."""
    edge = 3 * 128 * 1024
    for size in (0, 1, 2, 3, edge - 1, edge, edge + 1, 2 * edge + 2, 3 * edge):
        data = bytes(range(251)) * (size // 251 + 1)
        data = data[:size]
        text = b64encode(data).decode()
        assert Media(kind="image", data=data).to_base64() == text
        assert Media(kind="image", base64=text).to_bytes() == data
    text = b64encode(bytes(3 * edge)).decode()
    for damaged in (text[:-1], text[: edge // 3 * 4 - 1] + "=" + text[edge // 3 * 4 :], text[:100] + "!" + text[101:]):
        with pytest.raises(ValueError):
            Media(kind="image", base64=damaged).to_bytes()


def test_long_texts_are_written_in_slices_to_the_same_json() -> None:
    class Part(msgspec.Struct, rename="camel", omit_defaults=True):
        long_text: str = ""
        kept: msgspec.Raw = msgspec.Raw()
        more: tuple[Any, ...] = ()

    long = "A" * 3_000_000
    odd = 'é"\\\n\x01\u2028🙂' * 200_000
    part = Part(long_text=odd, kept=msgspec.Raw(b'{"a":1.50}'), more=({"deep": [long, None, 1.5]}, "short"))
    body = {"first": long, "part": part, "none": None, "b": "B" * (LARGE + 1), "plain": [1, "two"]}
    request = encode_request(WireRequest(url="/", body=body), {"extra": {"é": long}}, large=True)
    assert request.body == encode_request(WireRequest(url="/", body=body), {"extra": {"é": long}}).body
    with pytest.raises(ValidationError):
        encode_request(WireRequest(url="/", body={"a": object()}), large=True)
