"""One attempt: what is sent, what is answered, how it fails, and what becomes of the connection."""

from __future__ import annotations

import asyncio
import pickle
import traceback

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver

from betterai.core.exceptions import APIConnectionError, ConfigurationError, ConnectTimeout, ValidationError
from betterai.core.provider import BearerAuth, QueryAuth
from betterai.core.wire import WireResponse
from betterai.transport.http import Endpoint, HTTPTransport, SessionOptions
from doubles.calls import LIMITS, at, get, post
from doubles.servers import answer, free_port, raw_server, silence, soon, web_server

pytestmark = pytest.mark.usefixtures("both_clients")


async def test_send_gives_status_headers_and_body(transport):
    async with raw_server(answer(b'{"a":1}', status="418 No", headers="X-Request-ID: 7\r\n")) as server:
        reply = await transport.send(post("/chat?a=b", b"[1]", headers={"X-A": "1"}), at(f"{server.url}/v1/"), LIMITS)
        assert reply == WireResponse(status=418, headers={"x-request-id": "7", "content-length": "7"}, body=b'{"a":1}')
        (request,) = server.peers[0].requests
    assert request.startswith(b"POST /v1/chat?a=b HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n[1]")
    assert b"\r\nX-A: 1\r\n" in request
    assert b"\r\nUser-Agent: betterai\r\n" in request


@pytest.mark.parametrize(
    ("base", "path", "query", "expected"),
    [
        ("/v1", "/chat", {}, b"/v1/chat"),
        ("/v1/", "chat", {}, b"/v1/chat"),
        ("", "/chat", {"a": "b c", "d": "é&"}, b"/chat?a=b+c&d=%C3%A9%26"),
        ("/v1?version=2", "/chat", {}, b"/v1/chat?version=2"),
        ("/v1?version=2", "/chat?a=1", {"b": "2"}, b"/v1/chat?a=1&version=2&b=2"),
        ("/v1#part", "/chat", {}, b"/v1/chat"),
        ("/v1", "/next?url=https://elsewhere.example/x", {}, b"/v1/next?url=https://elsewhere.example/x"),
        ("/v1", "/signed?x=%2F%7e%20", {}, b"/signed?x=%2F%7e%20"),
        ("/v1", "/räume/a b", {}, b"/r%C3%A4ume/a%20b"),
        ("/v1", "//other.example/x", {}, b"//other.example/x"),
        ("/v1", "@other.example/x", {}, b"/v1/@other.example/x"),
        ("/v1", ".other.example/x", {}, b"/v1/.other.example/x"),
    ],
)
async def test_a_path_is_put_under_the_base_url_and_stays_on_its_host(transport, base, path, query, expected):
    async with raw_server(answer()) as server:
        await transport.send(get(path, query=query), at(server.url + base), LIMITS)
        (request,) = server.peers[0].requests
    assert request.split(b" ")[1].endswith(expected)
    assert f"Host: 127.0.0.1:{server.port}\r\n".encode() in request


@pytest.mark.parametrize(
    ("options", "endpoint", "request_", "expected"),
    [
        ({"X-A": "1"}, {}, {}, b"X-A: 1"),
        ({"X-A": "1"}, {"x-a": "2"}, {}, b"x-a: 2"),
        ({"X-A": "1"}, {"x-a": "2"}, {"X-a": "3"}, b"X-a: 3"),
        ({"user-agent": "mine/1"}, {}, {}, b"user-agent: mine/1"),
        ({}, {}, {"USER-AGENT": "mine/2"}, b"USER-AGENT: mine/2"),
        ({"authorization": "Basic x"}, {}, {}, b"Authorization: Bearer key"),
    ],
)
async def test_headers_of_the_request_go_before_those_of_the_endpoint_and_the_options(
    options, endpoint, request_, expected
):
    transport = HTTPTransport(SessionOptions(headers=options))
    async with raw_server(answer()) as server:
        where = at(server.url, headers=endpoint, auth=BearerAuth(), values={"api_key": "key"})
        await transport.send(get(headers=request_), where, LIMITS)
        (request,) = server.peers[0].requests
    await transport.aclose()
    assert expected in request.split(b"\r\n")
    name = expected.split(b":")[0].lower()
    assert sum(line.lower().startswith(name + b":") for line in request.split(b"\r\n")) == 1


async def test_a_reply_in_chunks_is_read_to_its_end(transport):
    """Longer than what comes at once: aiohttp's `read(n)` gives what is there, not n bytes."""
    pieces = [b"a" * 100, b"b" * 3_000_000, b"c"]

    async def script(peer):
        await peer.request()
        peer.begin()
        for piece in [*pieces, b""]:
            peer.chunk(piece)

    async with raw_server(script) as server:
        assert (await transport.send(get(), at(server.url), LIMITS)).body == b"".join(pieces)


async def test_pieces_come_as_they_are_sent(transport):
    go_on = asyncio.Event()

    async def script(peer):
        await peer.request()
        peer.begin()
        peer.chunk(b"one")
        await go_on.wait()
        peer.chunk(b"two")
        peer.chunk(b"")

    async with raw_server(script) as server:
        reply = await transport.open(get(), at(server.url), LIMITS)
        assert await reply.next_piece() == b"one"
        go_on.set()
        assert await reply.next_piece() == b"two"
        assert await reply.next_piece() == b""
        assert await reply.next_piece() == b""
        reply.close()


async def test_compressed_replies_are_unpacked(transport):
    async def handle(request):
        response = aiohttp.web.Response(body=b"x" * 100_000)
        response.enable_compression(aiohttp.web.ContentCoding.gzip)
        return response

    async with web_server(handle) as url:
        assert (await transport.send(get(), at(url), LIMITS)).body == b"x" * 100_000


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_a_reply_without_a_body(transport, status):
    async def script(peer):
        for _ in range(2):
            await peer.request()
            peer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())

    async with raw_server(script) as server:
        for _ in range(2):
            assert (await transport.send(get(), at(server.url), LIMITS)).body == b""
        assert len(server.peers) == 1


# ── failures ──


async def _fails_with(error, transport, url, request=None, **fields):
    with pytest.raises(error) as caught:
        await transport.send(request or get(), at(url, **fields), LIMITS)
    return caught.value


async def test_refused(transport):
    error = await _fails_with(APIConnectionError, transport, f"http://127.0.0.1:{free_port()}")
    assert error.retryable
    assert "no connection to 127.0.0.1" in str(error)
    assert hasattr(error.__cause__, "os_error")  # the retry policy knows by it that nothing was sent


async def test_closed_without_an_answer_is_tried_once(transport):
    async def script(peer):
        await peer.request()
        peer.transport.close()

    async with raw_server(script) as server:
        for request in (get(), post()):
            error = await _fails_with(APIConnectionError, transport, server.url, request)
            assert not hasattr(error.__cause__, "os_error")
        assert len(server.peers) == 2


async def test_reset_before_the_answer(transport):
    async def script(peer):
        await peer.request()
        peer.reset()

    async with raw_server(script) as server:
        await _fails_with(APIConnectionError, transport, server.url)


BROKEN = {
    "too short": b"Content-Length: 100\r\n\r\nabc",
    "cut between chunks": b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "cut in a chunk": b"Transfer-Encoding: chunked\r\n\r\nff\r\nabc",
    "no chunk": b"Transfer-Encoding: chunked\r\n\r\nabc\r\n",
}


@pytest.mark.parametrize("leave", ["close", "reset"])
@pytest.mark.parametrize("rest", BROKEN.values(), ids=BROKEN)
async def test_a_body_that_breaks_off(transport, rest, leave):
    go_on = asyncio.Event()

    async def script(peer):
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\n" + rest)
        await go_on.wait()
        peer.reset() if leave == "reset" else peer.transport.close()

    async with raw_server(script) as server:
        reply = await transport.open(get(), at(server.url), LIMITS)
        go_on.set()
        with pytest.raises(APIConnectionError, match="before the answer was complete"):
            await reply.read()
        await soon(server.peers[0].gone.wait())


async def test_what_came_before_the_break_is_given_first(transport):
    go_on = asyncio.Event()

    async def script(peer):
        await peer.request()
        peer.begin()
        peer.chunk(b"abc")
        await go_on.wait()
        peer.transport.close()

    async with raw_server(script) as server:
        reply = await transport.open(get(), at(server.url), LIMITS)
        assert await reply.next_piece() == b"abc"
        go_on.set()
        with pytest.raises(APIConnectionError):
            await reply.next_piece()


@pytest.mark.parametrize("answer_", [b"hello\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/1.1 200 OK\r\na b\r\n\r\n"])
async def test_what_is_no_http(transport, answer_):
    async def script(peer):
        await peer.request()
        peer.write(answer_)

    async with raw_server(script) as server:
        await _fails_with(APIConnectionError, transport, server.url)


async def test_damaged_compression(transport):
    async with raw_server(answer(b"no gzip", headers="Content-Encoding: gzip\r\n")) as server:
        await _fails_with(APIConnectionError, transport, server.url)


class Resolver(AbstractResolver):
    """Answers every name as `resolve_all` does."""

    def __init__(self, resolve_all):
        self._resolve_all = resolve_all

    async def resolve(self, host, port=0, family=0):
        return await self._resolve_all()

    async def close(self):
        pass


async def _nothing_found():
    raise OSError(-2, "Name or service not known")


async def test_a_name_that_is_not_found():
    connector = aiohttp.TCPConnector(resolver=Resolver(_nothing_found))
    async with aiohttp.ClientSession(connector=connector) as session:
        error = await _fails_with(APIConnectionError, HTTPTransport(session=session), "http://nowhere.example")
    assert "nowhere.example:80: [Errno -2] Name or service not known" in str(error)
    assert hasattr(error.__cause__, "os_error")


async def test_s6_looking_up_a_name_counts_as_connecting():
    connector = aiohttp.TCPConnector(resolver=Resolver(asyncio.Event().wait))
    async with aiohttp.ClientSession(connector=connector) as session:
        limits = LIMITS.__class__(connect=0.1)
        with pytest.raises(ConnectTimeout):
            await HTTPTransport(session=session).send(get(), at("http://slow.example"), limits)


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "file:///etc/passwd", "host/v1", "", "http://", "http://[::1", "http://a:99999", "http://a\\@b"]
)  # fmt: skip
async def test_no_http_url(transport, url):
    error = await _fails_with(ConfigurationError, transport, url)
    assert "is not an http or https URL" in str(error)


async def test_a_url_in_an_error_shows_no_secret(transport):
    error = await _fails_with(ConfigurationError, transport, "ftp://me:hidden@host/x?key=hidden#hidden")
    assert "ftp://host/x" in str(error)
    assert "hidden" not in repr(error)
    assert "hidden" not in repr(Endpoint(base_url="https://me:hidden@host/?key=hidden", values={"api_key": "hidden"}))


@pytest.mark.parametrize("headers", [{"X-A": "1\r\nX-B: 2"}, {"X-A\n": "1"}, {"X-A": 7}])
async def test_headers_that_cannot_be_sent(transport, headers):
    async with raw_server(answer()) as server:
        await _fails_with(ValidationError, transport, server.url, get(headers=headers))
        assert not any(peer.requests for peer in server.peers)


def _everything_about(error: BaseException) -> str:
    """As a traceback shows it, with the repr of all that it is chained to."""
    chain, shown = [error], []
    while chain:
        link = chain.pop()
        shown.append(f"{link!r} {link!s} {link.__dict__}")
        chain += [cause for cause in (link.__cause__, link.__context__) if cause is not None]
    return "".join([*shown, *traceback.format_exception(error)])


async def _say_nonsense(peer):
    await peer.request()
    peer.write(b"nonsense\r\n\r\n")


async def _hang_up(peer):
    await peer.request()
    peer.reset()


async def _hang_up_early(peer):
    await peer.receive(b"\r\n\r\n")
    peer.reset()


@pytest.mark.parametrize("script", [_say_nonsense, _hang_up, _hang_up_early, silence])
async def test_x5_no_key_is_in_an_error_nor_in_what_it_is_chained_to(transport, script):
    where = {"auth": QueryAuth(parameter="key"), "values": {"api_key": "canary"}, "headers": {"X-K": "canary"}}
    async with raw_server(script) as server:
        url = server.url
        with pytest.raises(Exception) as caught:
            await transport.send(post(body=b"x" * 3_000_000), at(url, **where), LIMITS.__class__(first_byte=0.1))
    assert "canary" not in _everything_about(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args


async def test_x5_nor_in_one_of_connecting(transport):
    where = at(f"http://127.0.0.1:{free_port()}", auth=QueryAuth(parameter="key"), values={"api_key": "canary"})
    with pytest.raises(APIConnectionError) as caught:
        await transport.send(post(), where, LIMITS)
    assert "canary" not in _everything_about(caught.value)


# ── connections ──


async def test_a_connection_is_used_again_after_the_body_was_read(transport):
    async with raw_server(answer()) as server:
        for _ in range(3):
            await transport.send(post(), at(server.url), LIMITS)
        assert len(server.peers) == 1


async def test_it_is_closed_when_the_body_was_not_read(transport):
    async def script(peer):
        await peer.request()
        peer.begin()
        peer.chunk(b"abc")

    async with raw_server(script) as server:
        for number in range(2):
            reply = await transport.open(get(), at(server.url), LIMITS)
            await reply.next_piece()
            reply.close()
            reply.close()
            await soon(server.peers[number].gone.wait())
        assert len(server.peers) == 2


async def test_s7_a_reply_that_is_dropped_closes_its_connection(transport):
    async def script(peer):
        await peer.request()
        peer.begin()
        peer.chunk(b"abc")

    async with raw_server(script) as server:
        replies = [await transport.open(get(), at(server.url), LIMITS) for _ in range(20)]
        del replies
        for peer in server.peers:
            await soon(peer.gone.wait())


async def test_a_server_that_wants_to_close_is_left(transport):
    async with raw_server(answer(headers="Connection: close\r\n")) as server:
        for _ in range(2):
            await transport.send(get(), at(server.url), LIMITS)
        assert len(server.peers) == 2


async def test_an_own_session_carries_what_goes_to_providers():
    async with raw_server(answer()) as server, aiohttp.ClientSession(headers={"X-Mine": "1"}) as session:
        transport = HTTPTransport(session=session)
        await transport.send(get(), at(server.url), LIMITS)
        await transport.aclose()
        assert not session.closed
        assert b"X-Mine: 1" in server.peers[0].requests[0]


async def test_an_own_session_that_raises_for_status_does_not_here():
    async with raw_server(answer(status="500 No")) as server, aiohttp.ClientSession(raise_for_status=True) as session:
        assert (await HTTPTransport(session=session).send(get(), at(server.url), LIMITS)).status == 500
