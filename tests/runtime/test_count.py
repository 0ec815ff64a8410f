"""Counting tokens: by the provider's own codec, by a class, or as an estimate that says that it is one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar, Never

import msgspec
import pytest
from aiohttp import web

import betterai
from betterai.core.codec import TextCall
from betterai.core.config import CoreConfig, Retries
from betterai.core.exceptions import OverloadedError, ProviderError
from betterai.core.model import ModelConfig
from betterai.core.price import Price, Rates
from betterai.core.provider import NoAuth, Provider
from betterai.core.response import CallWarning
from betterai.core.results import TokenCount
from betterai.core.settings import GenerationSettings
from betterai.core.wire import WireRequest, WireResponse
from betterai.runtime.text import CodecTextProvider
from betterai.wire.openai_chat import OpenAIChat
from shapes.server import serve


class CountCodec:
    """POST /count with the texts gives a number."""

    protocol = "openai_chat"
    accepts: ClassVar[dict[str, frozenset[str]]] = {}

    def answers(self, path: str) -> bool:
        return path == "/count"

    def build_request(self, call: TextCall) -> WireRequest:
        warning = CallWarning(code="dropped", field="seed", message="counts have no seed")
        texts = [message.text for message in call.input]
        return WireRequest(url="/count", body={"texts": texts}, warnings=(warning,), safe_to_repeat=True)

    def parse_response(self, call: TextCall, reply: WireResponse) -> TokenCount:
        return TokenCount(tokens=msgspec.json.decode(reply.content)["tokens"])

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return OverloadedError("busy", status=reply.status)

    def open_stream(self, call: TextCall) -> Never:
        raise AssertionError("counts are not streamed")


PRICE = Price(rates=Rates(tokens={"text_in": Decimal(3), "text_out": Decimal(9)}))


def make_provider(url: str, *, counts: bool = True) -> CodecTextProvider:
    protocols = {"text": {"openai_chat": OpenAIChat()}, **({"count": {"openai_chat": CountCodec()}} if counts else {})}
    provider = Provider(name="fake", base_url=url, auth=NoAuth(), protocols=protocols)
    config = CoreConfig(base_url=url, retries=Retries(attempts=2, base=0.001))
    model = ModelConfig(id="m", provider="fake", price=PRICE)
    return CodecTextProvider(provider, OpenAIChat(), config, model)


async def test_the_provider_counts() -> None:
    bodies: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        bodies.append(await request.json())
        if len(bodies) == 1:
            return web.Response(status=503)
        return web.json_response({"tokens": 1000}, headers={"x-request-id": "r-1"})

    async with serve(handler) as url:
        count = await make_provider(url).count_tokens("hello", "m", GenerationSettings(seed=1))
    assert bodies == [{"texts": ["hello"]}] * 2
    assert (count.tokens, count.estimated, count.model, count.provider) == (1000, False, "m", "fake")
    assert count.request_id == "r-1"
    assert [warning.field for warning in count.warnings] == ["seed"]
    assert count.cost is not None
    assert (count.cost.amount, count.cost.status) == (Decimal("0.003"), "exact")


async def test_refusals_are_typed_and_located() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    async with serve(handler) as url:
        with pytest.raises(OverloadedError) as caught:
            await make_provider(url).count_tokens("hello", "m")
    assert (caught.value.provider, caught.value.model, len(caught.value.attempts)) == ("fake", "m", 2)


async def test_without_a_counter_nothing_is_sent() -> None:
    count = await make_provider("http://127.0.0.1:9", counts=False).count_tokens("Hello, world", "m")
    assert count.estimated
    assert 5 <= count.tokens <= 15
    assert count.cost is not None
    assert count.cost.status == "estimated"
    assert count.cost.amount == Decimal(3) * count.tokens / 1_000_000


class Mute(betterai.BaseTextProvider):
    """The handbook's way, without a count."""

    def __init__(self, api_key: str = "") -> None:
        self.api_key = api_key

    async def generate(self, messages: Any, model: str, settings: GenerationSettings) -> betterai.ProviderResponse:
        raise AssertionError("not asked to generate")


class Stranger:
    """A class of nobody's."""

    def __init__(self, api_key: str = "") -> None:
        self.api_key = api_key


class Plain(Mute):
    def count_tokens(self, messages: Any, model: str, settings: GenerationSettings) -> Any:
        return sum(len(message["content"]) for message in messages)


class Waiting(Mute):
    async def count_tokens(self, messages: Any, model: str, settings: GenerationSettings) -> TokenCount:
        return TokenCount(tokens=7, estimated=True)


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        (lambda **options: Stranger(**options), lambda count: count.estimated and count.tokens > 0),
        (Mute, lambda count: count.estimated and count.tokens > 0),
        (Plain, lambda count: not count.estimated and count.tokens == 5),
        (Waiting, lambda count: count.estimated and count.tokens == 7),
    ],
)
async def test_classes_count_as_they_can(kind: Any, right: Callable[[TokenCount], bool]) -> None:
    betterai.register_text_provider("counting", kind, replace=True)
    assert right(await betterai.count_tokens("counting/m", "hello"))


def test_the_sync_face_counts() -> None:
    count = betterai.sync.count_tokens("local/echo", "Hello", system="Be brief")
    assert count.tokens > 0
    assert count.provider == "local"
