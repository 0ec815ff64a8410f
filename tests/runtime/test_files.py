"""Files at providers: uploaded, looked after, and sent to nobody but their owner."""

from __future__ import annotations

import asyncio
import io
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

import betterai
from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    BetterAIError,
    ConfigurationError,
    UnsupportedParam,
    ValidationError,
)
from betterai.core.media import Media
from betterai.core.message import Message
from betterai.core.results import FileHandle
from betterai.providers.openai.files import OpenAIFiles
from betterai.runtime import attempts
from runtime.file_services import FileService
from shapes.server import serve

VENDORS = ("openai", "anthropic", "google")
ALL = pytest.mark.parametrize("vendor", [*VENDORS, "mistral", "xai"])
EACH = pytest.mark.parametrize("vendor", VENDORS)
KEY = "key-of-one-account"


@asynccontextmanager
async def keep(vendor: str, **options: Any) -> AsyncIterator[tuple[betterai.Client, FileService, str]]:
    service = FileService(vendor, KEY, **options)
    async with serve(service.answer) as url:
        config = betterai.CoreConfig(api_key=KEY, base_url=url, retries=betterai.Retries(base=0.001))
        async with betterai.Client(config) as client:
            yield client, service, url


@EACH
@pytest.mark.parametrize("form", ["path", "text path", "bytes", "media", "media path", "base64", "open file", "stream"])
async def test_all_forms_of_a_file_are_uploaded(vendor: str, form: str, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"%PDF-1.7 " + bytes(1000))
    data = path.read_bytes()
    opened = path.open("rb")
    source = {
        "path": path,
        "text path": str(path),
        "bytes": data,
        "media": Media(kind="document", data=data, filename="report.pdf"),
        "media path": Media(kind="document", path=str(path)),
        "base64": Media(kind="document", base64=Media(kind="document", data=data).to_base64()),
        "open file": opened,
        "stream": io.BytesIO(data),
    }[form]
    async with keep(vendor) as (client, service, _):
        handle = await client.files.upload(vendor, source)  # type: ignore[arg-type]
    opened.close()
    named = form not in ("bytes", "base64", "stream")
    assert handle.filename == ("report.pdf" if named else "file.pdf")
    assert (handle.provider, handle.size, handle.mime_type) == (vendor, 1009, "application/pdf")
    assert handle.id in service.files
    assert len(handle.account) == 16
    assert KEY not in repr(handle)


async def test_what_is_said_of_a_file_reaches_the_vendor() -> None:
    async with keep("openai") as (client, service, _):
        await client.files.upload("openai", b"{}", filename="a.jsonl", purpose="batch", expires_in=3600)
        assert service.fields == {
            "purpose": "batch", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"
        }  # fmt: skip
        await client.files.upload("openai/gpt-6-luna", b"x", filename="a.txt")
        assert service.fields["purpose"] == "user_data"
    async with keep("anthropic") as (client, service, _):
        await client.files.upload("anthropic", b"x", expires_in=3600)
        assert service.fields == {"expires_in_seconds": "3600"}


@pytest.mark.parametrize(
    ("vendor", "options"),
    [("anthropic", {"purpose": "batch"}), ("google", {"purpose": "batch"}), ("google", {"expires_in": 60})],
)
async def test_what_a_vendor_does_not_know_is_refused(vendor: str, options: dict[str, Any]) -> None:
    async with keep(vendor) as (client, service, _):
        with pytest.raises(UnsupportedParam) as caught:
            await client.files.upload(vendor, b"x", **options)
        assert service.requests == []
    assert caught.value.param in options
    assert caught.value.provider == vendor


def quick_clock(slept: list[float]) -> attempts.Clock:
    """Sleeps take no time and are remembered."""

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    return msgspec.structs.replace(attempts.SYSTEM_CLOCK, sleep=sleep)


async def test_films_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("betterai.runtime.files.SYSTEM_CLOCK", quick_clock(slept))
    async with keep("google", looks=3) as (client, service, _):
        handle = await client.files.upload("google", b"film", filename="film.mp4")
        assert service.requests.count("GET /v1beta/files/1") == 3
    assert handle.state == "ACTIVE"
    assert [round(seconds) for seconds in slept] == [1, 2, 4]


@ALL
async def test_files_are_got_listed_and_deleted(vendor: str) -> None:
    async with keep(vendor) as (client, service, _):
        handles = [await client.files.upload(vendor, b"x" * size, filename="a.txt") for size in range(1, 6)]
        assert [file.id for file in await client.files.list(vendor)] == [file.id for file in handles]
        found = await client.files.get(handles[1])
        assert (found.id, found.size, found.owner) == (handles[1].id, 2, handles[1].owner)
        assert (await client.files.get(handles[1].id, vendor)).size == 2
        await client.files.delete(handles[1])
        assert handles[1].id not in service.files
        with pytest.raises(BadRequestError) as caught:
            await client.files.get(handles[1])
        with pytest.raises(ValidationError, match="does not say where"):
            await client.files.get("file-1")
    assert (caught.value.status, caught.value.provider) == (404, vendor)


@EACH
async def test_uploads_are_tried_again(vendor: str) -> None:
    async with keep(vendor) as (client, service, _):
        service.failures = [503]
        await client.files.upload(vendor, b"x")
        assert len(service.files) == 1
        service.failures = [401]
        with pytest.raises(AuthenticationError):
            await client.files.upload(vendor, b"x")


@pytest.mark.parametrize("form", ["path", "bytes"])
async def test_an_upload_in_steps_goes_on_where_it_broke_off(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("betterai.runtime.files.SYSTEM_CLOCK", quick_clock([]))
    path = tmp_path / "film.mp4"
    path.write_bytes(b"x" * 5_000_000)
    async with keep("google") as (client, service, _):
        service.break_at = [1_000_000, 3_000_000]
        handle = await client.files.upload("google", path if form == "path" else path.read_bytes())
        assert service.requests.count("POST /upload/v1beta/files") == 1 + 3 + 2
        assert handle.size == 5_000_000
        service.break_at = [1] * 9
        with pytest.raises(betterai.APIConnectionError):
            await client.files.upload("google", path)


@ALL
async def test_what_is_too_large_is_not_sent(vendor: str, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(9_000_000_000)
    async with keep(vendor) as (client, service, _):
        with pytest.raises(ValidationError, match="9000000000 bytes"):
            await client.files.upload(vendor, path)
        assert service.requests == []


@EACH
async def test_large_files_are_not_read_whole(vendor: str, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(48 * 1024 * 1024)
    async with keep(vendor) as (client, _, _):
        await client.files.upload(vendor, b"warm")
        tracemalloc.start()
        try:
            handle = await client.files.upload(vendor, path)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert handle.size == 48 * 1024 * 1024
    assert peak < 4 * 1024 * 1024


@ALL
async def test_files_are_downloaded_into_files(vendor: str, tmp_path: Path) -> None:
    async with keep(vendor) as (client, service, url):
        handle = await client.files.upload(vendor, b"content", filename="a.txt")
        service.contents[handle.id.removeprefix("files/")] = b"content"
        folder = tmp_path / "there"
        folder.mkdir()
        places = [await client.files.download(handle, folder) for _ in range(2)]
        assert [place.name for place in places] == ["a.txt", "a-1.txt"]
        assert await client.files.download(handle.id, folder / "b.txt", vendor) == folder / "b.txt"
        assert (await client.files.download(handle.id, folder, vendor)).name == "a-2.txt"
        assert {place.read_bytes() for place in folder.iterdir()} == {b"content"}
        sly = msgspec.structs.replace(handle, filename="../../etc/.passwd")
        assert await client.files.download(sly, folder) == folder / "passwd"
        service.contents.clear()
        with pytest.raises(BadRequestError, match="no content"):
            await client.files.download(handle, folder / "c.txt")
        with pytest.raises(UnsupportedParam, match="another account"):
            await client.files.download(handle, folder, config=other_key(url))
        assert len(list(folder.iterdir())) == 5


async def test_openais_large_files_go_in_parts_and_a_part_that_broke_off_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAIFiles, "most_at_once", 1_000_000)
    monkeypatch.setattr(OpenAIFiles, "part_bytes", 400_000)
    path = tmp_path / "large.bin"
    path.write_bytes(b"x" * 1_100_000)
    async with keep("openai") as (client, service, _):
        service.failures = [0, 503]
        handle = await client.files.upload("openai", path, purpose="batch", expires_in=3600)
        assert (handle.size, handle.purpose, handle.provider) == (1_100_000, "batch", "openai")
        upload = service.uploads["upload_1"]
        assert list(upload["parts"].values()) == [400_000, 400_000, 300_000]
        assert upload["expires_after"] == {"anchor": "created_at", "seconds": 3600}
        assert service.requests.count("POST /uploads/upload_1/parts") == 4
        data = await client.files.upload("openai", path.read_bytes())
        assert data.size == 1_100_000


async def test_a_missing_file_is_an_error_of_ours() -> None:
    async with keep("openai") as (client, service, _):
        with pytest.raises(ValidationError, match="cannot read"):
            await client.files.upload("openai", "there-is-none.txt")
        with pytest.raises(ValidationError, match="cannot be uploaded"):
            await client.files.upload("openai", Media(kind="image", url="https://example.com/a.png"))
        assert service.requests == []
    with pytest.raises(ConfigurationError, match="no files are kept"):
        await betterai.files.upload("groq", b"x")


def other_key(url: str) -> betterai.CoreConfig:
    return betterai.CoreConfig(api_key="key-of-another-account", base_url=url)


@pytest.mark.parametrize(
    ("model", "config", "said"),
    [
        ("openai/gpt-6-luna", other_key, "another account or address of openai"),
        ("openai/gpt-6-luna", lambda url: betterai.CoreConfig(api_key=KEY, base_url=f"{url}/v2"), "another account"),
        ("groq/openai/gpt-oss-120b", lambda url: betterai.CoreConfig(api_key=KEY, base_url=url), "belongs to openai"),
    ],
)
async def test_r7_files_are_sent_to_their_owner_only(
    model: str, config: Callable[[str], betterai.CoreConfig], said: str
) -> None:
    async with keep("openai") as (client, service, url):
        handle = await client.files.upload("openai", b"%PDF-", filename="a.pdf")
        stored = msgspec.json.decode(msgspec.json.encode(handle), type=FileHandle)
        question = Message.user("What is this?", stored.media())
        before = len(service.requests)
        for stream in (False, True):
            asked = client.stream if stream else client.generate
            with pytest.raises(UnsupportedParam, match=said) as caught:
                await asked(model, question, config=config(url))
            assert caught.value.param == "media"
        if model.startswith("openai"):
            with pytest.raises(UnsupportedParam, match=said):
                await client.files.delete(stored, config=config(url))
        assert len(service.requests) == before


async def test_owners_may_send_their_files() -> None:
    async with keep("openai") as (client, service, _):
        handle = await client.files.upload("openai", b"%PDF-", filename="a.pdf")
        with pytest.raises(BetterAIError):
            await client.generate("openai/gpt-6-luna", Message.user("What is this?", handle.media()))
    assert service.requests[-1] == "POST /responses"


def test_a_handle_becomes_the_media_that_it_is() -> None:
    handle = FileHandle(id="files/1", provider="google", account="a1", mime_type="video/mp4", reference="https://uri")
    media = handle.media()
    assert (media.kind, media.file_id, media.owner, media.form) == ("video", "https://uri", "google#a1", "file_id")
    assert handle.media("document").kind == "document"
    assert FileHandle(id="f", mime_type="text/csv").media() == Media(kind="document", file_id="f", mime_type="text/csv")


class Named(betterai.BaseTextProvider):
    """The handbook's way; it is not asked."""

    def __init__(self, api_key: str = "") -> None:
        self.api_key = api_key

    async def generate(self, messages: Any, model: str, settings: Any) -> betterai.ProviderResponse:
        raise AssertionError("not asked")


async def test_classes_are_given_no_files_of_others() -> None:
    betterai.register_text_provider("named", Named, replace=True)
    media = Media(kind="document", file_id="f", owner="openai#a1")
    with pytest.raises(UnsupportedParam, match="kept at a provider"):
        await betterai.generate("named/m", Message.user("?", media))


async def upload_with_sdk(vendor: str, url: str, path: Path) -> str:
    """The id that the vendor's own library reads."""
    if vendor == "openai":
        openai = pytest.importorskip("openai", reason="needs betterai[dev]")
        async with openai.AsyncOpenAI(api_key=KEY, base_url=url) as client:
            return str((await client.files.create(file=path, purpose="user_data")).id)
    if vendor == "anthropic":
        anthropic = pytest.importorskip("anthropic", reason="needs betterai[dev]")
        async with anthropic.AsyncAnthropic(api_key=KEY, base_url=url) as client:
            return str((await client.beta.files.upload(file=path)).id)
    genai = pytest.importorskip("google.genai", reason="needs betterai[dev]")
    options = genai.types.HttpOptions(base_url=url, api_version="v1beta")
    with genai.Client(api_key=KEY, http_options=options) as google:
        return str((await asyncio.to_thread(google.files.upload, file=str(path))).name)


@EACH
async def test_the_official_sdks_ask_the_same(vendor: str, tmp_path: Path) -> None:
    """They judge the double, and with it that our requests are those that the service knows."""
    path = tmp_path / "report.txt"
    path.write_text("Sales rose.")
    async with keep(vendor) as (client, service, url):
        ours = await client.files.upload(vendor, path)
        asked, kept, fields = list(service.requests), dict(service.files[ours.id]), dict(service.fields)
        service.requests.clear()
        service.fields.clear()
        theirs = await upload_with_sdk(vendor, url, path)
        assert service.requests == asked
        assert service.fields == fields
        for name in ("id", "name", "uri", "displayName"):
            kept.pop(name, None)
        assert kept.items() <= service.files[theirs].items()


def test_files_without_async(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service, files = FileService("openai", KEY), betterai.sync.files
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def act() -> None:
        handle = files.upload("openai", b"content", filename="a.txt")
        assert [file.id for file in files.list("openai")] == [files.get(handle).id]
        assert files.download(handle, tmp_path).read_text() == "content"
        files.delete(handle)
        assert files.list("openai") == ()

    async def play() -> None:
        async with serve(service.answer) as url:
            monkeypatch.setenv("OPENAI_BASE_URL", url)
            await asyncio.to_thread(act)

    asyncio.run(play())
