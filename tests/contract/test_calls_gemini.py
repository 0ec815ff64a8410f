"""Providers that speak Gemini, called for real: at our server half, and at servers that fail."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from betterai.core.exceptions import (
    AuthenticationError,
    BetterAIError,
    ConfigurationError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    StreamInterrupted,
    UnsupportedParam,
)
from contract.cases import PROVIDERS, TEXT_CODECS, Case, build, visible
from contract.test_calls import KEY, ask, connect, options_of, sample, texts_of
from doubles.servers import web_server
from judges.gemini_app import serve

SPOKEN = pytest.mark.parametrize("case", [case for case in TEXT_CODECS if case.protocol == "gemini"], ids=str)
STREAMING = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of this machine's environment reaches a provider."""
    for variable in {name for provider in PROVIDERS.values() for setting in provider.settings for name in setting.env}:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-config"))
    monkeypatch.delenv("BETTERAI_CONFIG", raising=False)


@SPOKEN
async def test_a_chat_and_a_stream_say_the_same(case: Case) -> None:
    async with serve() as (url, service):
        whole = await ask(connect(case, url), streaming=False)
        streamed = await ask(connect(case, url), streaming=True)
    assert "Hello, vendor" in whole.content
    assert (whole.provider, whole.finish_reason) == (case.provider.name, "stop")
    assert (streamed.message, streamed.usage) == (whole.message, whole.usage)
    assert whole.usage is not None
    assert whole.usage.output_tokens > 0
    assert [path.rpartition("/")[2] for path, _, _ in service.requests] == [
        "neutral-model:generateContent", "neutral-model:streamGenerateContent?alt=sse",
    ]  # fmt: skip
    assert {warning.code for warning in (*whole.warnings, *streamed.warnings)} <= {"unknown_model"}


@SPOKEN
async def test_the_key_is_sent_and_shown_nowhere(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serve() as (url, service):
        provider = connect(case, url)
        shown = [repr(await ask(provider, streaming=streaming)) for streaming in (False, True)]
    assert [
        {name.lower(): value for name, value in headers.items()}["x-goog-api-key"] for *_, headers in service.requests
    ] == [KEY, KEY]
    assert KEY not in "".join((*shown, caplog.text, repr(provider), repr(vars(provider))))


@SPOKEN
@STREAMING
async def test_a_missing_key_is_named_before_anything_is_sent(case: Case, streaming: bool) -> None:
    setting = case.provider.setting("api_key")
    assert setting is not None
    async with serve() as (url, service):
        with pytest.raises(ConfigurationError) as caught:
            await ask(connect(case, url, key=None), streaming=streaming)
    assert service.requests == []
    assert setting.env[0] in str(caught.value)
    assert case.provider.docs in str(caught.value)


FAILURES: dict[int, type[BetterAIError]] = {
    401: AuthenticationError, 429: RateLimitError, 500: ProviderError, 503: OverloadedError,
}  # fmt: skip


@SPOKEN
@STREAMING
@pytest.mark.parametrize("status", FAILURES)
async def test_a_failure_says_who_failed_and_not_the_key(
    case: Case, status: int, streaming: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def refuse(request: web.Request) -> web.Response:
        error = {"code": status, "message": f"You sent {KEY}: odd", "status": "ODD"}
        return web.json_response([{"error": error}] if streaming else {"error": error}, status=status)

    async with web_server(refuse) as url:
        with pytest.raises(FAILURES[status]) as caught:
            await ask(connect(case, url), streaming=streaming)
    error = caught.value
    assert (error.provider, error.model, error.status, error.code) == (
        case.provider.name,
        "neutral-model",
        status,
        "ODD",
    )
    assert "odd" in error.provider_message
    assert KEY not in texts_of(error) + caplog.text


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\r\n\r\n"


def said(text: str, **fields: Any) -> bytes:
    return event(candidates=[{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **fields}])


def play(*scripts: list[bytes]) -> Callable[[web.Request], Any]:
    left = list(scripts)

    async def behave(request: web.Request) -> web.Response:
        return web.Response(body=b"".join(left.pop(0)), content_type="text/event-stream")

    return behave


@SPOKEN
async def test_half_an_answer_is_an_error_and_a_whole_one_without_usage_is_none(case: Case) -> None:
    failed = event(error={"code": 503, "message": "odd", "status": "UNAVAILABLE"})
    whole = [said("Hel"), said("lo", finishReason="STOP")]
    scripts = (whole, [said("Hel")], [said("Hel"), whole[1][:30]], [said("Hel"), failed])
    async with web_server(play(*scripts)) as url:
        provider = connect(case, url)
        response = await ask(provider, streaming=True)
        assert (response.content, response.usage) == ("Hello", None)
        for kind in (StreamInterrupted, StreamInterrupted, OverloadedError):
            with pytest.raises(kind) as caught:
                await ask(provider, streaming=True)
            assert caught.value.provider == case.provider.name
    assert caught.value.provider_message == "odd"


@SPOKEN
async def test_a_stream_that_comes_as_one_list_is_read(case: Case) -> None:
    events = [json.loads(item[6:]) for item in (said("Hel"), said("lo", finishReason="STOP"))]

    async def behave(request: web.Request) -> web.Response:
        return web.json_response(events)

    async with web_server(behave) as url:
        assert (await ask(connect(case, url), streaming=True)).content == "Hello"


@SPOKEN
async def test_what_is_not_sent_is_reported_or_raises(case: Case) -> None:
    options = {case.provider.name: {"unheard_of": 1}}
    async with serve() as (url, service):
        response = await ask(connect(case, url), streaming=False, options=options)
        with pytest.raises(UnsupportedParam):
            await ask(connect(case, url, unsupported="raise"), streaming=False, options=options)
    assert "unheard_of" not in repr(service.bodies)
    assert [warning.field for warning in response.warnings if warning.code == "dropped"] == [
        f"options.{case.provider.name}.unheard_of"
    ]


@SPOKEN
def test_a_vendors_own_options_are_typed_and_sent(case: Case) -> None:
    hints = options_of(case.provider.name)
    assert set(case.codec.vendor_options) == set(hints)
    bare = visible(build(case))
    for name, hint in hints.items():
        request = build(case, options={case.provider.name: {name: sample(hint)}})
        assert visible(request) != bare, name
        assert request.warnings == (), name
