"""Providers that speak Converse, called for real: at our server half, and at servers that fail."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.exceptions import (
    AuthenticationError,
    BetterAIError,
    ConfigurationError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    StreamInterrupted,
)
from betterai.core.message import Message, Text
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest
from betterai.wire.bedrock_converse import BedrockConverseSurface
from contract.cases import PROVIDERS, TEXT_CODECS, Case

KEY = "canary-53cr3t-0123456789"
CONVERSE = pytest.mark.parametrize(
    "case", [case for case in TEXT_CODECS if case.protocol == "bedrock_converse"], ids=str
)
STREAMING = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
SURFACE = BedrockConverseSurface()
USAGE = Usage(text_in=7, text_out=2)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for variable in {name for provider in PROVIDERS.values() for setting in provider.settings for name in setting.env}:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")


Answer = Callable[[web.Request, Any], web.Response]


def answer_well(request: web.Request, call: Any) -> web.Response:
    """Hello, whole or in frames."""
    result = ProviderResponse(
        content="Hello", message=Message.assistant("Hello"), usage=USAGE, finish_reason="stop", raw_finish_reason="stop"
    )
    if not call.stream:
        return web.Response(body=SURFACE.build_response(call, result).content, content_type="application/json")
    return web.Response(body=b"".join(frames(call)), content_type="application/vnd.amazon.eventstream")


def frames(call: Any) -> list[bytes]:
    state: dict[str, Any] = {}
    items = [
        TextChunk(content="Hel"), TextChunk(content="lo"), TextChunk(part=Text(text="Hello")),
        TextChunk(finish_reason="stop", raw_finish_reason="stop"), TextChunk(usage=USAGE), None,
    ]  # fmt: skip
    return [SURFACE.build_event(call, item, state) for item in items]


@asynccontextmanager
async def serve(answer: Answer) -> AsyncIterator[tuple[str, list[web.Request]]]:
    requests: list[web.Request] = []

    async def handle(request: web.Request) -> web.Response:
        requests.append(request)
        body = await request.read()
        return answer(request, SURFACE.parse_request(WireRequest(url=request.raw_path, body=body)))

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", requests
    finally:
        await runner.cleanup()


def connect(case: Case, url: str, key: str | None = KEY) -> BaseTextProvider:
    needed = {item.name: "filled-in" for item in case.provider.settings if item.required and item.default is None}
    model = f"{case.provider.name}/neutral.model-v1:0"
    return betterai.get_text_provider(
        betterai.CoreConfig(model=model, base_url=url, api_key=key, settings=needed, retries=0, timeout=20)
    )


async def ask(provider: BaseTextProvider, *, streaming: bool) -> ProviderResponse:
    if not streaming:
        return await provider.generate("Hello", "", GenerationSettings())
    chunks = [chunk async for chunk in provider.generate_stream("Hello", "", GenerationSettings())]
    response = chunks[-1].response
    assert response is not None
    assert "".join(chunk.content for chunk in chunks) == response.content
    return response


@CONVERSE
async def test_a_chat_and_a_stream_say_the_same(case: Case) -> None:
    async with serve(answer_well) as (url, requests):
        whole = await ask(connect(case, url), streaming=False)
        streamed = await ask(connect(case, url), streaming=True)
    assert (whole.content, whole.finish_reason, whole.provider) == ("Hello", "stop", case.provider.name)
    assert (streamed.message, streamed.usage) == (whole.message, whole.usage) == (Message.assistant("Hello"), USAGE)
    assert [request.raw_path for request in requests] == [
        "/model/neutral.model-v1%3A0/converse", "/model/neutral.model-v1%3A0/converse-stream",
    ]  # fmt: skip


@CONVERSE
async def test_the_key_is_sent_and_shown_nowhere(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serve(answer_well) as (url, requests):
        provider = connect(case, url)
        shown = [repr(await ask(provider, streaming=streaming)) for streaming in (False, True)]
    assert [request.headers["Authorization"] for request in requests] == [f"Bearer {KEY}"] * 2
    assert KEY not in "".join((*shown, caplog.text, repr(provider), repr(vars(provider))))


@CONVERSE
@STREAMING
async def test_missing_credentials_are_named_before_anything_is_sent(case: Case, streaming: bool) -> None:
    async with serve(answer_well) as (url, requests):
        with pytest.raises(ConfigurationError, match="no credentials of AWS were found"):
            await ask(connect(case, url, key=None), streaming=streaming)
    assert requests == []


FAILURES: dict[int, type[BetterAIError]] = {
    403: AuthenticationError, 429: RateLimitError, 500: ProviderError, 503: OverloadedError,
}  # fmt: skip


@CONVERSE
@STREAMING
@pytest.mark.parametrize("status", FAILURES)
async def test_a_failure_says_who_failed_and_not_the_key(case: Case, streaming: bool, status: int) -> None:
    def refuse(request: web.Request, call: Any) -> web.Response:
        kind = "UnrecognizedClientException" if status == 403 else "OddException"
        headers = {"x-amzn-errortype": f"{kind}:http://internal", "x-amzn-requestid": "r-1"}
        return web.json_response({"message": f"You sent {KEY}: odd"}, status=status, headers=headers)

    async with serve(refuse) as (url, _):
        with pytest.raises(FAILURES[status]) as caught:
            await ask(connect(case, url), streaming=streaming)
    error = caught.value
    assert (error.provider, error.status, error.request_id) == (case.provider.name, status, "r-1")
    assert "odd" in error.provider_message
    assert KEY not in "".join(traceback.format_exception(error)) + repr(vars(error))


@CONVERSE
async def test_half_an_answer_is_an_error_and_a_whole_one_without_usage_is_none(case: Case) -> None:
    scripts: list[Callable[[Any], list[bytes]]] = [
        lambda call: frames(call)[:-1],
        lambda call: frames(call)[:2],
        lambda call: [frames(call)[0], frames(call)[1][:20]],
        lambda call: [frames(call)[0], SURFACE.build_event(call, RateLimitError("odd"), {})],
    ]

    def answer(request: web.Request, call: Any) -> web.Response:
        return web.Response(body=b"".join(scripts.pop(0)(call)), content_type="application/vnd.amazon.eventstream")

    async with serve(answer) as (url, _):
        provider = connect(case, url)
        whole = await ask(provider, streaming=True)
        assert (whole.content, whole.usage) == ("Hello", None)
        for kind in (StreamInterrupted, StreamInterrupted, RateLimitError):
            with pytest.raises(kind) as caught:
                await ask(provider, streaming=True)
    assert caught.value.provider_message == "odd"
