"""What a caller gets wrong is told in plain words before anything is sent, and without a secret in it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest

import betterai
from betterai.core.config import CoreConfig, Retries, Timeout
from betterai.core.exceptions import ValidationError
from runtime.providers import PROVIDER
from runtime.upstream import Upstream, answer
from together import each

SECRET = "sk-canary-12345678"
MODEL = "neutral/m-1"


@pytest.fixture(autouse=True, scope="module")
def _neutral() -> None:
    betterai.register_text_provider("neutral", PROVIDER, replace=True)
    betterai.register_text_provider("unfit", Unfit)


class Unfit(betterai.BaseTextProvider):
    """Takes no key."""


async def fail(ask: Callable[[], Any]) -> str:
    """What it raises: one of ours, not from deep within a library, and with no secret."""
    try:
        given = ask()
        if hasattr(given, "__await__"):
            given = await given
    except ValidationError as error:
        whole = "".join(traceback.format_exception(error))
        assert SECRET not in whole
        assert not [name for name in ("site-packages/aiohttp", "asyncio/", "site-packages/yarl") if name in whole]
        return str(error)
    raise AssertionError(f"it was taken: {given!r:.200}")


# ── clients and configurations ──

CLIENTS: dict[str, tuple[dict[str, Any], str]] = {
    "proxy without a scheme": ({"proxy": "nope"}, "'nope' is not the URL of a proxy – it is http or https"),
    "proxy of another scheme": ({"proxy": f"socks5://u:{SECRET}@host:1"}, "'host:1' is not the URL of a proxy"),
    "proxy of no port": ({"proxy": "http://host:99999"}, "is not the URL of a proxy"),
    "empty proxy": ({"proxy": ""}, "is not the URL of a proxy"),
    "proxy of another type": ({"proxy": 5}, "is not the URL of a proxy"),
    "no certificates there": ({"ca_bundle": "/nope.pem"}, "ca_bundle '/nope.pem' is no file"),
    "certificates of another type": ({"ca_bundle": 5}, "ca_bundle 5 is no file"),
    "headers as a list": ({"headers": ["a"]}, "headers are a dict, not list"),
    "a header's name": ({"headers": {"a b": SECRET}}, "'a b' is not the name of a header"),
    "a header's line break": ({"headers": {"Authorization": f"{SECRET}\r\nX: y"}}, "the header Authorization holds a line break"),
    "a header of another type": ({"headers": {"a": 5}}, "the header a must be str, not int"),
    "a session that is none": ({"session": 5}, "session is an aiohttp.ClientSession, not int"),
    "trust_env": ({"trust_env": "yes"}, "trust_env must be True or False, not 'yes'"),
    "a limit below 0": ({"timeout": -1}, "timeout.total must be a number of seconds above 0, not -1"),
    "a limit as a text": ({"timeout": Timeout(idle="5")}, "timeout.idle must be a number of seconds above 0, not '5'"),  # type: ignore[arg-type]
    "a limit that is none": ({"timeout": Timeout(connect=None)}, "timeout.connect must be"),  # type: ignore[arg-type]
    "retries below 0": ({"retries": -1}, "a call has at least one attempt"),
    "retries as a text": ({"retries": Retries(attempts="3")}, "retries.attempts must be a whole number, not '3'"),  # type: ignore[arg-type]
    "a wait below 0": ({"retries": Retries(base=-1)}, "retries.base must be a number of seconds, not -1"),
    "a wait of another type": ({"retries": Retries(longest="x")}, "retries.longest must be a number of seconds, not 'x'"),  # type: ignore[arg-type]
    "a hook that is none": ({"on_event": 5}, "a hook is a plain function, not 5"),
}  # fmt: skip

CONFIGS: dict[str, tuple[dict[str, Any], str]] = {
    "model": ({"model": 5}, "CoreConfig: model must be str, not int"),
    "model None": ({"model": None}, "CoreConfig: model must be str, not NoneType"),
    "a base URL without a scheme": ({"base_url": "localhost:8000"}, "'localhost:8000' is not a base URL – it begins with https://"),
    "a base URL with a space": ({"base_url": "https://a host/v1"}, "is not a base URL"),
    "an empty base URL": ({"base_url": " "}, "CoreConfig: base_url is empty – leave it out"),
    "hops": ({"hops": True}, "CoreConfig: hops must be int, not bool"),
    "timeout": ({"timeout": True}, "CoreConfig: timeout must be int or float or Timeout, not bool"),
    "settings as a list": ({"settings": ["a"]}, "CoreConfig: settings must be Mapping, not list"),
    "a setting of another type": ({"settings": {"region": 5}}, "CoreConfig: settings['region'] must be str, not int"),
    "a setting's name": ({"settings": {5: "x"}}, "CoreConfig: the names in settings must be str, not int"),
    "a misspelt setting": ({"settings": {"api_kye": SECRET}}, "no settings.api_kye – did you mean api_key?"),
    "providers as a list": ({"providers": ["a"]}, "CoreConfig: providers must be Mapping, not list"),
    "a provider as a text": ({"providers": {"neutral": SECRET}}, "providers['neutral'] must be a dict of texts, not str"),
    "a misspelt provider": ({"providers": {"neutrl": {"api_key": SECRET}}}, "no providers.neutrl – did you mean neutral?"),
    "a misspelt setting of a provider": (
        {"providers": {"neutral": {"api_kye": SECRET}}}, "no providers.neutral.api_kye – did you mean api_key?",
    ),
    "options": ({"options": ["a"]}, "CoreConfig: options must be Mapping, not list"),
    "unsupported": ({"unsupported": "rase"}, "unsupported must be 'warn' or 'raise', not 'rase'"),
    "protocol": ({"protocol": "opanai_chat"}, "neutral does not speak 'opanai_chat' – it speaks openai_chat"),
}  # fmt: skip


@each("name", CLIENTS)
async def test_a_client_that_cannot_be_is_refused_when_it_is_made(name: str) -> None:
    given, said = CLIENTS[name]
    assert said in await fail(lambda: betterai.Client(**given))


@each("name", CONFIGS)
async def test_a_configuration_that_cannot_be_is_refused_before_anything_is_sent(name: str) -> None:
    given, said = CONFIGS[name]
    with Upstream(answer()) as upstream:
        base = {"base_url": upstream.url, "api_key": SECRET}
        async with betterai.Client() as client:
            told = await fail(lambda: client.generate(MODEL, "Hello", config=CoreConfig(**{**base, **given})))
    assert said in told
    assert upstream.requests == []


async def test_a_class_that_takes_no_key_is_told_what_to_take() -> None:
    said = await fail(lambda: betterai.generate("unfit/m", "Hello"))
    assert "the class behind 'unfit' cannot be made" in said
    assert "have __init__ take these" in said
    assert "client is a betterai.Client, not str" in await fail(lambda: betterai.Conversation(MODEL, client="x"))  # type: ignore[arg-type]
