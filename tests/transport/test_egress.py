"""Where requests may go (X3): judged on the final address, in every spelling, after every redirect; and never a key
to somebody else.
"""

from __future__ import annotations

import socket

import aiohttp
import pytest

from betterai.core.exceptions import APIConnectionError, ConfigurationError, ValidationError
from betterai.core.provider import BearerAuth, HeaderAuth, QueryAuth
from betterai.transport.egress import EgressDenied, any_socket, is_private_host, is_public, public_socket
from betterai.transport.http import Endpoint, HTTPTransport, SessionOptions
from betterai.transport.websocket import connect
from doubles.calls import LIMITS, at, foreign, get
from doubles.servers import answer, raw_server
from together import each

pytestmark = pytest.mark.usefixtures("both_clients")

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "168.63.129.16",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "fc00::1",
    "fd00:ec2::254",
    "fdff::1",
    "fe80::1",
    "fe80::1%eth0",
    "fe80::1%25lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "100::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "::127.0.0.1",
    "::10.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:808:808::80ff:fffe",
    "2001:0:a00:1::f7f7:f7f7",
    "2001:0:7f00:1::1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "64:ff9b:1:7f00:1::",
    "5f00::1",
    "4000::1",
]

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "126.0.0.1",
    "128.0.0.1",
    "169.253.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "192.167.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::200e",
    "2001:4860:4860::8888",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
    "2001:0:808:808::f7f7:f7f7",
]


@each("address", PRIVATE)
def test_x3_not_public(address):
    assert not is_public(address)


@each("address", PUBLIC)
def test_x3_public(address):
    assert is_public(address)


def _info(address: str) -> tuple[object, ...]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 443))


@each(
    "info",
    [*map(_info, PRIVATE), (socket.AF_UNIX, socket.SOCK_STREAM, 0, "", "/run/docker.sock"), _info("2130706433")],
)
def test_x3_no_socket_is_made_for_it(info):
    with pytest.raises(EgressDenied):
        public_socket(info)


@each("address", PUBLIC)
def test_x3_one_is_made_for_a_public_address(address):
    public_socket(_info(address)).close()


SPELLINGS = [
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "127.0.1",
    "0",
    "017700000001",
    "127.0.0.1.",
    "①②⑦.0.0.1",
]


@each(
    "host",
    ["localhost", "LOCALHOST", "localhost.", "a.localhost", "nas.local", "db.internal", "x.svc.cluster.local",
     "router.lan", "intranet", "[::1]", "[fe80::1%25eth0]", "[::ffff:10.0.0.1]", *SPELLINGS, "[::1", ""],
)  # fmt: skip
def test_x3_private_by_name(host):
    assert is_private_host(f"http://{host}/x")
    assert is_private_host(f"http://me:secret@{host}/x")


@each("host", ["example.com", "8.8.8.8", "[2606:4700::1111]", "10.example.com", "8.8.8.8."])
def test_x3_not_private_by_name(host):
    assert not is_private_host(f"http://{host}:8080/x")


# ── providers ──


async def test_x3_a_provider_is_not_private_unless_the_user_said_so(transport):
    async with raw_server(answer()) as server:
        with pytest.raises(ValidationError, match=r"127\.0\.0\.1: this request may go to public addresses only"):
            await transport.send(get(), Endpoint(base_url=server.url), LIMITS)
        assert not server.peers
        assert (await transport.send(get(), at(server.url), LIMITS)).status == 200
        with pytest.raises(ValidationError):
            await transport.send(get(), Endpoint(base_url=server.url), LIMITS)
        assert len(server.peers) == 1


async def test_x3_a_name_that_leads_home_is_refused(transport):
    """However many addresses it has."""
    async with raw_server(answer()) as server:
        with pytest.raises(ValidationError, match="public addresses only"):
            await transport.send(get(), Endpoint(base_url=f"http://localhost:{server.port}"), LIMITS)
        assert not server.peers


KEYS = [BearerAuth(), HeaderAuth(header="x-api-key"), QueryAuth(parameter="key")]


@each("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
@each("auth", KEYS)
async def test_x3_no_redirect_is_followed_with_a_key(transport, status, auth):
    async with raw_server(answer()) as thief:
        redirect = answer(status=status, headers=f"Location: {thief.url}/take\r\n")
        async with raw_server(redirect) as server:
            where = at(server.url, auth=auth, values={"api_key": "canary"})
            reply = await transport.send(get(), where, LIMITS)
            assert str(reply.status) == status[:3]
            assert reply.headers["location"] == f"{thief.url}/take"
        assert not thief.peers


BASE = "https://api.example.com/v1"
ELSEWHERE = [
    "https://evil.example/x",
    "http://api.example.com/v1/x",
    "http://api.example.com:443/v1/x",
    "https://api.example.com:8443/v1/x",
    "https://api.example.com.evil.example/x",
    "https://api.example.com@evil.example/x",
    "https://api.example.com:443@evil.example/x",
    "https://evil.example#@api.example.com/",
    "https://evil.example?@api.example.com/",
    "https://evil.example/https://api.example.com/",
    "https://api.example.com./x",
    "https://api.example.com%2eevil.example/x",
    "https://api.example.com%00.evil.example/x",
    "https://api.example.com%40evil.example/x",
    "https://evil.example\\@api.example.com/x",
    "https://api.example.com\\@evil.example/x",
    "https://xapi.example.com/x",
    "https://аpi.example.com/x",
    "HTTPS://evil.example/x",
    "wss://evil.example/x",
    "ws://api.example.com/x",
    "http://files.example.com/x",
    "http://files.example.com:443/x",
    "https://files.example.com:8443/x",
    "https://files.example.com.evil.example/x",
    "https://sub.files.example.com/x",
]


@each("url", ELSEWHERE)
@each("auth", KEYS)
async def test_x3_a_key_goes_to_the_providers_hosts_only(transport, url, auth):
    where = Endpoint(base_url=BASE, hosts=("files.example.com",), auth=auth, values={"api_key": "canary"})
    with pytest.raises(ValidationError) as caught:
        transport.route(get(url), where)
    assert "canary" not in str(caught.value)


@each(
    "url",
    [
        "https://api.example.com/v2/x",
        "https://api.example.com:443/v1/x",
        "HTTPS://API.Example.COM/v1/x",
        "wss://api.example.com/v1/realtime",
        "https://files.example.com/x",
        "https://FILES.example.com:443/x",
        "wss://files.example.com/x",
    ],
)
async def test_x3_where_it_may_go(transport, url):
    where = Endpoint(base_url=BASE, hosts=("files.example.com",), auth=BearerAuth(), values={"api_key": "key"})
    route = transport.route(get(url), where)
    assert route.url.scheme == "https"
    assert route.url.raw_host.lower() in ("api.example.com", "files.example.com")
    assert route.headers["Authorization"] == "Bearer key"


@each("url", ["ftp://api.example.com/x", "file:///etc/passwd", "unix:///run/docker.sock", "tcp://a/x"])
async def test_x3_other_schemes_are_paths_or_refused(transport, url):
    """They cannot leave the provider's host: what has no http scheme is a path."""
    route = transport.route(get(url), Endpoint(base_url=BASE, auth=BearerAuth(), values={"api_key": "key"}))
    assert route.url.origin() == aiohttp.client.URL("https://api.example.com")
    with pytest.raises(ConfigurationError):
        transport.route(get("/"), Endpoint(base_url=url))


@pytest.mark.parametrize("path", ["/a\r\nX-Evil: 1", "/a HTTP/1.1\r\nX-Evil: 1\r\n\r\n", "/a\x00b", "/a\tb"])
async def test_x3_a_path_does_not_become_a_header(transport, path):
    async with raw_server(answer()) as server:
        await transport.send(get(path), at(server.url), LIMITS)
        (request,) = server.peers[0].requests
    assert len(request.split(b"\r\n")[0].split(b" ")) == 3
    assert b"\r\nX-Evil" not in request


async def test_x3_a_key_and_a_user_in_the_url_are_not_mixed(transport):
    async with raw_server(answer()) as server:
        url = server.url.replace("//", "//me:word@")
        assert (await transport.send(get(), at(url), LIMITS)).status == 200
        with pytest.raises(ValidationError, match="cannot be sent as it is"):
            await transport.send(get(), at(url, auth=BearerAuth(), values={"api_key": "key"}), LIMITS)
        assert len(server.peers[0].requests) == 1


async def test_x3_without_a_base_url_no_host_is_trusted_by_accident(transport):
    with pytest.raises(ValidationError, match="no key is sent there"):
        transport.route(get("https://evil.example/x"), Endpoint(auth=BearerAuth(), values={"api_key": "key"}))


# ── elsewhere ──


@each("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.0.0.1.", *SPELLINGS])
async def test_x3_elsewhere_is_never_private(transport, host):
    """However it is spelt, and although the provider may be reached there."""
    async with raw_server(answer()) as server:
        with pytest.raises((ValidationError, APIConnectionError)) as caught:
            await transport.send(foreign(f"http://{host}:{server.port}/x"), at(server.url), LIMITS)
        assert isinstance(caught.value, ValidationError) or "Name or service" in str(caught.value)
        assert not server.peers


async def test_x3_a_connection_of_the_provider_is_not_borrowed(transport):
    async with raw_server(answer()) as server:
        await transport.send(get(), at(server.url), LIMITS)
        with pytest.raises(ValidationError):
            await transport.send(foreign(f"{server.url}/x"), at(server.url), LIMITS)
        assert len(server.peers[0].requests) == 1


async def test_x3_nor_a_session_of_the_users():
    async with raw_server(answer()) as server, aiohttp.ClientSession(headers={"Authorization": "canary"}) as session:
        transport = HTTPTransport(session=session)
        with pytest.raises(ValidationError):
            await transport.send(foreign(f"{server.url}/x"), at(server.url), LIMITS)
        await transport.aclose()
        assert not server.peers


def open_to(*ports: int):
    """The guard, and as if these ports on loopback were public."""
    return lambda info: any_socket(info) if info[4][1] in ports else public_socket(info)


@each("auth", KEYS)
async def test_x3_no_key_goes_elsewhere(auth):
    async with raw_server(answer()) as server:
        options = SessionOptions(headers={"X-Mine": "canary", "Authorization": "canary"})
        transport = HTTPTransport(options, guard=open_to(server.port))
        where = at(server.url, auth=auth, values={"api_key": "canary"}, headers={"X-K": "canary"})
        for url in (f"{server.url}/x", "/relative"):
            assert (await transport.send(foreign(url), where, LIMITS)).status == 200
        await transport.aclose()
        assert len(server.peers[0].requests) == 2
        assert not any(b"canary" in request for request in server.peers[0].requests)


@each(
    "target",
    ["http://127.0.0.1:{port}/x", "http://localhost:{port}/x", "http://[::1]:{port}/x", "http://2130706433:{port}/x",
     "http://0x7f.1:{port}/x", "http://[::ffff:7f00:1]:{port}/x", "//127.0.0.1:{port}/x", "http:\\\\127.0.0.1:{port}/x",
     "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "unix:///run/docker.sock", "ftp://127.0.0.1:{port}/"],
)  # fmt: skip
@each("status", ["302 F", "307 T"])
async def test_x3_each_redirect_is_judged_anew(target, status):
    async with raw_server(answer()) as secret:
        redirect = answer(status=status, headers=f"Location: {target.format(port=secret.port)}\r\n")
        async with raw_server(redirect) as server:
            transport = HTTPTransport(guard=open_to(server.port))
            with pytest.raises(ValidationError):
                await transport.send(foreign(server.url), Endpoint(), LIMITS)
            await transport.aclose()
            assert server.peers
        assert not secret.peers


async def test_a_redirect_to_a_public_place_is_followed():
    async with (
        raw_server(answer(b"picture")) as target,
        raw_server(answer(status="302 F", headers=f"Location: {target.url}/x\r\n")) as server,
    ):
        transport = HTTPTransport(guard=open_to(server.port, target.port))
        assert (await transport.send(foreign(server.url), Endpoint(), LIMITS)).body == b"picture"
        await transport.aclose()


async def test_redirects_in_a_circle_end():
    async with raw_server(answer(status="302 F", headers="Location: /x\r\n")) as server:
        transport = HTTPTransport(guard=open_to(server.port))
        with pytest.raises(ValidationError, match="redirects too often"):
            await transport.send(foreign(server.url), Endpoint(), LIMITS)
        await transport.aclose()
        assert sum(len(peer.requests) for peer in server.peers) < 10


# ── proxies ──


async def test_a_proxy_carries_requests():
    async with raw_server(answer(b"from afar")) as proxy:
        transport = HTTPTransport(SessionOptions(proxy=f"http://me:word@127.0.0.1:{proxy.port}"))
        reply = await transport.send(get(), Endpoint(base_url="http://api.example.com/v1"), LIMITS)
        await transport.send(foreign("http://cdn.example.com/picture"), Endpoint(), LIMITS)
        await transport.aclose()
        first, second = (request for peer in proxy.peers for request in peer.requests)
    assert reply.body == b"from afar"
    assert first.startswith(b"GET http://api.example.com/v1/ HTTP/1.1")
    assert second.startswith(b"GET http://cdn.example.com/picture HTTP/1.1")
    assert b"\r\nProxy-Authorization: Basic " in first


@each("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "db.internal", *SPELLINGS])
async def test_x3_a_proxy_is_not_asked_for_private_places(host):
    async with raw_server(answer()) as proxy:
        transport = HTTPTransport(SessionOptions(proxy=proxy.url))
        with pytest.raises(ValidationError, match="public addresses only"):
            await transport.send(foreign(f"http://{host}/x"), Endpoint(), LIMITS)
        with pytest.raises(ValidationError, match="public addresses only"):
            await connect(transport, foreign(f"ws://{host}/x"), Endpoint(), LIMITS)
        await transport.aclose()
        assert not proxy.peers


async def test_x3_nor_after_a_redirect():
    async with raw_server(answer(status="302 F", headers="Location: http://169.254.169.254/x\r\n")) as proxy:
        transport = HTTPTransport(SessionOptions(proxy=proxy.url))
        with pytest.raises(ValidationError, match="public addresses only"):
            await transport.send(foreign("http://cdn.example.com/x"), Endpoint(), LIMITS)
        await transport.aclose()
        assert len(proxy.peers[0].requests) == 1


@pytest.fixture
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("trust_env", [True, False])
async def test_the_environments_proxy_is_used_when_trusted(no_proxies, trust_env):
    async with raw_server(answer(b"direct")) as server, raw_server(answer(b"proxied")) as proxy:
        no_proxies.setenv("HTTP_PROXY", proxy.url)
        transport = HTTPTransport(SessionOptions(trust_env=trust_env))
        reply = await transport.send(get(), at(server.url), LIMITS)
        await transport.aclose()
    assert reply.body == (b"proxied" if trust_env else b"direct")


async def test_x3_what_the_environment_sends_past_the_proxy_is_guarded(no_proxies):
    async with raw_server(answer()) as server, raw_server(answer()) as proxy:
        no_proxies.setenv("http_proxy", proxy.url)
        no_proxies.setenv("no_proxy", "127.0.0.1")
        transport = HTTPTransport(SessionOptions(trust_env=True))
        for request, where in ((foreign(server.url), Endpoint()), (get(), Endpoint(base_url=server.url))):
            with pytest.raises(ValidationError, match="public addresses only"):
                await transport.send(request, where, LIMITS)
        await transport.aclose()
        assert not server.peers
        assert not proxy.peers


async def test_x3_without_a_proxy_in_the_environment_it_is_guarded_too(no_proxies):
    async with raw_server(answer()) as server:
        transport = HTTPTransport(SessionOptions(trust_env=True))
        with pytest.raises(ValidationError, match="public addresses only"):
            await transport.send(foreign(server.url), Endpoint(), LIMITS)
        await transport.aclose()
        assert not server.peers


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "127.0.0.1:3128", "unix:///run/proxy.sock"])
async def test_a_proxy_of_another_kind_is_refused(proxy, monkeypatch):
    with pytest.raises(ConfigurationError, match="is not the URL of a proxy"):
        SessionOptions(proxy=proxy)
    monkeypatch.setenv("http_proxy", proxy)
    transport = HTTPTransport(SessionOptions(trust_env=True))
    with pytest.raises(ConfigurationError, match="proxy"):
        await transport.send(get(), Endpoint(base_url="http://api.example.com"), LIMITS)


# ── nobody else ──
