"""X5: a secret is in no log, error, repr or traceback, wherever it came in."""

from __future__ import annotations

import logging
import pickle
import traceback
from base64 import b64decode
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web

import betterai
from betterai.core.config import CoreConfig
from betterai.core.exceptions import BetterAIError, ConfigurationError
from betterai.core.provider import HeaderAuth, NoAuth, Provider, QueryAuth, Setting
from betterai.runtime.connection import Connection
from betterai.runtime.text import CodecTextProvider
from betterai.wire.openai_chat import OpenAIChat
from runtime.listening import Telemetry
from runtime.providers import HELLO, MODEL, PROVIDER, ask, connect
from runtime.upstream import Behaviour, Upstream, answer, delta, event, hang_up, reply, stream, streamed

CANARY = "canary-53cr3t/+9"
QUOTED = quote(CANARY, safe="")


def texts_of(error: BaseException) -> str:
    """All that a program could print of an error."""
    state = {name: value for name, value in vars(error).items() if name not in ("partial", "response")}
    return "\n".join(
        (str(error), repr(error), repr(state), "".join(traceback.format_exception(error)), repr(error.args))
    )


def keyed(auth: Any, **settings: Any) -> Provider:
    return Provider(name="keyed", base_url="{base_url}", settings=PROVIDER.settings, auth=auth, **settings)


AUTHS = {
    "bearer": PROVIDER.auth,
    "header": HeaderAuth(header="X-Key"),
    "prefix": HeaderAuth(header="Authorization", prefix="Token "),
    "query": QueryAuth(parameter="key"),
}
ECHO = f"Incorrect API key provided: {CANARY}".encode()
SCRIPTS: dict[str, Any] = {
    "echoed": reply(401, b'{"error": {"message": "' + ECHO + b'", "code": "' + CANARY.encode() + b'"}}'),
    "echoed as text": reply(403, ECHO, content_type="text/plain"),
    "echoed in a header": reply(500, headers={"X-Echo": CANARY, "X-Request-Id": CANARY}),
    "echoed in a stream": stream([delta("Hel"), event(error={"message": ECHO.decode()})]),
    "unreadable": reply(200, ECHO),
    "torn": hang_up,
}


@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize("script", SCRIPTS)
async def test_x5_a_key_shows_nowhere(auth: str, script: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Upstream(SCRIPTS[script]) as upstream:
        config = CoreConfig(base_url=upstream.url, api_key=f" {CANARY}\n", retries=1, timeout=5)
        provider = CodecTextProvider(keyed(AUTHS[auth]), OpenAIChat(), config, MODEL)
        with pytest.raises(BetterAIError) as caught:
            await ask(provider, streaming=True)
        sent = upstream.requests[0]
        assert CANARY in repr((sent.headers, sent.query)), "the key was sent, else this shows nothing"
    shown = texts_of(caught.value) + caplog.text
    shown += repr((config, provider, provider.provider, provider.connection, provider.connection.endpoint()))
    assert CANARY not in shown
    assert str(caught.value)


@pytest.mark.parametrize("key", ["a key with spaces?&=", "ключ-ключ", "line\nbreak", "\x7f\x00\x01key"])
async def test_x5_a_key_that_cannot_be_sent_is_not_shown_either(key: str) -> None:
    with Upstream(answer()) as upstream:
        for auth in AUTHS.values():
            provider = CodecTextProvider(
                keyed(auth), OpenAIChat(), CoreConfig(base_url=upstream.url, api_key=key, retries=0), MODEL
            )
            try:
                await provider.generate(HELLO)
            except BetterAIError as error:
                assert key not in texts_of(error)  # noqa: PT017 - some of these keys can be sent


async def test_x5_a_login_in_the_base_url_is_sent_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Upstream(answer(), reply(500, ECHO)) as upstream:
        url = upstream.url.replace("://", f"://user:{QUOTED}@")
        provider = CodecTextProvider(
            keyed(NoAuth()), OpenAIChat(), CoreConfig(base_url=url, api_key="x", retries=0), MODEL
        )
        await provider.generate(HELLO)
        with pytest.raises(BetterAIError) as caught:
            await provider.generate(HELLO)
        assert upstream.requests[0].headers["Authorization"].startswith("Basic ")
    shown = texts_of(caught.value) + caplog.text + repr((provider.connection.endpoint(), provider))
    assert CANARY not in shown
    assert QUOTED not in shown


def test_x5_a_config_does_not_show_the_login_in_its_base_url() -> None:
    config = CoreConfig(base_url=f"https://user:{QUOTED}@example.com/v1", api_key=CANARY, options={"secret": CANARY})
    assert CANARY not in repr(config)
    assert QUOTED not in repr(config)


@pytest.mark.parametrize(
    "base_url", [f"user:{CANARY}@example.com", f"https://u:{CANARY}@[::1/v1", f"https://u:{CANARY}@h/v1?k=1"]
)
async def test_x5_a_wrong_base_url_is_shown_without_its_login(base_url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await connect(base_url).generate(HELLO)
    assert CANARY not in texts_of(caught.value)


async def test_x5_a_login_and_a_key_for_the_same_header_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="same header"):
        await connect(f"https://user:{QUOTED}@example.com/v1").generate(HELLO)


async def test_x5_a_secret_in_a_header_of_the_users_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Upstream(reply(500, {"error": {"message": "oops"}})) as upstream, pytest.raises(BetterAIError) as caught:
        await ask(connect(upstream.url, retries=0), extra_headers={"X-Secret": CANARY})
    assert CANARY not in texts_of(caught.value) + caplog.text


async def test_x5_headers_of_a_client_show_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    betterai.register_text_provider("neutral", PROVIDER)
    with Upstream(reply(500)) as upstream:
        config = CoreConfig(base_url=upstream.url, api_key="key", retries=0)
        async with betterai.Client(config, headers={"X-Secret": CANARY}) as client:
            with pytest.raises(BetterAIError) as caught:
                await client.generate("neutral/m-1", "Hello")
            assert CANARY not in repr((client, vars(client)))
        assert upstream.requests[0].headers["X-Secret"] == CANARY
    assert CANARY not in texts_of(caught.value) + caplog.text


def test_x5_a_declaration_and_its_settings_hold_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUTRAL_API_KEY", CANARY)
    connection = Connection(PROVIDER, CoreConfig())
    endpoint = connection.endpoint()
    assert endpoint.values["api_key"] == CANARY
    assert CANARY not in repr((connection, endpoint, PROVIDER, connection.provider.settings))


async def test_x5_cookies_and_keys_of_a_reply_are_not_kept() -> None:
    headers = {"Set-Cookie": f"session={CANARY}", "X-Request-Id": "r-1"}
    with Upstream(reply(500, headers=headers)) as upstream, pytest.raises(BetterAIError) as caught:
        await connect(upstream.url, retries=0).generate(HELLO)
    assert "x-request-id" in caught.value.headers
    assert CANARY not in texts_of(caught.value)


async def test_x5_a_client_that_cannot_be_made_is_warned_of_without_its_key(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Talkative(betterai.BaseTextProvider):
        def __init__(self, api_key: str) -> None:
            raise RuntimeError(f"the key {api_key} is not good")

    betterai.register_text_provider("talkative", Talkative)
    monkeypatch.setenv("TALKATIVE_API_KEY", CANARY)
    assert betterai.ai_clients.get("talkative") is None
    assert "talkative is not initialised: RuntimeError" in caplog.text
    assert CANARY not in caplog.text


async def test_x5_whole_answers_hold_no_request_headers() -> None:
    with Upstream(stream(streamed())) as upstream:
        response = await ask(connect(upstream.url, api_key=CANARY), streaming=True)
    assert CANARY not in repr(response)


def test_x5_only_secret_settings_are_hidden() -> None:
    provider = Provider(
        name="p",
        settings=(Setting(name="api_key", secret=True), Setting(name="region", default="north")),
        base_url="https://h",
    )
    connection = Connection(provider, CoreConfig(api_key="abcd/efgh"))
    connection.endpoint()
    assert connection.secrets() == ["abcd/efgh", "abcd%2Fefgh"]


def test_x5_a_key_that_was_changed_meanwhile_stays_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = Setting(name="api_key", env=("ROTATED_API_KEY",), secret=True)
    connection = Connection(Provider(name="p", settings=(setting,), base_url="https://h"), CoreConfig())
    for key in ("old-key", "new-key"):
        monkeypatch.setenv("ROTATED_API_KEY", key)
        connection.look_again()
        connection.endpoint()
    assert {"old-key", "new-key"} <= set(connection.secrets())


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Token", "Cookie"])
async def test_x5_a_secret_of_the_users_that_a_server_echoes_is_taken_out(name: str) -> None:
    body = {"error": {"message": f"You sent {CANARY} and {QUOTED} with 2026-11-01"}}
    given = {"extra_headers": {name: f"Bearer {CANARY}", "X-Version": "2026-11-01"}}
    with Upstream(reply(400, body)) as upstream, pytest.raises(BetterAIError) as caught:
        await ask(connect(upstream.url, retries=0), **given)
    told = texts_of(caught.value)
    assert CANARY not in told
    assert QUOTED not in told
    assert "2026-11-01" in str(caught.value)


# ── everything at once ──

SECRETS = {
    "key": "canary-key/+1",
    "login": "canary-login/+2",
    "setting": "canary-setting/+3",
    "client header": "canary-client-header-4",
    "header": "canary-header/+5",
    "query": "canary-query/+6",
}
"""One for each place where a secret may come in, so that what leaks says where from."""
ALL_FORMS = {form: place for place, secret in SECRETS.items() for form in (secret, quote(secret, safe=""))}
EVERYTHING = Provider(
    name="everything",
    base_url="{base_url}",
    settings=(*PROVIDER.settings, Setting(name="organisation", secret=True)),
    headers={"X-Organisation": "{organisation}"},
    auth=QueryAuth(parameter="key"),
    protocols={"text": {"openai_chat": OpenAIChat()}},
)


def echo(status: int, place: str) -> Behaviour:
    """Repeats all that was sent beside the body: in a body, in headers, or in a stream that has begun."""

    async def behave(request: web.Request) -> web.StreamResponse:
        said = " ".join([*request.headers.values(), *request.query.values(), request.raw_path])
        body: dict[str, Any] = {"error": {"message": said, "code": said, "type": said}}
        if place == "stream":
            events = [delta("Hel"), event(error=body["error"])] if status == 200 else []
            return await stream(events)(request)
        if place == "headers":
            named = {"X-Request-Id": request.query["key"], "X-Echo": said.replace("\n", " ")}
            return await (reply(status, {}, named) if status != 200 else answer(headers=named))(request)
        return await reply(status, body, {"X-Request-Id": request.headers["X-Token"]})(request)

    return behave


ECHOES = {
    "body 401": (echo(401, "body"),),
    "body 500, tried again": (echo(500, "body"), echo(503, "body")),
    "headers 429": (echo(429, "headers"),),
    "inside a stream": (echo(200, "stream"),),
    "headers of an answer": (echo(200, "headers"),),
    "torn": (hang_up,),
}


def find_leaks(text: str) -> set[str]:
    return {place for form, place in ALL_FORMS.items() if form in text}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("script", ECHOES)
async def test_x5_no_secret_is_in_any_log_error_repr_event_span_or_metric(
    script: str, streaming: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    betterai.register_text_provider("everything", EVERYTHING, replace=True)
    telemetry, events = Telemetry(), list[Any]()
    telemetry.instrument()
    caught: BaseException | None = None
    with Upstream(*ECHOES[script]) as upstream, betterai.observe(events.append):
        url = upstream.url.replace("://", f"://user:{quote(SECRETS['login'], safe='')}@")
        config = CoreConfig(
            base_url=url, api_key=SECRETS["key"], settings={"organisation": SECRETS["setting"]},
            retries=betterai.Retries(attempts=2, base=0.001),
        )  # fmt: skip
        given: dict[str, Any] = {
            "extra_headers": {"X-Token": SECRETS["header"]}, "extra_query": {"api_key": SECRETS["query"]}
        }  # fmt: skip
        async with betterai.Client(config, headers={"X-Client-Secret": SECRETS["client header"]}) as client:
            stream = client.stream("everything/m-1", "Hello", **given)
            try:
                await (stream if streaming else client.generate("everything/m-1", "Hello", **given))
            except BetterAIError as error:
                caught = error
            found = client._find("everything/m-1", None).provider
            shown = repr((client, vars(client), config, stream, found, EVERYTHING, found.connection.endpoint()))  # type: ignore[union-attr]
        sent = upstream.requests[0]
        arrived = repr((dict(sent.headers), dict(sent.query))) + b64decode(sent.headers["Authorization"][6:]).decode()
        assert find_leaks(arrived) == set(SECRETS), "all were sent, else this shows nothing"
    betterai.opentelemetry.uninstrument()
    assert (caught is None) == (script == "headers of an answer")
    if caught is not None:
        pickled = pickle.dumps(caught)
        shown += texts_of(caught) + texts_of(pickle.loads(pickled)) + pickled.decode("latin-1")
    assert len(events) >= 3
    assert len(telemetry.spans) >= 2
    assert "betterai.calls" in caplog.text
    places = {"shown": shown, "log": caplog.text, "events": repr(events), "telemetry": telemetry.everything()}
    assert {name: leaks for name, text in places.items() if (leaks := find_leaks(text))} == {}
