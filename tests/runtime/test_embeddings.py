"""Embeddings end to end: the short way, splitting, errors and warnings, over a real server."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from decimal import Decimal
from struct import pack
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai import CoreConfig, sync
from betterai.core.events import TransportEvent
from betterai.core.exceptions import (
    BadRequestError,
    ConfigurationError,
    ProviderError,
    RateLimitError,
    UnsupportedParam,
    ValidationError,
)
from runtime.upstream import Upstream, hold, reply

MODEL = "openai/text-embedding-3-small"


def packed(*numbers: float) -> str:
    return b64encode(pack(f"<{len(numbers)}f", *numbers)).decode()


def vectors(count: int, *, tokens: int = 3) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": packed(index, 0.5)} for index in range(count)]
    return {
        "object": "list",
        "data": data[::-1],
        "model": "m-1",
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


async def embed_numbers(request: web.Request) -> web.StreamResponse:
    """Each text is a number, and its vector is that number."""
    texts = (await request.json())["input"]
    data = [{"index": index, "embedding": packed(float(text))} for index, text in enumerate(texts)]
    return web.json_response(
        {"data": data, "model": "m-1", "usage": {"prompt_tokens": len(texts), "total_tokens": len(texts)}}
    )


def at(upstream: Upstream, **fields: Any) -> CoreConfig:
    return CoreConfig(base_url=upstream.url, api_key="sk-canary-5k3y-000", **fields)


async def test_vectors_come_in_the_order_of_the_texts_with_all_that_is_known() -> None:
    with Upstream(reply(200, vectors(2), {"x-request-id": "r-1"})) as upstream:
        response = await betterai.embed(MODEL, ["a", "b"], config=at(upstream), dimensions=2)
    assert response.vectors == ((0.0, 0.5), (1.0, 0.5))
    assert (response.provider, response.model, response.request_id) == ("openai", "m-1", "r-1")
    assert response.usage is not None
    assert response.usage.input_tokens == 3
    assert response.cost is not None
    assert response.cost.amount == Decimal("0.00000006")
    assert response.timing is not None
    assert [attempt.status for attempt in response.timing.attempts] == [200]
    assert response.raw["model"] == "m-1"
    sent = upstream.requests[0]
    assert sent.path == "/v1/embeddings"
    assert sent.headers["Authorization"] == "Bearer sk-canary-5k3y-000"
    assert sent.body == {
        "model": "text-embedding-3-small", "input": ["a", "b"], "encoding_format": "base64", "dimensions": 2,
    }  # fmt: skip


async def test_five_thousand_texts_go_in_three_requests_and_come_back_in_order() -> None:
    with Upstream(embed_numbers) as upstream:
        response = await betterai.embed(MODEL, [str(number) for number in range(5000)], config=at(upstream))
    assert [vector[0] for vector in response.vectors] == list(range(5000))
    assert sorted(len(request.body["input"]) for request in upstream.requests) == [904, 2048, 2048]
    assert response.usage is not None
    assert response.usage.input_tokens == 5000
    assert response.cost is not None
    assert response.cost.amount == Decimal("0.0001")
    assert response.timing is not None
    assert len(response.timing.attempts) == 3


async def test_long_texts_are_split_by_their_bytes() -> None:
    with Upstream(embed_numbers) as upstream:
        await betterai.embed(MODEL, ["1" + " " * 120_000] * 5, config=at(upstream))
    assert sorted(len(request.body["input"]) for request in upstream.requests) == [1, 2, 2]


async def test_a_part_that_fails_ends_the_call_and_leaves_the_others() -> None:
    refused = reply(400, {"error": {"message": "no", "type": "invalid_request_error"}})
    with Upstream(refused, hold) as upstream:
        with pytest.raises(BadRequestError):
            await betterai.embed(MODEL, [str(number) for number in range(5000)], config=at(upstream))
        await upstream.until(lambda: upstream.left == len(upstream.requests) - 1)


async def test_what_may_be_tried_again_is_and_every_try_is_told() -> None:
    told: list[Any] = []
    with Upstream(reply(503, {"error": {"message": "busy"}}), reply(200, vectors(1))) as upstream:
        retries = betterai.Retries(base=0.001)
        async with betterai.Client(at(upstream, retries=retries), on_event=told.append) as client:
            response = await client.embed(MODEL, "a")
    assert response.timing is not None
    assert [(attempt.status, attempt.error) for attempt in response.timing.attempts] == [
        (503, "OverloadedError"),
        (200, ""),
    ]
    assert [event.status for event in told if isinstance(event, TransportEvent)] == [503, 200]


async def test_an_error_says_whom_it_was_asked_of_and_shows_no_key() -> None:
    said = {"error": {"message": "the key sk-canary-5k3y-000 is over its limit", "type": "rate_limit_error"}}
    with Upstream(reply(429, said)) as upstream, pytest.raises(RateLimitError) as caught:
        await betterai.embed(MODEL, "a", config=at(upstream, retries=0))
    assert str(caught.value).startswith("openai/text-embedding-3-small: the key *** is over its limit")
    assert "sk-canary" not in repr(vars(caught.value))
    assert len(caught.value.attempts) == 1


async def test_settings_that_do_not_go_are_told_or_raise() -> None:
    with Upstream(reply(200, vectors(1))) as upstream:
        response = await betterai.embed(MODEL, "a", config=at(upstream), task="query", truncate=True)
        assert [(warning.code, warning.field) for warning in response.warnings] == [
            ("dropped", "task"),
            ("dropped", "truncate"),
        ]
        with pytest.raises(UnsupportedParam, match="task"):
            await betterai.embed(MODEL, "a", config=at(upstream, unsupported="raise"), task="query")
        with pytest.raises(UnsupportedParam, match="vectors of int8 are not given here"):
            await betterai.embed(MODEL, "a", config=at(upstream), encoding="int8")
        with pytest.raises(ValidationError, match="did you mean dimensions"):
            await betterai.embed(MODEL, "a", config=at(upstream), dimension=3)  # type: ignore[call-arg]
        with pytest.raises(ValidationError, match="dimensions must be int"):
            await betterai.embed(MODEL, "a", config=at(upstream), dimensions="3")  # type: ignore[arg-type]
    assert len(upstream.requests) == 1


async def test_what_is_no_text_or_nothing_is_refused_before_anything_is_sent() -> None:
    with Upstream(hold) as upstream:
        with pytest.raises(ValidationError, match="there are no texts"):
            await betterai.embed(MODEL, [], config=at(upstream))
        with pytest.raises(ValidationError, match="text 1 is int"):
            await betterai.embed(MODEL, ["a", 5], config=at(upstream))  # type: ignore[list-item]
        with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
            await betterai.embed(MODEL, "a", config=CoreConfig(base_url=upstream.url))
    assert upstream.requests == []


async def test_fewer_vectors_than_texts_is_an_error() -> None:
    with Upstream(reply(200, vectors(1))) as upstream, pytest.raises(ProviderError, match="1 vectors came for 2 texts"):
        await betterai.embed(MODEL, ["a", "b"], config=at(upstream))


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"data": [{"embedding": "?"}]}', b'{"data": null}', b"\xff"])
async def test_e1_a_reply_that_cannot_be_read_is_an_error_of_ours(body: bytes) -> None:
    with Upstream(reply(200, body)) as upstream, pytest.raises(ProviderError):
        await betterai.embed(MODEL, "a", config=at(upstream, retries=0))


async def test_extra_fields_headers_and_query_go_out() -> None:
    with Upstream(reply(200, vectors(1))) as upstream:
        await betterai.embed(
            MODEL, "a", config=at(upstream), extra_body={"encoding_format": "float", "x": {"y": 1}},
            extra_headers={"X-Mine": "1"}, extra_query={"q": "2"},
        )  # fmt: skip
    sent = upstream.requests[0]
    assert (sent.body["encoding_format"], sent.body["x"]) == ("float", {"y": 1})
    assert (sent.headers["X-Mine"], sent.query) == ("1", {"q": "2"})


async def test_s3_cancelling_closes_the_socket() -> None:
    with Upstream(hold) as upstream:
        task = asyncio.create_task(betterai.embed(MODEL, "a", config=at(upstream)))
        await upstream.until(lambda: len(upstream.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await upstream.until(lambda: upstream.left == 1)


def test_it_works_without_async() -> None:
    with Upstream(reply(200, vectors(1))) as upstream:
        assert sync.embed(MODEL, "a", config=at(upstream)).vectors == ((0.0, 0.5),)


async def test_a_model_of_another_kind_is_asked_with_a_warning() -> None:
    with Upstream(reply(200, vectors(1))) as upstream:
        response = await betterai.embed("openai/gpt-6-luna", "a", config=at(upstream))
        unheard = await betterai.embed("openai/unheard-of", "a", config=at(upstream))
    assert [warning.code for warning in response.warnings] == ["capability"]
    assert [warning.code for warning in unheard.warnings] == ["unknown_model"]


async def test_the_embedded_hashing_knows_letters_and_is_always_the_same() -> None:
    near, same, far = (await betterai.embed("local", ["blue sky", "the blue sky", "tax return form"])).vectors
    again = (await betterai.embed("local/hashing", "blue sky")).vectors[0]
    assert near == again
    assert sum(a * b for a, b in zip(near, same, strict=True)) > 0.7
    assert abs(sum(a * b for a, b in zip(near, far, strict=True))) < 0.3
    assert round(sum(number * number for number in near), 9) == 1.0


async def test_a_class_of_ones_own_is_completed() -> None:
    class Flat(betterai.BaseEmbeddingProvider):
        def __init__(self, api_key: str, **options: Any) -> None:
            self.key = api_key

        async def embed(
            self, inputs: Any, model: str, settings: betterai.EmbeddingSettings
        ) -> betterai.EmbeddingResponse:
            return betterai.EmbeddingResponse(vectors=tuple((float(len(text)),) for text in inputs))

    betterai.register_embedding_provider("flat-vectors", Flat)
    response = await betterai.embed("flat-vectors/m", ["a", "bb"], config=CoreConfig(api_key="k"))
    assert (response.vectors, response.provider, response.model) == (((1.0,), (2.0,)), "flat-vectors", "m")
    assert response.timing is not None
    provider = betterai.get_embedding_provider("flat-vectors/m")
    assert isinstance(provider, Flat)


async def test_a_provider_object_serves_other_models_of_its_vendor() -> None:
    with Upstream(reply(200, vectors(1))) as upstream:
        provider = betterai.get_embedding_provider(CoreConfig(model=MODEL, base_url=upstream.url, api_key="k"))
        await provider.embed(["a"], "text-embedding-3-large", betterai.EmbeddingSettings())
    assert upstream.requests[0].body["model"] == "text-embedding-3-large"
    assert json.loads(upstream.requests[0].raw)["input"] == ["a"]
