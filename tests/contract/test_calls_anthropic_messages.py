"""Every provider that speaks Messages, called for real: at our server half, and at servers that fail."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import pytest

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.exceptions import (
    AuthenticationError,
    BetterAIError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    StreamInterrupted,
    UnsupportedParam,
)
from betterai.core.response import ProviderResponse
from betterai.core.settings import GenerationSettings
from contract.cases import PROVIDERS, TEXT_CODECS, Case
from judges.anthropic_app import serve
from runtime.upstream import Upstream, reply, stream
from wire.messages import BEGIN, END, ended, event, text
from wire.messages import reply as message

PROTOCOL = "anthropic_messages"
SPOKEN = pytest.mark.parametrize("case", [case for case in TEXT_CODECS if case.protocol == PROTOCOL], ids=str)
BOTH = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
KEY = "canary-53cr3t-0123456789"
WHOLE = reply(200, message({"type": "text", "text": "Hello"}))


def frames(*events: bytes) -> list[bytes]:
    return [b"event: x\ndata: " + data + b"\n\n" for data in events]


STREAM = frames(BEGIN, *text(0, "Hel", "lo"), ended(), END)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in {name for provider in PROVIDERS.values() for item in provider.settings for name in item.env}:
        monkeypatch.delenv(variable, raising=False)


def connect(case: Case, url: str, **config: Any) -> BaseTextProvider:
    needed = {item.name: "filled-in" for item in case.provider.settings if item.required and item.default is None}
    needed = {name: value for name, value in needed.items() if name not in ("api_key", "base_url")}
    given = {"api_key": KEY, "settings": needed, "retries": 0, "timeout": 20, **config}
    model = f"{case.provider.name}/neutral-model"
    return betterai.get_text_provider(betterai.CoreConfig(model=model, protocol=PROTOCOL, base_url=url, **given))


async def ask(provider: BaseTextProvider, *, streaming: bool, **settings: Any) -> ProviderResponse:
    given = GenerationSettings(**settings)
    if not streaming:
        return await provider.generate("Hello, vendor", "", given)
    chunks = [chunk async for chunk in provider.generate_stream("Hello, vendor", "", given)]
    response = chunks[-1].response
    assert response is not None
    assert "".join(chunk.content for chunk in chunks) == response.content
    return response


@SPOKEN
async def test_a_message_and_a_stream_say_the_same(case: Case) -> None:
    async with serve() as (url, requests):
        whole = await ask(connect(case, url), streaming=False)
        streamed = await ask(connect(case, url), streaming=True)
    assert "Hello, vendor" in whole.content
    assert (whole.provider, whole.finish_reason) == (case.provider.name, "stop")
    assert (streamed.message, streamed.usage) == (whole.message, whole.usage)
    assert whole.usage is not None
    assert whole.usage.output_tokens > 0
    assert [body["model"] for _, body in requests] == ["neutral-model"] * 2
    assert {warning.code for warning in (*whole.warnings, *streamed.warnings)} <= {"unknown_model"}


@SPOKEN
async def test_the_key_is_sent_and_shown_nowhere(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Upstream(WHOLE, stream(STREAM)) as upstream:
        provider = connect(case, upstream.url)
        shown = [repr(await ask(provider, streaming=streaming)) for streaming in (False, True)]
    assert all(KEY in repr((request.headers, request.query)) for request in upstream.requests)
    assert KEY not in "".join((*shown, caplog.text, repr(provider), repr(vars(provider))))


@SPOKEN
@BOTH
@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, AuthenticationError), (429, RateLimitError), (500, ProviderError), (529, OverloadedError)],
)
async def test_a_failure_says_who_failed_and_not_the_key(
    case: Case, status: int, kind: type[BetterAIError], streaming: bool
) -> None:
    body = {"type": "error", "error": {"type": "odd_error", "message": f"You sent {KEY}: odd"}}
    with Upstream(reply(status, body)) as upstream, pytest.raises(kind) as caught:
        await ask(connect(case, upstream.url), streaming=streaming)
    error = caught.value
    assert (error.provider, error.model, error.status) == (case.provider.name, "neutral-model", status)
    assert "odd" in error.provider_message
    assert KEY not in "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


@SPOKEN
async def test_half_an_answer_is_an_error_and_a_whole_one_without_a_terminator_is_none(case: Case) -> None:
    failed = frames(event("error", error={"type": "api_error", "message": "odd"}))
    scripts = [stream(STREAM[:-1]), stream(STREAM[:4]), stream(STREAM[:4], "abort"), stream([*STREAM[:4], *failed])]
    with Upstream(*scripts) as upstream:
        provider = connect(case, upstream.url)
        assert (await ask(provider, streaming=True)).content == "Hello"
        for kind in (StreamInterrupted, StreamInterrupted, ProviderError):
            with pytest.raises(kind) as caught:
                await ask(provider, streaming=True)
            assert caught.value.provider == case.provider.name
    assert "odd" in caught.value.provider_message


@SPOKEN
async def test_what_is_not_sent_is_reported_or_raises(case: Case) -> None:
    options = {case.provider.name: {"unheard_of": 1}}
    with Upstream(WHOLE) as upstream:
        response = await ask(connect(case, upstream.url), streaming=False, options=options)
        with pytest.raises(UnsupportedParam):
            await ask(connect(case, upstream.url, unsupported="raise"), streaming=False, options=options)
    assert "unheard_of" not in repr(upstream.requests[0].body)
    assert f"options.{case.provider.name}.unheard_of" in [warning.field for warning in response.warnings]
