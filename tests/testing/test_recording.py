"""Recording and replaying, against a real server that says how often it was asked."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

import betterai
from betterai.core.config import CoreConfig
from betterai.core.media import Media
from betterai.core.provider import BearerAuth, HeaderAuth, Provider, QueryAuth
from betterai.core.wire import Field, Multipart, WireRequest
from betterai.runtime.connection import Connection
from betterai.runtime.replay.exchanges import replay_paths
from betterai.runtime.sessions.duplex import open_session
from betterai.runtime.text import CodecTextProvider
from betterai.testing import RecordingError, RecordingMissing, RecordingUnused, record, replay
from betterai.wire.openai_chat import OpenAIChat
from runtime.providers import MODEL, PROVIDER, ask, connect
from runtime.upstream import DONE, Upstream, answer, event, reply, stream, streamed

CANARY = "canary/53cr3t+9-0123456789"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(answer("one"), answer("two"), answer("three")) as upstream:
        yield upstream


def say(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def exchanges(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(folder.glob("0*.json"))]


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def read_all(folder: Path) -> str:
    return "\n".join(file.read_text() for file in sorted(folder.rglob("*")) if file.is_file())


async def test_a_recorded_call_is_given_back_without_the_network(folder: Path, upstream: Upstream) -> None:
    with record(folder):
        recorded = await ask(connect(upstream.url), messages=say("Hi"), temperature=0.5)
    with replay(folder):
        replayed = await ask(connect(upstream.url), messages=say("Hi"), temperature=0.5)

    assert len(upstream.requests) == 1
    assert (replayed.content, replayed.usage, replayed.message) == (recorded.content, recorded.usage, recorded.message)
    assert json.loads(replayed.body) == json.loads(recorded.body)


async def test_a_stream_is_given_back_in_the_pieces_in_which_it_came(folder: Path) -> None:
    pieces = ["data: ", json.dumps({"choices": [{"index": 0, "delta": {"content": "Grüße"}}]}, ensure_ascii=False)]
    body = (
        "".join(pieces).encode() + b"\n\n" + event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}]) + DONE
    )
    cuts = [body[:70], body[70:95], body[95:]]
    with Upstream(stream(cuts, pause=0.02)) as upstream:
        with record(folder):
            recorded = await ask(connect(upstream.url), streaming=True)
        with replay(folder):
            replayed = await ask(connect(upstream.url), streaming=True)
    [exchange] = exchanges(folder)

    assert recorded.content == replayed.content == "Grüße"
    assert exchange["response"]["body_text"].encode() == body
    assert sum(exchange["response"]["pieces"]) == len(body)
    assert len(exchange["response"]["pieces"]) > 1
    assert (exchange["kind"], exchange["stream"]) == ("chat-stream", True)


async def test_an_error_is_recorded_and_its_retry_too(folder: Path) -> None:
    limited = reply(429, {"error": {"message": "slow down"}}, {"Retry-After": "0"})
    with Upstream(limited, answer("at last")) as upstream:
        with record(folder):
            await ask(connect(upstream.url))
        with replay(folder, require_all=True):
            replayed = await ask(connect(upstream.url))
        assert len(upstream.requests) == 2
    assert replayed.content == "at last"
    assert replayed.timing is not None
    assert [attempt.error for attempt in replayed.timing.attempts] == ["RateLimitError", ""]
    assert names(folder) == ["001-neutral-error.json", "002-neutral-chat.json"]


async def test_the_same_request_gets_its_recordings_in_order(folder: Path, upstream: Upstream) -> None:
    provider = connect(upstream.url)
    with record(folder):
        recorded = [(await ask(provider)).content for _ in range(3)]
    replayed: list[str] = []
    with replay(folder):
        replayed += [(await ask(provider)).content for _ in range(3)]
    assert replayed == recorded == ["one", "two", "three"]
    with pytest.raises(RecordingMissing, match="all 3 have been given"), replay(folder):
        replayed += [(await ask(provider)).content for _ in range(4)]
    assert len(upstream.requests) == 3


async def test_a_request_without_a_recording_says_what_is_nearest(folder: Path, upstream: Upstream) -> None:
    provider = connect(upstream.url)
    with record(folder):
        await ask(provider, messages=say("Hello"))
        await ask(provider, messages=say("Something else"), temperature=1.0, seed=7)
    with pytest.raises(RecordingMissing) as caught, replay(folder):
        await ask(provider, messages=say("Hullo"))
    error = caught.value

    assert not isinstance(error, betterai.ProviderError), "it is not tried again"
    assert error.nearest == "001-neutral-chat.json"
    assert error.differences == ("body/messages/0/content: 'Hullo' is not 'Hello'",)
    assert f"POST {upstream.url}/chat/completions" in str(error)
    assert "--betterai-record=new" in str(error)


async def test_a_program_that_swallows_the_miss_fails_all_the_same(folder: Path, upstream: Upstream) -> None:
    with pytest.raises(RecordingMissing), replay(folder), suppress(betterai.BetterAIError):
        await ask(connect(upstream.url))
    assert upstream.requests == []


async def test_fields_in_another_order_are_the_same_and_volatile_ones_can_be_ignored(
    folder: Path, upstream: Upstream
) -> None:
    provider = connect(upstream.url)
    with record(folder):
        await ask(provider, extra_body={"a": 1, "b": {"trace": "x", "c": 2}})
    with replay(folder, ignore=["trace"]):
        await ask(provider, extra_body={"b": {"c": 2.0, "trace": "y"}, "a": 1})
    with pytest.raises(RecordingMissing, match="trace"), replay(folder):
        await ask(provider, extra_body={"b": {"c": 2, "trace": "y"}, "a": 1})
    with pytest.raises(RecordingMissing, match="True is not 1"), replay(folder, ignore=["trace"]):
        await ask(provider, extra_body={"a": True, "b": {"c": 2}})


async def test_what_is_compared_can_be_chosen(folder: Path, upstream: Upstream) -> None:
    with record(folder):
        await ask(connect(upstream.url))
    with replay(folder, match_on=["method", "path", "body"]):
        assert (await ask(connect("https://elsewhere.example.com/v1"))).content == "one"
    with pytest.raises(RecordingMissing, match="host"), replay(folder):
        await ask(connect("https://elsewhere.example.com/v1"))
    with pytest.raises(betterai.ValidationError, match="hoast"), replay(folder, match_on=["hoast"]):
        pass


async def test_once_records_a_folder_once(folder: Path, upstream: Upstream) -> None:
    provider = connect(upstream.url)
    for _ in range(2):
        with record(folder):
            assert (await ask(provider)).content == "one"
    with pytest.raises(RecordingMissing), record(folder):
        await ask(provider, messages=say("new"))
    assert len(upstream.requests) == 1


async def test_new_adds_what_is_missing(folder: Path, upstream: Upstream) -> None:
    provider = connect(upstream.url)
    with record(folder, "new"):
        await ask(provider)
    before = exchanges(folder)
    with record(folder, "new"):
        assert (await ask(provider)).content == "one"
        assert (await ask(provider, messages=say("new"))).content == "two"
    assert exchanges(folder)[:1] == before
    assert names(folder) == ["001-neutral-chat.json", "002-neutral-chat.json"]


async def test_all_records_everything_anew_and_leaves_other_files(folder: Path, upstream: Upstream) -> None:
    provider = connect(upstream.url)
    with record(folder):
        await ask(provider)
        await ask(provider)
    write(folder / "notes.json", "{}")
    with record(folder, "all"):
        assert (await ask(provider)).content == "three"
    assert names(folder) == ["001-neutral-chat.json", "notes.json"]
    assert exchanges(folder)[0]["response"]["body"]["choices"][0]["message"]["content"] == "three"


async def test_a_block_that_raises_writes_nothing(folder: Path, tmp_path: Path, upstream: Upstream) -> None:
    provider = connect(upstream.url)
    with pytest.raises(ZeroDivisionError), record(folder):
        len((await ask(provider)).content) // 0
    assert names(tmp_path) == []


async def test_recordings_that_nobody_asks_for_can_fail(folder: Path, upstream: Upstream) -> None:
    provider = connect(upstream.url)
    with record(folder):
        await ask(provider)
        await ask(provider, messages=say("more"))
    with pytest.raises(RecordingUnused, match=r"002-neutral-chat\.json"), replay(folder, require_all=True):
        await ask(provider)
    with replay(folder) as recording:
        await ask(provider)
        assert recording.unused == ["002-neutral-chat.json"]


async def test_our_own_codecs_read_the_recordings(folder: Path) -> None:
    with Upstream(
        answer("whole"), stream(streamed(["in ", "pieces"])), reply(400, {"error": {"message": "no"}})
    ) as upstream:
        config = CoreConfig(model="together/neutral", base_url=upstream.url, api_key="key-0123", retries=0)
        provider = betterai.get_text_provider(config)
        with record(folder):
            await provider.generate(say("a"), "neutral", betterai.GenerationSettings())
            async for _ in provider.generate_stream(say("b"), "neutral", betterai.GenerationSettings()):
                pass
            with pytest.raises(betterai.BadRequestError):
                await provider.generate(say("c"), "neutral", betterai.GenerationSettings())
    reports = list(replay_paths([str(folder)]))

    assert [(report.provider, report.kind, report.verdict) for report in reports] == [
        ("together", "chat", "read"),
        ("together", "chat-stream", "read"),
        ("together", "error", "read"),
    ]
    assert [report.content for report in reports] == ["whole", "in pieces", ""]


async def test_a_stream_that_was_left_is_recorded_as_far_as_it_was_read(folder: Path) -> None:
    with Upstream(stream(streamed(["one ", "two"]), ending="hold")) as upstream:
        provider = connect(upstream.url)
        for mode in ("once", "none"):
            with record(folder, mode):  # type: ignore[arg-type]
                chunks = provider.generate_stream(say("Hi"), "", betterai.GenerationSettings())
                assert "one " in [chunk.content async for chunk in _until(chunks, "one ")]
                await chunks.aclose()
        assert len(upstream.requests) == 1


async def _until(chunks: Any, content: str) -> Any:
    async for chunk in chunks:
        yield chunk
        if chunk.content == content:
            return


async def test_bytes_files_and_forms_are_recorded(folder: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "in.bin", "\x00 file")
    form = Multipart(
        fields=(Field(name="a", value="text"), Field(name="b", value=Media(kind="audio", path=str(path)), filename="f"))
    )
    with Upstream(reply(200, b"\xff\xfe\x00", content_type="audio/wav")) as upstream:
        connection = Connection(PROVIDER, CoreConfig(base_url=upstream.url, api_key="key-0123"))
        for mode in ("once", "none"):
            with record(folder, mode):  # type: ignore[arg-type]
                limits, endpoint = betterai.Timeout(), connection.endpoint()
                request = WireRequest(url="/speech", body=form, reply="file")
                saved = await connection.transport.send(request, endpoint, limits)
                assert isinstance(saved.body, Path)
                assert saved.content == b"\xff\xfe\x00"
                saved.body.unlink()
        assert len(upstream.requests) == 1
    [exchange] = exchanges(folder)
    assert exchange["kind"] == "speech"
    assert [field["name"] for field in exchange["request"]["body"]["_multipart"]] == ["a", "b"]
    assert exchange["request"]["body"]["_multipart"][1]["value"]["_binary"] == 6


async def test_a_session_over_a_websocket_is_not_passed_by_in_silence(folder: Path) -> None:
    class Talk:
        def connect(self, call: Any) -> WireRequest:
            return WireRequest(url="/talk")

    connection = Connection(PROVIDER, CoreConfig(base_url="http://127.0.0.1:9/v1", api_key="key-0123"))
    with pytest.raises(RecordingError, match="WebSocket"), record(folder):
        await open_session(Talk(), None, connection)  # type: ignore[arg-type]


async def test_a_file_that_is_no_recording_is_named(folder: Path) -> None:
    write(folder / "001.json", '{"a": 1}')
    with pytest.raises(RecordingError, match=r"001\.json"), replay(folder):
        pass


async def test_a_single_file_can_be_replayed_but_not_added_to(folder: Path, upstream: Upstream) -> None:
    with record(folder):
        await ask(connect(upstream.url))
    file = folder / "001-neutral-chat.json"
    with replay(file):
        assert (await ask(connect(upstream.url))).content == "one"
    with pytest.raises(betterai.ValidationError, match="folder"), record(file, "new"):
        pass


def test_a_mode_that_is_none_is_named(folder: Path) -> None:
    with pytest.raises(betterai.ValidationError, match="always"), record(folder, "always"):  # type: ignore[arg-type]
        pass


def test_the_sync_face_is_recorded(folder: Path, upstream: Upstream) -> None:
    config = CoreConfig(base_url=upstream.url, api_key="key-0123", model="together/neutral")
    for mode in ("once", "none"):
        with record(folder, mode):  # type: ignore[arg-type]
            assert betterai.sync.generate("", "Hi", config=config).content == "one"
    assert len(upstream.requests) == 1


async def test_calls_at_once_find_their_own_recordings(folder: Path) -> None:
    with Upstream(answer("x")) as upstream:
        provider = connect(upstream.url)
        for mode in ("once", "none"):
            with record(folder, mode):  # type: ignore[arg-type]
                await asyncio.gather(*(ask(provider, messages=say(str(number))) for number in range(8)))
        assert len(upstream.requests) == 8
    assert len(names(folder)) == 8


# ── secrets ──


AUTHS: dict[str, Any] = {
    "bearer": BearerAuth(),
    "header": HeaderAuth(header="X-Odd-Name"),
    "query": QueryAuth(parameter="k"),
}


def spellings(secret: str) -> list[str]:
    written = json.dumps(secret)[1:-1]
    return [secret, quote(secret, safe=""), written, written.replace("/", "\\/"), b64encode(secret.encode()).decode()]


def echo(secret: str) -> bytes:
    """A reply that repeats a secret in every spelling."""
    said = " ".join(spellings(secret))
    return json.dumps(
        {
            "error": {
                "message": f"{said} of acme-corp-77",
                secret: [{"deep": said}],
                "url": f"https://x/?k={quote(secret)}",
            }
        }
    ).encode()


@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize("streaming", [False, True])
async def test_no_secret_gets_into_a_file(folder: Path, auth: str, streaming: bool) -> None:
    provider = Provider(
        name="keyed",
        base_url="{base_url}",
        settings=PROVIDER.settings,
        auth=AUTHS[auth],
        headers={"OpenAI-Organization": CANARY[::-1]},
    )
    headers = {"Set-Cookie": f"session={CANARY}", "Openai-Organization": "acme-corp-77", "X-Request-Id": CANARY}
    chunks = [b"data: " + echo(CANARY)[:40], echo(CANARY)[40:] + b"\n\n"]
    script = stream(chunks, headers=headers) if streaming else reply(400, echo(CANARY), headers)
    with Upstream(script) as upstream:
        config = CoreConfig(base_url=upstream.url, api_key=CANARY, retries=0)
        client = CodecTextProvider(provider, OpenAIChat(), config, MODEL)
        with record(folder), pytest.raises(betterai.BetterAIError):
            await ask(client, streaming=streaming, messages=say(f"my key is {CANARY}, from acme-corp-77"), user="u")
        sent = upstream.requests[0]
        assert CANARY in repr((sent.headers, sent.query)), "the key was sent, else this shows nothing"
    written = read_all(folder)

    assert "session=" not in written
    assert "acme-corp-77" not in json.dumps(exchanges(folder)[0]["response"])
    for secret in (*spellings(CANARY), CANARY[::-1]):
        assert secret not in written
    assert "***" in written


async def test_attributes_of_cookies_are_no_secrets(folder: Path) -> None:
    cookie = {"Set-Cookie": "id=0123456789; Path=/; Secure"}
    with Upstream(answer("a secure answer", cookie)) as upstream, record(folder):
        await ask(connect(upstream.url))
    assert "a secure answer" in read_all(folder)


async def test_secrets_in_what_the_caller_adds_do_not_get_into_a_file(folder: Path, upstream: Upstream) -> None:
    extra: dict[str, Any] = {
        "extra_headers": {"X-Gateway-Token": f"Bearer {CANARY}", "X-Tracing": "trace-canary"},
        "extra_query": {"sig": "signed-canary", "page": "2"},
        "extra_body": {"api_key": "body-canary", "nested": [{"client_secret": "deep-canary"}], "said": CANARY},
    }
    url = upstream.url.replace("http://", "http://login-name:pass-canary@")
    provider = PROVIDER
    provider = msgspec.structs.replace(provider, auth=HeaderAuth(header="X-Key"))
    client = CodecTextProvider(provider, OpenAIChat(), CoreConfig(base_url=url, api_key="key-canary"), MODEL)
    for mode in ("once", "none"):
        with record(folder, mode, secrets=["handed-canary"]):  # type: ignore[arg-type]
            await ask(client, messages=say("handed-canary sk-canary0123456789abcdef Bearer bearer-canary"), **extra)
    written = read_all(folder)

    assert len(upstream.requests) == 1
    assert "page=2" in written
    assert "canary" not in written.lower()


async def test_a_signed_url_of_media_keeps_nothing_of_its_query(folder: Path) -> None:
    connection = Connection(PROVIDER, CoreConfig(base_url="http://127.0.0.1:9/v1", api_key="key-0123"))
    request = WireRequest(
        url="https://files.example.com/a.png?X-Sig=canary&Expires=canary2", method="GET", trust="foreign"
    )
    with pytest.raises(RecordingMissing) as caught, replay(folder):
        await connection.transport.send(request, connection.endpoint(), betterai.Timeout())
    assert "files.example.com/a.png" in str(caught.value)
    assert "canary" not in str(caught.value)


async def test_the_last_word_is_the_users(folder: Path, upstream: Upstream) -> None:
    def scrub(exchange: dict[str, Any]) -> dict[str, Any]:
        return {**exchange, "request": None}

    with record(folder, scrub=scrub):
        await ask(connect(upstream.url), messages=say("private"))
    assert "private" not in read_all(folder)


async def test_another_key_finds_the_same_recording(folder: Path, upstream: Upstream) -> None:
    with record(folder):
        await ask(connect(upstream.url, api_key="one-key-0123"))
    with replay(folder):
        await ask(connect(upstream.url, api_key="another"))
    assert len(upstream.requests) == 1
