"""Media on the way out: files and URLs are loaded, looked at and capped; private addresses are out of reach."""

from __future__ import annotations

import asyncio
import os
import threading
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai.core.exceptions import BetterAIError, UnsupportedParam, ValidationError
from betterai.core.media import Media, parse_data_url
from betterai.core.message import MediaPart, Message, Text, ToolResult
from betterai.runtime.media import loading as module
from betterai.runtime.media.loading import find_mime_type, load_media, load_one, needs_loading, sniff_mime_type
from betterai.wire.openai_chat import OpenAIChat
from runtime.providers import PROVIDER, ask, connect
from runtime.upstream import Upstream, answer, reply
from together import each

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
WAV = b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 30
BYTES, URL = frozenset({"bytes"}), frozenset({"url"})

HEADS: dict[bytes, str] = {
    PNG: "image/png", b"\xff\xd8\xff\xe0": "image/jpeg", b"GIF89a": "image/gif", b"RIFF\0\0\0\0WEBPVP8 ": "image/webp",
    WAV: "audio/wav", b"%PDF-1.7": "application/pdf", b"ID3\x04": "audio/mpeg", b"\xff\xfb\x90": "audio/mpeg",
    b"OggS": "audio/ogg", b"fLaC": "audio/flac", b"\x1aE\xdf\xa3": "video/webm", b"\0\0\0 ftypisom": "video/mp4",
    b"\0\0\0 ftypM4A ": "audio/mp4", b"\0\0\0 ftypavif": "image/avif", b"\0\0\0 ftypheic": "image/heic",
    b"\0\0\0 ftypqt  ": "video/quicktime", b"RIFF\0\0\0\0AVI ": "", b"": "", b"plain": "",
}  # fmt: skip


@each(("head", "mime_type"), HEADS.items(), ids=lambda value: repr(value)[:24])
def test_the_first_bytes_show_the_type(head: bytes, mime_type: str) -> None:
    assert sniff_mime_type(head) == mime_type


@pytest.mark.parametrize(
    ("media", "head", "said", "mime_type"),
    [
        (Media(kind="image", mime_type="image/x-mine", data=PNG), PNG, "", "image/x-mine"),
        (Media(kind="image", data=PNG, filename="x.jpg"), PNG, "image/gif", "image/png"),
        (Media(kind="image", data=b"?", filename="x.jpg"), b"?", "image/gif", "image/jpeg"),
        (Media(kind="image", data=b"?"), b"?", "image/gif", "image/gif"),
        (Media(kind="image", data=b"?"), b"?", "", "image/png"),
        (Media(kind="audio", data=b"?"), b"\x1aE\xdf\xa3", "", "audio/webm"),
        (Media(kind="audio", data=b"?"), b"\0\0\0 ftypisom", "", "audio/mp4"),
        (Media(kind="document", data=b"?", filename="notes.txt"), b"?", "", "text/plain"),
    ],
)
def test_what_is_stated_wins_then_what_is_shown_then_the_name(
    media: Media, head: bytes, said: str, mime_type: str
) -> None:
    assert find_mime_type(media, head, said) == mime_type


async def sent_for(media: Media, **config: Any) -> Any:
    """What goes out for one medium: the content part of the message."""
    with Upstream(answer()) as upstream:
        await ask(connect(upstream.url, **config), messages=Message(role="user", parts=(MediaPart(media=media),)))
        (part,) = upstream.requests[0].body["messages"][0]["content"]
    return part


async def test_a_file_is_read_and_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "picture.bin"
    file.write_bytes(PNG)
    part = await sent_for(Media(kind="image", path=str(file)))
    sent = parse_data_url("image", part["image_url"]["url"])
    assert (sent.mime_type, sent.to_bytes()) == ("image/png", PNG)


async def test_a_documents_name_goes_with_it(tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(b"%PDF-1.7 x")
    part = await sent_for(Media(kind="document", path=str(file)))
    assert part["file"]["filename"] == "report.pdf"
    assert part["file"]["file_data"].startswith("data:application/pdf;base64,")


@pytest.mark.parametrize("form", ["data", "base64"])
async def test_bytes_without_a_type_are_looked_at(form: str) -> None:
    given = {"data": WAV} if form == "data" else {"base64": b64encode(WAV).decode()}
    part = await sent_for(Media(kind="audio", **given))  # type: ignore[arg-type]
    assert part["input_audio"]["format"] == "wav"
    assert b64decode(part["input_audio"]["data"]) == WAV


async def test_a_url_that_the_provider_takes_is_passed_on() -> None:
    part = await sent_for(Media(kind="image", url="https://example.com/x.png?sig=1"))
    assert part["image_url"]["url"] == "https://example.com/x.png?sig=1"


@pytest.mark.parametrize("url", ["data:audio/wav;base64,", "data:;base64,"])
async def test_a_data_url_is_read_and_not_fetched(url: str) -> None:
    part = await sent_for(Media(kind="audio", url=url + b64encode(WAV).decode()))
    assert part["input_audio"] == {"data": b64encode(WAV).decode(), "format": "wav"}


async def test_a_data_url_without_base64_goes_where_urls_are_taken_and_is_refused_elsewhere() -> None:
    part = await sent_for(Media(kind="image", url="data:image/svg+xml,<svg/>"))
    assert part["image_url"]["url"] == "data:image/svg+xml,<svg/>"
    with pytest.raises(ValidationError, match="base64"):
        await sent_for(Media(kind="audio", url="data:audio/wav,RIFF"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0"])
async def test_x3_a_url_to_a_private_address_is_refused(host: str) -> None:
    with Upstream(answer()) as upstream:
        url = f"http://{host}:{upstream.port}/secret?token=canary"
        with pytest.raises(BetterAIError) as caught:
            await ask(connect(upstream.url), messages=Message.user("x", Media(kind="audio", url=url)))
        assert upstream.requests == []
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "/etc/passwd", "ftp://example.com/x", "http://", "http://[::1", "gopher://x/1"]
)
async def test_x3_a_url_that_is_none_is_refused(url: str) -> None:
    with Upstream(answer()) as upstream:
        with pytest.raises(ValidationError, match="not an http or https URL"):
            await ask(connect(upstream.url), messages=Message.user("x", Media(kind="audio", url=url)))
        assert upstream.requests == []


class Elsewhere:
    """A transport that answers each URL with what it is told: the network's part in loading, without the guard."""

    def __init__(self, status: int = 200, body: bytes = WAV, content_type: str = "audio/wav") -> None:
        from betterai.core.wire import WireResponse

        self.reply = WireResponse(status=status, headers={"content-type": content_type}, body=body)
        self.requests: list[Any] = []

    async def send(self, request: Any, endpoint: Any, limits: Any) -> Any:
        self.requests.append((request, endpoint))
        return self.reply


async def fetch(elsewhere: Elsewhere, **media: Any) -> Media:
    limits = betterai.Timeout()
    return await load_one(Media(**{"kind": "audio", "url": "https://h/x", **media}), BYTES, elsewhere, limits)  # type: ignore[arg-type]


async def test_x3_a_url_is_fetched_as_foreign_and_without_a_key() -> None:
    elsewhere = Elsewhere()
    loaded = await fetch(elsewhere, transcript="hello", filename="x")
    assert (loaded.data, loaded.mime_type, loaded.url, loaded.transcript) == (WAV, "audio/wav", None, "hello")
    ((request, endpoint),) = elsewhere.requests
    assert (request.trust, request.method, request.safe_to_repeat) == ("foreign", "GET", True)
    assert endpoint.values == {}


async def test_what_the_server_says_counts_where_the_bytes_show_nothing() -> None:
    loaded = await fetch(Elsewhere(body=b"?", content_type="audio/x-odd; rate=1"))
    assert loaded.mime_type == "audio/x-odd"


@pytest.mark.parametrize(("status", "content_type"), [(404, "audio/wav"), (204, ""), (200, "text/html; charset=utf-8")])
async def test_j5_what_is_no_media_is_refused_without_showing_the_query(status: int, content_type: str) -> None:
    with pytest.raises(ValidationError, match="https://h/x") as caught:
        await fetch(Elsewhere(status, b"<html>", content_type), url="https://user:canary@h/x?sig=canary")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("path", ["/nowhere/x.png", "/", "/dev/zero", "a\0b", ""])
async def test_a_path_that_is_no_file_is_refused_before_anything_is_sent(path: str) -> None:
    with Upstream(answer()) as upstream:
        with pytest.raises(ValidationError, match="cannot read"):
            await ask(connect(upstream.url), messages=Message.user("x", Media(kind="image", path=path)))
        assert upstream.requests == []


async def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValidationError, match="not a file"):
        await load_one(Media(kind="image", path=str(tmp_path / "pipe")), BYTES, None, betterai.Timeout())  # type: ignore[arg-type]


async def test_j5_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "large.bin"
    with file.open("wb") as large:
        large.truncate(module.MAX_MEDIA_BYTES + 1)  # sparse: takes no space
    with pytest.raises(ValidationError, match=f"at most {module.MAX_MEDIA_BYTES}"):
        await load_one(Media(kind="image", path=str(file)), BYTES, None, betterai.Timeout())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("media", "forms"),
    [
        (Media(kind="video", data=b"x", mime_type="video/mp4"), frozenset()),
        (Media(kind="image", path="x.png"), URL),
        (Media(kind="image", data=PNG), URL),
        (Media(kind="image", file_id="f"), BYTES),
    ],
)
async def test_t1_a_form_that_cannot_be_sent_raises(media: Media, forms: frozenset[str]) -> None:
    with pytest.raises(UnsupportedParam) as caught:
        await load_one(media, forms, None, betterai.Timeout())  # type: ignore[arg-type]
    assert caught.value.param == "media"


async def test_only_what_must_be_is_loaded() -> None:
    ready = Media(kind="image", data=PNG, mime_type="image/png")
    untouched = (Message.user("x", ready, Media(kind="image", url="https://h/x")), Message.assistant("y"))
    assert not needs_loading(untouched, OpenAIChat.accepts)
    assert needs_loading((Message.user("x", Media(kind="image", data=PNG)),), OpenAIChat.accepts)
    result = ToolResult(id="c", parts=(Text(text="x"), MediaPart(media=Media(kind="image", data=PNG))))
    history = (Message(role="tool", parts=(result,)),)
    assert needs_loading(history, OpenAIChat.accepts)
    (loaded,) = await load_media(history, OpenAIChat.accepts, None, betterai.Timeout())  # type: ignore[arg-type]
    part = loaded.parts[0]
    assert isinstance(part, ToolResult)
    assert part.parts == (Text(text="x"), MediaPart(media=ready))


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_p5_a_large_body_is_written_in_a_thread_and_a_small_one_is_not(streaming: bool) -> None:
    class Watched(OpenAIChat):
        threads: list[bool]

        def build_request(self, call: Any) -> Any:
            self.threads.append(threading.current_thread() is threading.main_thread())
            return super().build_request(call)

    from betterai.core.config import CoreConfig
    from betterai.runtime.text import CodecTextProvider
    from runtime.providers import MODEL

    codec = Watched()
    codec.threads = []
    with Upstream(answer()) as upstream:
        provider = CodecTextProvider(PROVIDER, codec, CoreConfig(base_url=upstream.url, api_key="key"), MODEL)
        for size in (10, 1024 * 1024 + 1):
            large = Media(kind="image", data=b"x" * size, mime_type="image/png")
            await ask(provider, streaming=streaming, messages=Message.user("x", large))
        assert len(upstream.requests[1].raw) > 1024 * 1024
    assert codec.threads == [True, False]


async def test_p5_a_file_is_read_beside_the_loop(tmp_path: Path) -> None:
    file = tmp_path / "file.png"
    file.write_bytes(PNG)
    loading = asyncio.ensure_future(load_one(Media(kind="image", path=str(file)), BYTES, None, betterai.Timeout()))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert not loading.done(), "what a thread does is known in a later round of the loop"
    assert (await loading).data == PNG


async def test_media_of_a_foreign_host_come_from_a_real_server_where_it_is_public_only() -> None:
    """The guard is on the address, so that a private base URL does not open the way for users' URLs."""
    with Upstream(answer(), reply(200, WAV, content_type="audio/wav")) as upstream:
        provider = connect(upstream.url)
        await ask(provider)
        with pytest.raises(BetterAIError):
            await ask(provider, messages=Message.user("x", Media(kind="audio", url=f"{upstream.url}/x.wav")))
        assert len(upstream.requests) == 1
