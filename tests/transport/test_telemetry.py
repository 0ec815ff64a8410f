"""What is told of an attempt: once, how it ended, and nothing of what it carried."""

from __future__ import annotations

import asyncio
import logging

import pytest

from betterai.core.exceptions import BetterAIError, ConfigurationError
from betterai.core.provider import BearerAuth, QueryAuth
from betterai.transport.http import Endpoint, HTTPTransport, TransportEvent
from doubles.calls import LIMITS, at, foreign, get, post
from doubles.servers import answer, free_port, raw_server, silence

pytestmark = pytest.mark.usefixtures("both_clients")


@pytest.fixture
async def told():
    events: list[TransportEvent] = []
    transport = HTTPTransport(on_event=events.append)
    transport.events = events
    yield transport
    await transport.aclose()


async def test_an_answer(told):
    async with raw_server(answer(b"12345", status="404 No")) as server:
        await told.send(post("/chat"), at(f"{server.url}/v1"), LIMITS)
    (event,) = told.events
    assert 0 < event.seconds < 5
    assert event == TransportEvent(
        kind="answered", method="POST", scheme="http", host="127.0.0.1", port=event.port, path="/v1/chat",
        seconds=event.seconds, status=404, bytes=5,
    )  # fmt: skip
    assert server.url.endswith(f":{event.port}")


@pytest.mark.parametrize("auth", [QueryAuth(parameter="key"), BearerAuth()])
async def test_x5_nothing_of_the_content_is_told(told, auth):
    async with raw_server(answer(b"canary", headers="X-A: canary\r\n")) as server:
        where = at(server.url.replace("//", "//canary@") if isinstance(auth, QueryAuth) else server.url, auth=auth)
        where = at(where.base_url, auth=auth, values={"api_key": "canary"}, headers={"X-B": "canary"})
        await told.send(post("/chat?a=canary", b"canary", query={"b": "canary"}), where, LIMITS)
    (event,) = told.events
    assert "canary" not in repr(event)


async def test_a_stream_is_told_at_its_end(told):
    async def script(peer):
        await peer.request()
        peer.begin()
        peer.chunk(b"abc")
        peer.chunk(b"de")
        peer.chunk(b"")

    async with raw_server(script) as server:
        reply = await told.open(get(), at(server.url), LIMITS)
        assert not told.events
        while await reply.next_piece():
            pass
        reply.close()
        reply.close()
    assert [(event.kind, event.status, event.bytes) for event in told.events] == [("answered", 200, 5)]


async def test_a_stream_that_is_left(told):
    async def script(peer):
        await peer.request()
        peer.begin()
        peer.chunk(b"abc")

    async with raw_server(script) as server:
        reply = await told.open(get(), at(server.url), LIMITS)
        await reply.next_piece()
        reply.close()
    assert [(event.kind, event.status, event.bytes) for event in told.events] == [("answered", 200, 3)]


async def test_a_stream_that_breaks(told):
    async def script(peer):
        await peer.request()
        peer.begin()
        peer.chunk(b"abc")
        peer.transport.close()

    async with raw_server(script) as server:
        with pytest.raises(BetterAIError):
            await told.send(get(), at(server.url), LIMITS)
    assert [(event.kind, event.status, event.error) for event in told.events] == [("failed", 200, "APIConnectionError")]


@pytest.mark.parametrize(
    ("request_", "limits", "error"),
    [
        (get(), LIMITS.__class__(first_byte=0.05), "FirstByteTimeout"),
        (get(), LIMITS.__class__(total=0.05), "TotalTimeout"),
        (get(headers={"X-A": "a\n"}), LIMITS, "ValidationError"),
        (post(body={}), LIMITS, "ValidationError"),
        (foreign("http://127.0.0.1/x"), LIMITS, "ValidationError"),
        (get(f"http://127.0.0.1:{free_port()}/"), LIMITS, "APIConnectionError"),
    ],
)
async def test_a_failure_is_told_by_our_name_for_it(told, request_, limits, error):
    async with raw_server(silence) as server:
        base = request_.url if request_.url.startswith("http") else server.url
        with pytest.raises(BetterAIError):
            await told.send(request_, at(base), limits)
    assert [(event.kind, event.status, event.error) for event in told.events] == [("failed", None, error)]


async def test_a_cancelled_call(told):
    async with raw_server(silence) as server:
        task = asyncio.create_task(told.send(get(), at(server.url), LIMITS))
        await server.peer()
        task.cancel()
        await asyncio.wait([task])
    assert [(event.kind, event.error) for event in told.events] == [("cancelled", "CancelledError")]


async def test_what_is_never_begun_is_not_told(told):
    with pytest.raises(ConfigurationError):
        await told.send(get(), Endpoint(base_url="nowhere"), LIMITS)
    assert not told.events


async def test_a_watcher_that_fails_breaks_nothing(caplog):
    def fail(event):
        raise ZeroDivisionError

    transport = HTTPTransport(on_event=fail)
    with caplog.at_level(logging.ERROR, "betterai"):
        async with raw_server(answer(b"fine")) as server:
            assert (await transport.send(get(), at(server.url), LIMITS)).body == b"fine"
    await transport.aclose()
    assert [record.message for record in caplog.records] == ["on_event failed"]
