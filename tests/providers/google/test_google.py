"""The Gemini API: its key, its options, counting, and answers that take more than one request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai.core.exceptions import AuthenticationError, ProviderError
from betterai.core.message import Message
from betterai.core.settings import GenerationSettings
from betterai.core.tools import Tool
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.providers.google import PROVIDER
from doubles.servers import web_server
from wire.geminis import make_call, reply

COUNT = PROVIDER.protocols["count"]["gemini"]


def connect(url: str) -> Any:
    return betterai.get_text_provider(
        betterai.CoreConfig(model="google/gemini-4-argon", base_url=url, api_key="k", retries=0)
    )


def test_two_variables_hold_the_key_and_the_longer_known_one_wins() -> None:
    setting = PROVIDER.setting("api_key")
    assert setting is not None
    assert setting.env == ("GOOGLE_API_KEY", "GEMINI_API_KEY")


def test_the_default_is_a_model_of_the_catalogue_that_is_not_shut_down() -> None:
    model = PROVIDER.models()[PROVIDER.defaults["text"]]
    assert (model.category, model.shutdown) == ("text", "")
    assert model.traits.efforts == ("low", "medium", "high")


def test_counting_asks_with_all_that_counts() -> None:
    call = make_call([Message.system("S"), Message.user("Hello")], tools=[Tool(name="f")], temperature=0)
    request = COUNT.build_request(call)
    assert (request.url, request.safe_to_repeat, request.reply) == (
        "/v1beta/models/any-model:countTokens",
        True,
        "json",
    )
    inner = request.body["generateContentRequest"]
    assert inner == {
        "model": "models/any-model",
        "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
        "systemInstruction": {"parts": [{"text": "S"}]},
        "generationConfig": {"temperature": 0},
        "tools": [{"functionDeclarations": [{"name": "f"}]}],
    }
    count = COUNT.parse_response(call, WireResponse(status=200, body=b'{"totalTokens":31,"promptTokensDetails":[]}'))
    assert (count.tokens, count.estimated, count.model) == (31, False, "any-model")
    assert COUNT.answers("/v1beta/models/any-model:countTokens")


def test_a_count_that_failed_is_an_error() -> None:
    for body in (b"<html>", b'{"error":{"code":503,"message":"busy"}}'):
        with pytest.raises(ProviderError):
            COUNT.parse_response(make_call(), WireResponse(status=200, body=body))
    error = b'{"error":{"code":401,"message":"no","status":"UNAUTHENTICATED"}}'
    assert isinstance(COUNT.parse_error(WireResponse(status=401, body=error)), AuthenticationError)


def hop(text: str, finish: str, token: str = "", tokens: int = 3) -> dict[str, Any]:
    usage = {"promptTokenCount": 5, "candidatesTokenCount": tokens, "totalTokenCount": 5 + tokens}
    more = {"candidate": {"continuationToken": token}} if token else {}
    return reply({"text": text}, finish=finish, usageMetadata=usage, **more)


HOPS = [hop("One, ", "CONTINUATION", "dDE="), hop("two, ", "CONTINUATION", "dDI="), hop("three.", "STOP")]


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_an_answer_goes_on_with_its_token_until_it_is_whole(streaming: bool) -> None:
    bodies: list[Any] = []

    async def behave(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        answer = HOPS[len(bodies) - 1]
        if streaming:
            return web.Response(
                body=b"data: " + json.dumps(answer).encode() + b"\r\n\r\n", content_type="text/event-stream"
            )
        return web.json_response(answer)

    async with web_server(behave) as url:
        provider, settings = connect(url), GenerationSettings(max_tokens=200_000)
        if streaming:
            chunks = [chunk async for chunk in provider.generate_stream("Count", "", settings)]
            response = chunks[-1].response
            assert "".join(chunk.content for chunk in chunks) == "One, two, three."
        else:
            response = await provider.generate("Count", "", settings)
    assert (response.content, response.finish_reason) == ("One, two, three.", "stop")
    assert response.usage == Usage(text_in=15, text_out=9)
    assert [body.pop("continuationToken", None) for body in bodies] == [None, "dDE=", "dDI="]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["generationConfig"] == {"maxOutputTokens": 200_000}
