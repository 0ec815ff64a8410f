"""Tokens of Google Cloud, from a token endpoint of our own."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec.structs import replace

from betterai.core.exceptions import APIConnectionError, AuthenticationError, ConfigurationError, TotalTimeout
from betterai.core.provider import GoogleAuth
from betterai.transport.auth import google_cloud, sign
from betterai.transport.auth.renewed import fetched_secrets
from betterai.transport.http import HTTPTransport
from doubles.calls import LIMITS, at, get

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
AUTH = GoogleAuth(scopes=(SCOPE,))
LOGIN_ENDPOINT = "google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT"
"""Where logins are refreshed, whatever their file says."""


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch, tmp_path):
    google_cloud._find_source.cache_clear()
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "no-gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    yield
    google_cloud._find_source.cache_clear()


class Cloud:
    """A token endpoint, and an API that says which tokens it was shown."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[dict[str, list[str]]] = []
        self.shown: list[str] = []
        self.projects: list[str | None] = []
        self.seconds = 3600
        self.refusals: list[tuple[int, dict[str, Any]]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def give_token(self, request: web.Request) -> web.Response:
        self.asked.append(parse_qs((await request.read()).decode()))
        await self.open.wait()
        if self.refusals:
            status, body = self.refusals.pop(0)
            return web.json_response(body, status=status)
        token = f"fetched-token-{len(self.asked)}"
        return web.json_response({"access_token": token, "expires_in": self.seconds, "token_type": "Bearer"})

    async def answer(self, request: web.Request) -> web.Response:
        self.shown.append(request.headers.get("Authorization", ""))
        self.projects.append(request.headers.get("x-goog-user-project"))
        return web.json_response({})


@asynccontextmanager
async def cloud() -> AsyncIterator[Cloud]:
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    double = Cloud("")
    app.router.add_post("/token", double.give_token)
    app.router.add_route("*", "/{path:.*}", double.answer)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        double.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        with patch(LOGIN_ENDPOINT, f"{double.url}/token"):
            yield double
    finally:
        await runner.cleanup()


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


def service_account(url: str) -> dict[str, str]:
    return {
        "type": "service_account", "client_email": "robot@project.example", "private_key_id": "k1", "private_key": PEM,
        "token_uri": f"{url}/token", "project_id": "project",
    }  # fmt: skip


def authorized_user() -> dict[str, str]:
    return {
        "type": "authorized_user", "client_id": "client", "client_secret": "canary-client-secret",
        "refresh_token": "canary-refresh-token", "quota_project_id": "payer",
    }  # fmt: skip


async def ask(transport: HTTPTransport, double: Cloud, **values: str) -> None:
    await transport.send(get("/models"), at(double.url, auth=AUTH, values=values), LIMITS)


async def test_a_service_account_signs_for_a_token_which_is_used_until_shortly_before_its_end(transport, tmp_path):
    async with cloud() as double:
        path = tmp_path / "account.json"
        path.write_text(json.dumps(service_account(double.url)))
        await ask(transport, double, credentials=str(path))
        await ask(transport, double, credentials=str(path))
    assert double.shown == ["Bearer fetched-token-1"] * 2
    (asked,) = double.asked
    _, claims, _ = asked["assertion"][0].split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert (said["iss"], said["scope"]) == ("robot@project.example", SCOPE)


async def test_a_login_is_refreshed_and_its_project_pays(transport):
    async with cloud() as double:
        await ask(transport, double, credentials=json.dumps(authorized_user()))
    assert double.asked[0]["refresh_token"] == ["canary-refresh-token"]
    assert (double.shown, double.projects) == (["Bearer fetched-token-1"], ["payer"])


async def test_the_usual_variable_is_read_where_nothing_is_set(transport, tmp_path, monkeypatch):
    async with cloud() as double:
        path = tmp_path / "account.json"
        path.write_text(json.dumps(service_account(double.url)))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        await ask(transport, double)
    assert double.shown == ["Bearer fetched-token-1"]


async def test_many_at_once_fetch_one_token(transport):
    async with cloud() as double:
        given = json.dumps(authorized_user())
        await asyncio.gather(*(ask(transport, double, credentials=given) for _ in range(20)))
    assert len(double.asked) == 1
    assert double.shown == ["Bearer fetched-token-1"] * 20


async def test_one_that_gives_up_takes_nobody_with_it(transport):
    async with cloud() as double:
        given = json.dumps(authorized_user())
        first, second = (asyncio.create_task(ask(transport, double, credentials=given)) for _ in range(2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        await second
        with pytest.raises(asyncio.CancelledError):
            await first
    assert double.shown == ["Bearer fetched-token-1"]


async def test_a_token_that_ends_soon_is_not_used_again(transport, monkeypatch):
    """One that is good for less than the time kept in hand is used for a second: long enough for its request."""
    now = [1000.0]
    monkeypatch.setattr("betterai.transport.auth.renewed.time.monotonic", lambda: now[0])
    async with cloud() as double:
        double.seconds = 60
        given = json.dumps(authorized_user())
        await ask(transport, double, credentials=given)
        now[0] += 2
        await ask(transport, double, credentials=given)
    assert double.shown == ["Bearer fetched-token-1", "Bearer fetched-token-2"]


async def test_a_given_token_wins_and_needs_no_library(monkeypatch):
    monkeypatch.setattr(google_cloud, "import_module", None)
    headers: dict[str, str] = {}
    assert sign(AUTH, {"access_token": "canary", "credentials": "/nowhere"}, headers, {}) is None
    assert headers == {"Authorization": "Bearer canary"}


async def test_a_refused_login_says_what_to_do_and_shows_no_secret(transport):
    async with cloud() as double:
        echo = {"error": "invalid_grant", "error_description": "Token has been revoked"}
        double.refusals = [(400, echo)]
        with pytest.raises(AuthenticationError, match="Token has been revoked") as caught:
            await ask(transport, double, credentials=json.dumps(authorized_user()))
        assert "canary" not in repr((str(caught.value), vars(caught.value)))
        assert caught.value.__suppress_context__
        await ask(transport, double, credentials=json.dumps(authorized_user()))
    assert double.shown == ["Bearer fetched-token-2"]


async def test_secrets_that_were_read_or_fetched_are_known(transport):
    async with cloud() as double:
        await ask(transport, double, credentials=json.dumps(authorized_user()))
    assert {"canary-client-secret", "canary-refresh-token", "fetched-token-1"} <= set(fetched_secrets())


async def test_an_endpoint_that_is_not_there_is_an_error_of_the_way(transport, monkeypatch):
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)
    given = json.dumps(service_account("http://127.0.0.1:9"))
    with pytest.raises(APIConnectionError) as caught:
        await transport.send(get("/models"), at("http://127.0.0.1:9", auth=AUTH, values={"credentials": given}), LIMITS)
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("/nowhere/file.json", "cannot read /nowhere/file.json: No such file"),
        ("{not json", "are not credentials"),
        ('{"type": "unheard_of"}', "are not credentials"),
        ('{"type": "service_account", "client_email": "x"}', "are not credentials"),
        ("", "no credentials of Google Cloud were found"),
    ],
)
async def test_credentials_that_are_none_are_said_to_be_none(transport, given, said):
    with pytest.raises(ConfigurationError, match=said):
        await transport.send(get("/models"), at("http://127.0.0.1:9", auth=AUTH, values={"credentials": given}), LIMITS)


async def test_without_the_library_the_extra_is_named(transport, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.auth", None)
    with pytest.raises(ConfigurationError, match=r"needs google-auth – pip install .betterai\[google\]."):
        await transport.send(get("/models"), at("http://127.0.0.1:9", auth=AUTH), LIMITS)


async def test_waiting_for_a_token_is_part_of_the_time_of_the_call(transport):
    """The token that came too late for it serves the next one."""
    async with cloud() as double:
        double.open.clear()
        where = at(double.url, auth=AUTH, values={"credentials": json.dumps(authorized_user())})
        with pytest.raises(TotalTimeout, match="what the request is signed with"):
            await transport.send(get("/models"), where, replace(LIMITS, total=0.05))
        double.open.set()
        await transport.send(get("/models"), where, LIMITS)
    assert len(double.asked) == 1
    assert double.shown == ["Bearer fetched-token-1"]
