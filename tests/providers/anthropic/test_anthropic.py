"""What is special at Anthropic itself: how it is signed, where it is, which models it has and what they take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import betterai
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError
from betterai.core.settings import GenerationSettings
from betterai.providers.anthropic import PROVIDER
from betterai.providers.anthropic.options import AnthropicOptions
from contract.cases import TEXT_CODECS, build, visible
from contract.test_calls import options_of, sample
from runtime.upstream import Upstream, reply, stream
from together import each
from wire.messages import BEGIN, END, ended, text
from wire.messages import reply as message

ANSWER = json.loads(message({"type": "text", "text": "Hi"}))
CASE = next(case for case in TEXT_CODECS if case.provider is PROVIDER)
VARIABLES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    with Upstream(reply(200, ANSWER)) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url.removesuffix("/v1"))
        yield server


async def ask(model: str = "anthropic", config: dict[str, Any] | None = None, **settings: Any) -> Any:
    provider = betterai.get_text_provider(CoreConfig(model=model, retries=0, timeout=20, **(config or {})))
    return await provider.generate("Hello", "", GenerationSettings(**settings))


async def test_a_key_is_sent_in_its_own_header(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
    response = await ask()
    (request,) = upstream.requests
    assert response.content == "Hi"
    assert (request.method, request.path) == ("POST", "/v1/messages")
    assert request.headers["x-api-key"] == "key"
    assert "Authorization" not in request.headers
    assert request.headers["anthropic-version"] == "2026-10-21"
    assert request.body["model"] == PROVIDER.defaults["text"]


async def test_a_token_is_sent_as_a_bearer(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token")
    await ask()
    (request,) = upstream.requests
    assert request.headers["Authorization"] == "Bearer token"
    assert "x-api-key" not in request.headers


async def test_without_either_the_variable_is_named(upstream: Upstream) -> None:
    with pytest.raises(ConfigurationError, match="ANTHROPIC_API_KEY"):
        await ask()
    assert upstream.requests == []


async def test_the_version_can_be_set_for_all_calls(upstream: Upstream) -> None:
    await ask(config={"api_key": "k", "settings": {"version": "2099-01-01"}})
    assert upstream.requests[0].headers["anthropic-version"] == "2099-01-01"


async def test_models_of_before_are_sampled_and_later_ones_are_not(upstream: Upstream) -> None:
    old = await ask("anthropic/claude-sonnet-4-6", {"api_key": "k"}, temperature=0.5)
    new = await ask("anthropic/claude-sonnet-5", {"api_key": "k"}, temperature=0.5)
    first, second = upstream.requests
    assert (first.body["temperature"], first.headers["anthropic-version"], old.warnings) == (0.5, "2023-06-01", ())
    assert ("temperature" in second.body, second.headers["anthropic-version"]) == (False, "2026-10-21")
    assert [item.field for item in new.warnings] == ["temperature"]


async def test_an_answer_that_pauses_goes_on() -> None:
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    paused = json.loads(message(search, stop="pause_turn"))
    with Upstream(reply(200, paused), reply(200, ANSWER)) as upstream:
        response = await ask(config={"api_key": "k", "base_url": upstream.url.removesuffix("/v1")})
    assert (response.content, response.finish_reason) == ("Hi", "stop")
    assert upstream.requests[1].body["messages"][-1] == {"role": "assistant", "content": [search]}
    assert response.usage.input_tokens == 14


async def test_a_stream() -> None:
    frames = [b"event: x\ndata: " + data + b"\n\n" for data in [BEGIN, *text(0, "Hel", "lo"), ended(), END]]
    with Upstream(stream(frames)) as upstream:
        config = CoreConfig(
            model="anthropic/claude-haiku-5-5", api_key="k", base_url=upstream.url.removesuffix("/v1"), retries=0
        )
        provider = betterai.get_text_provider(config)
        chunks = [chunk async for chunk in provider.generate_stream("Hello")]
    assert "".join(chunk.content for chunk in chunks) == "Hello"
    response = chunks[-1].response
    assert response is not None
    assert response.usage is not None
    assert (response.usage.input_tokens, response.cost is not None) == (7, True)
    assert upstream.requests[0].body["stream"] is True


def test_every_listed_model_has_traits_of_its_family() -> None:
    models = PROVIDER.models()
    assert all(model.traits.thinking or model.traits.reasons == "never" for model in models.values())
    assert models[PROVIDER.defaults["text"]].traits.reasons == "default"


@each("name", AnthropicOptions.__annotations__)
def test_every_option_is_sent_without_a_word(name: str) -> None:
    hint = options_of("anthropic")[name]
    bare, request = (build(CASE, options=options) for options in ({}, {"anthropic": {name: sample(hint)}}))
    assert visible(request) != visible(bare)
    assert request.warnings == ()
