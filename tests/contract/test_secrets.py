"""X5: a canary in every secret setting of every provider is seen in no log, error, repr, warning or response."""

from __future__ import annotations

import json
import logging
import traceback
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.exceptions import BetterAIError
from betterai.core.provider import Setting
from betterai.core.settings import GenerationSettings
from betterai.transport.auth import google_cloud
from contract.cases import TEXT_CODECS, Case, over
from contract.doubles import Said
from contract.reading import double_of
from contract.test_calls import no_variables
from runtime.upstream import Behaviour, Upstream, reply, stream
from together import each
from transport.test_auth_google import authorized_user, cloud

__all__ = ["no_variables"]
OVER_ALL = over(TEXT_CODECS)
WAYS = each("streaming", [False, True], ids=["whole", "stream"])
OURS = {"X-Api-Token": "canary-of-a-header-9"}
QUERY = {"api-key": "canary-of-the-query-9"}


def canary_of(setting: Setting) -> str:
    return f"canary-of-{setting.name.replace('_', '-')}-53cr3t/+9"


def connect(case: Case, url: str, only: str = "") -> tuple[BaseTextProvider, set[str]]:
    """The vendor with a canary in each secret setting, or in one alone; and what may be shown nowhere."""
    values: dict[str, str] = {}
    for setting in case.provider.settings:
        if setting.secret and (not only or setting.name == only):
            values[setting.name] = canary_of(setting)
        elif setting.required and setting.default is None and not setting.secret and setting.name != "base_url":
            values[setting.name] = "filled-in"
    secrets = {value for value in values.values() if value != "filled-in"}
    key = values.pop("api_key", None)
    config = betterai.CoreConfig(
        model=f"{case.provider.name}/neutral-model", protocol=case.protocol, base_url=url, api_key=key,
        settings=values, retries=0, timeout=20,
    )  # fmt: skip
    return betterai.get_text_provider(config), secrets


async def echo(request: web.Request) -> web.StreamResponse:
    """A server that tells all that it was shown, in its body and in its headers."""
    shown = {**dict(request.headers), **dict(request.query)}
    said = "; ".join(f"{name} {value}" for name, value in shown.items())
    body = {"error": {"message": f"You sent {said}", "type": "odd", "code": said}, "message": said}
    return web.json_response(body, status=400, headers={"X-Echo": said, "x-request-id": said})


async def ask(provider: BaseTextProvider, streaming: bool) -> Any:
    given = GenerationSettings(extra_headers=OURS, extra_query=QUERY, options={"elsewhere": {}}, top_k=3, seed=3)
    if not streaming:
        return await provider.generate("Hello", "", given)
    return [chunk async for chunk in provider.generate_stream("Hello", "", given)]


def texts_of(error: BaseException) -> str:
    return "\n".join((*traceback.format_exception(error), repr(error), repr(vars(error)), str(error)))


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """All that was logged and warned of so far."""
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield lambda: caplog.text + repr([str(item.message) for item in caught])


@OVER_ALL
@WAYS
async def test_x5_no_secret_setting_shows_when_a_server_echoes_it(case: Case, streaming: bool, said: Any) -> None:
    names = [setting.name for setting in case.provider.settings if setting.secret and setting.name != "credentials"]
    names = [name for name in names if name not in ("access_key_id", "secret_access_key", "session_token")]
    shown = set()
    for name in names:
        with Upstream(echo) as upstream:
            provider, secrets = connect(case, upstream.url, only=name)
            with pytest.raises(BetterAIError) as caught:
                await ask(provider, streaming)
            sent = repr([(request.headers, request.query) for request in upstream.requests])
        shown |= {secret for secret in secrets if secret in sent}
        secrets |= {*OURS.values(), *QUERY.values()}
        told = texts_of(caught.value) + said() + repr((provider, vars(provider)))
        assert [secret for secret in secrets if secret in told] == []
        assert str(caught.value)
    assert shown, "none was sent, and so this shows nothing"


@OVER_ALL
async def test_x5_all_secret_settings_at_once_show_in_no_answer(case: Case, said: Any) -> None:
    double, kind = double_of(case), {}
    if case.protocol == "bedrock_converse":
        kind = {"content-type": "application/vnd.amazon.eventstream"}
    answers: list[Behaviour] = [
        reply(200, double.whole(Said(text="Hello"))), stream(double.events(Said(text="Hello")), headers=kind),
    ]  # fmt: skip
    with Upstream(*answers) as upstream:
        provider, secrets = connect(case, upstream.url)
        told = [repr(await ask(provider, streaming)) for streaming in (False, True)]
    secrets |= {*OURS.values(), *QUERY.values()}
    shown = "".join(told) + said() + repr((provider, vars(provider)))
    assert [secret for secret in secrets if secret in shown] == []


SIGNED = [case for case in TEXT_CODECS if case.provider.setting("secret_access_key") is not None]


@over(SIGNED)
@WAYS
async def test_x5_keys_that_sign_show_nowhere(case: Case, streaming: bool, said: Any) -> None:
    names = ("access_key_id", "secret_access_key", "session_token")
    secrets = {name: canary_of(case.provider.setting(name)) for name in names}  # type: ignore[arg-type]
    with Upstream(echo) as upstream:
        config = betterai.CoreConfig(
            model=f"{case.provider.name}/neutral-model", protocol=case.protocol, base_url=upstream.url, retries=0,
            timeout=20, settings={**secrets, "region": "us-east-1"},
        )  # fmt: skip
        provider = betterai.get_text_provider(config)
        with pytest.raises(BetterAIError) as caught:
            await ask(provider, streaming)
        assert secrets["session_token"] in repr(upstream.requests[0].headers)
    told = texts_of(caught.value) + said() + repr((provider, vars(provider), config))
    assert [secret for secret in secrets.values() if secret in told] == []


FETCHING = [case for case in TEXT_CODECS if case.provider.setting("credentials") is not None]


@over(FETCHING)
@WAYS
async def test_x5_a_fetched_token_shows_nowhere(case: Case, streaming: bool, said: Any) -> None:
    google_cloud._find_source.cache_clear()
    login = {**authorized_user(), "refresh_token": f"canary-refresh-{case.protocol}-{streaming}"}
    async with cloud():
        with Upstream(echo) as upstream:
            config = betterai.CoreConfig(
                model=f"{case.provider.name}/neutral-model", protocol=case.protocol, base_url=upstream.url, retries=0,
                timeout=20, settings={"project": "p", "location": "us-east5", "credentials": json.dumps(login)},
            )  # fmt: skip
            provider = betterai.get_text_provider(config)
            with pytest.raises(BetterAIError) as caught:
                await ask(provider, streaming)
            assert "fetched-token-1" in repr(upstream.requests[0].headers)
    told = texts_of(caught.value) + said() + repr((provider, vars(provider), config))
    secrets = ("fetched-token-1", "canary-client-secret", login["refresh_token"])
    assert [secret for secret in secrets if secret in told] == []


def test_x5_there_are_such_providers() -> None:
    assert SIGNED
    assert FETCHING
