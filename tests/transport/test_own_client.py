"""Our own client: what becomes of connections between requests, of names, of slow readers, and of TLS."""

from __future__ import annotations

import asyncio
import gc
import gzip
import socket
import ssl
import sys
import threading
import warnings

import pytest

from betterai.core.exceptions import APIConnectionError, ProviderError, ValidationError
from betterai.core.wire import WireRequest
from betterai.transport.client.connection import HIGH_WATER, READ_SIZE, Connection, Exchange
from betterai.transport.client.dial import _race
from betterai.transport.client.pool import Pool
from betterai.transport.egress import EgressDenied, any_socket, public_socket
from betterai.transport.http import Endpoint, HTTPTransport, SessionOptions
from doubles.calls import LIMITS, at, foreign, get, post
from doubles.servers import answer, deaf_port, free_port, raw_server, soon

MEBIBYTE = 1024 * 1024


# ── one reply is never taken for another ──


async def test_x3_what_follows_a_reply_is_not_the_next_one(transport):
    async def script(peer):
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await peer.request()
        peer.reply(b"never asked")

    async with raw_server(script) as server:
        for number in range(3):
            assert (await transport.send(get(), at(server.url), LIMITS)).body == b"ok"
            await soon(server.peers[number].gone.wait())
        assert len(server.peers) == 3


async def test_x3_nor_is_what_comes_between_two_requests(transport):
    sent = asyncio.Event()

    async def script(peer):
        await peer.request()
        peer.reply(b"ok")
        await asyncio.sleep(0.01)
        peer.reply(b"evil")
        sent.set()

    async with raw_server(script) as server:
        assert (await transport.send(get(), at(server.url), LIMITS)).body == b"ok"
        await soon(sent.wait())
        await soon(server.peers[0].gone.wait())
        assert (await transport.send(get(), at(server.url), LIMITS)).body == b"ok"
        assert len(server.peers) == 2


async def test_x3_not_even_when_nothing_ran_between(transport):
    """What lies in the socket unread when the next request is due was there before it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        loop = asyncio.get_running_loop()
        asking = asyncio.create_task(
            transport.open(get(), at(f"http://127.0.0.1:{listening.getsockname()[1]}"), LIMITS)
        )
        peer, _ = await loop.sock_accept(listening)
        with peer:
            await loop.sock_recv(peer, 65536)
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            assert (await (await asking).read()).body == b"ok"
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            asking = asyncio.create_task(
                transport.open(get(), at(f"http://127.0.0.1:{listening.getsockname()[1]}"), LIMITS)
            )
            other, _ = await soon_accepted(listening)
            with other:
                await loop.sock_recv(other, 65536)
                other.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine")
                assert (await (await asking).read()).body == b"mine"


async def soon_accepted(listening: socket.socket) -> tuple[socket.socket, object]:
    async with asyncio.timeout(5):
        return await asyncio.get_running_loop().sock_accept(listening)


async def test_an_answer_before_the_request_was_sent_keeps_no_connection(transport):
    """The rest of the body would be read as the next request."""

    async def refuse(peer):
        await peer.receive(b"\r\n\r\n")
        peer.transport.pause_reading()
        peer.reply(b"no", status="413 No")
        await asyncio.Event().wait()

    def narrow(info):
        opened = any_socket(info)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        return opened

    transport = HTTPTransport(guard=narrow)
    async with raw_server(refuse) as server:
        for _ in range(2):
            reply = await transport.send(post(body=b"x" * MEBIBYTE), Endpoint(base_url=server.url), LIMITS)
            assert reply.body == b"no"
        assert len(server.peers) == 2
    await transport.aclose()


# ── connections that stand idle ──


async def test_a_server_that_closes_while_idle_costs_no_call(transport):
    async def script(peer):
        await peer.request()
        peer.reply()
        peer.transport.close()

    async with raw_server(script) as server:
        for _ in range(30):
            await transport.send(post(), at(server.url), LIMITS)
        assert len(server.peers) == 30


async def test_a_goodbye_that_nobody_has_read_yet_is_seen(transport):
    """It came while the loop was busy: asyncio does not know of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        loop, url = asyncio.get_running_loop(), f"http://127.0.0.1:{listening.getsockname()[1]}"
        for _ in range(2):
            asking = asyncio.create_task(transport.open(get(), at(url), LIMITS))
            peer, _ = await soon_accepted(listening)
            with peer:
                await loop.sock_recv(peer, 65536)
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                reply = await asking
                assert (await reply.read()).body == b"ok"
            # closed, and not one turn of the loop until the next request


async def test_idle_connections_are_closed_after_their_time():
    transport = HTTPTransport(SessionOptions(keepalive=0.05))
    async with raw_server(answer()) as server:
        await transport.send(get(), at(server.url), LIMITS)
        await soon(server.peers[0].gone.wait())
        await transport.send(get(), at(server.url), LIMITS)
        assert len(server.peers) == 2
    await transport.aclose()


async def test_a_server_that_says_how_long_it_keeps_a_connection_is_believed(transport):
    """One that closes at once after five idle seconds would else have a request cross with its goodbye."""
    async with raw_server(answer(headers="Keep-Alive: timeout=0\r\n")) as server:
        for _ in range(2):
            await transport.send(get(), at(server.url), LIMITS)
        assert len(server.peers) == 2
    async with raw_server(answer(headers="Keep-Alive: timeout=5, max=100\r\n")) as server:
        for _ in range(2):
            await transport.send(get(), at(server.url), LIMITS)
        assert len(server.peers) == 1


async def test_origins_do_not_share_connections(transport):
    async with raw_server(answer(b"one")) as one, raw_server(answer(b"two")) as two:
        for _ in range(2):
            assert (await transport.send(get(), at(one.url), LIMITS)).body == b"one"
            assert (await transport.send(get(), at(two.url), LIMITS)).body == b"two"
        assert (len(one.peers), len(two.peers)) == (1, 1)


async def test_how_long_connecting_took_is_told(transport):
    async with raw_server(answer()) as server:
        replies = [await transport.open(get(), at(server.url), LIMITS) for _ in range(2)]
        for reply in replies:
            await reply.read()
        again = await transport.open(get(), at(server.url), LIMITS)
        again.close()
    assert 0 < replies[0].connect < 5
    assert again.connect == 0


async def test_p3_nothing_is_left_when_calls_end_in_all_ways(transport):
    async def script(peer):
        while True:
            request = await peer.request()
            if b"/broken" in request:
                peer.transport.close()
            elif b"/long" in request:
                peer.begin()
                peer.chunk(b"x")
            else:
                peer.reply()

    async with raw_server(script) as server:
        for _ in range(10):
            await transport.send(get("/"), at(server.url), LIMITS)
            with pytest.raises(APIConnectionError):
                await transport.send(get("/broken"), at(server.url), LIMITS)
            (await transport.open(get("/long"), at(server.url), LIMITS)).close()
        pool = transport._pools.get(private=True)
        assert pool.busy == 0
        assert len(pool._all) <= 1
        async with asyncio.timeout(5):
            while sum(not peer.gone.is_set() for peer in server.peers) > 1:
                await asyncio.wait([asyncio.create_task(peer.gone.wait()) for peer in server.peers], timeout=0.01)


async def test_closing_the_transport_ends_calls_that_wait(transport):
    async def never(peer):
        await peer.request()
        peer.reached.set()
        await asyncio.Event().wait()

    reached = asyncio.Event()

    async def script(peer):
        peer.reached = reached
        await never(peer)

    async with raw_server(script) as server:
        asking = asyncio.create_task(transport.send(get(), at(server.url), LIMITS))
        await soon(reached.wait())
        await transport.aclose()
        with pytest.raises(APIConnectionError, match="the transport was closed"):
            await asking


# ── slow readers ──


async def test_p5_a_slow_reader_holds_up_the_sender(transport):
    """What a server sends faster than it is read stays with the server."""
    size, sent = 32 * MEBIBYTE, asyncio.Event()

    async def script(peer):
        await peer.request()
        peer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        peer.write(bytes(size))
        sent.set()
        await asyncio.Event().wait()

    async with raw_server(script) as server:
        reply = await transport.open(get(), at(server.url), LIMITS)
        await soon(sent.wait())
        before = -1
        while before != (before := server.peers[0].transport.get_write_buffer_size()):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
        assert before > size - 12 * MEBIBYTE
        pieces = []
        while piece := await reply.next_piece():
            pieces.append(len(piece))
        assert sum(pieces) == size
        assert max(pieces) <= HIGH_WATER + READ_SIZE


# ── packed bodies ──


@pytest.mark.parametrize("cut", [1, 10, -9, -4, -1])
async def test_a_packed_body_that_is_cut_off_is_no_whole_one(transport, cut):
    body = gzip.compress(b"x" * 1000)[:cut]
    async with raw_server(answer(body, headers="Content-Encoding: gzip\r\n")) as server:
        with pytest.raises(APIConnectionError, match="gzip body was cut off"):
            await transport.send(get(), at(server.url), LIMITS)


async def test_a_packed_body_of_several_parts(transport):
    body = gzip.compress(b"one") + gzip.compress(b"") + gzip.compress(b"two") + b"\0" * 10
    async with raw_server(answer(body, headers="Content-Encoding: x-gzip\r\n")) as server:
        assert (await transport.send(get(), at(server.url), LIMITS)).body == b"onetwo"


@pytest.mark.parametrize("body", [gzip.compress(b"one") + b"rubbish", gzip.compress(b"") * 2000], ids=["ends", "parts"])
async def test_a_packed_body_that_goes_on_strangely(transport, body):
    async with raw_server(answer(body, headers="Content-Encoding: gzip\r\n")) as server:
        with pytest.raises(APIConnectionError):
            await transport.send(get(), at(server.url), LIMITS)


async def test_a_packed_stream_is_read_as_it_comes(transport):
    import zlib

    go_on = asyncio.Event()

    async def script(peer):
        packer = zlib.compressobj(wbits=31)
        await peer.request()
        peer.begin(headers="Content-Encoding: gzip\r\n")
        peer.chunk(packer.compress(b"one") + packer.flush(zlib.Z_SYNC_FLUSH))
        await go_on.wait()
        peer.chunk(packer.compress(b"two") + packer.flush())
        peer.chunk(b"")

    async with raw_server(script) as server:
        reply = await transport.open(get(), at(server.url), LIMITS)
        assert await reply.next_piece() == b"one"
        go_on.set()
        assert await reply.next_piece() == b"two"
        assert await reply.next_piece() == b""


async def test_a_packing_that_was_not_asked_for_is_passed_on(transport):
    async with raw_server(answer(b"\x0bzzz", headers="Content-Encoding: br\r\n")) as server:
        assert (await transport.send(get(), at(server.url), LIMITS)).body == b"\x0bzzz"
        assert b"Accept-Encoding: gzip, deflate\r\n" in server.peers[0].requests[0]


# ── what is sent ──


@pytest.mark.parametrize(
    "headers",
    [{"Transfer-Encoding": "chunked"}, {"content-length": "1"}, {"X A": "1"}, {"X:A": "1"}, {"": "1"}, {"X-A": "a\0b"},
     {"X-A": "1\n2"}, {"X-A\r\nX-B": "1"}, {"X-A": None}],
)  # fmt: skip
async def test_headers_that_would_make_two_requests_of_one_are_not_sent(transport, headers):
    async with raw_server(answer()) as server:
        with pytest.raises(ValidationError):
            await transport.send(post(headers=headers), at(server.url), LIMITS)
        assert not server.peers


@pytest.mark.parametrize("method", ["GET /x HTTP/1.1\r\nA: b\r\n\r\nGET", "", "G ET"])
async def test_nor_is_such_a_method(transport, method):
    async with raw_server(answer()) as server:
        with pytest.raises(ValidationError):
            await transport.send(WireRequest(url="/", method=method), at(server.url), LIMITS)
        assert not server.peers


async def test_a_head_request_waits_for_no_body(transport):
    async def script(peer):
        while True:
            await peer.request()
            peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")

    async with raw_server(script) as server:
        for _ in range(2):
            assert (await transport.send(WireRequest(url="/", method="HEAD"), at(server.url), LIMITS)).body == b""
        assert len(server.peers) == 1


async def test_an_interim_reply_is_passed_over(transport):
    async def script(peer):
        await peer.request()
        peer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        await asyncio.sleep(0.01)
        peer.reply(b"ok")

    async with raw_server(script) as server:
        reply = await transport.send(get(), at(server.url), LIMITS)
        assert (reply.status, reply.body, dict(reply.headers)) == (200, b"ok", {"content-length": "2"})


# ── redirects of what carries no key ──


@pytest.fixture
async def open_transport():
    """May reach loopback for foreign requests as well."""
    transport = HTTPTransport(guard=any_socket)
    yield transport
    await transport.aclose()


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [("301 M", "POST", "GET"), ("302 F", "POST", "GET"), ("303 S", "POST", "GET"), ("303 S", "PUT", "GET"),
     ("307 T", "POST", "POST"), ("308 P", "POST", "POST"), ("302 F", "PUT", "PUT"), ("303 S", "HEAD", "HEAD")],
)  # fmt: skip
async def test_redirects_keep_or_change_the_method_as_they_say(open_transport, status, method, expected):
    async with raw_server(answer()) as target:
        async with raw_server(answer(status=status, headers=f"Location: {target.url}/x?a=%2F\r\n")) as server:
            body = None if method == "HEAD" else b"body"
            request = WireRequest(
                url=server.url, method=method, body=body, trust="foreign", headers={"Cookie": "canary", "X-A": "1"}
            )
            assert (await open_transport.send(request, Endpoint(), LIMITS)).status == 200
        (seen,) = target.peers[0].requests
    assert seen.startswith(f"{expected} /x?a=%2F HTTP/1.1\r\n".encode())
    assert seen.endswith(b"body") == (expected in ("POST", "PUT"))
    assert b"canary" not in seen
    assert b"\r\nX-A: 1\r\n" in seen


@pytest.mark.parametrize("location", ["", "\r\n\tx"])
async def test_a_redirect_to_nowhere(open_transport, location):
    async with raw_server(
        answer(b"why", status="302 F", headers=f"Location: {location}\r\n" if location else "")
    ) as server:
        try:
            assert (await open_transport.send(foreign(server.url), Endpoint(), LIMITS)).status == 302
        except APIConnectionError:
            assert location


# ── names and addresses ──


async def test_many_first_calls_look_a_name_up_once(transport):
    async with raw_server(answer()) as server:
        where = at(f"http://localhost:{server.port}")
        await asyncio.gather(*(transport.send(get(), where, LIMITS) for _ in range(20)))
        assert len(transport._pools.get(private=True)._dialer._found) == 1


async def test_a_call_that_is_cancelled_does_not_end_the_look_up_of_the_others(transport):
    async with raw_server(answer(b"ok")) as server:
        where = at(f"http://localhost:{server.port}")
        first = asyncio.create_task(transport.send(get(), where, LIMITS))
        second = asyncio.create_task(transport.send(get(), where, LIMITS))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).body == b"ok"
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_an_own_client_says_which_name_is_not_found(transport):
    with pytest.raises(APIConnectionError, match=r"no connection to nowhere\.invalid:80: ") as caught:
        await transport.send(get(), at("http://nowhere.invalid"), LIMITS)
    assert hasattr(caught.value.__cause__, "os_error")


def _at(port: int, address: str = "127.0.0.1") -> tuple[object, ...]:
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems answer although the queue is full")
async def test_an_address_that_is_silent_holds_up_no_other():
    loop = asyncio.get_running_loop()
    async with raw_server(answer()) as server:
        with deaf_port() as deaf:
            began = loop.time()
            with await _race(loop, [_at(deaf), _at(deaf), _at(server.port)], any_socket) as opened:
                assert opened.getpeername()[1] == server.port
            assert loop.time() - began < 3
    assert len(asyncio.all_tasks()) == 1 + sum(not peer.task.done() for peer in server.peers)


async def test_an_address_that_refuses_is_passed_over_at_once():
    loop = asyncio.get_running_loop()
    async with raw_server(answer()) as server:
        with await _race(loop, [_at(free_port()), _at(server.port)], any_socket) as opened:
            assert opened.getpeername()[1] == server.port


async def test_all_addresses_refuse():
    with pytest.raises(ConnectionRefusedError):
        await _race(asyncio.get_running_loop(), [_at(free_port()), _at(free_port())], any_socket)


async def test_x3_each_address_of_a_name_is_judged():
    """A name that leads to a public and to a private address leads nowhere private, whichever is tried first."""
    loop = asyncio.get_running_loop()
    async with raw_server(answer()) as private, raw_server(answer()) as public:

        def guard(info):
            return any_socket(info) if info[4][1] == public.port else public_socket(info)

        for infos in ([_at(private.port), _at(public.port)], [_at(public.port), _at(private.port)]):
            with await _race(loop, infos, guard) as opened:
                assert opened.getpeername()[1] == public.port
        with pytest.raises(EgressDenied):
            await _race(loop, [_at(private.port), _at(private.port, "10.0.0.1")], public_socket)
        assert not private.peers


# ── TLS ──


class _TruncatingServer:
    """Speaks TLS over memory, so that it can leave without a goodbye."""

    def __init__(self, context: ssl.SSLContext, *, goodbye: bool) -> None:
        self._context = context
        self._goodbye = goodbye

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_side=True)

        async def turn(step):
            while True:
                try:
                    done = step()
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await reader.read(65536))
                else:
                    writer.write(outgoing.read())
                    return done

        await turn(tls.do_handshake)
        await turn(lambda: tls.read(65536))
        await turn(lambda: tls.write(b"HTTP/1.1 200 OK\r\n\r\nabc"))
        if self._goodbye:
            try:
                tls.unwrap()
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
        writer.close()


@pytest.mark.parametrize("goodbye", [True, False])
async def test_a_body_without_a_length_ends_with_a_tls_goodbye_only(certificate, goodbye):
    """Without one anybody on the way could have cut it off."""
    transport = HTTPTransport(SessionOptions(ca_bundle=certificate.path))
    serving = _TruncatingServer(certificate.context, goodbye=goodbye)
    async with await asyncio.start_server(serving, "127.0.0.1", 0) as server:
        where = at(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        if goodbye:
            assert (await transport.send(get(), where, LIMITS)).body == b"abc"
        else:
            with pytest.raises(APIConnectionError, match="before the answer was complete"):
                await transport.send(get(), where, LIMITS)
    await transport.aclose()


async def test_connections_over_tls_are_used_again_and_told_their_name(certificate):
    names: list[str | None] = []
    certificate.context.sni_callback = lambda _, name, __: names.append(name)
    transport = HTTPTransport(SessionOptions(ca_bundle=certificate.path))
    try:
        async with raw_server(answer(b"x" * 300_000), certificate=certificate.context) as server:
            for _ in range(3):
                reply = await transport.send(get(), at(f"https://localhost:{server.port}"), LIMITS)
                assert len(reply.content) == 300_000
            assert len(server.peers) == 1
    finally:
        certificate.context.sni_callback = None
        await transport.aclose()
    assert names == ["localhost"]


async def test_ssl_cert_file_is_looked_at_when_a_connection_is_made(certificate, monkeypatch, transport):
    async with raw_server(answer(b"ok"), certificate=certificate.context) as server:
        with pytest.raises(APIConnectionError):
            await transport.send(get(), at(server.url), LIMITS)
        monkeypatch.setenv("SSL_CERT_FILE", certificate.path)
        assert (await transport.send(get(), at(server.url), LIMITS)).body == b"ok"


async def test_a_bomb_in_many_members_is_refused_too(transport):
    transport = HTTPTransport(SessionOptions(max_reply_bytes=MEBIBYTE))
    bomb = gzip.compress(bytes(MEBIBYTE)) * 64
    async with raw_server(answer(bomb, headers="Content-Encoding: gzip\r\n")) as server:
        with pytest.raises(ProviderError, match="larger than"):
            await transport.send(get(), at(server.url), LIMITS)
    await transport.aclose()


def test_a_reply_that_outlives_its_loop_can_be_closed():
    """That a socket was left open is Python's to complain of."""

    def serve(listening: socket.socket) -> None:
        peer, _ = listening.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            peer.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listening, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        server = threading.Thread(target=serve, args=(listening,), daemon=True)
        server.start()
        loop, transport = asyncio.new_event_loop(), HTTPTransport()
        asking = transport.open(get(), at(f"http://127.0.0.1:{listening.getsockname()[1]}"), LIMITS)
        reply = loop.run_until_complete(asking)
        loop.close()
        reply.close()
        del reply, transport, loop, asking
        gc.collect()
        server.join(10)
    assert not server.is_alive()


class _Lookalike:
    """A transport as uvloop has it: what asyncio's can, and no subclass of theirs."""

    def __init__(self, opened: socket.socket) -> None:
        self.opened, self.written = opened, b""

    def get_extra_info(self, name: str) -> socket.socket | None:
        return self.opened if name == "socket" else None

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.written += data

    def abort(self) -> None:
        self.opened.close()


async def test_loops_of_others_have_transports_of_their_own():
    pool = Pool(any_socket, ca_bundle=None, keepalive=1)
    connection = Connection(("http", "127.0.0.1", 80), bytearray(READ_SIZE), pool)
    with socket.socket() as opened:
        lookalike = _Lookalike(opened)
        connection.connection_made(lookalike)
        exchange = Exchange(asyncio.get_running_loop(), bodiless=False)
        assert connection.begin(exchange, b"GET / HTTP/1.1\r\n\r\n")
        assert lookalike.written == b"GET / HTTP/1.1\r\n\r\n"
        connection.abort()
