"""The relay between two services of one protocol, judged by its official client: bytes pass, and the usage is read."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from judges.clients import CLIENTS, Ask
from judges.test_pairs import STREAM, VENDORS, chain

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
EACH = pytest.mark.parametrize("protocol", CLIENTS)
USAGE = {"text_in": 1_000_000, "text_out": 0}
COST = {
    "openai_chat": Decimal("0.15"),
    "openai_responses": Decimal("0.15"),
    "anthropic_messages": Decimal(1),
    "gemini": Decimal("0.3"),
}
"""Of a million tokens in, for the models of `VENDORS`."""


@EACH
@STREAM
async def test_bytes_pass_and_usage_and_cost_are_read_on_the_way(protocol: str, stream: bool) -> None:
    ask = Ask("Look: é", image=True, tools=True, stream=stream, local={"text": "Größe", "usage": USAGE})
    async with chain(protocol, protocol, relayed=True) as (asking, front, behind):
        said = await asking.ask(ask)
    assert (said.text, said.ended, said.tokens) == ("Größe", "stop", (1_000_000, 0, 0))
    assert front.replies == behind.replies
    (relayed,) = front.relayed
    assert relayed.usage is not None
    assert (relayed.usage.text_in, relayed.usage.output_tokens) == (1_000_000, 0)
    assert (relayed.cost.amount, relayed.cost.status) == (COST[protocol], "exact")


@EACH
@STREAM
async def test_the_body_passes_but_for_the_name_of_the_model(protocol: str, stream: bool) -> None:
    async with chain(protocol, protocol, relayed=True) as (asking, front, behind):
        await asking.ask(Ask(stream=stream))
    ((came,), (went,)) = front.requests, behind.requests
    name = VENDORS[protocol].partition("/")[2]
    if protocol == "gemini":
        assert went.body == came.body
        assert went.url == f"/v1beta/models/{name}:{came.url.rpartition(':')[2]}", "the version is the codec's"
    else:
        assert went.url == came.url
        assert list(json.loads(went.body).items()) == list({**json.loads(came.body), "model": name}.items())  # type: ignore[arg-type]
    assert "upstream-key" in repr(went.headers)
    assert "k" not in went.headers.values()


VERSIONS = {
    "openai_responses": {"openai-beta": "responses=v9"},
    "anthropic_messages": {"anthropic-version": "2099-01-01", "anthropic-beta": "a-2099-01-01,b"},
}


@pytest.mark.parametrize("protocol", VERSIONS)
async def test_the_clients_version_of_the_protocol_passes(protocol: str) -> None:
    async with chain(protocol, protocol, relayed=True) as (asking, _, behind):
        asking.sdk._custom_headers = VERSIONS[protocol]
        await asking.ask(Ask())
    (went,) = behind.requests
    assert {name: went.headers[name] for name in VERSIONS[protocol]} == VERSIONS[protocol]


@EACH
@STREAM
async def test_refusals_and_waits_pass(protocol: str, stream: bool) -> None:
    local = {"error": "RateLimitError", "message": "slow", "retry_after": 7}
    async with chain(protocol, protocol, relayed=True) as (asking, front, behind):
        with pytest.raises(asking.limited, match="slow") as caught:
            await asking.ask(Ask(local=local, stream=stream))
    assert caught.value.response.headers["retry-after"] == "7"  # type: ignore[attr-defined]
    assert front.replies == behind.replies
    (relayed,) = front.relayed
    assert (relayed.usage, relayed.cost.status) == (None, "unknown")


@EACH
async def test_an_error_amid_a_stream_passes(protocol: str) -> None:
    local = {"text": "a b c", "error": "OverloadedError", "message": "broke", "error_after": 2}
    async with chain(protocol, protocol, relayed=True) as (asking, front, behind):
        with pytest.raises(asking.error, match="broke"):
            await asking.ask(Ask(local=local, stream=True))
    assert front.replies == behind.replies
