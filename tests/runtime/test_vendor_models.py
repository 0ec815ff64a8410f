"""A vendor's own list of models: its forms, its failures, and that it is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import betterai
from betterai.core.config import CoreConfig
from betterai.runtime.attempts import Clock
from betterai.runtime.vendor_models import list_vendor_models
from runtime.upstream import Upstream, reply

KEY = "sk-canary-0123456789"


async def do_not_wait(_: float) -> None:
    """Retries follow at once."""


async def ask(upstream: Upstream, name: str = "groq") -> tuple[str, ...]:
    config = CoreConfig(api_key=KEY, base_url=upstream.url)
    return await list_vendor_models(name, config, clock=Clock(sleep=do_not_wait))


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": "b"}, {"id": "a"}, {"id": "a"}, {"object": "model"}]},
        {"models": [{"name": "models/a"}, {"name": "models/b"}]},
        [{"id": "a"}, {"id": "b"}, "c"],
        [{"model_id": "a", "name": "The A"}, {"model_id": "b", "name": "The B"}],
    ],
)
async def test_the_forms_of_a_list(body: Any) -> None:
    with Upstream(reply(200, body)) as upstream:
        assert await ask(upstream) == ("a", "b")
    (request,) = upstream.requests
    assert (request.method, request.path, request.raw) == ("GET", "/v1/models", b"")


@pytest.mark.parametrize(("name", "size"), [("anthropic", "limit"), ("google", "pageSize")])
async def test_vendors_that_give_pages_are_asked_for_the_largest(name: str, size: str) -> None:
    with Upstream(reply(200, {"data": [{"id": "a"}]})) as upstream:
        await ask(upstream, name)
    assert upstream.requests[0].query == {size: "1000"}


async def test_an_overloaded_vendor_is_asked_again() -> None:
    with Upstream(reply(503, {"error": {"message": "busy"}}), reply(200, {"data": []})) as upstream:
        assert await ask(upstream) == ()
    assert len(upstream.requests) == 2


async def test_e1_the_error_lists_the_attempts() -> None:
    busy = reply(503, {"error": {"message": "busy"}})
    with Upstream(busy) as upstream, pytest.raises(betterai.OverloadedError) as caught:
        await ask(upstream)
    assert [attempt.status for attempt in caught.value.attempts] == [503] * 3
    assert [attempt.waited > 0 for attempt in caught.value.attempts] == [False, True, True]


@pytest.mark.parametrize("body", [b"<html>", {"data": {"id": "a"}}, {"models": None}, "text"])
async def test_what_is_no_list_is_an_error(body: bytes | Mapping[str, Any] | str) -> None:
    with Upstream(reply(200, body)) as upstream:  # type: ignore[arg-type]
        with pytest.raises(betterai.ProviderError, match="groq: the list of models could not be read"):
            await ask(upstream)
        assert len(upstream.requests) == 1


async def test_a_wrong_key_is_not_shown() -> None:
    refused = reply(401, {"error": {"message": f"Invalid API Key {KEY}"}})
    with Upstream(refused) as upstream, pytest.raises(betterai.AuthenticationError) as caught:
        await ask(upstream)
    assert KEY not in str(caught.value)
    assert caught.value.provider == "groq"
