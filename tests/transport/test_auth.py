"""How requests are signed."""

from __future__ import annotations

import msgspec
import pytest

from betterai.core.exceptions import ConfigurationError
from betterai.core.provider import BearerAuth, HeaderAuth, JwtAuth, NoAuth, QueryAuth
from betterai.core.wire import JSON_HEADERS, WireRequest
from betterai.transport.auth import sign
from betterai.transport.http import MOST_ROUTES, Endpoint, HTTPTransport
from doubles.calls import LIMITS, at, get
from doubles.servers import answer, raw_server
from together import each

SCHEMES = [BearerAuth(), HeaderAuth(header="api-key"), QueryAuth(parameter="key")]


def _signed(auth, **values):
    headers, query = {}, {}
    sign(auth, values, headers, query)
    return headers, query


@pytest.mark.parametrize(
    ("auth", "headers", "query"),
    [
        (NoAuth(), {}, {}),
        (BearerAuth(), {"Authorization": "Bearer k1"}, {}),
        (BearerAuth(setting="token"), {"Authorization": "Bearer t1"}, {}),
        (HeaderAuth(header="api-key"), {"api-key": "k1"}, {}),
        (HeaderAuth(header="Authorization", prefix="Token ", setting="token"), {"Authorization": "Token t1"}, {}),
        (QueryAuth(parameter="key"), {}, {"key": "k1"}),
    ],
)
def test_schemes(auth, headers, query):
    assert _signed(auth, api_key="k1", token="t1") == (headers, query)


@each("auth", SCHEMES)
@each("values", [{}, {"api_key": ""}, {"api_key": " \n"}, {"other": "x"}])
def test_what_is_not_set_is_not_sent(auth, values):
    assert _signed(auth, **values) == ({}, {})


@pytest.mark.parametrize("auth", SCHEMES)
def test_a_route_that_is_found_once_is_that_of_one_endpoint_alone(auth):
    transport = HTTPTransport()
    request = WireRequest(url="/chat", body=b"{}", headers=JSON_HEADERS)
    endpoints = [Endpoint(base_url="https://one.example", auth=auth, values={"api_key": key}) for key in ("k1", "k2")]
    first, second = (transport.route(request, endpoint) for endpoint in endpoints)
    assert transport.route(request, endpoints[0]) is first
    for route, key, other in ((first, "k1", "k2"), (second, "k2", "k1")):
        shown = f"{route.url} {route.headers}"
        assert key in shown
        assert other not in shown
    elsewhere = transport.route(msgspec.structs.replace(request, url="/other"), endpoints[0])
    assert elsewhere.url.path == "/other"
    more = transport.route(msgspec.structs.replace(request, query={"a": "b"}), endpoints[0])
    assert more.url.query["a"] == "b"
    own = transport.route(msgspec.structs.replace(request, headers={"X-Own": "1"}), endpoints[0])
    assert own.headers["X-Own"] == "1"
    assert JSON_HEADERS == {"Content-Type": "application/json"}
    for number in range(MOST_ROUTES + 1):
        transport.route(msgspec.structs.replace(request, url=f"/{number}"), endpoints[0])
    assert len(transport._routes) <= MOST_ROUTES


def test_what_is_signed_anew_each_time_has_a_new_route_each_time():
    transport = HTTPTransport()
    request = WireRequest(url="/chat", body=b"{}", headers=JSON_HEADERS)
    endpoint = Endpoint(base_url="https://one.example", auth=JwtAuth(), values={"api_key": "k1"})
    assert transport.route(request, endpoint) is not transport.route(request, endpoint)


@pytest.mark.parametrize("auth", SCHEMES)
def test_keys_are_stripped(auth):
    assert _signed(auth, api_key=" \tk1\r\n") == _signed(auth, api_key="k1")


@each("auth", SCHEMES)
@each("key", ["canary\nX-Evil: 1", "canary\r", "canary\x00x", "can\u200bary", "canary…", "cänary"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(auth, key):
    with pytest.raises(ConfigurationError, match="api_key holds a character") as caught:
        _signed(auth, api_key=f"a{key}b")
    assert "can" not in str(caught.value).replace("cannot", "")
    assert "can" not in repr(caught.value.__dict__).replace("cannot", "")


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (BearerAuth(), b"\r\nAuthorization: Bearer k/+=&1\r\n"),
        (HeaderAuth(header="x-api-key"), b"\r\nx-api-key: k/+=&1\r\n"),
        (QueryAuth(parameter="key"), b"/models?a=1&key=k/%2B%3D%261 HTTP"),
    ],
)
async def test_as_the_server_sees_it(transport, auth, expected):
    async with raw_server(answer()) as server:
        where = at(server.url, auth=auth, values={"api_key": "k/+=&1"})
        await transport.send(get("/models?a=1"), where, LIMITS)
        assert expected in server.peers[0].requests[0]
